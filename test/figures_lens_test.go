package test

import (
	"encoding/json"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/saedb/saedb"
	htmlfigures "github.com/saedb/saedb/internal/figures"
)

// TestFiguresThroughALens: a figure through the identity has the marks of the direct one, every
// kind of it; through another lens it shows what SQL says of that lens; what a lens is not of is an error.
func TestFiguresThroughALens(t *testing.T) {
	t.Parallel()
	path := lensDatabase(t)
	for name, bits := range map[string]func(layer, i, j int) uint16{"eye": identityBits, "random": randomBits} {
		mustRun(t, "--db", path, "load", "lens", lensFile(t, name, []int{0, 1}, bits))
	}
	mustRun(t, "--db", path, "compute")
	mustRun(t, "--db", path, "compute", "--lens", "eye")
	mustRun(t, "--db", path, "compute", "--lens", "random", "--baseline", "0", "--sae", "layer_1")
	db := openReadOnly(t, path)
	for _, r := range []htmlfigures.Request{
		{Name: "skewness", Feature: -1},
		{Name: "skew-kurtosis", Feature: -1},
		{Name: "layers", Feature: -1},
		{Name: "layer-box", Feature: -1},
		{Name: "layer-scatter", Feature: -1},
		{Name: "manhattan", SAE: "layer_2", Feature: -1},
		{Name: "sets", SAE: "layer_1", Sets: []string{"first", "third"}, Feature: -1},
		{Name: "feature", SAE: "layer_1", Sets: []string{"third"}, Feature: -1, TopK: 2},
		{Name: "feature", SAE: "layer_2", Feature: 3},
		{Name: "feature", SAE: "layer_2", Sets: []string{"first"}, Feature: 4},
		{Name: "running-sum", SAE: "layer_0", Sets: []string{"third"}, Feature: 7},
	} {
		direct, through := marksOf(t, db, r, ""), marksOf(t, db, r, "eye")
		if direct != through {
			t.Errorf("%s: through the identity it shows other marks", r.Name)
		}
		for _, lens := range []string{"", "eye"} {
			r.Lens = lens
			queryShowsTheSame(t, db, r)
		}
	}
	r := htmlfigures.Request{Name: "skew-kurtosis", SAE: "layer_1", Lens: "random", Feature: -1}
	f, err := htmlfigures.Build(t.Context(), db.DB, r)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(f.Title, ", through lens random") || !strings.Contains(f.Title, ": small, ") {
		t.Errorf("the title is %q", f.Title)
	}
	var difference float64
	points := f.Panels[0].Points[0]
	for i, feature := range points.Hover[0].Texts {
		var through, direct float64
		if err := db.QueryRow(`SELECT t.skewness, f.skewness FROM features_through('random') t JOIN features f USING (sae, feature) WHERE sae LIKE '%1%' AND feature = CAST(? AS INTEGER)`,
			feature).Scan(&through, &direct); err != nil {
			t.Fatal(err)
		}
		if points.X[i] != through {
			t.Errorf("feature %s: skewness %v, SQL says %v", feature, points.X[i], through)
		}
		difference = max(difference, math.Abs(through-direct))
	}
	if len(points.X) != 24 || difference < 0.01 {
		t.Errorf("%d points, at most %v from the direct ones", len(points.X), difference)
	}
	var es string
	if err := db.QueryRow(`SELECT format('ES {:.3f}', es) FROM enrichment_through('random') WHERE layer = 1 AND feature = 5 AND token_set = 'third'`).Scan(&es); err != nil {
		t.Fatal(err)
	}
	f, err = htmlfigures.Build(t.Context(), db.DB, htmlfigures.Request{Name: "running-sum", SAE: "layer_1", Lens: "random", Sets: []string{"third"}, Feature: 5})
	if err != nil || !strings.HasPrefix(f.Note, strings.TrimRight(es, "0")) {
		t.Errorf("the note is %q, expected %s, %v", f.Note, es, err)
	}
	out := filepath.Join(t.TempDir(), "x.svg")
	mustRun(t, "--db", path, "plot", "skewness", "--lens", "random", "--out", out)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"skewness", "--lens", "rnadom"}, `lens "rnadom": no such lens in this database (loaded: eye, random)`},
		{[]string{"skewness", "--lens", "random", "--sae", "layer_2"}, `none of these SAEs is computed through it (run saedb compute --lens random)`},
		{[]string{"skewness", "--lens", "eye", "--sql", "FROM features"}, "expected a lens, or a query, found both"},
	} {
		expectFailure(t, saedbRun(t, "", append(append([]string{"--db", path, "plot"}, c.args...), "--out", out)...), 1, c.want)
	}
}

// marksOf is what a figure shows, as JSON: its panels, without the outlines of what is written
// directly, and without what names them.
func marksOf(t *testing.T, db *saedb.DB, r htmlfigures.Request, lens string) string {
	t.Helper()
	r.Lens = lens
	f, err := htmlfigures.Build(t.Context(), db.DB, r)
	if err != nil {
		t.Fatalf("%s: %v", r.Name, err)
	}
	for i := range f.Panels {
		p := &f.Panels[i]
		if r.Name == "layer-scatter" {
			p.X.Min, p.X.Max, p.X.Frames, p.Y.Min, p.Y.Max, p.Y.Frames = 0, 0, nil, 0, 0, nil
			p.Lines = nil // the contour of random directions, which all layers share directly alone
		}
		if r.Name == "skewness" {
			p.Lines, p.Bars[0].Name, p.X.Min, p.X.Max, p.Y.Max = nil, "", 0, 0, 0
		}
	}
	marks, err := json.Marshal(f.Panels)
	if err != nil {
		t.Fatal(err)
	}
	return string(marks)
}

// queryShowsTheSame runs the query that a figure names. Where it is not the one that the figure reads
// (of a feature's logit weights), the same figure of that query has the same marks.
func queryShowsTheSame(t *testing.T, db *saedb.DB, r htmlfigures.Request) {
	t.Helper()
	f, err := htmlfigures.Build(t.Context(), db.DB, r)
	if err != nil {
		t.Fatalf("%s: %v", r.Name, err)
	}
	var rows int
	if err := db.QueryRow("SELECT count(*) FROM (\n" + f.Query + "\n)").Scan(&rows); err != nil || rows == 0 {
		t.Fatalf("%s: its query gives %d rows, %v:\n%s", r.Name, rows, err, f.Query)
	}
	if r.Name != "running-sum" && (r.Name != "feature" || r.TopK > 0) {
		return
	}
	same, err := htmlfigures.Build(t.Context(), db.DB, htmlfigures.Request{Name: r.Name, Query: f.Query, Feature: -1})
	if err != nil {
		t.Fatalf("%s: of its query: %v", r.Name, err)
	}
	for i := range f.Panels {
		want, found := f.Panels[i], same.Panels[i]
		want.Title, found.Title = "", "" // of a query they name no set and no token
		for _, p := range []*htmlfigures.Panel{&want, &found} {
			for k := range p.Bars {
				p.Bars[k].Name = ""
			}
			for k := range p.Boxes {
				p.Boxes[k].Name, p.Boxes[k].Items[0].Label = "", ""
			}
		}
		a, errA := json.Marshal(want)
		b, errB := json.Marshal(found)
		if errA != nil || errB != nil || string(a) != string(b) {
			t.Errorf("%s, panel %d: expected\n%s\nfound, of the query that it names,\n%s\n%v %v", r.Name, i, a, b, errA, errB)
		}
	}
}
