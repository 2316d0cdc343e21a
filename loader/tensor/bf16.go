package tensor

import (
	"encoding/binary"
	"math"
)

// BF16 is the upper half of a binary32, little endian. The conversion is exact.
var BF16 = &Encoding{Name: "BF16", Values: 1, Bytes: 2, Decode: float32FromBF16}

func float32FromBF16(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(src[2*i:])) << 16)
	}
}
