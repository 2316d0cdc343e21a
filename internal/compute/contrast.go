package compute

// Contrast is the mean of some rows of a reader less the mean of others, each by its row as it
// was given [d_model], in float64.
type Contrast []float64

// Contrast makes one of tokens of the vocabulary, of which there is at least one on each side.
func (u *Unembedding) Contrast(of, less []int32) Contrast {
	c := make(Contrast, u.dModel)
	for _, side := range []struct {
		tokens []int32
		sign   float64
	}{{of, 1}, {less, -1}} {
		if len(side.tokens) == 0 {
			panic("compute: a contrast with no tokens")
		}
		for _, token := range side.tokens {
			if token < 0 || int(token) >= u.vocab {
				panic(panicToken)
			}
			for i, w := range u.rowOf(int(token)) {
				c[i] += side.sign * float64(w) / float64(len(side.tokens))
			}
		}
	}
	return c
}

// Weight is the product with a direction [d_model], in float64: the mean logit weight of the one
// side less that of the other.
func (c Contrast) Weight(direction []float32) float64 {
	if len(direction) != len(c) {
		panic(panicDirection)
	}
	sum := 0.0
	for i, w := range direction {
		sum += float64(w) * c[i]
	}
	return sum
}
