package output

import (
	"bufio"
	"fmt"
)

// writeJSON writes one array with an object a row, its keys in column order. Of
// columns with the same name the later ones get _1, _2 and so on.
//
// Numbers are JSON numbers with every digit; NaN and the infinities, which JSON has
// no numbers for, are null. Lists are arrays; structs, maps and unions are objects,
// a union with its tag as the one key. Everything else is the string that DuckDB
// casts it to.
func writeJSON(w *bufio.Writer, source *reader) error {
	keys := jsonKeys(source.columns)
	values := make([]any, len(source.columns))
	var line []byte
	w.WriteByte('[')
	for {
		more, err := source.next(values)
		if err != nil {
			return err
		}
		if !more {
			_, err := w.WriteString("]\n")
			return err
		}
		line = line[:0]
		if source.read > 1 {
			line = append(line, ",\n"...)
		}
		for i, v := range values {
			line = append(append(line, "{,"[min(i, 1)]), keys[i]...)
			line = texter{json: true}.append(line, v, source.columns[i].typ)
		}
		if _, err := w.Write(append(line, '}')); err != nil {
			return err
		}
	}
}

// jsonKeys returns the encoded key and colon of each column.
func jsonKeys(columns []column) [][]byte {
	taken := make(map[string]bool)
	for _, c := range columns {
		taken[c.name] = true
	}
	seen := make(map[string]bool)
	keys := make([][]byte, len(columns))
	for i, c := range columns {
		name := c.name
		for suffix := 1; seen[name]; suffix++ {
			if renamed := fmt.Sprintf("%s_%d", c.name, suffix); !taken[renamed] {
				name = renamed
			}
		}
		seen[name], taken[name] = true, true
		keys[i] = append(appendDocument(nil, name), ':')
	}
	return keys
}
