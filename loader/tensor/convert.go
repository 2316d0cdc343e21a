package tensor

// #cgo CFLAGS: -O3
// #include "convert.h"
import "C"

import "unsafe"

// convert calls a bulk conversion of convert.c: src holds len(dst) values of
// width bytes.
func convert(dst []float32, src []byte, width int, call func(to *C.float, from unsafe.Pointer, n C.size_t)) {
	if len(src) != width*len(dst) {
		panic("tensor: source and destination differ in length")
	}
	if len(dst) > 0 {
		call((*C.float)(unsafe.SliceData(dst)), unsafe.Pointer(unsafe.SliceData(src)), C.size_t(len(dst)))
	}
}

func float32FromBF16(dst []float32, src []byte) {
	convert(dst, src, 2, func(to *C.float, from unsafe.Pointer, n C.size_t) { C.saedb_from_bf16(to, from, n) })
}

func float32FromF16(dst []float32, src []byte) {
	convert(dst, src, 2, func(to *C.float, from unsafe.Pointer, n C.size_t) { C.saedb_from_f16(to, from, n) })
}

func float32FromF64(dst []float32, src []byte) {
	convert(dst, src, 8, func(to *C.float, from unsafe.Pointer, n C.size_t) { C.saedb_from_f64(to, from, n) })
}

// float32FromF32 copies: the machine is little endian, as convert.c demands.
func float32FromF32(dst []float32, src []byte) {
	copy(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(dst))), 4*len(dst)), src)
}

// FirstNonFinite returns the index of the first NaN or infinity, -1 when there is none.
func FirstNonFinite(values []float32) int {
	if len(values) == 0 || C.saedb_all_finite((*C.float)(unsafe.SliceData(values)), C.size_t(len(values))) != 0 {
		return -1
	}
	for i, v := range values {
		if v-v != 0 { // NaN for NaN and infinities
			return i
		}
	}
	return -1
}
