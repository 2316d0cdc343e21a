package test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// sqlAddress is that of the SQL page with parameters: name, value, and so on.
func sqlAddress(address string, parameters ...string) string {
	q := url.Values{}
	for i := 0; i < len(parameters); i += 2 {
		q.Set(parameters[i], parameters[i+1])
	}
	return address + "/#/sql?" + q.Encode()
}

// tokensInLists: the tokens of a list lead to their pages where the list has their ids and the model is
// known; from their texts alone nothing is guessed.
func tokensInLists(t *testing.T, b *browser, visit func(until string, parameters ...string)) {
	t.Helper()
	type found struct{ Text, Href string }
	for _, c := range []struct {
		query string
		want  []found
		says  string
	}{
		{
			"SELECT [{'token_id': 28, 'token': 'x', 'text': ' <b>', 'rank': 2}, {'token_id': NULL, 'token': 'y', 'text': 'y', 'rank': 3}, NULL] AS t", // one model is loaded
			[]found{{"␣<b>", "#/token?model=smollm2-135m&id=28"}}, "␣<b> rank 2y 3NULL",
		},
		{"SELECT 'smollm2-135m' AS model, [{'token_id': 28, 'token': 'x', 'w': 1.5}] AS t", []found{{"x", "#/token?model=smollm2-135m&id=28"}}, "x w 1.5"},
		{"SELECT 'another' AS model, [{'token_id': 28, 'token': 'x'}] AS t", nil, "x"},
		{"SELECT [{'token_id': 28, 'token': 'x', 'w': 'inf'::DOUBLE}, {'token_id': 28, 'token': 'x', 'w': 'nan'::DOUBLE}] AS t", nil, "28"},
		{"SELECT top_tokens AS t FROM features LIMIT 1", nil, "  "},
		{"SELECT [{'id': 28, 'token': 'x'}] AS t", nil, "{'id': 28, 'token': x}"},
	} {
		visit(`document.querySelectorAll("[aria-label=Result] tbody tr").length === 1`, "q", c.query)
		if got := eval[[]found](t, b, `[...document.querySelectorAll("[aria-label=Result] tbody td:last-child a")].map((a) => ({Text: a.textContent, Href: a.getAttribute("href")}))`); !slices.Equal(got, c.want) {
			t.Errorf("%s: links %v, expected %v", c.query, got, c.want)
		}
		if cell := eval[string](t, b, `document.querySelector("[aria-label=Result] tbody td:last-child").textContent`); !strings.Contains(cell, c.says) {
			t.Errorf("%s: the cell is %q, without %q", c.query, cell, c.says)
		}
	}
	// Those of a function lead to a page that is there; more than a few open.
	visit(`document.querySelector("[aria-label=Result] tbody details") !== null`, "q", "SELECT layer, feature, top_tokens(w_dec, model, 12) AS t FROM decoder_directions WHERE layer = 29 AND feature = 63")
	if summary := eval[string](t, b, `document.querySelector("[aria-label=Result] summary").textContent`); summary != "2 more" {
		t.Errorf("of twelve tokens %q", summary)
	}
	// What a value beside a token is called stands once; on a phone no token is left out.
	const named = `[...document.querySelectorAll("[aria-label=Result] td small")].filter((s) => s.textContent.includes("logit_weight")).length`
	if names := eval[int](t, b, named); names != 1 {
		t.Errorf("the name of what stands beside the tokens stands %d times", names)
	}
	b.run(t, chromedp.EmulateViewport(390, 844))
	const open = `document.querySelector("[aria-label=Result] details").open = true`
	if seen := eval[int](t, b, open+`, [...document.querySelectorAll("[aria-label=Result] td a.token")].filter((a) => a.offsetParent !== null).length`); seen != 12 {
		t.Errorf("on a phone %d of twelve tokens are seen", seen)
	}
	b.run(t, chromedp.EmulateViewport(1280, 900))
	b.run(t, chromedp.Focus("[aria-label=Result] td:last-child a"), chromedp.KeyEvent(kb.Enter))
	b.until(t, `location.hash.startsWith("#/token?model=smollm2-135m&id=") && document.querySelector("main h1") !== null && !document.querySelector("main .error")`)
}

