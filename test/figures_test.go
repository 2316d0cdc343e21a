package test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	htmlfigures "github.com/saedb/saedb/internal/figures"
)

func TestPlotWritesByTheEnding(t *testing.T) {
	dir := t.TempDir()
	for ending, begins := range map[string]string{"html": "<!doctype html>", "png": "\x89PNG", "svg": "<?xml"} {
		out := filepath.Join(dir, "figure."+ending)
		r := saedbRun(t, "", "--db", example, "plot", "running-sum", "63", "all_digits", "--sae", "*.29.*", "--out", out)
		if ending == "html" && !htmlfigures.HasCharts() {
			expectFailure(t, r, 1, "built without the chart library", "write .png or .svg", "make build")
			continue
		}
		if r.code != 0 || r.stdout != "wrote "+out+"\n" {
			t.Errorf("%s: code %d, %s%s", ending, r.code, r.stdout, r.stderr)
			continue
		}
		content, err := os.ReadFile(out)
		if err != nil || !strings.HasPrefix(string(content), begins) {
			t.Errorf("%s begins with %.20q, %v", ending, content, err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.tmp")); left != nil {
		t.Errorf("left behind: %v", left)
	}
}

func TestFigureErrors(t *testing.T) {
	out := filepath.Join(t.TempDir(), "x.html")
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"plot"}, 2, "plot: which figure? skewness, kurtosis"},
		{[]string{"plot", "pie"}, 2, `no figure "pie"`},
		{[]string{"plot", "skewness", "--out", "x.pdf"}, 2, `ends in .html, .png or .svg, found "x.pdf"`},
		{[]string{"plot", "sets", "boy_names"}, 2, "expected two token sets, found 1 arguments"},
		{[]string{"plot", "feature", "many"}, 2, `expected a feature's number, found "many"`},
		{[]string{"plot", "skewness", "--out", "/none/x.html"}, 1, "plot: /none/x.html"},
		{[]string{"plot", "manhattan", "--out", out}, 1, "expected one SAE, found 6: smollm2-demo/blocks.4.hook_resid_pre"},
		{[]string{"plot", "feature", "9999", "--sae", "*.29.*", "--out", out}, 1, "there is no feature 9999"},
		{[]string{"plot", "feature", "1", "--sae", "*.29.*", "--set", "none", "--out", out}, 1, "none: no such token set of model smollm2-135m"},
		{[]string{"plot", "skew-kurtosis", "--sql", "SELECT skewness FROM features", "--out", out}, 1, "the query lacks kurtosis"},
		{[]string{"plot", "skewness", "--sql", "DROP TABLE stored_saes", "--out", out}, 1, "syntax error"},
		{[]string{"report", "--out", "x.png"}, 2, "ends in .html"},
		{[]string{"serve", "--listen", "0.0.0.0:80"}, 2, "expected a loopback address"},
	} {
		r := saedbRun(t, "", append([]string{"--db", example}, c.args...)...)
		if r.code != c.code || !strings.Contains(r.stderr, c.want) || strings.Count(strings.TrimSpace(r.stderr), "\n") > 0 {
			t.Errorf("%v: expected code %d and %q, found %d and %q", c.args, c.code, c.want, r.code, r.stderr)
		}
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a failed plot left a file")
	}
}

// TestRunningSumAgreesWithStoredScore holds the figure, computed from logit
// weights, against the score that compute stored.
func TestRunningSumAgreesWithStoredScore(t *testing.T) {
	needCharts(t)
	out := filepath.Join(t.TempDir(), "x.html")
	r := saedbRun(t, "", "--db", example, "plot", "running-sum", "63", "boy_names", "--sae", "*.29.*", "--out", out)
	if r.code != 0 {
		t.Fatal(r.stderr)
	}
	page, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	var want string
	err = openExample(t).QueryRow(`SELECT format('ES {:.4f}, {},', es, direction) || ' edge ' || (
			SELECT len(leading_edge(w_dec, model, 'boy_names')) FROM decoder_directions WHERE layer = 29 AND feature = 63)
		FROM enrichment WHERE layer = 29 AND feature = 63 AND token_set = 'boy_names'`).Scan(&want)
	if err != nil {
		t.Fatal(err)
	}
	score, edge, _ := strings.Cut(want, " edge ")
	if !strings.Contains(string(page), score) || !strings.Contains(string(page), "leading edge: "+edge+" of") {
		t.Errorf("the figure does not say %s and a leading edge of %s", score, edge)
	}
}
