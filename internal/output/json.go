package output

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"

	"github.com/duckdb/duckdb-go/v2"
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
			line = appendJSON(line, v, source.columns[i].typ)
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

func appendJSON(b []byte, v any, t *columnType) []byte {
	if v == nil {
		return append(b, "null"...)
	}
	if t.name == "JSON" {
		return appendDocument(b, v)
	}
	switch v := v.(type) {
	case string:
		return appendDocument(b, v)
	case bool:
		return strconv.AppendBool(b, v)
	case float32:
		return appendJSONFloat(b, float64(v), 32)
	case float64:
		return appendJSONFloat(b, v, 64)
	case int8, int16, int32, int64, uint8, uint16, uint32, uint64:
		return fmt.Append(b, v)
	case *big.Int:
		return v.Append(b, 10)
	case duckdb.Decimal:
		return appendDecimal(b, v.Value, int(v.Scale))
	case []any:
		if t.elem != nil {
			return appendJSONList(b, v, t)
		}
		return appendDocument(b, v)
	case map[string]any:
		if t.name == "STRUCT" {
			return appendJSONStruct(b, v, t)
		}
		return appendDocument(b, v)
	case duckdb.OrderedMap:
		if t.key != nil {
			return appendJSONMap(b, v, t)
		}
	case duckdb.Union:
		if member := t.member(v.Tag); member != nil {
			b = append(appendDocument(append(b, '{'), v.Tag), ':')
			return append(appendJSON(b, v.Value, member), '}')
		}
	}
	return appendDocument(b, texter{}.text(v, t))
}

func appendJSONFloat(b []byte, f float64, bits int) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(b, "null"...)
	}
	return appendFloat(b, f, bits)
}

func appendJSONList(b []byte, list []any, t *columnType) []byte {
	b = append(b, '[')
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendJSON(b, v, t.elem)
	}
	return append(b, ']')
}

func appendJSONStruct(b []byte, members map[string]any, t *columnType) []byte {
	b = append(b, '{')
	for i, f := range t.fields {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendDocument(b, f.name), ':')
		b = appendJSON(b, members[f.name], f.typ)
	}
	return append(b, '}')
}

func appendJSONMap(b []byte, m duckdb.OrderedMap, t *columnType) []byte {
	keys, values := m.Keys(), m.Values()
	b = append(b, '{')
	for i, key := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendDocument(b, texter{}.text(key, t.key)), ':')
		b = appendJSON(b, values[i], t.elem)
	}
	return append(b, '}')
}

// appendDocument appends a string or a decoded JSON document, without the escapes
// for HTML that [json.Marshal] adds to < and >, which many tokens have.
func appendDocument(b []byte, v any) []byte {
	var encoded bytes.Buffer
	encoder := json.NewEncoder(&encoded)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return strconv.AppendQuote(b, fmt.Sprint(v))
	}
	return append(b, bytes.TrimSuffix(encoded.Bytes(), []byte("\n"))...)
}
