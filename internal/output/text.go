package output

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"
)

// texter turns values into text.
type texter struct {
	short bool // floats are shortened for people
}

// text returns v, of type t, as DuckDB casts it to VARCHAR; NULL gives "NULL".
//
// JSON is the exception: the driver hands over a decoded document, so its keys come
// sorted and its numbers as DOUBLE.
func (x texter) text(v any, t *columnType) string {
	if s, ok := v.(string); ok && t.name != "JSON" {
		return s
	}
	return string(x.append(nil, v, t))
}

func (x texter) append(b []byte, v any, t *columnType) []byte {
	if v == nil {
		return append(b, "NULL"...)
	}
	if t.name == "JSON" {
		return appendDocument(b, v)
	}
	switch v := v.(type) {
	case string:
		return append(b, v...)
	case bool:
		return strconv.AppendBool(b, v)
	case float32:
		return x.appendFloat(b, float64(v), 32)
	case float64:
		return x.appendFloat(b, v, 64)
	case *big.Int:
		return v.Append(b, 10)
	case duckdb.Decimal:
		return appendDecimal(b, v.Value, int(v.Scale))
	case duckdb.Interval:
		return appendInterval(b, v)
	case time.Time:
		return appendTime(b, v, t.name)
	case []byte:
		return appendBytes(b, v, t.name)
	default:
		return x.appendNested(b, v, t)
	}
}

func (x texter) appendFloat(b []byte, f float64, bits int) []byte {
	if x.short {
		return appendShortFloat(b, f, bits)
	}
	return appendFloat(b, f, bits)
}

func (x texter) appendNested(b []byte, v any, t *columnType) []byte {
	switch v := v.(type) {
	case []any:
		if t.elem != nil {
			return x.appendList(b, v, t)
		}
		return appendDocument(b, v)
	case map[string]any:
		if t.name == "STRUCT" {
			return x.appendStruct(b, v, t)
		}
		return appendDocument(b, v)
	case duckdb.OrderedMap:
		if t.key != nil {
			return x.appendMap(b, v, t)
		}
	case duckdb.Union:
		if member := t.member(v.Tag); member != nil {
			return x.append(b, v.Value, member)
		}
	}
	return fmt.Append(b, v) // the integers, and BIT
}

func (x texter) appendList(b []byte, list []any, t *columnType) []byte {
	b = append(b, '[')
	for i, v := range list {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = x.appendElement(b, v, t.elem)
	}
	return append(b, ']')
}

func (x texter) appendStruct(b []byte, members map[string]any, t *columnType) []byte {
	b = append(b, '{')
	for i, f := range t.fields {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(appendQuoted(b, f.name), ": "...)
		b = x.appendElement(b, members[f.name], f.typ)
	}
	return append(b, '}')
}

func (x texter) appendMap(b []byte, m duckdb.OrderedMap, t *columnType) []byte {
	keys, values := m.Keys(), m.Values()
	b = append(b, '{')
	for i, key := range keys {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(x.appendElement(b, key, t.key), '=')
		b = x.appendElement(b, values[i], t.elem)
	}
	return append(b, '}')
}

// appendElement appends a value inside a list, struct or map. What is not itself
// nested is quoted when its text could be mistaken for the punctuation around it.
func (x texter) appendElement(b []byte, v any, t *columnType) []byte {
	nested := t.elem != nil || t.fields != nil
	if v == nil || nested || t.numeric() || t.name == "BOOLEAN" {
		return x.append(b, v, t)
	}
	text := x.text(v, t)
	if needsQuotes(text) {
		return appendQuoted(b, text)
	}
	return append(b, text...)
}

func needsQuotes(s string) bool {
	if s == "" || strings.EqualFold(s, "null") {
		return true
	}
	const blank = " \t\n\v\f\r"
	return strings.IndexByte(blank, s[0]) >= 0 || strings.IndexByte(blank, s[len(s)-1]) >= 0 ||
		strings.ContainsAny(s, `"'(),:=[]{}`)
}

func appendQuoted(b []byte, s string) []byte {
	b = append(b, '\'')
	for i := range len(s) {
		if s[i] == '\'' || s[i] == '\\' {
			b = append(b, '\\')
		}
		b = append(b, s[i])
	}
	return append(b, '\'')
}

// appendBytes appends a UUID in its usual form, and the bytes of a BLOB with \xFF
// for those that are not printable ASCII.
func appendBytes(b, v []byte, typ string) []byte {
	if typ == "UUID" && len(v) == 16 {
		for i, end := range []int{4, 6, 8, 10, 16} {
			start := []int{0, 4, 6, 8, 10}[i]
			if i > 0 {
				b = append(b, '-')
			}
			b = hex.AppendEncode(b, v[start:end])
		}
		return b
	}
	for _, c := range v {
		if c < ' ' || c > '~' || c == '\\' || c == '\'' || c == '"' {
			b = fmt.Appendf(b, `\x%02X`, c)
		} else {
			b = append(b, c)
		}
	}
	return b
}
