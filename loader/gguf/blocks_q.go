package gguf

// Blocks of 32 values with a scale, or a scale and a minimum, of their own.

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
