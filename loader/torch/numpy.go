package torch

import (
	"encoding/binary"
	"math"
)

// numberType is a data type of NumPy: "f8" is a float of 8 bytes.
type numberType struct {
	code  string
	order string // ">" where the bytes come in the other order
}

// numpyType is numpy.dtype(code, align, copy).
func numpyType(args tuple) (any, error) {
	if len(args) == 0 {
		return nil, errArguments
	}
	code, ok := args[0].(string)
	if !ok {
		return &opaque{name: "numpy.dtype"}, nil
	}
	return &numberType{code: code}, nil
}

// numpyScalar is the number of a type and its bytes. Training code leaves such
// numbers in configurations; those of a kind that is no plain number are opaque.
func numpyScalar(args tuple) (any, error) {
	unread := &opaque{name: "numpy scalar"}
	if len(args) < 2 {
		return nil, errArguments
	}
	t, ok := args[0].(*numberType)
	bytes, isBytes := args[1].([]byte)
	if !ok || !isBytes || t.order == ">" {
		return unread, nil
	}
	order := binary.LittleEndian
	switch {
	case t.code == "f8" && len(bytes) == 8:
		return math.Float64frombits(order.Uint64(bytes)), nil
	case t.code == "f4" && len(bytes) == 4:
		return float64(math.Float32frombits(order.Uint32(bytes))), nil
	case t.code == "i8" && len(bytes) == 8:
		return int64(order.Uint64(bytes)), nil
	case t.code == "i4" && len(bytes) == 4:
		return int64(int32(order.Uint32(bytes))), nil
	case t.code == "b1" && len(bytes) == 1:
		return bytes[0] != 0, nil
	default:
		return unread, nil
	}
}

// encodeLatin1 is _codecs.encode(text, "latin1"), as which protocol 2 writes bytes.
func encodeLatin1(args tuple) (any, error) {
	if len(args) != 2 || args[1] != "latin1" {
		return &opaque{name: "_codecs.encode"}, nil
	}
	text, ok := args[0].(string)
	if !ok {
		return nil, errArguments
	}
	bytes := make([]byte, 0, len(text))
	for _, r := range text {
		if r > math.MaxUint8 {
			return nil, errArguments
		}
		bytes = append(bytes, byte(r))
	}
	return bytes, nil
}
