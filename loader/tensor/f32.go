package tensor

import (
	"encoding/binary"
	"math"
)

// F32 is IEEE 754 binary32, little endian.
var F32 = &Encoding{Name: "F32", Values: 1, Bytes: 4, Decode: float32FromF32}

func float32FromF32(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
	}
}
