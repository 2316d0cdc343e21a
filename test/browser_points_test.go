package test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestPointsByKeyboard: a chart leaves the arrow keys to the page until Enter shows a point; from
// there they show the next, and Enter opens it. The data behind the figure are a table, and CSV.
func TestPointsByKeyboard(t *testing.T) {
	b := openBrowser(t)
	b.draw(t, "plot", "skew-kurtosis", "--sae", "*.29.*")
	b.run(t, chromedp.Evaluate[chromedp.Void](`window.points = []; window.kept = 0;
		document.querySelector("#figure").addEventListener("point", (e) => { e.preventDefault(); window.points.push(e.detail); });
		document.addEventListener("keydown", (e) => { if (e.defaultPrevented) window.kept++; });`), chromedp.Focus(chromedp.CSS(".chart")))
	b.run(t, chromedp.KeyEvent(kb.ArrowDown))
	if kept := eval[int](t, b, `window.kept`); kept != 0 {
		t.Error("the chart keeps an arrow key from the page")
	}
	spoken := func() string { return eval[string](t, b, `document.querySelector(".spoken").textContent`) }
	b.run(t, chromedp.KeyEvent(kb.Enter))
	first := spoken()
	b.run(t, chromedp.KeyEvent(kb.ArrowRight))
	second := spoken()
	if first == second || !strings.Contains(first, "feature ") || !strings.Contains(second, "skewness ") {
		t.Errorf("Enter shows %q, the next is %q", first, second)
	}
	b.until(t, `document.querySelector(".pointed .tip") !== null`)
	b.run(t, chromedp.KeyEvent(kb.Enter), chromedp.KeyEvent(kb.Escape))
	opened := eval[[]map[string]any](t, b, `window.points`)
	if len(opened) != 1 || opened[0]["sae"] != "smollm2-demo/blocks.29.hook_resid_pre" || opened[0]["layer"] != float64(29) || !strings.Contains(second, "feature "+opened[0]["feature"].(string)) {
		t.Errorf("opened %v, shown was %q", opened, second)
	}
	if said := spoken(); said != "" {
		t.Errorf("after Escape %q is shown", said)
	}
	var least string
	if err := openExample(t).QueryRow(`SELECT CAST(min_by(feature, skewness) AS VARCHAR) FROM features WHERE layer = 29`).Scan(&least); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(first, "feature "+least) {
		t.Errorf("the first point is %q, the leftmost is feature %s", first, least)
	}
	b.run(t, chromedp.Evaluate[chromedp.Void](`document.querySelector("details.behind").open = true`))
	b.until(t, `document.querySelectorAll("details.behind tbody tr").length === 50`)
	b.run(t, chromedp.Evaluate[chromedp.Void](`document.querySelector("details.behind td button").click()`))
	if n := eval[int](t, b, `window.points.length`); n != 2 {
		t.Errorf("a row's button opened %d points", n-1)
	}
	csv := eval[string](t, b, `figureData.csvOf(figureData.rowsOf(JSON.parse(document.getElementById("data").textContent)))`)
	if lines := strings.Count(csv, "\r\n"); lines != 1537 || !strings.HasPrefix(csv, "panel,sae,layer,feature,promotes,skewness,kurtosis (log scale),standard deviation\r\n") {
		t.Errorf("%d lines of CSV, which begin with %.60q", lines, csv)
	}
	// Points are painted in the order of the data.
	if !eval[bool](t, b, `(() => {
		const rows = echarts.getInstanceByDom(document.querySelector(".chart")).getOption().series.filter((s) => s.mark && s.mark.rows).flatMap((s) => s.mark.rows);
		return rows.length === 1536 && rows.every((r, i) => r === i);
	})()`) {
		t.Error("the points are not painted in the order of the data")
	}
}
