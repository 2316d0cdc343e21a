package test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestExplorerFiltersInABrowser: every filter that holds is shown and can be removed, what is
// done by keyboard keeps the focus, and an address beyond the end leads to the end.
func TestExplorerFiltersInABrowser(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	address := explore(t)
	chips := func() string {
		return eval[string](t, b, `[...document.querySelectorAll(".chosen li > span")].map((e) => e.textContent).join("; ")`)
	}
	b.run(t, chromedp.Navigate(address+"/#/features?min_feature=63&max_feature=64&max_kurtosis=99"))
	b.until(t, `document.querySelectorAll("main tbody tr").length === 12`)
	if found := chips(); found != "feature ≥ 63; feature ≤ 64; kurtosis ≤ 99" {
		t.Errorf("filters that are shown: %s", found)
	}
	b.run(t, chromedp.Click(chromedp.CSS("[aria-label='remove the filter feature ≥ 63']")))
	b.until(t, `!location.hash.includes("min_feature") && document.querySelectorAll("main tbody tr").length === 50`)
	// A token's link is that of the token, at its end.
	b.run(t, chromedp.Navigate(address+"/#/features?layer=29&min_skewness=4.2"))
	b.until(t, `document.querySelectorAll("main tbody tr").length === 1`)
	for _, end := range []string{"promotes", "suppresses"} {
		if href := eval[string](t, b, `document.querySelector("main tbody a.token[href*='end=`+end+`']").getAttribute("href")`); !strings.HasPrefix(href, "#/token?model=smollm2-135m&id=") {
			t.Errorf("a token of the list leads to %s", href)
		}
	}
	b.run(t, chromedp.Navigate(address+"/#/features?promotes=25"))
	b.until(t, `document.querySelector(".chosen b") !== null && document.querySelector("[role=status]").textContent === "1 to 32 of 32 features"`)
	if found := chips(); found != "promotes ) (token 25)" {
		t.Errorf("filters that are shown: %s", found)
	}
	// A bar of a small histogram is a filter, and chosen again it is none.
	b.run(t, chromedp.Navigate(address+"/#/features?min_skewness=1"))
	b.until(t, `document.querySelectorAll("[aria-label='Features by layer'] button").length === 2`)
	b.run(t, chromedp.Click(chromedp.CSS("[data-key='layer 24']")))
	b.until(t, `location.hash.includes("blocks.24.") && document.querySelector("[data-key='layer 24']")?.getAttribute("aria-pressed") === "true"`)
	if at := eval[string](t, b, `document.activeElement.dataset.key || ""`); at != "layer 24" {
		t.Errorf("after a choice of a bar the focus is at %q", at)
	}
	b.run(t, chromedp.Click(chromedp.CSS("[data-key='layer 24']")))
	b.until(t, `!location.hash.includes("blocks.24.")`)
	// An SAE against a layer says so.
	b.run(t, chromedp.Navigate(address+"/#/features?sae=smollm2-demo/blocks.29.hook_resid_pre&layer=4"))
	b.until(t, `document.querySelector("[role=alert]")?.textContent.includes("is at layer 29, not 4")`)
	// Beyond the end.
	b.run(t, chromedp.Navigate(address+"/#/features?offset=100000&sort=feature"))
	b.until(t, `document.querySelector("[role=status]")?.textContent === "9,201 to 9,216 of 9,216 features" && location.hash.includes("offset=9200")`)
	if look := eval[string](t, b, `(() => { const [a, z] = document.querySelectorAll(".pager button"); return [a, z].map((e) => e.getAttribute("aria-disabled") + " " + getComputedStyle(e).borderStyle).join(); })()`); look != "null solid,true dashed" {
		t.Errorf("on the last page the buttons are %s", look)
	}
	// The keyboard pages, sorts and filters without losing its place.
	focused := func() string { return eval[string](t, b, `document.activeElement.dataset.key || ""`) }
	b.run(t, chromedp.Focus(chromedp.CSS("[data-key=Previous]")), chromedp.KeyEvent(kb.Enter))
	b.until(t, `location.hash.includes("offset=9150") && !document.querySelector("main").classList.contains("waiting")`)
	if at := focused(); at != "Previous" {
		t.Errorf("after paging the focus is at %q", at)
	}
	b.run(t, chromedp.Focus(chromedp.CSS("[data-key='sort kurtosis']")), chromedp.KeyEvent(kb.Enter))
	b.until(t, `location.hash.includes("sort=kurtosis") && document.querySelector("th[aria-sort]")?.textContent === "kurtosis"`)
	if at := focused(); at != "sort kurtosis" {
		t.Errorf("after sorting the focus is at %q", at)
	}
	b.run(t, chromedp.Focus(chromedp.CSS("[data-key=min_skewness]")), chromedp.KeyEvent("1"), chromedp.KeyEvent(kb.Enter))
	b.until(t, `location.hash.includes("min_skewness=1") && document.querySelector(".chosen") !== null`)
	if at := focused(); at != "min_skewness" {
		t.Errorf("after filtering the focus is at %q", at)
	}
	b.nameless(t)
}

// TestExplorerFacets: the small histograms count what the filters leave, each without its own.
func TestExplorerFacets(t *testing.T) {
	t.Parallel()
	address, db := explore(t), openExample(t)
	type bin struct {
		From, To *float64
		Features int
	}
	found := ask[struct {
		SAEs []struct {
			SAE      string
			Features int
		}
		Histograms map[string][]bin
	}](t, address, "facets?layer=29&min_kurtosis=4&max_kurtosis=5&label=promotes")
	for _, s := range found.SAEs {
		var n int
		if err := db.QueryRow(`SELECT count(*) FROM features WHERE kurtosis BETWEEN 4 AND 5 AND contains(lower(label), 'promotes') AND sae = ?`, s.SAE).Scan(&n); err != nil || n != s.Features {
			t.Errorf("%+v, SQL says %d, %v", s, n, err)
		}
	}
	if len(found.SAEs) < 2 {
		t.Errorf("the facet of layers has %v", found.SAEs)
	}
	for statistic, where := range map[string]string{"skewness": " AND kurtosis BETWEEN 4 AND 5", "kurtosis": ""} {
		bins := found.Histograms[statistic]
		for _, b := range bins {
			var n int
			err := db.QueryRow(`SELECT count(*) FROM features WHERE layer = 29 AND contains(lower(label), 'promotes')`+where+` AND `+statistic+` >= coalesce(?, '-inf'::DOUBLE) AND `+statistic+` < coalesce(?, 'inf'::DOUBLE)`, b.From, b.To).Scan(&n)
			if err != nil || n != b.Features {
				t.Errorf("%s from %v to %v: %d, SQL says %d, %v", statistic, b.From, b.To, b.Features, n, err)
			}
		}
		if len(bins) < 5 || bins[0].From != nil || bins[len(bins)-1].To != nil {
			t.Errorf("the facet of %s has %d bins", statistic, len(bins))
		}
	}
	for path, want := range map[string]int{"facets?set=none": 404, "features?direction=promoted": 400, "features?set=all_digits&direction=up": 400} {
		if status, body := request(t, "GET", address+"/api/"+path); status != want {
			t.Errorf("%s: %d %s, expected %d", path, status, body, want)
		}
	}
}
