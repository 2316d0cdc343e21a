package gguf

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
