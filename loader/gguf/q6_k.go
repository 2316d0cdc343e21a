package gguf

// q6_k is Q6_K: blocks of 16 times 16 values, value = (d·scale)·(q-32).
// A block is 128 bytes with the four lower bits of the numbers q, 64 bytes with
// their two upper bits, 16 signed bytes of scales, and d as binary16. Of each 64
// bytes of lower bits, the low halves are the first 64 values and the high halves
// the next; the upper bits lie as the numbers of Q2_K do.
// Source: ggml/src/ggml-common.h, block_q6_K; ggml-quants.c, dequantize_row_q6_K.
var q6_k = blockEncoding("Q6_K", superblock, 128+64+16+2, float32FromQ6_K)

func float32FromQ6_K(dst []float32, block []byte) {
	values, lows, highs := (*[superblock]float32)(dst), (*[128]byte)(block), (*[64]byte)(block[128:])
	scales := (*[16]byte)(block[192:])
	d := half(block[208:])
	for s, scale := range scales {
		ds := d * float32(int8(scale))
		low, high := (*[16]byte)(lows[s/8*64+s%4*16:]), (*[16]byte)(highs[s/8*32+s%2*16:])
		out := (*[16]float32)(values[16*s:])
		lowShift, highShift := s%8/4*4, s%8/2*2
		for i := range out {
			out[i] = ds * float32(int32(low[i]>>lowShift&15|high[i]>>highShift&3<<4)-32)
		}
	}
}
