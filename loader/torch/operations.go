package torch

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/saedb/saedb/internal/fault"
)

const (
	opProtocol = 0x80
	opStop     = '.'
)

// operations are the opcodes that torch.save writes (protocol 2), and those of
// later protocols that only write the same values shorter. Missing are the text
// forms of protocol 0 and buffers outside the pickle. Source: Lib/pickletools.py
// of CPython.
var operations = [256]operation{
	opProtocol: (*machine).protocol,
	0x95:       func(m *machine) error { _, err := m.take(8); return err }, // FRAME

	'(':  func(m *machine) error { m.marks = append(m.marks, len(m.stack)); return nil },
	'0':  func(m *machine) error { _, err := m.pop(); return err },
	'1':  func(m *machine) error { _, err := m.popMark(); return err },
	'2':  (*machine).duplicate,
	'q':  remember(1),
	'r':  remember(4),
	0x94: func(m *machine) error { return m.remember(uint64(len(m.memo))) }, // MEMOIZE
	'h':  recall(1),
	'j':  recall(4),

	'N':  constant(nil),
	0x88: constant(true),
	0x89: constant(false),
	'K':  integer(1),
	'M':  integer(2),
	'J':  (*machine).int32,
	0x8a: long(1),
	0x8b: long(4),
	'G':  (*machine).float,

	'X': text(4), 0x8c: text(1), 0x8d: text(8), // Unicode
	'U': text(1), 'T': text(4), // the texts of Python 2
	'C': raw(1), 'B': raw(4), 0x8e: raw(8), 0x96: raw(8),

	')':  func(m *machine) error { m.push(tuple(nil)); return nil },
	't':  func(m *machine) error { return m.build(toTuple) },
	0x85: tupleOf(1), 0x86: tupleOf(2), 0x87: tupleOf(3),
	']':  func(m *machine) error { m.push(&list{}); return nil },
	0x8f: func(m *machine) error { m.push(&list{}); return nil }, // EMPTY_SET
	'l':  func(m *machine) error { return m.build(toList) },
	0x91: func(m *machine) error { return m.build(toList) }, // FROZENSET
	'a':  func(m *machine) error { return m.extend(m.popTop(1)) },
	'e':  func(m *machine) error { return m.extend(m.popMark()) },
	0x90: func(m *machine) error { return m.extend(m.popMark()) }, // ADDITEMS
	'}':  func(m *machine) error { m.push(&dict{}); return nil },
	'd':  (*machine).dictionary,
	's':  func(m *machine) error { return m.setItems(m.popTop(2)) },
	'u':  func(m *machine) error { return m.setItems(m.popMark()) },

	'c':  (*machine).globalLines,
	0x93: (*machine).globalStack,
	'R':  (*machine).call,
	0x81: (*machine).call, // NEWOBJ: a class and its arguments, as REDUCE has them
	0x92: (*machine).callWithNames,
	'b':  (*machine).setState,
	'Q':  (*machine).persistent,
}

func (m *machine) protocol() error {
	version, err := m.number(1)
	if err == nil && version > newestPickle {
		return &fault.Error{Expected: fmt.Sprintf("pickle protocol 2 to %d", newestPickle), Found: fmt.Sprint(version)}
	}
	return err
}

func (m *machine) duplicate() error {
	top, err := m.top()
	if err == nil {
		m.push(top)
	}
	return err
}

// remember notes the uppermost value under a number of width bytes.
func remember(width uint64) operation {
	return func(m *machine) error {
		n, err := m.number(width)
		if err != nil {
			return err
		}
		return m.remember(n)
	}
}

func (m *machine) remember(n uint64) error {
	top, err := m.top()
	if err == nil {
		m.memo[n] = top
	}
	return err
}

// recall pushes the value that was noted under a number of width bytes.
func recall(width uint64) operation {
	return func(m *machine) error {
		n, err := m.number(width)
		if err != nil {
			return err
		}
		v, ok := m.memo[n]
		if !ok {
			return &fault.Error{Problem: fmt.Sprintf("value %d is used but was not noted", n), Hint: "the file is damaged"}
		}
		m.push(v)
		return nil
	}
}

func constant(v any) operation {
	return func(m *machine) error { m.push(v); return nil }
}

func integer(width uint64) operation {
	return func(m *machine) error {
		n, err := m.number(width)
		if err == nil {
			m.push(int64(n))
		}
		return err
	}
}

func (m *machine) int32() error {
	n, err := m.number(4)
	if err == nil {
		m.push(int64(int32(n)))
	}
	return err
}

// long pushes an integer of any length in two's complement. One beyond 64 bits,
// a seed perhaps, is opaque.
func long(width uint64) operation {
	return func(m *machine) error {
		bytes, err := m.sized(width)
		if err != nil {
			return err
		}
		if len(bytes) > 8 {
			m.push(&opaque{name: "int"})
			return nil
		}
		var n uint64
		if len(bytes) > 0 && bytes[len(bytes)-1]&0x80 != 0 {
			n = math.MaxUint64 // the sign, in all bytes that are not there
		}
		for i := len(bytes) - 1; i >= 0; i-- {
			n = n<<8 | uint64(bytes[i])
		}
		m.push(int64(n))
		return nil
	}
}

func (m *machine) float() error {
	bytes, err := m.take(8)
	if err == nil {
		m.push(math.Float64frombits(binary.BigEndian.Uint64(bytes)))
	}
	return err
}

func text(width uint64) operation {
	return func(m *machine) error {
		bytes, err := m.sized(width)
		if err == nil {
			m.push(string(bytes))
		}
		return err
	}
}

func raw(width uint64) operation {
	return func(m *machine) error {
		bytes, err := m.sized(width)
		if err == nil {
			m.push(bytes)
		}
		return err
	}
}

func toTuple(values []any) any { return tuple(slices.Clone(values)) }
func toList(values []any) any  { return &list{slices.Clone(values)} }

// build replaces the values above the last mark by what make makes of them.
func (m *machine) build(make func([]any) any) error {
	values, err := m.popMark()
	if err == nil {
		m.push(make(values))
	}
	return err
}

func tupleOf(n int) operation {
	return func(m *machine) error {
		values, err := m.popTop(n)
		if err == nil {
			m.push(toTuple(values))
		}
		return err
	}
}

// extend appends values to the list below them. What is appended to an opaque
// value is lost with it.
func (m *machine) extend(values []any, err error) error {
	if err != nil {
		return err
	}
	below, err := m.top()
	if err != nil {
		return err
	}
	switch v := below.(type) {
	case *list:
		v.items = append(v.items, values...)
	case *opaque:
	default:
		return &fault.Error{Problem: "elements are added to what is no list", Hint: "the file is damaged"}
	}
	return nil
}

func (m *machine) dictionary() error {
	pairs, err := m.popMark()
	if err != nil {
		return err
	}
	pairs = slices.Clone(pairs)
	m.push(&dict{})
	return m.setItems(pairs, nil)
}

// setItems sets keys and values in the dictionary below them.
func (m *machine) setItems(pairs []any, err error) error {
	if err != nil {
		return err
	}
	if len(pairs)%2 != 0 {
		return &fault.Error{Problem: "a key without a value", Hint: "the file is damaged"}
	}
	below, err := m.top()
	if err != nil {
		return err
	}
	switch v := below.(type) {
	case *dict:
		for i := 0; i < len(pairs); i += 2 {
			v.set(pairs[i], pairs[i+1])
		}
	case *opaque:
	default:
		return &fault.Error{Problem: "entries are added to what is no dictionary", Hint: "the file is damaged"}
	}
	return nil
}
