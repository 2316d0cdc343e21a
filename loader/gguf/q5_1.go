package gguf

// q5_1 is Q5_1: blocks of 32 values with a scale and a minimum, value = d·q + m.
// A block is d and m as binary16, 32 bits that are the fifth bits of the numbers q,
// and 16 bytes: their low halves are the lower bits of the first 16, their high
// halves those of the others.
// Source: ggml/src/ggml-common.h, block_q5_1; ggml-quants.c, dequantize_row_q5_1.
var q5_1 = blockEncoding("Q5_1", 32, 2+2+4+16, float32FromQ5_1)

func float32FromQ5_1(dst []float32, block []byte) {
	values, quants := (*[32]float32)(dst), (*[16]byte)(block[8:])
	d, m, fifth := half(block), half(block[2:]), order.Uint32(block[4:])
	for i, q := range quants {
		values[i] = float32(d*float32(int32(uint32(q&15)|fifth<<4&16))) + m
		values[i+16] = float32(d*float32(int32(uint32(q>>4)|fifth>>12&16))) + m
		fifth >>= 1
	}
}
