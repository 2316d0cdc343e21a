package test

import (
	"context"
	"fmt"
	"math"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// A browser is a page in Chromium that notes every request that would leave the
// machine, every console error and every exception.
type browser struct {
	context.Context
	mu       sync.Mutex
	problems []string
}

// chromium is where Chromium is, or skips the test where there is none.
func chromium(t *testing.T) string {
	t.Helper()
	return onPath(t, "no Chromium on PATH; Debian's package chromium has it", "chromium", "chromium-browser", "google-chrome")
}

// openBrowser starts Chromium, or skips the test where there is none.
func openBrowser(t *testing.T) *browser {
	t.Helper()
	needCharts(t)
	allocator, stop := chromedp.NewExecAllocator(t.Context(), chromedp.ExecPath(chromium(t)), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.NoFirstRun, chromedp.WindowSize(1200, 900), chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"))
	t.Cleanup(stop)
	started, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	if err := chromedp.Do(started, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(started, 3*time.Minute)
	t.Cleanup(cancel)
	b := &browser{Context: ctx}
	if err := chromedp.Listen(ctx, b.listen); err != nil {
		t.Fatal(err)
	}
	_, err := chromedp.Call(ctx, network.Enable, network.EnableParams{})
	if err == nil {
		_, err = chromedp.Call(ctx, runtime.Enable, cdp.Empty{})
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, p := range b.problems {
			t.Error(p)
		}
	})
	return b
}

func (b *browser) listen(event any) {
	problem := ""
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		address, err := url.Parse(e.Request.URL)
		local := err == nil && (address.Scheme == "file" || address.Scheme == "data" || address.Scheme == "blob" || address.Hostname() == "127.0.0.1")
		if !local {
			problem = "a request leaves the machine: " + e.Request.URL
		}
	case *runtime.EventExceptionThrown:
		problem = "exception: " + e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			problem += " " + e.ExceptionDetails.Exception.Description
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type == "error" || e.Type == "warning" {
			for _, a := range e.Args {
				problem += "console: " + string(a.Value)
			}
		}
	}
	if problem != "" {
		b.mu.Lock()
		b.problems = append(b.problems, problem)
		b.mu.Unlock()
	}
}

func (b *browser) run(t *testing.T, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(b, actions...); err != nil {
		t.Fatal(err)
	}
}

// eval returns what a JavaScript expression gives.
func eval[T any](t *testing.T, b *browser, expression string) T {
	t.Helper()
	value, err := chromedp.Run(b, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// until waits for a JavaScript condition.
func (b *browser) until(t *testing.T, condition string) {
	t.Helper()
	if _, err := chromedp.Run(b, chromedp.Poll[chromedp.Void](condition, chromedp.WithPollingTimeout(20*time.Second))); err != nil {
		t.Fatalf("%s: %v", condition, err)
	}
}

// draw runs saedb plot into a file and opens it.
func (b *browser) draw(t *testing.T, args ...string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "figure.html")
	if r := saedbRun(t, "", append(append([]string{"--db", example}, args...), "--out", out)...); r.code != 0 {
		t.Fatalf("saedb %v: %s", args, r.stderr)
	}
	b.run(t, chromedp.Navigate("file://"+out), chromedp.WaitVisible(chromedp.CSS("canvas")))
}

// pixel is where on the screen the n-th point of a series of points lies.
const pixel = `(() => {
	const box = document.querySelector(".chart"), chart = echarts.getInstanceByDom(box);
	box.scrollIntoView({ block: "center" }); // a point that is out of sight cannot be clicked
	const r = box.getBoundingClientRect();
	const option = chart.getOption(), s = option.series.findIndex((s) => s.type === "scatter" && s.mark && s.mark.rows.length > 0);
	const series = option.series[s], data = series.data;
	let [x, y] = [data[0], data[1]];
	if (Array.isArray(x)) [x, y] = x;
	const p = chart.convertToPixel({ seriesIndex: s }, [x, y]);
	return [r.left + p[0], r.top + p[1]];
})()`

func TestEveryFigureInABrowser(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	for _, args := range [][]string{
		{"skewness"},
		{"kurtosis"},
		{"skew-kurtosis"},
		{"manhattan", "--sae", "*.29.*"},
		{"sets", "boy_names", "girl_names", "--sae", "*.24.*"},
		{"feature", "63", "--sae", "*.29.*", "--set", "all_digits"},
		{"feature", "--set", "all_digits", "--top-k", "2", "--sae", "*.29.*"},
		{"layers"},
		{"layer-box"},
		{"layer-scatter"},
		{"running-sum", "63", "all_digits", "--sae", "*.29.*"},
	} {
		b.draw(t, append([]string{"plot"}, args...)...)
		for _, scheme := range []string{"light", "dark"} {
			b.emulate(t, scheme)
			colours := eval[int](t, b, `(() => {
				const c = document.querySelector("canvas"), d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data, seen = new Set();
				for (let i = 0; i < d.length; i += 4) if (d[i + 3] > 200) seen.add(d[i] << 16 | d[i + 1] << 8 | d[i + 2]);
				return seen.size;
			})()`)
			if colours < 10 {
				t.Errorf("%v, %s: only %d colours on the canvas", args, scheme, colours)
			}
		}
		if name := eval[string](t, b, `document.querySelector(".chart").getAttribute("aria-label")`); len(name) < 20 {
			t.Errorf("%v: the figure's accessible name is %q", args, name)
		}
	}
}

// TestEqualScalesInABrowser: two sets have a square of axes, at any width of the window.
func TestEqualScalesInABrowser(t *testing.T) {
	b := openBrowser(t)
	b.draw(t, "plot", "sets", "boy_names", "girl_names", "--sae", "*.24.*")
	for _, width := range []int{1200, 700} {
		b.run(t, chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`document.body.style.width = "%dpx"`, width-40)))
		b.until(t, fmt.Sprintf(`document.querySelector(".chart").clientWidth < %d && document.querySelector("canvas").clientWidth === document.querySelector(".chart").clientWidth`, width))
		unit := eval[[]float64](t, b, `(() => {
			const chart = echarts.getInstanceByDom(document.querySelector(".chart"));
			const [a, c] = [[0, 0], [1, 1]].map((at) => chart.convertToPixel({ xAxisIndex: 0, yAxisIndex: 0 }, at));
			return [c[0] - a[0], a[1] - c[1]];
		})()`)
		if math.Abs(unit[0]-unit[1]) > 1 || unit[0] < 100 {
			t.Errorf("%d wide: a unit is %v pixels across and %v up", width, unit[0], unit[1])
		}
	}
}

