package gguf

// superblock is the number of values in a block of the types that are named _K,
// and of those made after them (QK_K in llama.cpp).
const superblock = 256

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
