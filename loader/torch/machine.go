package torch

import (
	"bytes"
	"fmt"

	"github.com/saedb/saedb/internal/fault"
)

const (
	// maxOperations bounds the memory that a pickle takes beside its own bytes:
	// no operation makes more than one small value. A tensor takes about 40.
	maxOperations = 2 << 20
	newestPickle  = 5
)

// machine is the stack machine that a pickle is a program for.
type machine struct {
	data  []byte // of the pickle
	at    int    // the next byte of data
	stack []any
	marks []int // heights of the stack at which marks were set
	memo  map[uint64]any
	// storage finds the values of a storage.
	storage func(t storageType, key string, numel int64) (*storage, error)
}

// operation is what one opcode does.
type operation func(m *machine) error

// unpickle runs a pickle and returns the object that it builds.
func unpickle(data []byte, find func(t storageType, key string, numel int64) (*storage, error)) (any, error) {
	m := &machine{data: data, memo: make(map[uint64]any), storage: find}
	root, err := m.run()
	if err != nil {
		return nil, m.failed(pickleName, err)
	}
	return root, nil
}

// failed says where in a pickle an error was.
func (m *machine) failed(pickle string, err error) error {
	e, ok := err.(*fault.Error)
	if !ok {
		e = &fault.Error{Err: err}
	}
	at := *e
	at.Problem = fmt.Sprintf("%s, byte %d", pickle, m.at)
	if e.Problem != "" {
		at.Problem += ": " + e.Problem
	}
	return &at
}

func (m *machine) run() (any, error) {
	for range maxOperations {
		code, err := m.take(1)
		if err != nil {
			return nil, err
		}
		if code[0] == opStop {
			return m.pop()
		}
		operation := operations[code[0]]
		if operation == nil {
			return nil, &fault.Error{
				Problem: "an operation that torch.save does not write", Found: fmt.Sprintf("%#02x", code[0]),
				Hint: "the file is damaged, or written by something else",
			}
		}
		if err := operation(m); err != nil {
			return nil, err
		}
	}
	return nil, &fault.Error{Expected: fmt.Sprintf("at most %d operations", maxOperations), Found: "more"}
}

var errEnds = &fault.Error{Problem: "the pickle ends too early", Hint: "the file is damaged"}

// take returns the next n bytes, which are valid as long as the pickle.
func (m *machine) take(n uint64) ([]byte, error) {
	if n > uint64(len(m.data)-m.at) {
		return nil, errEnds
	}
	bytes := m.data[m.at : m.at+int(n)]
	m.at += int(n)
	return bytes, nil
}

// number takes a little-endian number of width bytes.
func (m *machine) number(width uint64) (uint64, error) {
	bytes, err := m.take(width)
	if err != nil {
		return 0, err
	}
	var n uint64
	for i, b := range bytes {
		n |= uint64(b) << (8 * i)
	}
	return n, nil
}

// sized takes a run of bytes that follows its own length, a number of width bytes.
func (m *machine) sized(width uint64) ([]byte, error) {
	n, err := m.number(width)
	if err != nil {
		return nil, err
	}
	return m.take(n)
}

// line takes the text up to the next line feed.
func (m *machine) line() (string, error) {
	text, _, ends := bytes.Cut(m.data[m.at:], []byte{'\n'})
	if !ends {
		return "", errEnds
	}
	m.at += len(text) + 1
	return string(text), nil
}

func (m *machine) push(v any) { m.stack = append(m.stack, v) }

var errStack = &fault.Error{Problem: "a value is used that is not on the stack", Hint: "the file is damaged"}

// floor is the height below which no value may be taken: that of the last mark.
func (m *machine) floor() int {
	if len(m.marks) == 0 {
		return 0
	}
	return m.marks[len(m.marks)-1]
}

func (m *machine) pop() (any, error) {
	top, err := m.top()
	if err == nil {
		m.stack = m.stack[:len(m.stack)-1]
	}
	return top, err
}

func (m *machine) top() (any, error) {
	if len(m.stack) <= m.floor() {
		return nil, errStack
	}
	return m.stack[len(m.stack)-1], nil
}

// popTop takes the uppermost n values. They are valid until the next push.
func (m *machine) popTop(n int) ([]any, error) {
	if n > len(m.stack)-m.floor() {
		return nil, errStack
	}
	values := m.stack[len(m.stack)-n:]
	m.stack = m.stack[:len(m.stack)-n]
	return values, nil
}

// popMark takes the values above the last mark, and the mark. They are valid until
// the next push.
func (m *machine) popMark() ([]any, error) {
	if len(m.marks) == 0 {
		return nil, &fault.Error{Problem: "a mark is used that is not set", Hint: "the file is damaged"}
	}
	floor := m.floor()
	values := m.stack[floor:]
	m.stack, m.marks = m.stack[:floor], m.marks[:len(m.marks)-1]
	return values, nil
}
