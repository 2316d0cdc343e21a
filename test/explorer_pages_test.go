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
	for end, count := range map[string]string{"promotes": "32", "suppresses": ""} {
		href := eval[string](t, b, `document.querySelector("main tbody a.token[href*='`+end+`=']").getAttribute("href")`)
		b.run(t, chromedp.Navigate(address+"/"+href))
		b.until(t, `document.querySelector(".chosen b") !== null`)
		if said := eval[string](t, b, `document.querySelector("[role=status]").textContent`); count != "" && said != "1 to 32 of 32 features" {
			t.Errorf("%s leads to %s", href, said)
		}
		if found := chips(); !strings.HasPrefix(found, end+" ") {
			t.Errorf("%s leads to the filter %q", href, found)
		}
		b.run(t, chromedp.Navigate(address+"/#/features?layer=29&min_skewness=4.2"))
		b.until(t, `document.querySelectorAll("main tbody tr").length === 1`)
	}
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
