package gguf

// q4_k is Q4_K: blocks of 8 times 32 values, value = (d·scale)·q - (dmin·min).
// A block is d and dmin as binary16, 12 bytes with scales and mins of six bits, and
// 128 bytes of numbers q of four bits. Of each 32 bytes of q, the low halves are the
// first 32 values and the high halves the next.
// Source: ggml/src/ggml-common.h, block_q4_K; ggml-quants.c, dequantize_row_q4_K.
var q4_k = blockEncoding("Q4_K", superblock, 2+2+12+128, float32FromQ4_K)

func float32FromQ4_K(dst []float32, block []byte) {
	values, packed, quants := (*[superblock]float32)(dst), (*[12]byte)(block[4:]), (*[128]byte)(block[16:])
	d, dmin := half(block), half(block[2:])
	for s := range 8 {
		scale, least := q4_kScale(packed, s)
		ds, dm := d*float32(scale), float32(dmin*float32(least))
		part, out := (*[32]byte)(quants[s/2*32:]), (*[32]float32)(values[32*s:])
		shift := s % 2 * 4
		for i, q := range part {
			out[i] = float32(ds*float32(q>>shift&15)) - dm
		}
	}
}

// q4_kScale is the scale and the min of the 32 values s, in Q4_K and Q5_K. The
// first four of each are the lower six bits of the first 8 bytes, scales before
// mins. The lower bits of the other four are the halves of the last 4 bytes, and
// their upper bits what is left of the first 8.
func q4_kScale(packed *[12]byte, s int) (scale, least byte) {
	if s < 4 {
		return packed[s] & 63, packed[s+4] & 63
	}
	return packed[s+4]&15 | packed[s-4]>>6<<4, packed[s+4]>>4 | packed[s]>>6<<4
}
