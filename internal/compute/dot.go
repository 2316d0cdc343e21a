package compute

// dot returns Σ aᵢ·bᵢ in float64, for slices of equal length.
//
// A product of two float32 is exact in float64, so only the sum rounds. Its order
// is fixed: eight interleaved sums, the first with what is left over at the end,
// added in pairs. Every float64 logit weight of this package is such a sum, from here
// or from dots in product.h, which makes them comparable bit for bit.
func dot(a, b []float32) float64 {
	var s0, s1, s2, s3, s4, s5, s6, s7 float64
	b = b[:len(a)]
	for len(a) >= 8 && len(b) >= 8 {
		s0 += float64(a[0]) * float64(b[0])
		s1 += float64(a[1]) * float64(b[1])
		s2 += float64(a[2]) * float64(b[2])
		s3 += float64(a[3]) * float64(b[3])
		s4 += float64(a[4]) * float64(b[4])
		s5 += float64(a[5]) * float64(b[5])
		s6 += float64(a[6]) * float64(b[6])
		s7 += float64(a[7]) * float64(b[7])
		a, b = a[8:], b[8:]
	}
	for i, v := range a {
		s0 += float64(v) * float64(b[i])
	}
	return ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))
}
