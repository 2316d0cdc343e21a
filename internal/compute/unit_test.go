package compute

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestUnit: rows at unit length give cosines times the direction's length, ranked as gonum
// ranks them in float64, on every kernel.
func TestUnit(t *testing.T) {
	for _, k := range kernelsUnderTest() {
		for _, p := range problems {
			t.Run(k.name()+"/"+p.name, func(t *testing.T) {
				directions, w := p.generate()
				b, err := NewBuilder(len(w)/p.d, p.d)
				if err != nil {
					t.Fatal(err)
				}
				b.SetRows(0, w)
				b.Unit()
				if p.only != nil {
					b.Only(p.only)
				}
				u, err := b.build(k)
				if err != nil {
					t.Fatal(err)
				}
				if native, ok := u.panels.(*nativePanels); ok && u.rows == nil && native.factors == nil {
					t.Error("the rows of a large reader are held at unit length alone")
				}
				o := newOracle(directions, w, p.d, p.ids())
				o.plain = o.cosine
				s := summarized(t, u, directions, Options{TopK: p.k, Absolute: true})
				checkMoments(t, "unit", s.Plain, o.cosine, p.constantCosine)
				checkUnit(t, directions, p.d, &s.Top, o, 1)
				checkUnit(t, directions, p.d, &s.Bottom, o, -1)
				for i, got := range s.MeanAbsolute {
					var want float64
					row := o.cosine.RawRowView(i)
					for _, x := range row {
						want += math.Abs(x) / float64(len(row))
					}
					length := math.Sqrt(dot(directions[i*p.d:(i+1)*p.d], directions[i*p.d:(i+1)*p.d]))
					if !(math.Abs(got-want) <= 1e-6*length) {
						t.Fatalf("direction %d: mean magnitude %g, want %g", i, got, want)
					}
				}
			})
		}
	}
}

// checkUnit compares values place by place, since those that are equal but for the rounding of
// float64 may change places.
func checkUnit(t *testing.T, directions []float32, d int, ranked *Tokens, o *oracle, sign float64) {
	t.Helper()
	at := map[int32]int{}
	for j, id := range o.tokens {
		at[id] = j
	}
	for i := range len(directions) / d {
		order := o.ranked(i, sign)
		length := math.Sqrt(dot(directions[i*d:(i+1)*d], directions[i*d:(i+1)*d]))
		for r := range ranked.K {
			id, got := ranked.IDs[i*ranked.K+r], ranked.Logits[i*ranked.K+r]
			own, best := o.plain.At(i, at[id]), o.plain.At(i, at[order[r]])
			if rounding := 1e-14 * float64(d) * length; !(math.Abs(got-own) <= rounding) || !(math.Abs(own-best) <= rounding) {
				t.Fatalf("direction %d, place %d: row %d with %g, own %g, want %g", i, r, id, got, own, best)
			}
		}
	}
}

// TestUnitHoldsRowsOnce: a reader whose rows count at unit length takes no more memory than
// another, where there is little of it to spare.
func TestUnitHoldsRowsOnce(t *testing.T) {
	const vocab, d = 1000, 64
	w := normal(rand.New(rand.NewPCG(31, 32)), vocab*d)
	for _, native := range nativeUnderTest() {
		native.keptRows = 0
		given := built(t, native, w, d, nil)
		b, err := NewBuilder(vocab, d)
		if err != nil {
			t.Fatal(err)
		}
		b.SetRows(0, w)
		b.Unit()
		u, err := b.build(native)
		if err != nil {
			t.Fatal(err)
		}
		if more := u.Bytes() - given.Bytes(); u.rows != nil || more > 4*(vocab+groupTokens) {
			t.Errorf("%s: rows at unit length take %d bytes more than as given", native.name(), more)
		}
		for j := range vocab {
			if got := u.rowOf(j); !slices.Equal(got, w[j*d:(j+1)*d]) {
				t.Fatalf("%s: row %d is not as it was given", native.name(), j)
			}
		}
	}
}
