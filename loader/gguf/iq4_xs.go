package gguf

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