// boxesOfLayers: a box leads to the features of its layer, by keyboard and by a click; the point of a
// feature beyond its whiskers to the feature.
func boxesOfLayers(t *testing.T, b *browser, visit func(until string, parameters ...string)) {
	t.Helper()
	const drawn = `document.querySelectorAll(".chart canvas").length === 1`
	boxes := []string{"draw", "layer-box", "q", "SELECT layer, feature, sae, std FROM features"}
	const spoken = `document.querySelector(".spoken").textContent`
	visit(drawn, boxes...)
	b.run(t, chromedp.Focus(".chart"), chromedp.KeyEvent(kb.Enter))
	if said := eval[string](t, b, spoken); !strings.HasPrefix(said, "layer 4, features 1,536, upper whisker ") {
		t.Errorf("the first box is %q", said)
	}
	b.run(t, chromedp.KeyEvent(kb.Enter))
	const features = `document.querySelector("main").dataset.page === "features" && document.querySelectorAll("main tbody tr").length > 5`
	b.until(t, features+` && location.hash === "#/features?layer=4"`)
	visit(drawn, boxes...)
	at := eval[[]float64](t, b, `(() => {
		const chart = document.querySelector(".chart"), c = echarts.getInstanceByDom(chart);
		chart.scrollIntoView();
		const to = chart.getBoundingClientRect();
		const items = c.getOption().series.find((s) => s.mark && s.mark.kind === "box").mark.boxes.items, last = items[items.length - 1];
		const [x, y] = c.convertToPixel({ xAxisIndex: 0, yAxisIndex: 0 }, [last.at, last.median]);
		return [to.left + x, to.top + y];
	})()`)
	b.run(t, chromedp.MouseEvent("mouseMoved", at[0], at[1]), chromedp.MouseClickXY(at[0], at[1]))
	b.until(t, features+` && location.hash === "#/features?layer=29"`)
	visit(drawn, boxes...)
	b.run(t, chromedp.Focus(".chart"), chromedp.KeyEvent(kb.Enter), chromedp.KeyEvent(kb.ArrowRight))
	if said := eval[string](t, b, spoken); !strings.Contains(said, "feature ") {
		t.Errorf("after the box there is %q", said)
	}
	b.run(t, chromedp.KeyEvent(kb.Enter))
	b.until(t, `location.hash.startsWith("#/feature?sae=")`)
}

