package gguf

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
