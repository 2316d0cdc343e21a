package safetensors

import (
	"bytes"
	"encoding/json"

	"github.com/saedb/saedb/internal/fault"
)

// storedEntry is what a header says of a tensor.
type storedEntry struct {
	DType   string   `json:"dtype"`
	Shape   []uint64 `json:"shape"`
	Offsets []uint64 `json:"data_offsets"`
}

// scanner reads a JSON text from left to right. A header of 25 MB has 400,000 entries, all
// of one form: what knows that form reads it several times as fast as encoding/json, which
// reads the rest.
type scanner struct {
	text []byte
	at   int // the next byte of text
}

func (s *scanner) skipSpace() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return
		}
	}
}

// next reports whether c comes next, behind white space, and goes behind it where it does.
func (s *scanner) next(c byte) bool {
	s.skipSpace()
	if s.at < len(s.text) && s.text[s.at] == c {
		s.at++
		return true
	}
	return false
}

// ended reports whether nothing but white space is left.
func (s *scanner) ended() bool {
	s.skipSpace()
	return s.at == len(s.text)
}

// value decodes the value that comes next, of any form.
func (s *scanner) value(v any) error {
	d := json.NewDecoder(bytes.NewReader(s.text[s.at:]))
	err := d.Decode(v)
	s.at += int(d.InputOffset())
	return err
}

// key reads a name and the colon behind it.
func (s *scanner) key() (string, error) {
	name, ok := s.plainText()
	if !ok {
		s.skipSpace()
		if s.at == len(s.text) || s.text[s.at] != '"' {
			return "", &fault.Error{Expected: "a name in quotes"}
		}
		if err := s.value(&name); err != nil {
			return "", err
		}
	}
	if !s.next(':') {
		return "", &fault.Error{Expected: "a colon behind a name"}
	}
	return name, nil
}

// plainText reads a text without escapes; it stays where it is at anything else.
func (s *scanner) plainText() (string, bool) {
	begin := s.at
	if !s.next('"') {
		return "", false
	}
	for i := s.at; i < len(s.text); i++ {
		switch c := s.text[i]; {
		case c == '"':
			text := string(s.text[s.at:i])
			s.at = i + 1
			return text, true
		case c == '\\' || c < ' ':
			s.at = begin
			return "", false
		}
	}
	s.at = begin
	return "", false
}

// entry reads the object of a tensor of the form that writers give it: dtype, shape and
// data_offsets, each once, in any order. At anything else it stays where it is.
func (s *scanner) entry(e *storedEntry) bool {
	begin := s.at
	if s.next('{') && s.member(e) && s.next(',') && s.member(e) && s.next(',') && s.member(e) && s.next('}') {
		return true
	}
	s.at, *e = begin, storedEntry{}
	return false
}

// member reads one name and its value into e, which has none of that name yet.
func (s *scanner) member(e *storedEntry) bool {
	name, ok := s.plainText()
	if !ok || !s.next(':') {
		return false
	}
	switch {
	case name == "dtype" && e.DType == "":
		e.DType, ok = s.plainText()
	case name == "shape" && e.Shape == nil:
		e.Shape, ok = s.numbers()
	case name == "data_offsets" && e.Offsets == nil:
		e.Offsets, ok = s.numbers()
	default:
		return false
	}
	return ok
}

// numbers reads a list of whole numbers of at most 18 digits.
func (s *scanner) numbers() ([]uint64, bool) {
	if !s.next('[') {
		return nil, false
	}
	list := make([]uint64, 0, 2) // offsets, or the shape of a matrix
	if s.next(']') {
		return list, true
	}
	for {
		s.skipSpace()
		begin := s.at
		var n uint64
		for ; s.at < len(s.text) && s.text[s.at] >= '0' && s.text[s.at] <= '9'; s.at++ {
			n = 10*n + uint64(s.text[s.at]-'0')
		}
		digits := s.at - begin
		if digits == 0 || digits > 18 || digits > 1 && s.text[begin] == '0' {
			return nil, false
		}
		list = append(list, n)
		if s.next(']') {
			return list, true
		}
		if !s.next(',') {
			return nil, false
		}
	}
}
