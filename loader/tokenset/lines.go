package tokenset

import (
	"iter"
	"strings"
)

// lines goes through the lines of a text, numbered from 1, whichever way they end: LF,
// CR LF, or CR alone, which is "Text (Macintosh)" of spreadsheets.
func lines(text string) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		for number := 1; text != ""; number++ {
			line, rest := text, ""
			if end := strings.IndexAny(text, "\r\n"); end >= 0 {
				line, rest = text[:end], text[end+1:]
				if text[end] == '\r' {
					rest = strings.TrimPrefix(rest, "\n")
				}
			}
			if !yield(number, line) {
				return
			}
			text = rest
		}
	}
}

// lineFeeds is a CSV file with LF in place of each CR that ends a line; those in quotes
// are part of a field.
func lineFeeds(data []byte) []byte {
	converted := make([]byte, len(data))
	quoted := false
	for i, char := range data {
		switch {
		case char == '"':
			quoted = !quoted
		case char == '\r' && !quoted && (i+1 == len(data) || data[i+1] != '\n'):
			char = '\n'
		}
		converted[i] = char
	}
	return converted
}
