package gguf

// tq2_0 is TQ2_0: blocks of 256 values with one scale, value = d·(q-1).
// A block is 64 bytes of numbers q of two bits, laid out as in Q2_K, and d as
// binary16. Quantising makes no q of 3, but it is read as 2·d.
// Source: ggml/src/ggml-common.h, block_tq2_0; ggml-quants.c, dequantize_row_tq2_0.
var tq2_0 = blockEncoding("TQ2_0", superblock, 64+2, float32FromTQ2_0)

func float32FromTQ2_0(dst []float32, block []byte) {
	values, quants := (*[superblock]float32)(dst), (*[64]byte)(block)
	d := half(block[64:])
	for s := range 8 {
		part, out := (*[32]byte)(quants[s/4*32:]), (*[32]float32)(values[32*s:])
		shift := s % 4 * 2
		for i, q := range part {
			out[i] = d * float32(int32(q>>shift&3)-1)
		}
	}
}
