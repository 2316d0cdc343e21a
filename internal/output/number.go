package output

import (
	"bytes"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// appendFloat appends f, of 32 or 64 bits, in the shortest decimal form that reads
// back to the same bits, laid out as DuckDB casts it to VARCHAR: with a point
// between 1e-4 and 1e16, with an exponent outside.
func appendFloat(b []byte, f float64, bits int) []byte {
	switch {
	case math.IsNaN(f):
		return append(b, "nan"...)
	case math.IsInf(f, 1):
		return append(b, "inf"...)
	case math.IsInf(f, -1):
		return append(b, "-inf"...)
	}
	start := len(b)
	b = strconv.AppendFloat(b, f, 'e', -1, bits)
	exponent, _ := strconv.Atoi(string(b[start+bytes.IndexByte(b[start:], 'e')+1:]))
	if exponent < -4 || exponent >= 16 {
		return b
	}
	b = strconv.AppendFloat(b[:start], f, 'f', -1, bits)
	if bytes.IndexByte(b[start:], '.') < 0 {
		b = append(b, ".0"...)
	}
	return b
}

// shortDigits is the number of significant digits of a float that people are shown.
const shortDigits = 6

// appendShortFloat appends f as [appendFloat] does when that has at most six
// significant digits, and otherwise rounded to six. Digits before the point are
// never rounded away, for 1234567 and 1234570 are different counts.
func appendShortFloat(b []byte, f float64, bits int) []byte {
	start := len(b)
	b = appendFloat(b, f, bits)
	digits, exponent, _ := strings.Cut(strings.TrimLeft(string(b[start:]), "-"), "e")
	whole, fraction, _ := strings.Cut(digits, ".")
	significant := strings.TrimLeft(whole+fraction, "0")
	if len(significant) <= shortDigits || fraction == "0" || math.IsInf(f, 0) {
		return b
	}
	if exponent != "" {
		return strconv.AppendFloat(b[:start], f, 'e', shortDigits-1, bits)
	}
	magnitude := int(math.Floor(math.Log10(math.Abs(f)))) + 1 // digits before the point
	return strconv.AppendFloat(b[:start], f, 'f', max(0, shortDigits-magnitude), bits)
}

// appendDecimal appends value / 10^scale with exactly scale digits after the point.
func appendDecimal(b []byte, value *big.Int, scale int) []byte {
	if value.Sign() < 0 {
		b = append(b, '-')
	}
	digits := new(big.Int).Abs(value).String()
	if missing := scale + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	point := len(digits) - scale
	b = append(b, digits[:point]...)
	if scale > 0 {
		b = append(b, '.')
		b = append(b, digits[point:]...)
	}
	return b
}
