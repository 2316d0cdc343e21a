// Package safetensorstest writes safetensors files for tests.
package safetensorstest

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"testing"
)

// Tensor is a tensor to write.
type Tensor struct {
	Name  string
	DType string
	Shape []int
	Data  []byte // little endian
}

// F32 makes a tensor of data type F32.
func F32(name string, shape []int, values ...float32) Tensor {
	var data []byte
	for _, v := range values {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
	}
	return Tensor{name, "F32", shape, data}
}

// Entry is a tensor's description in the header.
type Entry struct {
	DType   string `json:"dtype"`
	Shape   []int  `json:"shape"`
	Offsets [2]int `json:"data_offsets"`
}

// Bytes returns a file that holds tensors in the order given.
func Bytes(tensors ...Tensor) []byte {
	header := map[string]any{"__metadata__": map[string]string{"format": "pt"}}
	var data []byte
	for _, t := range tensors {
		begin := len(data)
		data = append(data, t.Data...)
		header[t.Name] = Entry{t.DType, append([]int{}, t.Shape...), [2]int{begin, len(data)}}
	}
	text, err := json.Marshal(header)
	if err != nil {
		panic(err)
	}
	text = append(text, bytes.Repeat([]byte(" "), -len(text)&7)...)
	return Raw(text, data)
}

// Raw returns a file with a header that need not be one.
func Raw(header, data []byte) []byte {
	file := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(file, header...), data...)
}

// Write writes tensors to a new file at path.
func Write(t testing.TB, path string, tensors ...Tensor) {
	t.Helper()
	if err := os.WriteFile(path, Bytes(tensors...), 0o644); err != nil {
		t.Fatal(err)
	}
}
