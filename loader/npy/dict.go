package npy

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/saedb/saedb/internal/fault"
)

// parse reads the text of a header: a literal of Python with exactly the keys that
// NumPy demands, in any order, such as
//
//	{'descr': '<f4', 'fortran_order': False, 'shape': (16384, 2304), }
//
// padded with spaces and ended by a line feed. Of Python's literals it knows those
// that these keys can have.
func (h *header) parse(text string) error {
	p := &parser{text: text, rest: text}
	seen := map[string]bool{}
	p.expect("{")
	for p.err == nil && !p.skip("}") {
		key := p.string()
		p.expect(":")
		if p.err == nil && seen[key] {
			p.fail(fmt.Sprintf("key %q once", key))
		}
		seen[key] = true
		switch key {
		case "descr":
			h.descr = p.descr()
		case "fortran_order":
			h.fortran = p.bool()
		case "shape":
			h.shape = p.shape()
		default:
			p.fail("descr, fortran_order and shape alone")
		}
		if !p.skip(",") && !strings.HasPrefix(p.rest, "}") {
			p.fail(`"," or "}"`)
		}
	}
	if p.err == nil && strings.TrimSpace(p.rest) != "" {
		p.fail("nothing after the dict")
	}
	for _, key := range []string{"descr", "fortran_order", "shape"} {
		if p.err == nil && !seen[key] {
			p.err = &fault.Error{Problem: "header", Expected: "descr, fortran_order and shape", Found: "no " + key}
		}
	}
	return p.err
}

// parser reads a text from front to back. After an error it reads nothing more.
type parser struct {
	text, rest string
	err        error
}

// fail keeps the first error: what was expected at the place reached.
func (p *parser) fail(expected string) {
	if p.err == nil {
		p.err = &fault.Error{
			Problem:  fmt.Sprintf("header, character %d", len(p.text)-len(p.rest)),
			Expected: expected, Found: fmt.Sprintf("%.20q", p.rest),
		}
	}
}

// skip reports whether the text goes on with token, and moves past it and the
// spaces around it.
func (p *parser) skip(token string) bool {
	p.rest = strings.TrimLeft(p.rest, " \n")
	if p.err != nil || !strings.HasPrefix(p.rest, token) {
		return false
	}
	p.rest = strings.TrimLeft(p.rest[len(token):], " \n")
	return true
}

func (p *parser) expect(token string) {
	if !p.skip(token) {
		p.fail(strconv.Quote(token))
	}
}

// string reads a quoted text. Names of types and keys need no escapes, so a
// backslash is an error.
func (p *parser) string() string {
	quote := `"`
	if strings.HasPrefix(p.rest, "'") {
		quote = "'"
	}
	start := p.rest
	if !p.skip(quote) {
		p.fail("a text")
		return ""
	}
	text, rest, ended := strings.Cut(start[1:], quote)
	if !ended || strings.ContainsAny(text, "\\\n") {
		p.fail("a text without escapes")
		return ""
	}
	p.rest = strings.TrimLeft(rest, " \n")
	return text
}

// descr reads the name of a type. A list describes the fields of a structured
// type, whose values are no numbers.
func (p *parser) descr() string {
	if strings.HasPrefix(p.rest, "[") {
		p.fail("numbers, with a type like '<f4'")
		return ""
	}
	return p.string()
}

func (p *parser) bool() bool {
	if p.skip("True") {
		return true
	}
	if !p.skip("False") {
		p.fail("True or False")
	}
	return false
}

// shape reads a tuple of dimensions: "()", "(96,)", "(96, 48)".
func (p *parser) shape() []uint64 {
	shape := []uint64{}
	p.expect("(")
	for p.err == nil && !p.skip(")") {
		shape = append(shape, p.dimension())
		if !p.skip(",") && (len(shape) < 2 || !strings.HasPrefix(p.rest, ")")) {
			p.fail("a tuple of dimensions")
		}
	}
	return shape
}

func (p *parser) dimension() uint64 {
	n := 0
	for n < len(p.rest) && p.rest[n] >= '0' && p.rest[n] <= '9' {
		n++
	}
	value, err := strconv.ParseUint(p.rest[:n], 10, 63)
	if err != nil {
		p.fail("a dimension")
		return 0
	}
	p.skip(p.rest[:n])
	return value
}
