// Package gguftest writes GGUF files for tests.
package gguftest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"
)

// Numbers of tensor types.
const (
	F32     = 0
	F16     = 1
	Q8_0    = 8
	IQ2_XXS = 16 // not read
	BF16    = 30
)

// Pair is a metadata key and its value, of one of the types that put knows.
type Pair struct {
	Key   string
	Value any
}

// Tensor is a tensor to write.
type Tensor struct {
	Name  string
	Type  uint32
	Shape []int // row-major
	Data  []byte
}

// Floats makes a tensor of type F32.
func Floats(name string, shape []int, values ...float32) Tensor {
	var data []byte
	for _, v := range values {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
	}
	return Tensor{name, F32, shape, data}
}

const alignment = 32

// Bytes returns a file of version 3.
func Bytes(metadata []Pair, tensors ...Tensor) []byte {
	header := bytes.NewBufferString("GGUF")
	put(header, uint32(3), uint64(len(tensors)), uint64(len(metadata)))
	for _, pair := range metadata {
		put(header, pair.Key, kindOf(pair.Value), pair.Value)
	}
	var data bytes.Buffer
	for _, t := range tensors {
		put(header, t.Name, uint32(len(t.Shape)))
		for _, n := range slices.Backward(t.Shape) {
			put(header, uint64(n))
		}
		put(header, t.Type, uint64(data.Len()))
		data.Write(t.Data)
		pad(&data)
	}
	pad(header)
	return append(header.Bytes(), data.Bytes()...)
}

// Write writes a file of version 3 to path.
func Write(t testing.TB, path string, metadata []Pair, tensors ...Tensor) {
	t.Helper()
	if err := os.WriteFile(path, Bytes(metadata, tensors...), 0o644); err != nil {
		t.Fatal(err)
	}
}

func pad(b *bytes.Buffer) { b.Write(make([]byte, -b.Len()&(alignment-1))) }

// Array is an array whose elements are of the given GGUF type, for tests that need
// other types than Go's slices give.
type Array struct {
	Element  uint32
	Elements []any
}

// put appends values as GGUF stores them: strings after their length, slices
// after their element type and length.
func put(b *bytes.Buffer, values ...any) {
	for _, value := range values {
		switch v := value.(type) {
		case string:
			put(b, uint64(len(v)))
			b.WriteString(v)
		case []string:
			put(b, uint32(8), uint64(len(v)))
			for _, s := range v {
				put(b, s)
			}
		case []int32:
			put(b, uint32(5), uint64(len(v)))
			write(b, v)
		case Array:
			put(b, v.Element, uint64(len(v.Elements)))
			put(b, v.Elements...)
		default:
			write(b, v)
		}
	}
}

func write(b *bytes.Buffer, v any) {
	if err := binary.Write(b, binary.LittleEndian, v); err != nil {
		panic(err)
	}
}

// kindOf is the GGUF type of a metadata value.
func kindOf(value any) uint32 {
	switch value.(type) {
	case uint8:
		return 0
	case int8:
		return 1
	case uint16:
		return 2
	case int16:
		return 3
	case uint32:
		return 4
	case int32:
		return 5
	case float32:
		return 6
	case bool:
		return 7
	case string:
		return 8
	case []string, []int32, Array:
		return 9
	case uint64:
		return 10
	case int64:
		return 11
	case float64:
		return 12
	default:
		panic(fmt.Sprintf("gguftest: no GGUF type for %T", value))
	}
}
