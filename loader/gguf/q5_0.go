package gguf

// q5_0 is Q5_0: blocks of 32 values with one scale, value = d·(q-16).
// A block is d as binary16, 32 bits that are the fifth bits of the numbers q, and
// 16 bytes: their low halves are the lower bits of the first 16, their high halves
// those of the others.
// Source: ggml/src/ggml-common.h, block_q5_0; ggml-quants.c, dequantize_row_q5_0.
var q5_0 = blockEncoding("Q5_0", 32, 2+4+16, float32FromQ5_0)

func float32FromQ5_0(dst []float32, block []byte) {
	values, quants := (*[32]float32)(dst), (*[16]byte)(block[6:])
	d, fifth := half(block), order.Uint32(block[2:])
	for i, q := range quants {
		values[i] = d * float32(int32(uint32(q&15)|fifth<<4&16)-16)
		values[i+16] = d * float32(int32(uint32(q>>4)|fifth>>12&16)-16)
		fifth >>= 1
	}
}