func TestHoverAndClickAPoint(t *testing.T) {
	b := openBrowser(t)
	b.draw(t, "plot", "skew-kurtosis", "--sql",
		`SELECT skewness, kurtosis, std, feature, ['<b>bold</b>', top_tokens[1]] AS top_tokens, 'https://www.neuronpedia.org/m/29/' || feature AS neuronpedia_url FROM layer_29 WHERE feature = 1328`)
	at := eval[[]float64](t, b, pixel)
	b.run(t, chromedp.MouseEvent("mouseMoved", at[0], at[1]))
	b.until(t, `document.querySelector(".tip") !== null`)
	tip := eval[string](t, b, `document.querySelector(".tip").innerText`)
	for _, wanted := range []string{"1328", "<b>bold</b>", "4.205", "56.38"} {
		if !strings.Contains(tip, wanted) {
			t.Errorf("hovering shows %q, without %q", tip, wanted)
		}
	}
	// The page is opened, not loaded: nothing leaves the machine in a test.
	b.run(t, chromedp.Evaluate[chromedp.Void](`window.open = (...args) => { window.opened = args; }`), chromedp.MouseClickXY(at[0], at[1]))
	b.until(t, `window.opened !== undefined`)
	if opened := eval[[]string](t, b, `window.opened`); opened[0] != "https://www.neuronpedia.org/m/29/1328" || opened[2] != "noopener" {
		t.Errorf("a click opens %q", opened)
	}
}

func TestPlayTheAnimation(t *testing.T) {
	b := openBrowser(t)
	b.draw(t, "plot", "layer-scatter")
	shown := func() string { return eval[string](t, b, `document.querySelector("output").textContent`) }
	if first := shown(); first != "layer 4" {
		t.Errorf("the first frame is %q", first)
	}
	b.run(t, chromedp.Click(chromedp.CSS("button.play")))
	b.until(t, `document.querySelector("output").textContent === "layer 14"`)
	b.until(t, `document.querySelector("output").textContent === "layer 29" && document.querySelector("button.play").textContent === "Play"`)
	b.run(t, chromedp.Focus(chromedp.CSS("input[type=range]")), chromedp.KeyEvent(kb.ArrowLeft))
	b.until(t, `document.querySelector("output").textContent === "layer 24"`)

	// All layers have one pair of axes, which the last fills; each has its own on request.
	b.run(t, chromedp.SetValue(chromedp.CSS("input[type=range]"), "0"), chromedp.Evaluate[chromedp.Void](`document.querySelector("input[type=range]").oninput()`))
	b.until(t, `document.querySelector("output").textContent === "layer 4"`)
	kurtosis := func() float64 {
		return eval[float64](t, b, `10 ** echarts.getInstanceByDom(document.querySelector(".chart")).getModel().getComponent("yAxis", 0).axis.scale.getExtent()[1]`)
	}
	if all := kurtosis(); all < 56 {
		t.Errorf("the axis of all layers ends at a kurtosis of %g", all)
	}
	b.run(t, chromedp.Click(chromedp.CSS(".controls input[type=checkbox]")))
	if own := kurtosis(); own < 4 || own > 5 {
		t.Errorf("the axis of layer 4 ends at a kurtosis of %g", own)
	}
	b.run(t, chromedp.Focus(chromedp.CSS("input[type=range]")), chromedp.KeyEvent(kb.End))
	b.until(t, `document.querySelector("output").textContent === "layer 29"`)
	if own := kurtosis(); own < 56 {
		t.Errorf("the axis of layer 29 ends at a kurtosis of %g", own)
	}
}

