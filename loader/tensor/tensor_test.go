package tensor

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/saedb/saedb/internal/fault"
)

// triples decodes blocks of one byte b to b, b+0.25, b+0.5.
var triples = &Encoding{Name: "TRIPLES", Values: 3, Bytes: 1, Decode: func(dst []float32, src []byte) {
	for i, b := range src {
		for j := range 3 {
			dst[3*i+j] = float32(b) + float32(j)/4
		}
	}
}}

// Any range gives what reading everything gives, wherever it falls among blocks.
func TestReadFloatsAnyRange(t *testing.T) {
	raw := []byte{9, 9, 1, 2, 3, 4, 5}
	s := &Tensor{Source: bytes.NewReader(raw), Subject: "x", Offset: 2, Shape: []int{15}, Encoding: triples}
	all := make([]float32, s.Len())
	if err := s.ReadFloats(0, all); err != nil {
		t.Fatal(err)
	}
	if all[0] != 1 || all[14] != 5.5 {
		t.Fatalf("all values: %v", all)
	}
	for from := range s.Len() + 1 {
		for to := from; to <= s.Len(); to++ {
			dst := make([]float32, to-from)
			if err := s.ReadFloats(from, dst); err != nil {
				t.Fatalf("[%d, %d): %v", from, to, err)
			}
			for i, v := range dst {
				if v != all[from+i] {
					t.Fatalf("[%d, %d): %v", from, to, dst)
				}
			}
		}
	}
}

// A tensor of more than one scratch is read whole.
func TestReadFloatsBeyondScratch(t *testing.T) {
	const n = scratchBytes + 12345
	raw := make([]byte, n)
	for i := range raw {
		raw[i] = byte(i % 251)
	}
	s := &Tensor{Source: bytes.NewReader(raw), Shape: []int{3 * n}, Encoding: triples}
	dst := make([]float32, 3*n-2)
	if err := s.ReadFloats(1, dst); err != nil {
		t.Fatal(err)
	}
	for i, v := range dst {
		if k := i + 1; v != float32(k/3%251)+float32(k%3)/4 {
			t.Fatalf("value %d is %v", k, v)
		}
	}
}

func TestReadFloatsErrors(t *testing.T) {
	whole := &Tensor{Source: bytes.NewReader(make([]byte, 8)), Subject: "f: tensor x", Shape: []int{2}, Encoding: F32}
	short := &Tensor{Source: bytes.NewReader(make([]byte, 7)), Subject: "f: tensor x", Shape: []int{2}, Encoding: F32}
	unread := &Tensor{Subject: "f: tensor x", Shape: []int{2}, DType: "I64", Readable: []string{"F32", "F16"}}
	tests := []struct {
		name    string
		stored  *Tensor
		from, n int
		want    string
	}{
		{"beyond the end", whole, 1, 2, "within its 2 values"},
		{"negative", whole, -1, 1, "within its 2 values"},
		{"overflow", whole, math.MaxInt, 1, "within its 2 values"},
		{"too long", whole, 0, 3, "within its 2 values"},
		{"shrunk file", short, 0, 2, "became shorter"},
		{"type", unread, 0, 1, "expected values of type F32, F16, found I64"},
	}
	for _, test := range tests {
		err := test.stored.ReadFloats(test.from, make([]float32, test.n))
		var e *fault.Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), test.want) || e.Subject != "f: tensor x" {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
	if err := short.ReadFloats(0, make([]float32, 2)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v is no unexpected EOF", err)
	}
}

func TestMatrix(t *testing.T) {
	raw := make([]byte, 4*6)
	for i := range 6 {
		raw[4*i+2], raw[4*i+3] = 0x80, byte(0x3f+i)
	}
	s := &Tensor{Source: bytes.NewReader(raw), Subject: "x", Shape: []int{2, 3}, Encoding: F32}
	m, err := s.Matrix()
	if err != nil {
		t.Fatal(err)
	}
	all, row := make([]float32, 6), make([]float32, 3)
	if err := errors.Join(m.ReadRows(0, all), m.ReadRows(1, row)); err != nil {
		t.Fatal(err)
	}
	if m.Rows() != 2 || m.Cols() != 3 || all[0] != 1 || row[0] != all[3] || row[2] != all[5] {
		t.Errorf("[%d, %d] %v, row 1 %v", m.Rows(), m.Cols(), all, row)
	}
	for _, bad := range []struct{ from, n int }{{0, 2}, {1, 6}, {-1, 3}, {2, 3}} {
		if err := m.ReadRows(bad.from, make([]float32, bad.n)); err == nil {
			t.Errorf("%d values from row %d: no error", bad.n, bad.from)
		}
	}
	for _, shape := range [][]int{{}, {6}, {0, 6}, {6, 0}, {1, 2, 3}} {
		if _, err := s.As(F32, shape...).Matrix(); err == nil {
			t.Errorf("shape %v: no error", shape)
		}
	}
}

func TestCount(t *testing.T) {
	tests := []struct {
		dimensions []uint64
		want       int
		ok         bool
	}{
		{nil, 1, true},
		{[]uint64{3, 4}, 12, true},
		{[]uint64{0, 4}, 0, true},
		{[]uint64{math.MaxInt}, math.MaxInt, true},
		{[]uint64{math.MaxUint64}, 0, false},
		{[]uint64{0, math.MaxUint64}, 0, false},
		{[]uint64{1 << 32, 1 << 32}, 0, false},
		{[]uint64{1 << 32, 1 << 31}, 0, false},
	}
	for _, test := range tests {
		if got, ok := Count(test.dimensions); got != test.want || ok != test.ok {
			t.Errorf("Count(%v) = %d, %v", test.dimensions, got, ok)
		}
	}
}

func TestShortened(t *testing.T) {
	many := strings.Fields("a b c d e f g h i j")
	tests := []struct {
		names []string
		more  int
		want  string
	}{
		{nil, 0, "no tensors"},
		{nil, 3, "3 others"},
		{many[:2], 0, "a, b"},
		{many[:2], 3, "a, b and 3 more"},
		{many, 3, "a, b, c, d, e, f, g, h and 5 more"},
	}
	for _, test := range tests {
		if got := Shortened(test.names, test.more); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}

func TestOutsideBlocks(t *testing.T) {
	many := strings.Fields("blk.0.a blk.0.b blk.1.a blk.1.b blk.2.a blk.2.b blk.3.a norm4.w output.weight")
	if got := Shortened(OutsideBlocks(many)); got != "norm4.w, output.weight and 7 more" {
		t.Errorf("of many: %q", got)
	}
	if got := Shortened(OutsideBlocks(many[:2])); got != "blk.0.a, blk.0.b" {
		t.Errorf("of few: %q", got)
	}
}
