package compute

// #include "native.h"
import "C"

import (
	"math"
	"unsafe"
)

// Cosines writes the cosine of direction [d_model] with each of rows [n, d_model] to out [n], in
// float64: of products in the order of dot, clamped to [-1, 1], and NaN where either is zero.
// It reads every row once, and keeps nothing.
func Cosines(direction, rows []float32, out []float64) {
	d, n := len(direction), len(out)
	if d == 0 || len(rows) != n*d {
		panic(panicDirections)
	}
	length := math.Sqrt(dot(direction, direction))
	functions := fastest()
	const most = 32 // rows that are in L2 when they are multiplied with themselves
	var pairs [most]pair
	var squares [most]float64
	for from := 0; from < n; from += most {
		some := rows[from*d : min(from+most, n)*d]
		count := len(some) / d
		into := out[from : from+count]
		if functions == nil {
			for i := range count {
				row := some[i*d : (i+1)*d]
				into[i], squares[i] = dot(direction, row), dot(row, row)
			}
		} else {
			for i := range count {
				pairs[i] = pair{row: int32(i), out: int32(i)}
			}
			dots(functions, direction, some, d, pairs[:count], into)
			for i := range count {
				pairs[i].direction = int32(i)
			}
			dots(functions, some, some, d, pairs[:count], squares[:])
		}
		for i := range into {
			if into[i] /= length * math.Sqrt(squares[i]); !math.IsNaN(into[i]) {
				into[i] = min(max(into[i], -1), 1)
			}
		}
	}
}

// fastest returns the fastest kernel in C that the processor can run, nil for none.
func fastest() *C.struct_native_kernel {
	for _, k := range kernels {
		if native, ok := k.(nativeKernel); ok && native.available() {
			return native.functions
		}
	}
	return nil
}

func dots(functions *C.struct_native_kernel, directions, rows []float32, d int, pairs []pair, out []float64) {
	C.native_dots(functions, (*C.float)(&directions[0]), (*C.float)(&rows[0]), C.int64_t(d),
		(*C.struct_native_pair)(unsafe.Pointer(&pairs[0])), C.int64_t(len(pairs)), (*C.double)(&out[0]))
}
