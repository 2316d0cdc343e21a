package figures

import (
	"math"
	"testing"
)

func TestHistogramCountsWhatSQLCounts(t *testing.T) {
	db := open(t)
	for _, statistic := range []string{"skewness", "kurtosis"} {
		f := build(t, db, Request{Name: statistic, Bins: 17})
		if len(f.Panels) != 2 || f.Panels[0].Title != "layer 1" || f.Panels[1].Title != "layer 2" {
			t.Fatalf("%s: expected panels of layers 1 and 2, found %d", statistic, len(f.Panels))
		}
		for i, p := range f.Panels {
			bars, total := p.Bars[0], 0
			if len(bars.Counts) != 17 {
				t.Fatalf("%s: expected 17 bins, found %d", statistic, len(bars.Counts))
			}
			for b, count := range bars.Counts {
				closed := "<"
				if b == len(bars.Counts)-1 {
					closed = "<="
				}
				want := ask(t, db, `SELECT count(*) FROM features WHERE layer = ? AND `+statistic+` >= ? AND `+statistic+closed+` ?`,
					i+1, bars.Edges[b], bars.Edges[b+1])
				// The outermost edges are rounded when they come back from log10.
				if math.Abs(want-float64(count)) > 0 && b > 0 && b < len(bars.Counts)-1 {
					t.Errorf("%s, layer %d, bin %d: %d features, SQL counts %v", statistic, i+1, b, count, want)
				}
				total += count
			}
			if total != 498 {
				t.Errorf("%s, layer %d: %d features in bins, expected the 498 with statistics", statistic, i+1, total)
			}
			if median := ask(t, db, `SELECT quantile_cont(`+statistic+`, 0.5) FROM features WHERE layer = ?`, i+1); math.Abs(median-p.Rules[1].At) > 1e-12 {
				t.Errorf("%s, layer %d: median %v, SQL says %v", statistic, i+1, p.Rules[1].At, median)
			}
		}
	}
}

func TestHistogramOfEqualValues(t *testing.T) {
	bars, _ := histogram([]float64{2, 2, 2}, 0, false)
	sum := 0
	for _, c := range bars[0].Counts {
		sum += c
	}
	if sum != 3 {
		t.Errorf("expected all 3 values in bins, found %d", sum)
	}
}

func TestBox(t *testing.T) {
	b, below, above := box([]float64{-50, 1, 2, 3, 4, 5, 6, 7, 8, 60})
	if b.Q1 != 2.25 || b.Median != 4.5 || b.Q3 != 6.75 || b.Low != 1 || b.High != 8 || below != 1 || above != 9 {
		t.Errorf("found %+v, outliers below %d and from %d", b, below, above)
	}
}
