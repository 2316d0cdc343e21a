package test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestScatterOfFeatures: the scatter is of the features that the filters leave.
func TestScatterOfFeatures(t *testing.T) {
	t.Parallel()
	address, db := explore(t), openExample(t)
	type cloud struct {
		Total   int
		SAEs    []string
		SAEOf   []int `json:"sae_of"`
		Feature []int
		X, Y    []float64
	}
	found := ask[cloud](t, address, "scatter?x=std&y=log_sparsity&layer=24&min_kurtosis=5")
	if n := count(t, example, `SELECT count(*) FROM features WHERE layer = 24 AND kurtosis >= 5`); n != found.Total || n != len(found.Feature) || n == 0 {
		t.Fatalf("%d features in a scatter of %d, SQL says %d", len(found.Feature), found.Total, n)
	}
	for i := 0; i < len(found.Feature); i += 7 {
		var x, y float64
		if err := db.QueryRow(`SELECT std, CAST(log_sparsity AS DOUBLE) FROM features WHERE sae = ? AND feature = ?`, found.SAEs[found.SAEOf[i]], found.Feature[i]).Scan(&x, &y); err != nil || x != found.X[i] || y != found.Y[i] {
			t.Errorf("feature %d lies at %g %g, SQL says %g %g, %v", found.Feature[i], found.X[i], found.Y[i], x, y, err)
		}
	}
	if all := ask[cloud](t, address, "scatter"); all.Total != 9216 || len(all.Feature) != 5000 || len(all.SAEs) != 6 {
		t.Errorf("of all features %d of %d are drawn, of %d SAEs", len(all.Feature), all.Total, len(all.SAEs))
	}
	if few := ask[cloud](t, address, "scatter?layer=24&features=3,1,1"); !slices.Equal(few.Feature, []int{1, 3}) {
		t.Errorf("features 1 and 3 are %v", few.Feature)
	}
	for _, path := range []string{"scatter?x=label", "scatter?y=feature", "features?features=1,x", "features?features=-1"} {
		if status, body := request(t, "GET", address+"/api/"+path); status != 400 {
			t.Errorf("%s: %d %s, expected 400", path, status, body)
		}
	}
}

// TestScatterBrushesTheTable: a rectangle that is drawn in the scatter is a filter of the table,
// whose rows show their points.
func TestScatterBrushesTheTable(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	address := explore(t)
	b.run(t, chromedp.Navigate(address+"/#/features?layer=29"))
	b.until(t, `document.querySelector("details.scatter summary") !== null && document.querySelector("canvas") === null`)
	b.run(t, chromedp.Evaluate[chromedp.Void](`document.querySelector("details.scatter summary").click()`))
	b.until(t, `document.querySelector(".scatter canvas") !== null && document.querySelector(".scatter [role=status]").textContent.startsWith("1,536 features.") && location.hash.includes("open=scatter")`)
	size := eval[[]float64](t, b, `[document.querySelector(".chart").clientWidth, document.querySelector(".chart").clientHeight]`)
	w, h := size[0], size[1]
	b.drag(t, [][2]float64{{w * 0.2, h * 0.3}, {w * 0.5, h * 0.5}, {w * 0.7, h * 0.8}})
	b.until(t, `["min_skewness", "max_skewness", "min_kurtosis", "max_kurtosis"].every((k) => location.hash.includes(k)) && document.querySelectorAll(".chosen li").length === 5 && document.querySelector(".scatter canvas") !== null`)
	bounds := eval[[]float64](t, b, `((p) => ["min_skewness", "max_skewness", "min_kurtosis", "max_kurtosis"].map((k) => Number(p.get(k))))(new URLSearchParams(location.hash.split("?")[1]))`)
	n := count(t, example, fmt.Sprintf(`SELECT count(*) FROM features WHERE layer = 29 AND skewness BETWEEN %g AND %g AND kurtosis BETWEEN %g AND %g`, bounds[0], bounds[1], bounds[2], bounds[3]))
	b.until(t, fmt.Sprintf(`document.querySelector(".pager [role=status]").textContent.endsWith("of %d features") && document.querySelector(".scatter [role=status]").textContent.startsWith("%[1]d features.")`, n))
	if n == 0 || n == 1536 || bounds[0] >= bounds[1] || bounds[2] >= bounds[3] {
		t.Errorf("the rectangle %v has %d features", bounds, n)
	}
	// A row's point has its place: that of the row with the focus, while the mouse is on none.
	b.run(t, chromedp.MouseEvent("mouseMoved", 2, 2), chromedp.Evaluate[chromedp.Void](`document.querySelector("[aria-label=Features] tbody a").focus()`))
	if off := eval[float64](t, b, `(() => {
		const ring = document.querySelector(".ring"), chart = echarts.getInstanceByDom(document.querySelector(".chart")),
			feature = document.querySelector("[aria-label=Features] tbody a").textContent;
		for (const s of chart.getOption().series) for (const i of s.mark.rows) if (s.mark.points.hover[0].texts[i] === feature) {
			const p = chart.convertToPixel({ xAxisIndex: 0, yAxisIndex: 0 }, [s.mark.points.xs[i], s.mark.points.ys[i]]);
			return Math.hypot(parseFloat(ring.style.left) - p[0], parseFloat(ring.style.top) - p[1]);
		}
		return 1e9;
	})()`); off > 1 {
		t.Errorf("the point that is marked lies %g pixels from that of the row", off)
	}
	// Without a pointer: other axes, and numbers.
	b.run(t, chromedp.Evaluate[chromedp.Void](`(() => { const s = document.querySelector("[data-key='axis y']"); s.focus(); s.value = "std"; s.onchange(); })()`))
	b.until(t, `location.hash.includes("y=std") && document.querySelector("[data-key='scatter min_std']") !== null && document.querySelector(".scatter canvas") !== null`)
	b.until(t, `document.activeElement.dataset.key === "axis y"`)
	b.run(t, chromedp.Focus(chromedp.CSS("[data-key='scatter min_std']")), chromedp.KeyEvent("0.2"), chromedp.KeyEvent(kb.Enter))
	b.until(t, `location.hash.includes("min_std=0.2") && document.querySelector(".chosen").textContent.includes("std ≥ 0.2")`)
	b.nameless(t)
}
