package tensor

import (
	"encoding/binary"
	"math"
)

// F64 is IEEE 754 binary64, little endian, rounded to the nearest float32; values
// beyond float32's range become infinite.
var F64 = &Encoding{Name: "F64", Values: 1, Bytes: 8, Decode: float32FromF64}

func float32FromF64(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(src[8*i:])))
	}
}
