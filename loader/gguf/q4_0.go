package gguf

// q4_0 is Q4_0: blocks of 32 values with one scale, value = d·(q-8).
// A block is d as binary16, then 16 bytes: their low halves are the first 16
// numbers q, their high halves the others.
// Source: ggml/src/ggml-common.h, block_q4_0; ggml-quants.c, dequantize_row_q4_0.
var q4_0 = blockEncoding("Q4_0", 32, 2+16, float32FromQ4_0)

func float32FromQ4_0(dst []float32, block []byte) {
	values, quants := (*[32]float32)(dst), (*[16]byte)(block[2:])
	d := half(block)
	for i, q := range quants {
		values[i] = d * float32(int32(q&15)-8)
		values[i+16] = d * float32(int32(q>>4)-8)
	}
}
