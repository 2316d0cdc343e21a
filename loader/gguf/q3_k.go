package gguf

// q3_k is Q3_K: blocks of 16 times 16 values, value = (d·(scale-32))·(q-4).
// A block is 32 bytes with the highest bits of the numbers q, 64 bytes with their
// two lower bits, 12 bytes with scales of six bits, and d as binary16. Bit s of the
// 32 bytes belongs to values 32·s to 32·s+31; the lower bits lie as in Q2_K.
// Source: ggml/src/ggml-common.h, block_q3_K; ggml-quants.c, dequantize_row_q3_K.
var q3_k = blockEncoding("Q3_K", superblock, 32+64+12+2, float32FromQ3_K)

func float32FromQ3_K(dst []float32, block []byte) {
	values, highs, quants := (*[superblock]float32)(dst), (*[32]byte)(block), (*[64]byte)(block[32:])
	scales := (*[12]byte)(block[96:])
	d := half(block[108:])
	for s := range 16 {
		ds := d * float32(q3_kScale(scales, s))
		part, high := (*[16]byte)(quants[s/8*32+s%2*16:]), (*[16]byte)(highs[s%2*16:])
		out := (*[16]float32)(values[16*s:])
		shift := s % 8 / 2 * 2
		for i, q := range part {
			out[i] = ds * float32(int32(q>>shift&3|high[i]>>(s/2)&1<<2)-4)
		}
	}
}

// q3_kScale is scale s less 32. Its four lower bits are in a half of the first 8
// bytes, low halves first, and its two upper bits in a quarter of the last 4.
func q3_kScale(scales *[12]byte, s int) int32 {
	low := scales[s%8] >> (s / 8 * 4) & 15
	high := scales[8+s%4] >> (s / 4 * 2) & 3
	return int32(low|high<<4) - 32
}
