package gguf

import "math"

// Blocks of numbers that stand for values of a table, and of ternary numbers.

// iq4_nl is IQ4_NL: blocks of 32 values with one scale, value = d·level[q], where
// the 16 levels are not evenly spaced. A block is laid out as in Q4_0.
// Source: ggml/src/ggml-common.h, block_iq4_nl; ggml-quants.c, dequantize_row_iq4_nl.
var iq4_nl = blockEncoding("IQ4_NL", 32, 2+16, float32FromIQ4_NL)

// iq4Levels are what the numbers of IQ4_NL and IQ4_XS stand for.
// Source: gguf-py/gguf/quants.py, IQ4_NL.kvalues.
var iq4Levels = [16]float32{-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113}

func float32FromIQ4_NL(dst []float32, block []byte) {
	scaledLevels((*[32]float32)(dst), half(block), &iq4Levels, (*[16]byte)(block[2:]))
}

// scaledLevels sets dst to d·levels[q], the low halves of quants being the first 16
// numbers q and the high halves the others.
func scaledLevels(dst *[32]float32, d float32, levels *[16]float32, quants *[16]byte) {
	for i, q := range quants {
		dst[i] = d * levels[q&15]
		dst[i+16] = d * levels[q>>4]
	}
}

// iq4_xs is IQ4_XS: blocks of 8 times 32 values, value = (d·(scale-32))·level[q]
// with the levels of IQ4_NL. A block is d as binary16, 16 bits with the two upper
// bits of each scale, 4 bytes whose halves are the lower bits, low half first, and
// 128 bytes of numbers q, each 16 laid out as in Q4_0.
// Source: ggml/src/ggml-common.h, block_iq4_xs; ggml-quants.c, dequantize_row_iq4_xs.
var iq4_xs = blockEncoding("IQ4_XS", superblock, 2+2+4+128, float32FromIQ4_XS)

func float32FromIQ4_XS(dst []float32, block []byte) {
	values, lows, quants := (*[superblock]float32)(dst), (*[4]byte)(block[4:]), (*[128]byte)(block[8:])
	d, highs := half(block), order.Uint16(block[2:])
	for s := range 8 {
		low, high := lows[s/2]>>(s%2*4)&15, byte(highs>>(2*s)&3)
		ds := d * float32(int32(low|high<<4)-32)
		scaledLevels((*[32]float32)(values[32*s:]), ds, &iq4Levels, (*[16]byte)(quants[16*s:]))
	}
}

// mxfp4 is MXFP4: blocks of 32 numbers of four bits (E2M1) with one power of two.
// A block is the exponent e, biased by 127, then 16 bytes laid out as in Q4_0;
// value = 2^(e-128)·level[q], the levels being twice the numbers. As in llama.cpp
// there are no NaN, for which the OCP's specification takes e = 255.
// Source: ggml/src/ggml-common.h, block_mxfp4; ggml-quants.c, dequantize_row_mxfp4.
var mxfp4 = blockEncoding("MXFP4", 32, 1+16, float32FromMXFP4)

var mxfp4Levels = [16]float32{0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12}

func float32FromMXFP4(dst []float32, block []byte) {
	scaledLevels((*[32]float32)(dst), halfPower(block[0]), &mxfp4Levels, (*[16]byte)(block[1:]))
}

// halfPower is 2^(e-128), subnormal for an e below 2.
func halfPower(e byte) float32 {
	if e < 2 {
		return math.Float32frombits(1 << 21 << e)
	}
	return math.Float32frombits(uint32(e-1) << 23)
}

// tq1_0 is TQ1_0: blocks of 256 values of -d, 0 or d, value = d·(q-1).
// A block is 48 bytes of five numbers q, 4 bytes of four, and d as binary16. A byte
// is the fraction 0.q₁q₂… in base three times 256, rounded up: multiplied by 3ⁿ
// modulo 256, and then by 3, what exceeds 8 bits is number n. The first 32 bytes
// give 32 values for each n, the next 16 then 16, and the last 4 then 4.
// Source: ggml/src/ggml-common.h, block_tq1_0; ggml-quants.c, dequantize_row_tq1_0.
var tq1_0 = blockEncoding("TQ1_0", superblock, 48+4+2, float32FromTQ1_0)

func float32FromTQ1_0(dst []float32, block []byte) {
	d := half(block[52:])
	rest := ternaryFromBase3(dst, block[:32], 5, d)
	rest = ternaryFromBase3(rest, block[32:48], 5, d)
	ternaryFromBase3(rest, block[48:52], 4, d)
}

// ternaryFromBase3 sets the beginning of dst to the values of n numbers a byte of
// packed, and returns the rest of dst.
func ternaryFromBase3(dst []float32, packed []byte, n int, d float32) []float32 {
	power := byte(1)
	for range n {
		out := dst[:len(packed)]
		for i, b := range packed {
			q := uint16(b*power) * 3 >> 8
			out[i] = d * float32(int32(q)-1)
		}
		power *= 3
		dst = dst[len(packed):]
	}
	return dst
}

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
