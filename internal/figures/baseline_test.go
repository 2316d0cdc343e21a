package figures

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// withBaselines gives the SAE of layer 1 a baseline whose skewness is -100 … 100 hundredths and
// whose kurtosis is 3.00 … 5.00, and that of layer 2 one with twice the skewness. Which random
// direction has which kurtosis is mixed, so that both together fill a square.
const withBaselines = `
	INSERT INTO stored_computations VALUES (1, 7), (2, 8);
	INSERT INTO stored_baseline_statistics SELECT b, s, [CASE s WHEN 'skewness' THEN (b - 6) * (i - 100) / 100 WHEN 'kurtosis' THEN 3 + i / 100 ELSE 1 + i / 1000 END for i in range(201)],
			[CASE s WHEN 'kurtosis' THEN (i * 37 + 5) % 201 ELSE i END for i in range(201)]
		FROM (VALUES (7), (8)) AS b(b), (VALUES ('std'), ('skewness'), ('kurtosis'), ('cos_std')) AS s(s);
	INSERT INTO decoder_directions SELECT sae, f, [0.6, CASE sae WHEN 'one' THEN 0.8 ELSE 0.9 END] FROM saes, range(40) f(f)`

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

// The 1 % and 99 % quantiles of 201 evenly spaced values are the third and the 199th.
func TestLayersShowRandomDirections(t *testing.T) {
	db := open(t)
	if _, err := db.Exec(withBaselines); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"layers", "layer-box"} {
		f := build(t, db, Request{Name: name})
		found := map[string][]Band{}
		for _, p := range f.Panels {
			for _, b := range p.Bands {
				if b.Name == randomRange {
					found[p.Y.Label] = append(found[p.Y.Label], b)
				}
			}
		}
		skewness := found["skewness"]
		if len(skewness) != 1 || len(skewness[0].X) != 4 {
			t.Fatalf("%s: skewness has the bands %+v", name, skewness)
		}
		for i, want := range [][3]float64{{0.5, -0.98, 0.98}, {1.5, -0.98, 0.98}, {1.5, -1.96, 1.96}, {2.5, -1.96, 1.96}} {
			if b := skewness[0]; !near(b.X[i], want[0]) || !near(b.Low[i], want[1]) || !near(b.High[i], want[2]) {
				t.Errorf("%s: place %d is %v: %v to %v, expected %v", name, i, b.X[i], b.Low[i], b.High[i], want)
			}
		}
		// The directions of layer 2 have another length than 1.
		if std := found["standard deviation"]; len(std) != 1 || len(std[0].X) != 2 || std[0].X[1] != 1.5 || !near(std[0].Low[0], 1.002) || !near(std[0].High[0], 1.198) {
			t.Errorf("%s: the standard deviation has the bands %+v", name, std)
		}
		if !strings.Contains(f.Note, "random directions") {
			t.Errorf("%s: the note is %q", name, f.Note)
		}
	}
	one := build(t, db, Request{Name: "layers", SAE: "one"})
	for _, b := range one.Panels[1].Bands {
		if b.X[0] != 0.5 || b.X[1] != 1.5 || b.Low[0] != b.Low[1] {
			t.Errorf("the band of one layer is %+v", b)
		}
	}
}

// Two SAEs of a layer that are held against different baselines, or one of them against none,
// have no band together; one without statistics says nothing.
func TestLayersOfTwoBaselines(t *testing.T) {
	db := open(t)
	for _, c := range []struct {
		change string
		bands  int
	}{
		{withBaselines + `; UPDATE saes SET layer = 1; UPDATE features SET layer = 1`, 0},
		{`UPDATE saes SET tokens = NULL WHERE sae = 'two'`, 1},
		{`UPDATE saes SET tokens = 'all'; UPDATE stored_computations SET baseline_id = 7`, 1},
		{`UPDATE stored_computations SET baseline_id = NULL WHERE sae_id = 2`, 0},
	} {
		if _, err := db.Exec(c.change); err != nil {
			t.Fatal(err)
		}
		f, bands := build(t, db, Request{Name: "layers", Statistic: "skewness"}), 0
		for _, b := range f.Panels[0].Bands {
			if b.Name == randomRange {
				bands++
			}
		}
		if bands != c.bands || strings.Contains(f.Note, "random") != (bands > 0) {
			t.Errorf("after %s: %d bands, expected %d, and the note %q", c.change, bands, c.bands, f.Note)
		}
	}
}