// TestSQLPageInABrowser: errors lead to their place, results to their pages, and the address holds
// how they are drawn.
func TestSQLPageInABrowser(t *testing.T) {
	t.Parallel()
	b, address := openBrowser(t), explore(t)
	visit := func(until string, parameters ...string) {
		t.Helper()
		b.run(t, chromedp.Navigate("about:blank"), chromedp.Navigate(sqlAddress(address, parameters...)))
		b.until(t, until)
	}
	text := func(selector string) string {
		t.Helper()
		return eval[string](t, b, `document.querySelector(`+"`"+selector+"`"+`)?.textContent ?? "nothing"`)
	}
	visit(`document.querySelector(".place") !== null`, "q", "SELECT layer, -- 漢字\n  feature, nope\nFROM features")
	b.picture(t, "explorer-sql-error")
	if place, word := text(".place button"), text(".place mark"); place != "Line 2, column 12" || word != "nope" {
		t.Errorf("the place is %q, of %q", place, word)
	}
	b.run(t, chromedp.Click(chromedp.CSS(".place button")))
	if selected := eval[string](t, b, `(() => { const q = document.activeElement; return q.value.slice(q.selectionStart, q.selectionEnd); })()`); selected != "nope" {
		t.Errorf("the button of the place selects %q", selected)
	}

	// Cells lead to what they name, and tokens are spelled as elsewhere.
	visit(`document.querySelectorAll("[aria-label=Result] tbody tr").length === 1`, "q", `SELECT layer, feature, sae, 'all_digits' AS token_set, ' three' AS text, [' a, b', '"', chr(10)] AS list, repeat('long ', 100) AS long, NULL AS n
		FROM features WHERE layer = 29 AND feature = 63`)
	const sae = "smollm2-demo%2Fblocks.29.hook_resid_pre"
	links := eval[[]string](t, b, `[...document.querySelectorAll("[aria-label=Result] tbody a")].map((a) => a.textContent + " " + a.getAttribute("href"))`)
	if want := []string{"63 #/feature?sae=" + sae + "&feature=63", demoRelease + "blocks.29.hook_resid_pre #/layer?sae=" + sae, "all_digits #/set?set=all_digits&model=smollm2-135m", "␣three #/search?q=+three"}; !slices.Equal(links, want) {
		t.Errorf("links %q, expected %q", links, want)
	}
	if list := text("[aria-label=Result] td:nth-child(6)"); list != `␣a, b  "  \n` {
		t.Errorf("a list is %q", list)
	}
	if cut := eval[[]int](t, b, `(() => { const d = document.querySelector("details.long"), shut = d.offsetHeight; d.querySelector("summary").click(); return [d.querySelector("summary").textContent.length, shut, d.offsetHeight]; })()`); cut[0] != 141 || cut[2] <= cut[1] {
		t.Errorf("a long cell shows %d characters, and goes from %d pixels to %d", cut[0], cut[1], cut[2])
	}

	// What is offered can be drawn, and nothing else.
	options := func() []string {
		t.Helper()
		return eval[[]string](t, b, `[...document.querySelectorAll("[aria-label='draw as'] option")].map((o) => o.value)`)
	}
	if got := options(); !slices.Equal(got, []string{"", "scatter", "line", "bar", "histogram"}) {
		t.Errorf("of one feature %q are offered", got)
	}
	visit(`document.querySelector("[aria-label=Result] thead") !== null`, "q", "SELECT skewness FROM features WHERE false", "draw", "skewness")
	if got := text("main .error"); len(options()) != 0 || got != "These columns cannot be drawn as skewness." {
		t.Errorf("of no rows %q are offered, and the page says %q", options(), got)
	}

	// A chart's columns are chosen, and are in the address.
	visit(`document.querySelectorAll("[aria-label=Result] tbody tr").length > 50`, "q", "SELECT layer, feature, skewness, kurtosis, CAST(layer AS VARCHAR) AS place FROM features WHERE skewness > 0.5")
	choose := func(label, value string) {
		t.Helper()
		b.run(t, chromedp.Evaluate[chromedp.Void](`(() => { const s = document.querySelector("[aria-label='`+label+`']"); s.focus(); s.value = "`+value+`"; s.onchange(); })()`))
	}
	choose("draw as", "scatter")
	choose("column of x", "skewness")
	choose("column of y", "kurtosis")
	choose("column of colour", "place")
	const drawn = `document.querySelectorAll(".legend").length === 2 && document.querySelector("main h2").textContent === "kurtosis by skewness, coloured by place"`
	b.until(t, drawn)
	if focused := eval[string](t, b, `document.activeElement.getAttribute("aria-label")`); focused != "column of colour" {
		t.Errorf("after a choice the focus is on %q", focused)
	}
	shared := eval[string](t, b, `location.href`)
	if !strings.HasSuffix(shared, "&draw=scatter&x=skewness&y=kurtosis&color=place") {
		t.Errorf("the address is %s", shared)
	}
	b.run(t, chromedp.Navigate("about:blank"), chromedp.Navigate(shared))
	b.until(t, drawn)
	b.picture(t, "explorer-sql-scatter")
	at := eval[[]float64](t, b, pixel)
	b.run(t, chromedp.MouseEvent("mouseMoved", at[0], at[1]), chromedp.MouseClickXY(at[0], at[1]))
	b.until(t, `location.hash.startsWith("#/feature?sae=") && document.querySelector("h1")?.textContent.startsWith("Feature ")`)
	for mark, parameters := range map[string][]string{"bar": {"x", "place"}, "histogram": {"x", "skewness"}, "line": {"x", "skewness", "y", "kurtosis"}} {
		visit(`document.querySelectorAll(".chart canvas").length === 1`, append(parameters, "draw", mark, "q", "SELECT layer AS place, skewness, kurtosis FROM features WHERE skewness > 0.5")...)
		b.picture(t, "explorer-sql-"+mark)
	}
	tokensInLists(t, b, visit)
	boxesOfLayers(t, b, visit)
	figureInSQL(t, b, address)
}

// figureInSQL: a figure leads to its numbers.
func figureInSQL(t *testing.T, b *browser, address string) {
	t.Helper()
	const link = `[...document.querySelectorAll("section[aria-label^='Logit weights'] a")].find((a) => a.textContent === "Its numbers in SQL")`
	b.run(t, chromedp.Navigate("about:blank"), chromedp.Navigate(address+"/#/feature?sae=smollm2-demo%2Fblocks.29.hook_resid_pre&feature=63&set=all_digits"))
	b.until(t, link+` !== undefined`)
	b.picture(t, "explorer-figure-in-sql")
	b.run(t, chromedp.Evaluate[chromedp.Void](link+`.click()`))
	b.until(t, `document.querySelectorAll("[aria-label=Result] tbody tr").length > 50`)
	if columns := eval[string](t, b, `document.querySelector("[aria-label=Result] thead").textContent`); columns != "token_idtextlogit_weightmember" {
		t.Errorf("the numbers of a feature's figure are %q", columns)
	}
	b.picture(t, "explorer-sql-of-figure")
}
