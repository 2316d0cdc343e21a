package gguf

import (
	"fmt"

	"github.com/saedb/saedb/loader/tensor"
)

// encodings are the tensor types that are read, in the order of an error's list.
var encodings = tensor.Encodings{
	tensor.F32, tensor.F16, tensor.BF16, tensor.F64,
	q4_0, q4_1, q5_0, q5_1, q8_0, q2_k, q3_k, q4_k, q5_k, q6_k,
	iq4_nl, iq4_xs, mxfp4, tq1_0, tq2_0,
}

var readable = encodings.Names()

// typeNames are the numbers that stand for types, with gaps where types were
// taken out. Source: gguf-py/gguf/constants.py, class GGMLQuantizationType.
var typeNames = map[uint32]string{
	0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0", 9: "Q8_1",
	10: "Q2_K", 11: "Q3_K", 12: "Q4_K", 13: "Q5_K", 14: "Q6_K", 15: "Q8_K",
	16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S", 20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS",
	24: "I8", 25: "I16", 26: "I32", 27: "I64", 28: "F64", 29: "IQ1_M", 30: "BF16", 34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4",
	40: "NVFP4", 41: "Q1_0",
}

// typeOf returns a type's name, and its encoding when it is read.
func typeOf(kind uint32) (string, *tensor.Encoding) {
	name, known := typeNames[kind]
	if !known {
		return fmt.Sprintf("type %d", kind), nil
	}
	return name, encodings.Named(name)
}

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

// half is the value of the binary16 at the beginning of src.
func half(src []byte) float32 { return tensor.Half(order.Uint16(src)) }
