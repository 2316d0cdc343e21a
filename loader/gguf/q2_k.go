package gguf

// q2_k is Q2_K: blocks of 16 times 16 values, value = (d·scale)·q - (dmin·min).
// A block is 16 bytes with a scale in the low half and a min in the high, 64 bytes
// of numbers q of two bits, and d and dmin as binary16. Of each 32 bytes of q, the
// lowest bits are the first 32 values, the next bits the next 32, and so on.
// Source: ggml/src/ggml-common.h, block_q2_K; ggml-quants.c, dequantize_row_q2_K.
var q2_k = blockEncoding("Q2_K", superblock, 16+64+2+2, float32FromQ2_K)

func float32FromQ2_K(dst []float32, block []byte) {
	values, scales, quants := (*[superblock]float32)(dst), (*[16]byte)(block), (*[64]byte)(block[16:])
	d, dmin := half(block[80:]), half(block[82:])
	for s, scale := range scales {
		ds, dm := d*float32(scale&15), float32(dmin*float32(scale>>4))
		part := (*[16]byte)(quants[s/8*32+s%2*16:])
		out := (*[16]float32)(values[16*s:])
		shift := s % 8 / 2 * 2
		for i, q := range part {
			out[i] = float32(ds*float32(q>>shift&3)) - dm
		}
	}
}