func TestLargeLayerStaysFluid(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	b.draw(t, "plot", "skew-kurtosis", "--sql", `SELECT skewness + 0.3 * (hash(feature * 7 + i) % 1000) / 1000 AS skewness,
		kurtosis * exp(0.2 * (hash(feature * 13 + i) % 1000) / 1000) AS kurtosis, std, feature, top_tokens FROM features, range(15) r(i) LIMIT 131072`)
	points := eval[int](t, b, `echarts.getInstanceByDom(document.querySelector(".chart")).getOption().series.reduce((n, s) => n + (s.mark && s.mark.rows ? s.mark.rows.length : 0), 0)`)
	if points != 131072 {
		t.Errorf("%d points on the page, expected 131072", points)
	}
	times := eval[map[string]float64](t, b, `(() => {
		const chart = echarts.getInstanceByDom(document.querySelector(".chart")), zr = chart.getZr(), took = (n, act) => {
			const begun = performance.now();
			for (let i = 0; i < n; i++) { act(i); zr.flush(); }
			return (performance.now() - begun) / n;
		};
		return {
			load: performance.getEntriesByType("navigation")[0].loadEventEnd,
			hover: took(60, (i) => zr.handler.dispatch("mousemove", { zrX: 100 + 10 * i, zrY: 200 + 4 * i, event: {} })),
			zoom: took(20, (i) => chart.dispatchAction({ type: "dataZoom", batch: [0, 1].map((k) => ({ dataZoomIndex: k, start: i, end: 100 - i })) })),
		};
	})()`)
	t.Logf("131,072 points: loaded in %.0f ms, a hover takes %.1f ms, a frame of zooming %.0f ms", times["load"], times["hover"], times["zoom"])
	if times["load"] > 15000 || times["hover"] > 100 || times["zoom"] > 1000 {
		t.Error("expected at most 15000, 100 and 1000 ms")
	}
}

func TestReportInABrowser(t *testing.T) {
	b := openBrowser(t)
	b.draw(t, "report")
	rows := func() int {
		return eval[int](t, b, `document.querySelectorAll("[data-table=skewed] tbody tr").length`)
	}
	if n := rows(); n != 25 {
		t.Errorf("%d rows of features, expected 25", n)
	}
	b.run(t, chromedp.SendKeys(chromedp.CSS("[data-table=skewed] input[type=search]"), "?),"))
	b.until(t, `/^\d+ of 240 rows$/.test(document.querySelector("[data-table=skewed] [role=status]").textContent)`)
	found := eval[string](t, b, `[...document.querySelectorAll("[data-table=skewed] tbody tr")].map((r) => r.children[2].textContent).join(" ")`)
	if !strings.Contains(" "+found+" ", " 1404 ") {
		t.Errorf("the search for ?), finds features %s, without 1404", found)
	}
	b.run(t, chromedp.Click(chromedp.CSS("[data-table=enrichments] th:nth-child(4) button")))
	order := eval[[]float64](t, b, `[...document.querySelectorAll("[data-table=enrichments] tbody tr")].map((r) => Number(r.children[3].textContent))`)
	for i := 1; i < len(order); i++ {
		if order[i] > order[i-1] {
			t.Fatalf("not sorted by feature: %v", order)
		}
	}
	if len(order) == 0 {
		t.Error("no enrichments in the report")
	}
}

// emulate has the page drawn for a colour scheme, light or dark.
func (b *browser) emulate(t *testing.T, scheme string) {
	t.Helper()
	params := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	if _, err := chromedp.Call(b, emulation.SetEmulatedMedia, params); err != nil {
		t.Fatal(err)
	}
	b.run(t, chromedp.Sleep(300*time.Millisecond)) // until it is drawn again
}
