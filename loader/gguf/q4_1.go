package gguf

// q4_1 is Q4_1: blocks of 32 values with a scale and a minimum, value = d·q + m.
// A block is d and m as binary16, then 16 bytes: their low halves are the first 16
// numbers q, their high halves the others.
// Source: ggml/src/ggml-common.h, block_q4_1; ggml-quants.c, dequantize_row_q4_1.
var q4_1 = blockEncoding("Q4_1", 32, 2+2+16, float32FromQ4_1)

func float32FromQ4_1(dst []float32, block []byte) {
	values, quants := (*[32]float32)(dst), (*[16]byte)(block[4:])
	d, m := half(block), half(block[2:])
	for i, q := range quants {
		values[i] = float32(d*float32(q&15)) + m
		values[i+16] = float32(d*float32(q>>4)) + m
	}
}
