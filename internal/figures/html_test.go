package figures

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"regexp"
	"strings"
	"testing"
)

// pageOf is a figure's page, or skips the test without the chart library.
func pageOf(t *testing.T, f *Figure) string {
	t.Helper()
	if !HasCharts() {
		t.Skip("built without the chart library; make build fetches it")
	}
	var b bytes.Buffer
	if err := f.HTML(&b, `demo</title><script>.db`, "0"); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestHTMLHoldsHostileTokensAsData(t *testing.T) {
	f := build(t, open(t), Request{Name: "skew-kurtosis"})
	page := pageOf(t, f)
	for _, never := range []string{"<script>alert", "<img src=x", "\x00", "\x1b", "\u2028", "\u202e", "demo</title>"} {
		if strings.Contains(page, never) {
			t.Errorf("the page has %q", never)
		}
	}
	if opened, closed := strings.Count(page, "<script"), strings.Count(page, "</script>"); opened != 3 || closed != 3 {
		t.Errorf("expected 3 script elements, found %d begun and %d ended", opened, closed)
	}
	data := regexp.MustCompile(`(?s)<script type="application/json" id="data">(.*?)</script>`).FindStringSubmatch(page)
	if data == nil {
		t.Fatal("no data in the page")
	}
	var read Figure
	if err := json.Unmarshal([]byte(data[1]), &read); err != nil {
		t.Fatal(err)
	}
	found := false
	for _, tokens := range read.Panels[0].Points[0].Hover[1].Texts {
		found = found || tokens == `</script><script>alert(1)</script>  x`
	}
	if !found {
		t.Error("the hostile token is not in the data as it was")
	}
}

func TestHTMLLoadsNothing(t *testing.T) {
	page := pageOf(t, build(t, open(t), Request{Name: "skewness"}))
	if loads := regexp.MustCompile(`(?i)<(link|iframe|img|object|embed|base)\b|\bsrc=|@import|url\(\s*['"]?https?:`).FindAllString(page[:strings.Index(page, "Licensed to the Apache")], -1); loads != nil {
		t.Errorf("the page loads from elsewhere: %q", loads)
	}
	for _, wanted := range []string{"default-src 'none'", "Apache License", "The Apache Software Foundation", "Baidu Inc.", "Mike Bostock", "prefers-color-scheme: dark"} {
		if !strings.Contains(page, wanted) {
			t.Errorf("the page lacks %q", wanted)
		}
	}
}

func TestShowToken(t *testing.T) {
	for text, want := range map[string]string{" three": "␣three", "  ": "␣␣", "a\n": `a\n`, "": "", "x ": "x␣", "\x00": `\x00`} {
		if got := showToken(text); got != want {
			t.Errorf("%q: expected %q, found %q", text, want, got)
		}
	}
}

// withoutLibrary are the assets of a program that is built without the chart library.
type withoutLibrary struct{ fs.FS }

func (w withoutLibrary) Open(name string) (fs.File, error) {
	if strings.HasPrefix(name, "assets/echarts") {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return w.FS.Open(name)
}

func TestWithoutChartLibrary(t *testing.T) {
	whole := assets
	assets = withoutLibrary{whole}
	t.Cleanup(func() { assets = whole })
	db := open(t)
	var page bytes.Buffer
	err := build(t, db, Request{Name: "skewness"}).HTML(&page, "demo.db", "0")
	if err == nil || page.Len() != 0 || !strings.Contains(err.Error(), "skewness: this saedb was built without the chart library (write .png or .svg, or build it with make build") {
		t.Errorf("HTML of a figure: %d bytes, %v", page.Len(), err)
	}
	r, err := BuildReport(context.Background(), db, "demo.db")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.HTML(&page, "demo.db", "0"); err != nil {
		t.Fatal(err)
	}
	if text := page.String(); !strings.Contains(text, "No chart here: this saedb was built without the chart library.") || strings.Contains(text, "Charts are drawn by Apache") {
		t.Error("the report does not say that charts are missing")
	}
	script, err := Script()
	if err != nil || !strings.Contains(string(script), "drawFigure") || strings.Contains(string(script), "Licensed to the Apache") {
		t.Errorf("a script of %d bytes, %v", len(script), err)
	}
	if licences, err := Licences(); err != nil || !strings.Contains(string(licences), "without the chart library") {
		t.Errorf("licences %q, %v", licences, err)
	}
}
