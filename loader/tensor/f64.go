package tensor

// F64 is IEEE 754 binary64, little endian, rounded to the nearest float32; values
// beyond float32's range become infinite.
var F64 = &Encoding{Name: "F64", Values: 1, Bytes: 8, Decode: float32FromF64}
