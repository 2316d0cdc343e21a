package tensor

// BF16 is the upper half of a binary32, little endian. The conversion is exact.
var BF16 = &Encoding{Name: "BF16", Values: 1, Bytes: 2, Decode: float32FromBF16}
