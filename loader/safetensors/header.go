package safetensors

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math/bits"
	"slices"
	"unicode/utf8"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/tensor"
)

// metadataKey is the one key of the header that is no tensor.
const metadataKey = "__metadata__"

// header is a file's JSON header.
type header struct {
	metadata map[string]string
	entries  []entry
}

// entry is one tensor of a header; begin and end count from the end of the header.
type entry struct {
	name       string
	dtype      string
	shape      []uint64
	begin, end uint64
}

// parseHeader reads a JSON header, key by key: a map would keep the last of two
// tensors of one name in silence.
func parseHeader(raw []byte) (*header, error) {
	if !utf8.Valid(raw) {
		return nil, notJSON(nil)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	if first, err := d.Token(); err != nil || first != json.Delim('{') {
		return nil, notJSON(err)
	}
	h := &header{metadata: map[string]string{}}
	seen := map[string]bool{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, notJSON(err)
		}
		name := key.(string)
		if seen[name] {
			return nil, &fault.Error{Problem: fmt.Sprintf("tensor %q is there twice", name)}
		}
		seen[name] = true
		if name == metadataKey {
			err = d.Decode(&h.metadata)
		} else {
			err = h.parseEntry(name, d)
		}
		if err != nil {
			return nil, asHeaderError(name, err)
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, notJSON(err)
	}
	// Writers pad the header with spaces so that values are aligned.
	if _, err := d.Token(); err != io.EOF {
		return nil, &fault.Error{Problem: "header has text after its JSON object"}
	}
	return h, nil
}

func (h *header) parseEntry(name string, d *json.Decoder) error {
	var stored struct {
		DType   string   `json:"dtype"`
		Shape   []uint64 `json:"shape"`
		Offsets []uint64 `json:"data_offsets"`
	}
	if err := d.Decode(&stored); err != nil {
		return err
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
	slices.SortFunc(entries, func(a, b entry) int {
		// Empty tensors may share a position with the tensor after them.
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end))
	})
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
