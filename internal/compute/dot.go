package compute

// dot returns Σ aᵢ·bᵢ in float64, for slices of equal length.
//
// A product of two float32 is exact in float64, so only the sum rounds. Its order
// is fixed (four interleaved sums, added in pairs): every float64 logit weight of
// this package comes from here, which is what makes them comparable bit for bit.
func dot(a, b []float32) float64 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float64
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += float64(a[i]) * float64(b[i])
		s1 += float64(a[i+1]) * float64(b[i+1])
		s2 += float64(a[i+2]) * float64(b[i+2])
		s3 += float64(a[i+3]) * float64(b[i+3])
	}
	for ; i < len(a); i++ {
		s0 += float64(a[i]) * float64(b[i])
	}
	return (s0 + s1) + (s2 + s3)
}

// dotMeans returns Σ aᵢ·mᵢ, a direction against a mean token row.
func dotMeans(a []float32, m []float64) float64 {
	m = m[:len(a)]
	var sum float64
	for i, v := range a {
		sum += float64(v) * m[i]
	}
	return sum
}

// dotSquares returns Σ aᵢ²·qᵢ.
func dotSquares(a []float32, q []float64) float64 {
	q = q[:len(a)]
	var sum float64
	for i, v := range a {
		sum += float64(v) * float64(v) * q[i]
	}
	return sum
}
