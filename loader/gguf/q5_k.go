package gguf

// q5_k is Q5_K: blocks of 8 times 32 values, value = (d·scale)·q - (dmin·min).
// A block is d and dmin as binary16, 12 bytes with scales and mins as in Q4_K, 32
// bytes with the fifth bits of the numbers q, and 128 bytes with their lower bits,
// as in Q4_K. Bit s of the 32 bytes belongs to values 32·s to 32·s+31.
// Source: ggml/src/ggml-common.h, block_q5_K; ggml-quants.c, dequantize_row_q5_K.
var q5_k = blockEncoding("Q5_K", superblock, 2+2+12+32+128, float32FromQ5_K)

func float32FromQ5_K(dst []float32, block []byte) {
	values, packed := (*[superblock]float32)(dst), (*[12]byte)(block[4:])
	fifths, quants := (*[32]byte)(block[16:]), (*[128]byte)(block[48:])
	d, dmin := half(block), half(block[2:])
	for s := range 8 {
		scale, least := q4_kScale(packed, s)
		ds, dm := d*float32(scale), float32(dmin*float32(least))
		part, out := (*[32]byte)(quants[s/2*32:]), (*[32]float32)(values[32*s:])
		shift := s % 2 * 4
		for i, q := range part {
			out[i] = float32(ds*float32(q>>shift&15|fifths[i]>>s&1<<4)) - dm
		}
	}
}
