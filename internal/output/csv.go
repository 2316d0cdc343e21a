package output

import (
	"bufio"
	"strings"

	"github.com/saedb/saedb/internal/plaintext"
)

// writeCSV writes RFC 4180 with a header line, except that lines end in \n as those
// of DuckDB's COPY do. NULL is an empty field and the empty string is "": what
// encoding/csv writes for both is the same, so it is not used. DuckDB's read_csv
// tells them apart with allow_quoted_nulls = false. Lists, structs and maps are the
// text of their cast to VARCHAR, which DuckDB casts back. Text is guarded for spreadsheets
// where that is asked for.
func writeCSV(w *bufio.Writer, source *reader, guarded bool) error {
	for i, c := range source.columns {
		separateCSV(w, i)
		writeCSVField(w, c.name)
	}
	w.WriteByte('\n')

	values := make([]any, len(source.columns))
	for {
		more, err := source.next(values)
		if !more {
			return err
		}
		for i, v := range values {
			separateCSV(w, i)
			if text, ok := v.(string); ok && guarded {
				writeCSVField(w, plaintext.Guarded(text))
			} else if v != nil {
				writeCSVField(w, texter{}.text(v, source.columns[i].typ))
			}
		}
		// bufio keeps its first error, so only the last write of a row is checked.
		if err := w.WriteByte('\n'); err != nil {
			return err
		}
	}
}

func separateCSV(w *bufio.Writer, i int) {
	if i > 0 {
		w.WriteByte(',')
	}
}

func writeCSVField(w *bufio.Writer, s string) {
	if s != "" && !strings.ContainsAny(s, ",\"\r\n") && s[0] != ' ' && s[len(s)-1] != ' ' {
		w.WriteString(s)
		return
	}
	w.WriteByte('"')
	w.WriteString(strings.ReplaceAll(s, `"`, `""`))
	w.WriteByte('"')
}
