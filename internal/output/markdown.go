package output

import (
	"bufio"
	"github.com/saedb/saedb/internal/plaintext"
	"strings"
	"unicode"
	"unicode/utf8"
)

// writeMarkdown writes a table of GitHub's Markdown. Numbers are aligned right.
func writeMarkdown(w *bufio.Writer, source *reader) error {
	if len(source.columns) == 0 {
		return nil
	}
	for _, c := range source.columns {
		w.WriteString("| " + escapeMarkdown(plaintext.Visible(c.name)) + " ")
	}
	w.WriteString("|\n")
	for _, c := range source.columns {
		if c.typ.numeric() {
			w.WriteString("| ---: ")
		} else {
			w.WriteString("| --- ")
		}
	}
	w.WriteString("|\n")

	values := make([]any, len(source.columns))
	for {
		more, err := source.next(values)
		if !more {
			return err
		}
		for i, v := range values {
			text := texter{short: true}.text(v, source.columns[i].typ)
			w.WriteString("| " + escapeMarkdown(plaintext.Visible(text)) + " ")
		}
		// bufio keeps its first error, so only the last write of a row is checked.
		if _, err := w.WriteString("|\n"); err != nil {
			return err
		}
	}
}

// escapeMarkdown puts a backslash before what Markdown would read as markup. An
// underscore inside a word, as in column names, is none.
func escapeMarkdown(s string) string {
	if !strings.ContainsAny(s, "\\|`*<&~_") {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch r {
		case '\\', '|', '`', '*', '<', '&', '~':
			b.WriteByte('\\')
		case '_':
			before, _ := utf8.DecodeLastRuneInString(s[:i])
			after, _ := utf8.DecodeRuneInString(s[i+1:])
			if !isWord(before) || !isWord(after) {
				b.WriteByte('\\')
			}
		}
		b.WriteRune(r)
	}
	return b.String()
}

func isWord(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r))
}
