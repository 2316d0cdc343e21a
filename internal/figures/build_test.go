package figures

import (
	"context"
	"math"
	"strings"
	"testing"
)

func TestSkewKurtosisHasEveryFeature(t *testing.T) {
	db := open(t)
	f := build(t, db, Request{Name: "skew-kurtosis", SAE: "local/two"})
	if len(f.Panels) != 1 {
		t.Fatalf("expected one panel, found %d", len(f.Panels))
	}
	p := f.Panels[0].Points[0]
	if len(p.X) != 498 || len(p.Y) != 498 || len(p.Value) != 498 || len(p.URLs) != 498 {
		t.Fatalf("expected 498 points, found %d, %d, %d, %d", len(p.X), len(p.Y), len(p.Value), len(p.URLs))
	}
	for i := range p.X {
		feature := p.Hover[0].Texts[i]
		if want := ask(t, db, `SELECT skewness FROM features WHERE sae = 'two' AND feature = ?`, feature); p.X[i] != want {
			t.Fatalf("feature %s: skewness %v, SQL says %v", feature, p.X[i], want)
		}
		if want := ask(t, db, `SELECT kurtosis FROM features WHERE sae = 'two' AND feature = ?`, feature); p.Y[i] != want {
			t.Fatalf("feature %s: kurtosis %v, SQL says %v", feature, p.Y[i], want)
		}
		url := ""
		if p.URLs[i] != "" {
			url = p.URLPrefix + p.URLs[i]
		}
		if want := ask(t, db, `SELECT CAST(coalesce(neuronpedia_url, '') = ? AS INTEGER) FROM features WHERE sae = 'two' AND feature = ?`, url, feature); want != 1 {
			t.Fatalf("feature %s: URL %q", feature, url)
		}
	}
	for i, x := range p.X {
		if a := f.Panels[0].X; x < a.Min || x > a.Max {
			t.Errorf("point %d is beyond its axis", i)
		}
	}
}

func TestOwnQuery(t *testing.T) {
	db := open(t)
	f := build(t, db, Request{Name: "skew-kurtosis", Query: "SELECT 1 AS Skewness, 3.5 AS kurtosis, 'javascript:alert(1)' AS neuronpedia_url, NULL AS std -- a comment"})
	p := f.Panels[0].Points[0]
	if len(p.X) != 1 || p.X[0] != 1 || math.Abs(p.Y[0]-3.5) > 1e-12 || p.URLs != nil {
		t.Errorf("found %+v", p)
	}
}

func TestErrorsSayWhatIsMissing(t *testing.T) {
	db := open(t)
	for _, c := range []struct {
		request Request
		want    []string
	}{
		{Request{Name: "skew-kurtosis", Query: "SELECT skewness, feature FROM features"}, []string{"plot skew-kurtosis: --sql", "lacks kurtosis", "found skewness, feature"}},
		{Request{Name: "skewness", Query: "SELECT 'x' AS skewness"}, []string{"plot skewness: --sql", "Could not convert"}},
		{Request{Name: "skewness", Query: "SELEC"}, []string{"plot skewness: --sql", "syntax error"}},
		{Request{Name: "skewness", Query: "SELECT skewness FROM features WHERE false"}, []string{"nothing to draw"}},
		{Request{Name: "skewness", SAE: "none*"}, []string{"no SAE is called none* (near it: one, two)"}},
		{Request{Name: "pie"}, []string{"expected one of skewness", "found pie"}},
	} {
		_, err := Build(context.Background(), db, c.request)
		if err == nil {
			t.Errorf("%+v: expected an error", c.request)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%+v: expected %q in %q", c.request, want, err)
			}
		}
	}
}
