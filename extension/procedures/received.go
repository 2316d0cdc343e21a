package procedures

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader"
	"github.com/saedb/saedb/loader/safetensors"
	"github.com/saedb/saedb/loader/tensor"
	"github.com/saedb/saedb/udf/capi"
)

const handOver = "saedb_hand_over"

// received is what clients have handed over and nothing has taken yet.
type received struct {
	mutex  sync.Mutex
	images map[string]*image
}

// image is tensors in the form of a safetensors file, in the parts in which they
// came: they are not copied together.
type image struct {
	parts [][]byte
	ends  []int64 // of each part, in the whole
}

func (m *image) size() int64 {
	if len(m.ends) == 0 {
		return 0
	}
	return m.ends[len(m.ends)-1]
}

// ReadAt reads from the whole; see io.ReaderAt.
func (m *image) ReadAt(p []byte, offset int64) (n int, err error) {
	for n < len(p) {
		at := offset + int64(n)
		i, _ := slices.BinarySearch(m.ends, at+1)
		if at < 0 || i == len(m.ends) {
			return n, io.EOF
		}
		begin := m.ends[i] - int64(len(m.parts[i]))
		n += copy(p[n:], m.parts[i][at-begin:])
	}
	return n, nil
}

// registerHandOver registers the function by which a client in the same process hands
// over bytes: saedb_hand_over(handle, offset, bytes) appends to what has the handle,
// which must be offset bytes long, and returns how long it is then. Offset -1 drops it.
func (h *Host) registerHandOver(c capi.Connection) error {
	return c.RegisterScalar(handOver, capi.Scalar{
		Parameters: []capi.Type{capi.Varchar, capi.Bigint, capi.Blob}, Returns: capi.Bigint, Volatile: true,
		Call: func(input capi.Chunk, output capi.Vector) error {
			offsets, sizes := capi.Values[int64](input.Column(1), input.Rows()), capi.Values[int64](output, input.Rows())
			for i := range input.Rows() {
				for column := range 3 {
					if !input.Column(column).Validity().Valid(i) {
						return &fault.Error{Op: handOver, Problem: "an argument is NULL"}
					}
				}
				size, err := h.received.add(input.Column(0).Text(i), offsets[i], input.Column(2).Bytes(i))
				if err != nil {
					return err
				}
				sizes[i] = size
			}
			return nil
		},
	})
}

func (r *received) add(handle string, offset int64, part []byte) (size int64, err error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if offset < 0 {
		delete(r.images, handle)
		return 0, nil
	}
	m := r.images[handle]
	if m == nil {
		m = &image{}
		if r.images == nil {
			r.images = map[string]*image{}
		}
		r.images[handle] = m
	}
	if m.size() != offset {
		return 0, &fault.Error{Op: handOver, Subject: handle, Expected: fmt.Sprintf("offset %d, where the last part ended", m.size()), Found: fmt.Sprint(offset)}
	}
	if len(part) > 0 {
		m.parts, m.ends = append(m.parts, part), append(m.ends, offset+int64(len(part)))
	}
	return m.size(), nil
}

// take takes what was handed over, which is no longer there then, as an open file.
func (r *received) take(handle, source string) (*tensor.File, loader.Memory, error) {
	r.mutex.Lock()
	m := r.images[handle]
	delete(r.images, handle)
	r.mutex.Unlock()
	if m == nil {
		return nil, loader.Memory{}, &fault.Error{Subject: handle, Problem: "nothing was handed over", Hint: "the Python package saedb does that"}
	}
	hash := sha256.New()
	for _, part := range m.parts {
		hash.Write(part)
	}
	file, err := safetensors.Read(source, m, m.size())
	return file, loader.Memory{Source: source, Bytes: m.size(), SHA256: hex.EncodeToString(hash.Sum(nil))}, err
}
