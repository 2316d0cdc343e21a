package capi

// #include "api.h"
import "C"

import (
	"bytes"
	"fmt"
	"unsafe"
)

// Chunk is a duckdb_data_chunk: up to [VectorSize] rows, a vector a column.
// It is valid only during the callback that received it.
type Chunk struct{ handle C.handle }

// Rows is the number of rows.
func (c Chunk) Rows() int { return int(C.call_duckdb_data_chunk_get_size(c.handle)) }

// Column is the vector of column i.
func (c Chunk) Column(i int) Vector {
	return Vector{C.call_duckdb_data_chunk_get_vector(c.handle, C.idx_t(i))}
}

// Vector is a flat duckdb_vector. Slices over its memory are valid as long as
// the chunk that it belongs to, and for lists only until the list grows.
type Vector struct{ handle C.handle }

// Entry is the place of one row's list in the child vector.
type Entry struct{ Offset, Length uint64 }

// Type is the vector's kind and, for lists and arrays, the kind of its
// elements and (arrays) their number.
func (v Vector) Type() (kind, element Kind, size int) {
	t := C.call_duckdb_vector_get_column_type(v.handle)
	defer C.call_duckdb_destroy_logical_type(&t)
	kind = Kind(C.call_duckdb_get_type_id(t))
	var child C.handle
	switch kind {
	case KindList:
		child = C.call_duckdb_list_type_child_type(t)
	case KindArray:
		child = C.call_duckdb_array_type_child_type(t)
		size = int(C.call_duckdb_array_type_array_size(t))
	default:
		return kind, 0, 0
	}
	defer C.call_duckdb_destroy_logical_type(&child)
	return kind, Kind(C.call_duckdb_get_type_id(child)), size
}

// Values is the vector's first n values in place. T must be the Go form of
// DuckDB's physical type: float32 for FLOAT, int32 for INTEGER, [Entry] for lists.
func Values[T any](v Vector, n int) []T {
	return unsafe.Slice((*T)(C.call_duckdb_vector_get_data(v.handle)), n)
}

// Validity is the vector's validity mask.
func (v Vector) Validity() Validity {
	return Validity{C.call_duckdb_vector_get_validity(v.handle)}
}

// Validity tells NULL rows, a bit each; an absent mask means none.
type Validity struct{ mask *C.uint64_t }

// Valid tells whether row i is not NULL.
func (m Validity) Valid(i int) bool {
	if m.mask == nil {
		return true
	}
	word := unsafe.Slice((*uint64)(unsafe.Pointer(m.mask)), i/64+1)[i/64]
	return word>>(i%64)&1 == 1
}

// SetNull makes row i of an output vector NULL. A NULL struct's fields are made
// NULL too, as DuckDB asks.
func (v Vector) SetNull(i int, fields int) {
	C.call_duckdb_vector_ensure_validity_writable(v.handle)
	mask := unsafe.Slice((*uint64)(unsafe.Pointer(C.call_duckdb_vector_get_validity(v.handle))), i/64+1)
	mask[i/64] &^= 1 << (i % 64)
	for f := range fields {
		v.Field(f).SetNull(i, 0)
	}
}

// Field is the vector of a struct's field i.
func (v Vector) Field(i int) Vector {
	return Vector{C.call_duckdb_struct_vector_get_child(v.handle, C.idx_t(i))}
}

// Elements is the child vector of a list.
func (v Vector) Elements() Vector { return Vector{C.call_duckdb_list_vector_get_child(v.handle)} }

// ArrayElements is the child vector of a fixed-size array.
func (v Vector) ArrayElements() Vector { return Vector{C.call_duckdb_array_vector_get_child(v.handle)} }

// ElementCount is the number of elements in a list's child vector.
func (v Vector) ElementCount() int { return int(C.call_duckdb_list_vector_get_size(v.handle)) }

// Grow makes room for n elements in a list's child vector and sets its size.
func (v Vector) Grow(n int) error {
	if C.call_duckdb_list_vector_reserve(v.handle, C.idx_t(n)) != 0 ||
		C.call_duckdb_list_vector_set_size(v.handle, C.idx_t(n)) != 0 {
		return fmt.Errorf("out of memory: no room for a list of %d elements", n)
	}
	return nil
}

// Text is row i of a VARCHAR vector, copied.
func (v Vector) Text(i int) string {
	s := &Values[C.duckdb_string](v, i+1)[i]
	if s.length <= 12 {
		return C.GoStringN(&s.prefix[0], C.int(s.length))
	}
	return C.GoStringN(s.pointer, C.int(s.length))
}

// Bytes is row i of a BLOB vector, which lies there as a VARCHAR does, copied.
func (v Vector) Bytes(i int) []byte {
	s := &Values[C.duckdb_string](v, i+1)[i]
	from := unsafe.Pointer(&s.prefix[0])
	if s.length > 12 {
		from = unsafe.Pointer(s.pointer)
	}
	return bytes.Clone(unsafe.Slice((*byte)(from), int(s.length)))
}

// EqualText tells whether rows i and j of a VARCHAR vector hold the same text.
func (v Vector) EqualText(i, j int) bool {
	all := Values[C.duckdb_string](v, max(i, j)+1)
	a, b := &all[i], &all[j]
	if *a == *b {
		return true
	}
	return a.length == b.length && a.length > 12 && v.Text(i) == v.Text(j)
}

// SetText copies s, which must be UTF-8, into row i of a VARCHAR vector.
func (v Vector) SetText(i int, s string) {
	C.call_duckdb_vector_assign_string_element_len(v.handle, C.idx_t(i),
		(*C.char)(unsafe.Pointer(unsafe.StringData(s))), C.idx_t(len(s)))
}
