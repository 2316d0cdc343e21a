package gguf

import "github.com/saedb/saedb/loader/tensor"

// q8_0 is Q8_0: blocks of 32 values with one scale, value = float32(scale)·q.
// A block is the scale as binary16, then 32 signed bytes.
// Source: ggml/src/ggml-common.h, block_q8_0; ggml-quants.c, dequantize_row_q8_0.
var q8_0 = &tensor.Encoding{Name: "Q8_0", Values: q8_0Values, Bytes: 2 + q8_0Values, Decode: float32FromQ8_0}

const q8_0Values = 32

func float32FromQ8_0(dst []float32, src []byte) {
	for len(src) > 0 {
		scale := tensor.Half(order.Uint16(src))
		quants := src[2 : 2+q8_0Values]
		values := dst[:q8_0Values]
		for i, q := range quants {
			values[i] = scale * float32(int8(q))
		}
		src, dst = src[2+q8_0Values:], dst[q8_0Values:]
	}
}
