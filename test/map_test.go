package test

import (
	"fmt"
	"math"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

const lastSAE = "smollm2-demo/blocks.29.hook_resid_pre"

// mapped is a copy of the example with each SAE's nearest decoder directions.
func mapped(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "mapped.db")
	copyFile(t, example, path)
	mustRun(t, "--db", path, "compute", "--neighbours")
	return path
}

// A mapLayout is what a map is laid out from, as the explorer sends it.
type mapLayout struct {
	Features, Zero, Apart, Stored int
	Sampled                       bool
	Mean                          float64
	Feature                       []int
	Neighbours                    [][]int
	Distances                     [][]float64
	Skewness                      []float64
	Label                         []*string
	Tokens                        [][]string
}

type mapAnswer struct {
	SAEs   []string
	Layout *mapLayout
}

// TestMapLayout: a map is laid out from the neighbours that the view has, a sample from those of
// them that are in it, and where none are stored from nothing.
func TestMapLayout(t *testing.T) {
	t.Parallel()
	path := mapped(t)
	change(t, path, `UPDATE stored_neighbours SET neighbours = [], cosines = [] WHERE feature = 5 AND pair_id IN
		(SELECT pair_id FROM stored_sae_pairs JOIN stored_saes USING (sae_id) WHERE sae = '`+lastSAE+`')`)
	address := exploreDatabase(t, path)
	if saes := ask[mapAnswer](t, address, "map").SAEs; len(saes) != 6 {
		t.Errorf("maps of %v", saes)
	}
	whole := ask[mapAnswer](t, address, "map?sae="+lastSAE).Layout
	if whole.Features != 1536 || whole.Zero != 1 || whole.Apart != 0 || whole.Sampled || whole.Stored != 32 || whole.Mean > 10 || whole.Mean < 9.9 || len(whole.Feature) != 1535 || slices.Contains(whole.Feature, 5) {
		t.Errorf("the layout is of %d features: %v", len(whole.Feature), []any{whole.Features, whole.Zero, whole.Apart, whole.Stored, whole.Mean})
	}
	db := openReadOnly(t, path)
	nearest := func(of int, among map[int]bool) (near []int, distances []float64) {
		rows, err := db.Query(`SELECT neighbour, cosine FROM feature_neighbours WHERE sae = ? AND neighbour_sae = sae AND feature = ? ORDER BY rank`, lastSAE, of)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var n int
			var cosine float64
			if err := rows.Scan(&n, &cosine); err != nil {
				t.Fatal(err)
			}
			if len(near) < 10 && among[n] {
				near, distances = append(near, n), append(distances, 1-cosine)
			}
		}
		return near, distances
	}
	same := func(l *mapLayout, every int) (turned int) {
		in := map[int]bool{}
		for _, f := range l.Feature {
			in[f] = true
		}
		for i := 0; i < len(l.Feature); i += every {
			near, distances := nearest(l.Feature[i], in)
			var got []int
			for _, k := range l.Neighbours[i] {
				got = append(got, l.Feature[k])
			}
			if len(near) == 0 { // it has those whose neighbour it is
				turned++
				for _, k := range l.Neighbours[i] {
					if back, _ := nearest(l.Feature[k], in); !slices.Contains(back, l.Feature[i]) {
						t.Errorf("feature %d is laid out by %d, whose neighbours are %v", l.Feature[i], l.Feature[k], back)
					}
				}
				continue
			}
			if !slices.Equal(got, near) {
				t.Errorf("feature %d is laid out by %v, the view has %v", l.Feature[i], got, near)
			}
			for k, d := range distances {
				if math.Abs(d-l.Distances[i][k]) > 1e-6 {
					t.Errorf("feature %d lies %g from %d, the view says %g", l.Feature[i], l.Distances[i][k], got[k], d)
				}
			}
		}
		return turned
	}
	same(whole, 97)
	var skewness float64
	var label *string
	var token string
	if err := db.QueryRow(`SELECT skewness, label, top_tokens[1] FROM features WHERE sae = ? AND feature = 63`, lastSAE).Scan(&skewness, &label, &token); err != nil {
		t.Fatal(err)
	}
	i := slices.Index(whole.Feature, 63)
	if whole.Skewness[i] != skewness || (label == nil) != (whole.Label[i] == nil) || label != nil && *label != *whole.Label[i] || whole.Tokens[i][0] != token || len(whole.Tokens[i]) != 3 {
		t.Errorf("feature 63: %g %v %q, expected %g %v %q", whole.Skewness[i], whole.Label[i], whole.Tokens[i], skewness, label, token)
	}
	// Of few features many have no neighbours among them, and are counted.
	for _, most := range []int{400, 40} {
		few := ask[mapAnswer](t, address, fmt.Sprintf("map?sae=%s&most=%d", lastSAE, most)).Layout
		if !few.Sampled || len(few.Feature)+few.Apart != most || few.Apart == 0 && most == 40 || !slices.IsSorted(few.Feature) {
			t.Errorf("a sample of %d: %d laid out, %d apart", most, len(few.Feature), few.Apart)
		}
		if turned := same(few, 1); turned == 0 && most == 40 {
			t.Error("no feature is laid out by those whose neighbour it is, which is not tested then")
		}
		again := ask[mapAnswer](t, exploreDatabase(t, path), fmt.Sprintf("map?sae=%s&most=%d", lastSAE, most)).Layout
		if !slices.Equal(again.Feature, few.Feature) {
			t.Errorf("another sample of %d the second time", most)
		}
	}
	type family struct{ Feature, Family, Size, Layers int }
	type direction struct {
		Feature   int
		Direction string
	}
	if found := ask[[]direction](t, address, "map-colors?sae="+lastSAE+"&set=all_digits"); len(found) != count(t, path, `SELECT count(*) FROM enrichment WHERE sae = '`+lastSAE+`' AND token_set = 'all_digits' AND beyond_chance(q_value)`) || len(found) == 0 {
		t.Errorf("%d features are beyond chance in all_digits", len(found))
	}
	if found := ask[[]family](t, address, "map-colors?sae="+lastSAE); len(found) != count(t, path, `SELECT count(*) FROM feature_families() WHERE sae = '`+lastSAE+`'`) {
		t.Errorf("%d features are in families", len(found))
	}
	for path, want := range map[string]int{"map?sae=none": 404, "map?most=24577": 400, "map-colors?sae=none": 404, "map-colors?set=none&sae=" + lastSAE: 404} {
		if status, body := request(t, "GET", address+"/api/"+path); status != want {
			t.Errorf("%s: %d %s, expected %d", path, status, body, want)
		}
	}
	if none := ask[mapAnswer](t, explore(t), "map?sae="+lastSAE); none.Layout != nil {
		t.Error("a map without neighbours")
	}
}

