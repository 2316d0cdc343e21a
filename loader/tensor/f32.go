package tensor

// F32 is IEEE 754 binary32, little endian.
var F32 = &Encoding{Name: "F32", Values: 1, Bytes: 4, Decode: float32FromF32}
