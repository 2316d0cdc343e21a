package compute

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// BenchmarkSummarize climbs from toy sizes to GPT-2's (768 × 50,257) and a slice of
// Gemma 2's; it reports the product's 2·n·d·V operations a second.
func BenchmarkSummarize(b *testing.B) {
	for _, k := range kernelsUnderTest() {
		for _, size := range []struct{ n, d, vocab int }{
			{1, 768, 50257},
			{64, 64, 1000},
			{64, 512, 10000},
			{128, 768, 50257},
			{128, 2304, 32000},
		} {
			r := rand.New(rand.NewPCG(1, 1))
			u := built(b, k, normal(r, size.vocab*size.d), size.d, nil)
			directions := normal(r, size.n*size.d)
			for _, o := range []Options{{}, {TopK: 10}, {TopK: 10, Cosine: true}} {
				name := fmt.Sprintf("%s/n=%d/d=%d/V=%d/k=%d/cosine=%t", k.name(), size.n, size.d, size.vocab, o.TopK, o.Cosine)
				b.Run(name, func(b *testing.B) {
					var s Summary
					b.ReportAllocs()
					for b.Loop() {
						if err := u.Summarize(b.Context(), directions, o, &s); err != nil {
							b.Fatal(err)
						}
					}
					operations := 2 * float64(size.n) * float64(size.d) * float64(size.vocab) * float64(b.N)
					b.ReportMetric(operations/b.Elapsed().Seconds()/1e9, "GFLOP/s")
				})
			}
		}
	}
}

func BenchmarkBuild(b *testing.B) {
	const vocab, d = 50257, 768
	r := rand.New(rand.NewPCG(1, 1))
	w := normal(r, vocab*d)
	for _, k := range kernelsUnderTest() {
		b.Run(k.name(), func(b *testing.B) {
			for b.Loop() {
				built(b, k, w, d, nil)
			}
		})
	}
}
