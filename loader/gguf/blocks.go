package gguf

import "github.com/saedb/saedb/loader/tensor"

// blockEncoding makes the encoding of a block type: decode converts one block of
// the given number of bytes to the given number of values.
//
// What decode computes is, bit for bit, what dequantize of gguf-py/gguf/quants.py
// does. It multiplies and adds in float32, in that order and with each product
// rounded: every product that becomes an operand of a sum, in the same statement or
// a later one, is converted to float32, for Go would else fuse the two on ARM.
func blockEncoding(name string, values, bytes int, decode func(dst []float32, block []byte)) *tensor.Encoding {
	return &tensor.Encoding{Name: name, Values: values, Bytes: bytes, Decode: func(dst []float32, src []byte) {
		for len(src) > 0 {
			decode(dst[:values], src[:bytes])
			dst, src = dst[values:], src[bytes:]
		}
	}}
}

// superblock is the number of values in a block of the types that are named _K,
// and of those made after them (QK_K in llama.cpp).
const superblock = 256

// half is the value of the binary16 at the beginning of src.
func half(src []byte) float32 { return tensor.Half(order.Uint16(src)) }
