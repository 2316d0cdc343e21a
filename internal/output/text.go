package output

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"
)

// texter turns the driver's values into text: as DuckDB casts them to VARCHAR, or as JSON.
//
// DuckDB itself can cast the columns of a SELECT, but not those of RETURNING, EXECUTE, CALL
// or PIVOT, and of a query in a query the place that an error shows would be wrong.
type texter struct {
	json  bool
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
	switch {
	case v == nil && x.json:
		return append(b, "null"...)
	case v == nil:
		return append(b, "NULL"...)
	case t.name == "JSON":
		return appendDocument(b, v)
	}
	switch v := v.(type) {
	case bool:
		return strconv.AppendBool(b, v)
	case float32:
		return x.appendFloat(b, float64(v), 32)
	case float64:
		return x.appendFloat(b, v, 64)
	case int8, int16, int32, int64, uint8, uint16, uint32, uint64:
		return fmt.Append(b, v)
	case *big.Int:
		return v.Append(b, 10)
	case duckdb.Decimal:
		return appendDecimal(b, v.Value, int(v.Scale))
	}
	if b, nested := x.appendNested(b, v, t); nested {
		return b
	}
	if x.json {
		return appendDocument(b, string(appendLeaf(nil, v, t.name)))
	}
	return appendLeaf(b, v, t.name)
}

func (x texter) appendFloat(b []byte, f float64, bits int) []byte {
	switch {
	case x.short:
		return appendShortFloat(b, f, bits)
	case x.json && (math.IsNaN(f) || math.IsInf(f, 0)):
		return append(b, "null"...)
	}
	return appendFloat(b, f, bits)
}

// appendLeaf appends what is a text in JSON too.
func appendLeaf(b []byte, v any, typ string) []byte {
	switch v := v.(type) {
	case string:
		return append(b, v...)
	case time.Time:
		return appendTime(b, v, typ)
	case duckdb.Interval:
		return appendInterval(b, v)
	case []byte:
		return appendBytes(b, v, typ)
	}
	return fmt.Append(b, v) // BIT
}

// appendNested appends a list, struct, map or union, where v is one.
func (x texter) appendNested(b []byte, v any, t *columnType) (out []byte, nested bool) {
	switch v := v.(type) {
	case []any:
		if t.elem == nil {
			return appendDocument(b, v), true
		}
		b = append(b, '[')
		for i, element := range v {
			b = x.appendElement(x.separate(b, i), element, t.elem)
		}
		return append(b, ']'), true
	case map[string]any:
		if t.name != "STRUCT" {
			return appendDocument(b, v), true
		}
		b = append(b, '{')
		for i, f := range t.fields {
			b = x.appendName(x.separate(b, i), f.name)
			b = x.appendElement(b, v[f.name], f.typ)
		}
		return append(b, '}'), true
	case duckdb.OrderedMap:
		if t.key == nil {
			return b, false
		}
		keys, values := v.Keys(), v.Values()
		b = append(b, '{')
		for i, key := range keys {
			if b = x.separate(b, i); x.json {
				b = x.appendName(b, texter{}.text(key, t.key))
			} else {
				b = append(x.appendElement(b, key, t.key), '=')
			}
			b = x.appendElement(b, values[i], t.elem)
		}
		return append(b, '}'), true
	case duckdb.Union:
		member := t.member(v.Tag)
		switch {
		case member == nil:
			return b, false
		case x.json:
			return append(x.append(x.appendName(append(b, '{'), v.Tag), v.Value, member), '}'), true
		}
		return x.append(b, v.Value, member), true
	}
	return b, false
}

func (x texter) separate(b []byte, i int) []byte {
	switch {
	case i == 0:
		return b
	case x.json:
		return append(b, ',')
	}
	return append(b, ", "...)
}

// appendName appends the name of a member with the colon after it.
func (x texter) appendName(b []byte, name string) []byte {
	if x.json {
		return append(appendDocument(b, name), ':')
	}
	return append(appendQuoted(b, name), ": "...)
}

// appendElement appends a value inside a list, struct or map. What is not itself
// nested is quoted when its text could be mistaken for the punctuation around it.
func (x texter) appendElement(b []byte, v any, t *columnType) []byte {
	if x.json || v == nil || t.elem != nil || t.fields != nil || t.numeric() || t.name == "BOOLEAN" {
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

var quotes = strings.NewReplacer(`'`, `\'`, `\`, `\\`)

func appendQuoted(b []byte, s string) []byte {
	return append(append(append(b, '\''), quotes.Replace(s)...), '\'')
}

// appendBytes appends a UUID in its usual form, and the bytes of a BLOB with \xFF
// for those that are not printable ASCII.
func appendBytes(b, v []byte, typ string) []byte {
	if typ == "UUID" && len(v) == 16 {
		id := duckdb.UUID(v)
		return append(b, id.String()...)
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