// drag presses the mouse at the first place of the chart, in pixels, moves it over the others, and
// lets it go.
func (b *browser) drag(t *testing.T, places [][2]float64) {
	t.Helper()
	at := eval[[]float64](t, b, `(() => {
		const box = document.querySelector(".chart");
		box.scrollIntoView({ block: "center" });
		const r = box.getBoundingClientRect();
		return [r.left, r.top];
	})()`)
	event := func(kind string, p [2]float64) {
		b.run(t, chromedp.MouseEvent(input.DispatchMouseEventType(kind), at[0]+p[0], at[1]+p[1], chromedp.ButtonLeft, chromedp.ClickCount(1)))
	}
	event("mousePressed", places[0])
	for _, p := range places {
		event("mouseMoved", p)
	}
	event("mouseReleased", places[len(places)-1])
}

// TestMapInABrowser: a map is laid out beside the page, twice the same; a lasso, the space bar and
// numbers select features, whose table is below; points lead to features, and pages to the map.
func TestMapInABrowser(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	address := exploreDatabase(t, mapped(t))
	b.run(t, chromedp.Navigate(address+"/#/feature?sae="+lastSAE+"&feature=63"))
	b.until(t, `document.querySelector("a[href^='#/map?']") !== null`)
	b.run(t, chromedp.Evaluate[chromedp.Void](`document.querySelector("a[href^='#/map?']").click()`))
	done := `document.querySelector("main[data-page=map] progress[hidden]") !== null && document.querySelector(".map canvas") !== null && document.querySelector(".actions form") !== null`
	b.until(t, done)
	positions := func() string {
		return eval[string](t, b, `echarts.getInstanceByDom(document.querySelector(".chart")).getOption().series.map((s) => [...s.data].join()).join(";")`)
	}
	if labels := eval[[]string](t, b, `echarts.getInstanceByDom(document.querySelector(".chart")).getOption().series.filter((s) => s.label?.show).map((s) => s.mark.points.labels[0])`); !slices.Equal(labels, []string{"63"}) {
		t.Errorf("the feature that is shown is labelled %q", labels)
	}
	first := positions()
	b.run(t, chromedp.Navigate("about:blank"), chromedp.Navigate(address+"/#/map?feature=63&sae="+lastSAE))
	b.until(t, done)
	if second := positions(); first != second {
		t.Error("laid out again, the features lie elsewhere")
	}
	// The features that are within the lasso are those of the table, and of the address.
	size := eval[[]float64](t, b, `[document.querySelector(".chart").clientWidth, document.querySelector(".chart").clientHeight]`)
	w, h := size[0], size[1]
	b.drag(t, [][2]float64{{w * 0.4, h * 0.3}, {w * 0.6, h * 0.3}, {w * 0.6, h * 0.6}, {w * 0.4, h * 0.6}})
	b.until(t, `location.hash.includes("selected=") && document.querySelectorAll("[aria-label='Selected features'] tbody tr").length > 5`)
	within := eval[[]int](t, b, `(() => {
		const chart = echarts.getInstanceByDom(document.querySelector(".chart")), w = `+fmt.Sprint(w)+`, h = `+fmt.Sprint(h)+`, found = [];
		for (const s of chart.getOption().series) s.mark.rows.forEach((i) => {
			const [x, y] = chart.convertToPixel({ xAxisIndex: 0, yAxisIndex: 0 }, [s.mark.points.xs[i], s.mark.points.ys[i]]);
			if (x > 0.4 * w && x < 0.6 * w && y > 0.3 * h && y < 0.6 * h) found.push(Number(s.mark.points.hover[0].texts[i]));
		});
		return [...new Set(found)].sort((a, b) => a - b);
	})()`)
	selected := func() []int {
		return eval[[]int](t, b, `(new URLSearchParams(location.hash.split("?")[1]).get("selected") || "").split(",").filter(Boolean).map(Number)`)
	}
	if got := selected(); len(within) < 5 || !slices.Equal(got, within) {
		t.Errorf("the lasso selects %d features, and %d are within", len(got), len(within))
	}
	// A row that has the focus marks its point.
	b.run(t, chromedp.Evaluate[chromedp.Void](`document.querySelector("[aria-label='Selected features'] tbody a").focus()`))
	b.until(t, `document.querySelectorAll(".ring").length === 1`)
	// By number: a feature, and those nearest to it. By keyboard: the point that is shown.
	b.run(t, chromedp.Evaluate[chromedp.Void](`(() => { const [f, n] = document.querySelectorAll(".actions form input"); f.value = 100; n.value = 7; f.form.requestSubmit(); })()`))
	b.until(t, `document.querySelectorAll("[aria-label='Selected features'] tbody tr").length === 8`)
	if got := selected(); len(got) != 8 || !slices.Contains(got, 100) {
		t.Errorf("feature 100 and the 7 nearest are %v", got)
	}
	b.run(t, chromedp.Focus(chromedp.CSS(".chart")), chromedp.KeyEvent(kb.Enter), chromedp.KeyEvent(" "))
	b.until(t, `document.querySelectorAll("[aria-label='Selected features'] tbody tr").length === 9 && document.querySelector(".spoken").textContent.includes("feature ")`)
	b.run(t, chromedp.KeyEvent(" "))
	b.until(t, `document.querySelectorAll("[aria-label='Selected features'] tbody tr").length === 8`)
	b.run(t, chromedp.KeyEvent(kb.Enter))
	b.until(t, `document.querySelector("main[data-page=feature]:not(.waiting)") !== null`)
	b.run(t, chromedp.Evaluate[chromedp.Void](`history.back()`))
	b.until(t, `document.querySelector("main[data-page=map]:not(.waiting)") !== null && document.querySelectorAll("[aria-label='Selected features'] tbody tr").length === 8`)
	// What is selected leads on.
	links := eval[[]string](t, b, `[...document.querySelectorAll(".pager a")].map((a) => a.hash)`)
	if len(links) != 2 || !strings.Contains(links[1], url.QueryEscape("feature IN (")) {
		t.Fatalf("the selection leads to %q", links)
	}
	b.run(t, chromedp.Navigate(address+"/"+links[0]))
	b.until(t, `document.querySelectorAll("[aria-label=Features] tbody tr").length === 8 && document.querySelector(".chosen").textContent.includes("8 features: ")`)
	b.run(t, chromedp.Navigate(address+"/"+links[1]))
	b.until(t, `document.querySelectorAll("[aria-label=Result] tbody tr").length === 8`)
	for _, color := range []string{"label", "role", "set&set=all_digits", "family"} {
		b.run(t, chromedp.Navigate(address+"/#/map?sae="+lastSAE+"&color="+color))
		name, _, _ := strings.Cut(color, "&")
		b.until(t, done+` && document.querySelector("[data-key='coloured by']").value === "`+name+`" && document.querySelectorAll(".map .legend").length >= 1`)
		if points := eval[int](t, b, `echarts.getInstanceByDom(document.querySelector(".chart")).getOption().series.reduce((n, s) => n + s.mark.rows.length, 0)`); points != 1536 {
			t.Errorf("coloured by %s, %d points are drawn", color, points)
		}
	}
	b.nameless(t)
	for path, text := range map[string]string{"/umap.js": "UMAP", "/licences.txt": "ml-levenberg-marquardt, which is in umap-js"} {
		if status, body := request(t, "GET", address+path); status != 200 || !strings.Contains(body, text) {
			t.Errorf("%s: %d, without %q", path, status, text)
		}
	}
	// Without neighbours there is the command that stores them, and no map.
	b.run(t, chromedp.Navigate(explore(t)+"/#/map?sae="+lastSAE))
	b.until(t, `document.querySelector("[role=alert] pre")?.textContent === "saedb --db example.db compute --neighbours --from '`+lastSAE+`'" && document.querySelector("canvas") === null`)
}
