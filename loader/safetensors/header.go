package safetensors

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/pyjson"
	"github.com/saedb/saedb/loader/tensor"
)

// metadataKey is the one key of the header that is no tensor.
const metadataKey = "__metadata__"

// header is a file's JSON header.
type header struct {
	metadata map[string]string
	entries  []entry // sorted by name
}

// entry is one tensor of a header; begin and end count from the end of the header.
type entry struct {
	name       string
	dtype      string
	shape      []uint64
	begin, end uint64
}

// parseHeader reads a JSON header and holds it against the valueBytes bytes that follow it.
func parseHeader(raw []byte, valueBytes int64) (*header, error) {
	h, err := parseEntries(raw)
	if err != nil {
		return nil, err
	}
	if err := checkLayout(h.entries, valueBytes); err != nil {
		return nil, err
	}
	slices.SortFunc(h.entries, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	for i := 1; i < len(h.entries); i++ {
		if name := h.entries[i].name; name == h.entries[i-1].name {
			return nil, twice(name)
		}
	}
	return h, nil
}

// parseEntries reads a header key by key: a map would keep the last of two tensors of one
// name in silence.
func parseEntries(raw []byte) (*header, error) {
	if !utf8.Valid(raw) {
		return nil, notJSON(nil)
	}
	s := &scanner{text: pyjson.Standard(raw)}
	if !s.next('{') {
		return nil, notJSON(nil)
	}
	h := &header{}
	for first := true; !s.next('}'); first = false {
		if !first && !s.next(',') {
			return nil, notJSON(nil)
		}
		name, err := s.key()
		if err != nil {
			return nil, notJSON(err)
		}
		switch {
		case name != metadataKey:
			err = h.parseEntry(name, s)
		case h.metadata != nil:
			err = twice(name)
		default:
			h.metadata = map[string]string{}
			err = s.value(&h.metadata)
		}
		if err != nil {
			return nil, asHeaderError(name, err)
		}
	}
	// Writers pad the header with spaces so that values are aligned.
	if !s.ended() {
		return nil, &fault.Error{Problem: "header has text after its JSON object"}
	}
	return h, nil
}

func (h *header) parseEntry(name string, s *scanner) error {
	var stored storedEntry
	if !s.entry(&stored) {
		if err := s.value(&stored); err != nil {
			return err
		}
	}
	if stored.DType == "" || stored.Shape == nil || len(stored.Offsets) != 2 {
		return &fault.Error{
			Problem: fmt.Sprintf("tensor %q", name), Expected: "dtype, shape and two data_offsets",
			Found: fmt.Sprintf("dtype %q, shape %v, data_offsets %v", stored.DType, stored.Shape, stored.Offsets),
		}
	}
	h.entries = append(h.entries, entry{
		name: name, dtype: stored.DType, shape: stored.Shape, begin: stored.Offsets[0], end: stored.Offsets[1],
	})
	return nil
}

func notJSON(err error) error {
	return &fault.Error{Problem: "header is not a JSON object", Err: err, Hint: "not a safetensors file, or a damaged one"}
}

// asHeaderError names the key whose value could not be decoded.
func asHeaderError(name string, err error) error {
	if e, ok := err.(*fault.Error); ok {
		return e
	}
	return &fault.Error{Problem: fmt.Sprintf("header: value of %q", name), Err: err}
}

// checkLayout holds the entries against the bytes that follow the header: each
// tensor as long as its shape says, one after the other, without gap or overlap,
// up to the end of the file. It sorts entries by position.
func checkLayout(entries []entry, valueBytes int64) error {
	slices.SortFunc(entries, inFile)
	var next uint64
	for _, e := range entries {
		if err := e.checkSize(); err != nil {
			return err
		}
		if e.begin != next {
			return &fault.Error{
				Problem:  fmt.Sprintf("tensor %q: data_offsets overlap another tensor's or leave a gap", e.name),
				Expected: fmt.Sprintf("a beginning at %d", next), Found: fmt.Sprint(e.begin),
			}
		}
		next = e.end
	}
	if next != uint64(valueBytes) {
		return &fault.Error{
			Problem:  "length of the file",
			Expected: fmt.Sprintf("%d bytes of values after the header", next), Found: fmt.Sprint(valueBytes),
			Hint: "was it downloaded whole?",
		}
	}
	return nil
}

// inFile is the order in which values lie. Empty tensors may share a position with the
// tensor after them.
func inFile(a, b entry) int {
	return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end))
}

func twice(name string) error {
	return &fault.Error{Problem: fmt.Sprintf("tensor %q is there twice", name)}
}

// find returns the entry of a name, nil for none.
func (h *header) find(name string) *entry {
	i, ok := slices.BinarySearchFunc(h.entries, name, func(e entry, name string) int { return strings.Compare(e.name, name) })
	if !ok {
		return nil
	}
	return &h.entries[i]
}

func (h *header) names() []string {
	names := make([]string, len(h.entries))
	for i, e := range h.entries {
		names[i] = e.name
	}
	return names
}

// bitWidths are the bits of one value, for all data types of the format.
// Source: safetensors/src/tensor.rs, Dtype::bitsize.
var bitWidths = map[string]uint64{
	"F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
	"BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
	"I16": 16, "U16": 16, "F16": 16, "BF16": 16,
	"I32": 32, "U32": 32, "F32": 32,
	"I64": 64, "U64": 64, "F64": 64, "C64": 64,
}

// checkSize compares the length of e's values with its shape. The length of types
// that the format gained later is taken as it is.
func (e *entry) checkSize() error {
	subject := fmt.Sprintf("tensor %q", e.name)
	if e.end < e.begin {
		return &fault.Error{
			Problem: subject, Expected: "data_offsets in ascending order", Found: fmt.Sprintf("%d, %d", e.begin, e.end),
		}
	}
	n, ok := tensor.Count(e.shape)
	if !ok {
		return &fault.Error{Problem: fmt.Sprintf("%s: shape %v is too large", subject, e.shape)}
	}
	width := bitWidths[e.dtype]
	if width == 0 {
		return nil
	}
	high, size := bits.Mul64(uint64(n), width)
	if high != 0 || size%8 != 0 || size/8 != e.end-e.begin {
		return &fault.Error{
			Problem:  subject,
			Expected: fmt.Sprintf("%d × %d bits for %s %v", n, width, e.dtype, e.shape),
			Found:    fmt.Sprintf("%d bytes", e.end-e.begin),
		}
	}
	return nil
}
