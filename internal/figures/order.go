package figures

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Points that have a colour by their value are painted in the order that they have here, on a page
// and in a picture: a seeded shuffle, so that no end of the scale lies over the other, in
// paintBlocks blocks, within each of which equal colours follow each other. A page draws
// each run of one colour as one path, which it can do for a hundred runs and not for a run a point.
const (
	paintBlocks = 8
	paintSeed   = 1
)

// colorSteps is how many colours a scale is divided into, as in assets/marks.js.
const colorSteps = 14

// order gives the points of every panel with a scale the order in which they are painted.
func (f *Figure) order() {
	for i := range f.Panels {
		if f.Panels[i].Scale == nil {
			continue
		}
		for k := range f.Panels[i].Points {
			p := &f.Panels[i].Points[k]
			if len(p.Value) == len(p.X) {
				p.permute(paintOrder(p.Value, f.Panels[i].Scale))
			}
		}
	}
}

// paintOrder is the order of the points with these values.
func paintOrder(values Series, scale *Scale) []int {
	order := rand.New(rand.NewPCG(paintSeed, uint64(len(values)))).Perm(len(values))
	block := (len(order) + paintBlocks - 1) / paintBlocks
	for from := 0; from < len(order); from += block {
		slices.SortStableFunc(order[from:min(from+block, len(order))], func(a, b int) int { return scale.step(values[a]) - scale.step(values[b]) })
	}
	return order
}

// step is which of the scale's colours a value has; -1 for none.
func (s *Scale) step(v float64) int {
	switch {
	case math.IsNaN(v):
		return -1
	case !(s.Max > s.Min):
		return 0
	}
	return min(max(int(math.Floor((v-s.Min)/(s.Max-s.Min)*colorSteps)), 0), colorSteps-1)
}

// permute puts point order[i] at place i.
func (p *Points) permute(order []int) {
	p.X, p.Y, p.Value = permuted(p.X, order), permuted(p.Y, order), permuted(p.Value, order)
	p.Labels, p.URLs = permuted(p.Labels, order), permuted(p.URLs, order)
	p.SAEOf, p.LayerOf = permuted(p.SAEOf, order), permuted(p.LayerOf, order)
	for i := range p.Hover {
		p.Hover[i].Texts, p.Hover[i].Numbers = permuted(p.Hover[i].Texts, order), permuted(p.Hover[i].Numbers, order)
	}
}

// permuted has values[order[i]] at place i; none where there are none.
func permuted[S ~[]E, E any](values S, order []int) S {
	if values == nil {
		return nil
	}
	out := make(S, len(values))
	for i, from := range order {
		out[i] = values[from]
	}
	return out
}
