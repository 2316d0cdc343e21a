package gguf

import "math"

// String returns the text of a metadata key. It reports false when the key is not
// there or of another type.
func (f *File) String(key string) (string, bool) {
	v, ok := f.metadata[key]
	if !ok || v.kind != typeString {
		return "", false
	}
	return string(v.raw), true
}

// Int returns the value of a metadata key of any integer type. It reports false
// when the key is not there, of another type, or more than an int64 holds.
func (f *File) Int(key string) (int64, bool) {
	v, ok := f.metadata[key]
	if !ok {
		return 0, false
	}
	return integer(v.kind, v.raw)
}

// Float returns the value of a metadata key of either floating-point type. It
// reports false when the key is not there or of another type.
func (f *File) Float(key string) (float64, bool) {
	v, ok := f.metadata[key]
	switch {
	case ok && v.kind == typeFloat32:
		return float64(math.Float32frombits(order.Uint32(v.raw))), true
	case ok && v.kind == typeFloat64:
		return math.Float64frombits(order.Uint64(v.raw)), true
	default:
		return 0, false
	}
}

// Bool returns the value of a metadata key. It reports false, twice, when the key
// is not there or of another type.
func (f *File) Bool(key string) (value, ok bool) {
	v, ok := f.metadata[key]
	if !ok || v.kind != typeBool {
		return false, false
	}
	return v.raw[0] != 0, true
}

// Strings returns the texts of a metadata key. It reports false when the key is
// not there or no array of texts. Each call decodes them anew.
func (f *File) Strings(key string) ([]string, bool) {
	v, ok := f.metadata[key]
	if !ok || v.kind != typeArray || v.element != typeString {
		return nil, false
	}
	texts := make([]string, v.count)
	raw := v.raw
	for i := range texts {
		end := lengthBytes + order.Uint64(raw)
		texts[i], raw = string(raw[lengthBytes:end]), raw[end:]
	}
	return texts, true
}

// Ints returns the numbers of a metadata key. It reports false when the key is not
// there, no array of an integer type, or one number is more than an int64 holds.
// Each call decodes them anew.
func (f *File) Ints(key string) ([]int64, bool) {
	v, ok := f.metadata[key]
	if !ok || v.kind != typeArray {
		return nil, false
	}
	numbers := make([]int64, v.count)
	width := int(widths[v.element])
	for i := range numbers {
		if numbers[i], ok = integer(v.element, v.raw[i*width:]); !ok {
			return nil, false
		}
	}
	return numbers, true
}