func TestHistogramsHaveTheOutlineOfRandomDirections(t *testing.T) {
	db := open(t)
	if _, err := db.Exec(withBaselines); err != nil {
		t.Fatal(err)
	}
	for _, statistic := range []string{"skewness", "kurtosis"} {
		f := build(t, db, Request{Name: statistic, Bins: 17})
		for i, p := range f.Panels {
			if len(p.Lines) != 1 || p.Lines[0].Name != randomName || p.Bars[0].Name != "features" {
				t.Fatalf("%s, layer %d: the lines are %+v", statistic, i+1, p.Lines)
			}
			l, total := p.Lines[0], 0.0
			for k := 1; k < len(l.X)-1; k += 2 {
				want := ask(t, db, `SELECT count(*) FILTER (v >= ? AND v < ?) * 498 / 201 FROM (
					SELECT unnest(sorted_values) AS v FROM stored_baseline_statistics WHERE baseline_id = ? AND statistic = ?)`, l.X[k]-1e-9, l.X[k+1]-1e-9, i+7, statistic)
				if !near(l.Y[k], want) || l.Y[k] != l.Y[k+1] {
					t.Errorf("%s, layer %d, from %v to %v: %v random directions, SQL counts %v", statistic, i+1, l.X[k], l.X[k+1], l.Y[k], want)
				}
				total += l.Y[k]
			}
			// All of them, those beyond the features too.
			if !near(total, 498) || l.Y[0] != 0 || l.Y[len(l.Y)-1] != 0 {
				t.Errorf("%s, layer %d: %v random directions for 498 features, ends %v and %v", statistic, i+1, total, l.Y[0], l.Y[len(l.Y)-1])
			}
		}
	}
}

func TestOutlineBeyondTheBins(t *testing.T) {
	l := outline([]float64{-1, -1, 0.5, 3}, []float64{0, 1, 2}, 8, false)
	wantX := []float64{-1, -1, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4}
	wantY := []float64{0, 4, 4, 2, 2, 0, 0, 0, 0, 2, 2, 0}
	if !slices.Equal(l.X, wantX) || !slices.Equal(l.Y, wantY) {
		t.Errorf("expected %v, %v, found %v, %v", wantX, wantY, l.X, l.Y)
	}
	// Bins that are far narrower than what lies beyond them do not go on for ever.
	if l := outline([]float64{0.5, 1000}, []float64{0, 1}, 1, false); len(l.X) != 4 || l.Y[1] != 0.5 {
		t.Errorf("found %v, %v", l.X, l.Y)
	}
}

func TestSkewKurtosisShowsRandomDirections(t *testing.T) {
	db := open(t)
	if _, err := db.Exec(withBaselines); err != nil {
		t.Fatal(err)
	}
	f := build(t, db, Request{Name: "skew-kurtosis"})
	if !strings.HasSuffix(f.Note, contourNote+freeNote) {
		t.Errorf("the note is %q", f.Note)
	}
	for i, p := range f.Panels {
		if len(p.Lines) != 1 || p.Lines[0].Name != randomContour {
			t.Fatalf("panel %d has the lines %+v", i, p.Lines)
		}
		l, held := p.Lines[0], 0
		for row := range 201 {
			x := float64((i+1)*(row-100)) / 100
			place := 0 // in the values of kurtosis, of the direction that has this skewness
			for (place*37+5)%201 != row {
				place++
			}
			if withinConvex(l.X, logarithms(l.Y), x, math.Log(3+float64(place)/100)) {
				held++
			}
		}
		if held < 197 || len(l.X) < 10 { // 98 % of 201 are 196.98, and a box has 5 corners
			t.Errorf("panel %d: the contour of %d corners holds %d of 201 random directions", i, len(l.X), held)
		}
	}
	// One contour over all layers is right only where all are held against the same.
	if f := build(t, db, Request{Name: "layer-scatter"}); f.Panels[0].Lines != nil {
		t.Errorf("SAEs with two baselines have the contour %+v", f.Panels[0].Lines)
	}
	f = build(t, db, Request{Name: "layer-scatter", SAE: "two"})
	if lines := f.Panels[0].Lines; len(lines) != 1 || slices.Max(lines[0].X) <= 1 || slices.Max(lines[0].X) > 2 {
		t.Errorf("one SAE has the contour %+v", lines)
	}
	// A direction that has one of the two statistics alone is in no contour of both.
	if _, err := db.Exec("UPDATE stored_baseline_statistics SET direction_rows = [row + 1000 for row in direction_rows] WHERE statistic = 'kurtosis'"); err != nil {
		t.Fatal(err)
	}
	if f := build(t, db, Request{Name: "skew-kurtosis"}); f.Panels[0].Lines != nil {
		t.Errorf("statistics of different directions have the contour %+v", f.Panels[0].Lines)
	}
}

// Without a baseline, and in figures of a query of the user's, whose values may be any, there
// are no random directions, and nothing is said of them.
func TestNoRandomDirectionsWithoutBaseline(t *testing.T) {
	db := open(t)
	check := func(what string, r Request) {
		f := build(t, db, r)
		for _, p := range f.Panels {
			for _, b := range p.Bands {
				if b.Color == Grey {
					t.Errorf("%s of %s has the band %+v", r.Name, what, b)
				}
			}
			for _, l := range p.Lines {
				if l.Color == Grey {
					t.Errorf("%s of %s has the line %+v", r.Name, what, l)
				}
			}
			for _, b := range p.Bars {
				if b.Name != "" {
					t.Errorf("%s of %s has bars named %s", r.Name, what, b.Name)
				}
			}
		}
		if strings.Contains(f.Note, "random") {
			t.Errorf("%s of %s says %q", r.Name, what, f.Note)
		}
	}
	names := []string{"skewness", "kurtosis", "skew-kurtosis", "layers", "layer-box", "layer-scatter"}
	for _, name := range names {
		check("a database without", Request{Name: name})
	}
	if _, err := db.Exec(withBaselines); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		check("a query", Request{Name: name, Query: "FROM features"})
	}
}
