package figures

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"
)

// The points of a scale are painted in one order, in every run of the program the same, in which
// neither end of the scale comes last; what is said of a point goes with it.
func TestPointsAreShuffledAlike(t *testing.T) {
	db := open(t)
	var drawn [2][]byte
	for i := range drawn {
		var err error
		if drawn[i], err = json.Marshal(build(t, db, Request{Name: "skew-kurtosis", SAE: "two", Feature: -1})); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(drawn[0], drawn[1]) {
		t.Error("the same figure is not the same twice")
	}
	p := build(t, db, Request{Name: "skew-kurtosis", SAE: "two", Feature: -1}).Panels[0]
	points, runs, last := p.Points[0], 0, 0.0
	for i, v := range points.Value {
		if i == 0 || p.Scale.step(v) != p.Scale.step(points.Value[i-1]) {
			runs++
		}
		if i >= len(points.Value)/2 {
			last += v / float64(len(points.Value)/2)
		}
	}
	if runs < paintBlocks || runs > paintBlocks*(colorSteps+1) {
		t.Errorf("%d runs of one colour", runs)
	}
	if all := ask(t, db, `SELECT avg(std) FROM features WHERE sae = 'two' AND skewness IS NOT NULL`); last < 0.9*all || last > 1.1*all {
		t.Errorf("the half that is painted last has a mean of %v, all have %v", last, all)
	}
	for i := range points.X {
		feature := points.Hover[0].Texts[i]
		if want := ask(t, db, `SELECT skewness FROM features WHERE sae = 'two' AND feature = CAST(? AS INTEGER)`, feature); want != points.X[i] {
			t.Fatalf("feature %s is at %v, SQL says %v", feature, points.X[i], want)
		}
	}
	if !slices.Equal(points.SAEs, []string{"two"}) || !slices.Equal(points.Layers, []int64{2}) || points.SAEOf != nil {
		t.Errorf("the points are of %v, layers %v", points.SAEs, points.Layers)
	}
}
