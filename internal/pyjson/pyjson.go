// Package pyjson reads JSON as Python's json module writes it: with NaN, Infinity and
// -Infinity among the values, for which JSON has no word.
package pyjson

import (
	"bytes"
	"encoding/json"
)

// notNumbers are the words that Python writes for numbers which are not finite. Source:
// json/encoder.py of CPython, floatstr.
var notNumbers = [][]byte{[]byte("NaN"), []byte("-Infinity"), []byte("Infinity")}

// Unmarshal is json.Unmarshal of what Python wrote. A number that is not finite is read
// as null, which leaves the zero value: nobody's sizes and names are infinite.
func Unmarshal(data []byte, v any) error { return json.Unmarshal(Standard(data), v) }

// Standard returns data with null in place of the numbers that are not finite, which makes
// JSON of what Python wrote, and data itself where there are none. Texts stay as they are,
// also those that hold these words, and what is no JSON does not become any: null is
// as wrong behind another value, or as a key, as the word that it replaces.
func Standard(data []byte) []byte {
	var out []byte // nil until there is something to replace
	copied := 0
	inText := false
	for i := 0; i < len(data); {
		switch c := data[i]; {
		case inText && c == '\\':
			i += 2
			continue
		case c == '"':
			inText = !inText
		case !inText && (c == 'N' || c == 'I' || c == '-'):
			if word := notNumber(data[i:]); word > 0 {
				out = append(append(out, data[copied:i]...), "null"...)
				i += word
				copied = i
				continue
			}
		}
		i++
	}
	if out == nil {
		return data
	}
	return append(out, data[copied:]...)
}

// notNumber is the length of the word that data begins with, 0 for none of them.
func notNumber(data []byte) int {
	for _, word := range notNumbers {
		if bytes.HasPrefix(data, word) {
			return len(word)
		}
	}
	return 0
}
