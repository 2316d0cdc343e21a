package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/tensor"
)

// Span is where a tensor's values lie in a file.
type Span struct {
	Name       string
	DType      string
	Shape      []uint64
	Begin, End int64 // from the beginning of the file
}

// Bytes is the length of the tensor's values.
func (s Span) Bytes() int64 { return s.End - s.Begin }

// HeaderLength reads the first 8 bytes of a file of fileBytes bytes: the length of
// the JSON header after them, which is held against the file's before it is
// trusted.
func HeaderLength(prefix []byte, fileBytes int64) (int64, error) {
	if len(prefix) < LengthBytes || fileBytes < LengthBytes {
		return 0, &fault.Error{Op: opRead, Expected: "a safetensors file", Found: fmt.Sprintf("%d bytes", fileBytes)}
	}
	length := binary.LittleEndian.Uint64(prefix)
	if most := min(uint64(fileBytes-LengthBytes), maxHeaderBytes); length > most {
		return 0, &fault.Error{
			Op: opRead, Problem: "header length", Expected: fmt.Sprintf("at most %d bytes", most), Found: fmt.Sprint(length),
			Hint: cmp.Or(tensor.PointerHint(prefix), "not a safetensors file, or only the beginning of one"),
		}
	}
	return int64(length), nil
}

// Layout reads the JSON header of a file of fileBytes bytes, of which nothing else
// need be there, and makes the checks that Open makes: the tensors, in the order in
// which they lie, and the writer's texts.
func Layout(raw []byte, fileBytes int64) ([]Span, map[string]string, error) {
	values := int64(LengthBytes + len(raw))
	h, err := parseHeader(raw, fileBytes-values)
	if err != nil {
		return nil, nil, fault.At(opRead, "", err)
	}
	slices.SortFunc(h.entries, inFile)
	spans := make([]Span, len(h.entries))
	for i, e := range h.entries {
		spans[i] = Span{e.name, e.dtype, e.shape, values + int64(e.begin), values + int64(e.end)}
	}
	return spans, h.metadata, nil
}

// Header makes what a file begins with that holds the spans' tensors, one after
// the other as they are given: the length and the JSON header, padded so that
// values begin at a multiple of 8 bytes, as the format's own writer does.
func Header(spans []Span, metadata map[string]string) ([]byte, error) {
	type stored struct {
		DType   string   `json:"dtype"`
		Shape   []uint64 `json:"shape"`
		Offsets [2]int64 `json:"data_offsets"`
	}
	var text bytes.Buffer
	text.WriteByte('{')
	write := func(key string, value any) error {
		if text.Len() > 1 {
			text.WriteByte(',')
		}
		name, err := json.Marshal(key)
		if err != nil {
			return err
		}
		raw, err := json.Marshal(value)
		text.Write(slices.Concat(name, []byte(":"), raw))
		return err
	}
	if len(metadata) > 0 {
		if err := write(metadataKey, metadata); err != nil {
			return nil, err
		}
	}
	var next int64
	for _, s := range spans {
		shape := s.Shape
		if shape == nil {
			shape = []uint64{}
		}
		if err := write(s.Name, stored{s.DType, shape, [2]int64{next, next + s.Bytes()}}); err != nil {
			return nil, err
		}
		next += s.Bytes()
	}
	text.WriteByte('}')
	for text.Len()%8 != 0 {
		text.WriteByte(' ')
	}
	return append(binary.LittleEndian.AppendUint64(nil, uint64(text.Len())), text.Bytes()...), nil
}
