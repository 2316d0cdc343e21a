package gguf

// q8_0 is Q8_0: blocks of 32 values with one scale, value = d·q.
// A block is d as binary16, then 32 signed bytes q.
// Source: ggml/src/ggml-common.h, block_q8_0; ggml-quants.c, dequantize_row_q8_0.
var q8_0 = blockEncoding("Q8_0", 32, 2+32, float32FromQ8_0)

func float32FromQ8_0(dst []float32, block []byte) {
	values, quants := (*[32]float32)(dst), (*[32]byte)(block[2:])
	d := half(block)
	for i, q := range quants {
		values[i] = d * float32(int8(q))
	}
}
