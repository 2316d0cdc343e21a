package gguf

import (
	"fmt"
	"math"

	"github.com/saedb/saedb/internal/fault"
)

// valueType is the type of a metadata value.
type valueType uint32

const (
	typeUint8 valueType = iota
	typeInt8
	typeUint16
	typeInt16
	typeUint32
	typeInt32
	typeFloat32
	typeBool
	typeString
	typeArray
	typeUint64
	typeInt64
	typeFloat64
)

// widths are the bytes of a value, 0 for those of no fixed length.
var widths = [...]uint64{
	typeUint8: 1, typeInt8: 1, typeUint16: 2, typeInt16: 2, typeUint32: 4, typeInt32: 4, typeFloat32: 4, typeBool: 1,
	typeString: 0, typeArray: 0, typeUint64: 8, typeInt64: 8, typeFloat64: 8,
}

const (
	lengthBytes = 8 // a string's length
	// minKeyBytes is an empty key with a one-byte value.
	minKeyBytes = lengthBytes + 4 + 1
	// maxNesting of arrays in arrays; none is known to be nested at all.
	maxNesting = 4
)

// value is a metadata value as stored: decoding waits until it is asked for, so
// that a header takes no more memory than its bytes.
type value struct {
	kind    valueType
	element valueType // of an array
	count   uint64    // elements of an array
	raw     []byte    // the value; for a string its text; for an array its elements
}

// readMetadata reads n keys and values.
func readMetadata(c *cursor, n uint64) (map[string]value, error) {
	metadata := make(map[string]value)
	for range n {
		key, err := c.string("metadata key")
		if err != nil {
			return nil, err
		}
		if _, there := metadata[key]; there {
			return nil, &fault.Error{Problem: fmt.Sprintf("metadata key %q is there twice", key)}
		}
		kind, err := c.uint32("type of " + key)
		if err != nil {
			return nil, err
		}
		if metadata[key], err = readValue(c, valueType(kind), key); err != nil {
			return nil, err
		}
	}
	return metadata, nil
}

func readValue(c *cursor, kind valueType, key string) (value, error) {
	if kind == typeArray {
		return readArray(c, key)
	}
	raw, err := readScalar(c, kind, key)
	return value{kind: kind, raw: raw}, err
}

// readScalar reads the bytes of a value that is no array; of a string, its text.
func readScalar(c *cursor, kind valueType, key string) ([]byte, error) {
	if int(kind) >= len(widths) {
		return nil, unknownType(kind, key)
	}
	width := widths[kind]
	if kind == typeString {
		var err error
		if width, err = c.uint64(key); err != nil {
			return nil, err
		}
	}
	return c.bytes(width, key)
}

func unknownType(kind valueType, key string) error {
	return &fault.Error{
		Problem: "type of metadata key " + key, Expected: fmt.Sprintf("0 to %d", len(widths)-1), Found: fmt.Sprint(uint32(kind)),
	}
}

// readArray reads an array; of arrays in arrays it keeps nothing but checks them,
// since the values after them can only be found so.
func readArray(c *cursor, key string) (value, error) {
	element, n, err := readArrayHeader(c, key)
	if err != nil {
		return value{}, err
	}
	v := value{kind: typeArray, element: element, count: n}
	switch element {
	case typeArray:
		err = skipArrays(c, n, key, 1)
	case typeString:
		v.raw, err = readStrings(c, n, key)
	default:
		v.raw, err = c.bytes(n*widths[element], key)
	}
	return v, err
}

// readArrayHeader reads an array's element type and length.
func readArrayHeader(c *cursor, key string) (valueType, uint64, error) {
	kind, err := c.uint32("element type of " + key)
	if err != nil {
		return 0, 0, err
	}
	element := valueType(kind)
	if int(element) >= len(widths) {
		return 0, 0, unknownType(element, key)
	}
	width := widths[element]
	switch element {
	case typeString:
		width = lengthBytes
	case typeArray:
		width = 4 + lengthBytes
	}
	n, err := c.count("length of "+key, width)
	return element, n, err
}

// readStrings reads n strings and returns their bytes as stored, lengths
// included.
func readStrings(c *cursor, n uint64, key string) ([]byte, error) {
	var raw []byte
	for range n {
		length, err := c.uint64(key)
		if err != nil {
			return nil, err
		}
		raw = order.AppendUint64(raw, length)
		if raw, err = c.appendBytes(raw, length, key); err != nil {
			return nil, err
		}
	}
	return raw, nil
}

// skipArrays reads past n arrays that are elements of another one.
func skipArrays(c *cursor, n uint64, key string, depth int) error {
	if depth > maxNesting {
		return &fault.Error{Problem: "metadata key " + key + ": arrays are nested too deep"}
	}
	for range n {
		element, count, err := readArrayHeader(c, key)
		if err != nil {
			return err
		}
		switch element {
		case typeArray:
			err = skipArrays(c, count, key, depth+1)
		case typeString:
			_, err = readStrings(c, count, key)
		default:
			_, err = c.bytes(count*widths[element], key)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// integer decodes an integer of the given type. It reports false for other types
// and for one that int64 does not hold.
func integer(kind valueType, raw []byte) (int64, bool) {
	switch kind {
	case typeUint8:
		return int64(raw[0]), true
	case typeInt8:
		return int64(int8(raw[0])), true
	case typeUint16:
		return int64(order.Uint16(raw)), true
	case typeInt16:
		return int64(int16(order.Uint16(raw))), true
	case typeUint32:
		return int64(order.Uint32(raw)), true
	case typeInt32:
		return int64(int32(order.Uint32(raw))), true
	case typeUint64:
		n := order.Uint64(raw)
		return int64(n), n <= math.MaxInt64
	case typeInt64:
		return int64(order.Uint64(raw)), true
	default:
		return 0, false
	}
}
