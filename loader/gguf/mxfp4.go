package gguf

import "math"

// mxfp4 is MXFP4: blocks of 32 numbers of four bits (E2M1) with one power of two.
// A block is the exponent e, biased by 127, then 16 bytes laid out as in Q4_0;
// value = 2^(e-128)·level[q], the levels being twice the numbers. As in llama.cpp
// there are no NaN, for which the OCP's specification takes e = 255.
// Source: ggml/src/ggml-common.h, block_mxfp4; ggml-quants.c, dequantize_row_mxfp4.
var mxfp4 = blockEncoding("MXFP4", 32, 1+16, float32FromMXFP4)

var mxfp4Levels = [16]float32{0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12}

func float32FromMXFP4(dst []float32, block []byte) {
	scaledLevels((*[32]float32)(dst), halfPower(block[0]), &mxfp4Levels, (*[16]byte)(block[1:]))
}

// halfPower is 2^(e-128), subnormal for an e below 2.
func halfPower(e byte) float32 {
	if e < 2 {
		return math.Float32frombits(1 << 21 << e)
	}
	return math.Float32frombits(uint32(e-1) << 23)
}
