package test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

type searched struct {
	Total int
	Query string
	Rows  []struct {
		Text    string
		Feature int
		Layer   *int
	}
}

// TestExplorerSearch: what is found is what SQL over the views finds, the nearest first.
func TestExplorerSearch(t *testing.T) {
	t.Parallel()
	address, db := explore(t), openExample(t)
	for q, where := range map[string]struct{ tokens, sets, labels string }{
		"three":  {"contains(lower(text), 'three')", "false", "contains(label, 'three')"},
		"Digit":  {"contains(lower(text), 'digit')", "contains(token_set, 'digit')", "contains(label, 'digit')"},
		"␣the ":  {"contains(lower(text), ' the ')", "false", "false"},
		"O'":     {"contains(lower(text), 'o''')", "false", "false"},
		"29/63":  {"contains(text, '29/63')", "false", "false"},
		"regex":  {"contains(lower(text), 'regex')", "family = 'regex'", "false"},
		"x' OR ": {"false", "false", "false"},
	} {
		found := ask[struct{ Tokens, Sets, Labels, Features searched }](t, address, "search?"+url.Values{"q": {q}}.Encode())
		for _, c := range []struct {
			kind, from, where string
			searched
		}{
			{"tokens", "tokens", where.tokens, found.Tokens},
			{"sets", "token_sets", where.sets, found.Sets},
			{"labels", "features", where.labels, found.Labels},
		} {
			var want, all int
			if err := db.QueryRow("SELECT count(*) FROM " + c.from + " WHERE " + c.where).Scan(&want); err != nil || want != c.Total || len(c.Rows) != min(want, 20) {
				t.Errorf("%q: %d %s in %d rows, SQL says %d, %v", q, c.Total, c.kind, len(c.Rows), want, err)
			}
			if err := db.QueryRow("SELECT count(*) FROM (" + c.Query + ")").Scan(&all); err != nil || all != want {
				t.Errorf("%q: the query of all %s gives %d of %d, %v", q, c.kind, all, want, err)
			}
		}
		switch q {
		case "three":
			if a, b := found.Tokens.Rows[0].Text, strings.TrimSpace(found.Tokens.Rows[1].Text); a != "three" || b != "three" {
				t.Errorf("three: the first tokens are %q and %q", a, b)
			}
		case "29/63":
			if f := found.Features; f.Total != 1 || len(f.Rows) != 1 || f.Rows[0].Feature != 63 || *f.Rows[0].Layer != 29 {
				t.Errorf("29/63: features %+v", f)
			}
		}
	}
	if f := ask[struct{ Features searched }](t, address, "search?q=63").Features; f.Total != 6 || len(f.Rows) != 6 {
		t.Errorf("63: %+v", f)
	}
	for q, want := range map[string]string{"": "expected what to look for", strings.Repeat("x", 201): "at most 200 characters, found 201"} {
		if status, body := request(t, "GET", address+"/api/search?q="+q); status != 400 || !strings.Contains(body, want) {
			t.Errorf("%.10q: %d %s", q, status, body)
		}
	}
}

// TestExplorerSaysWhatThereIsInABrowser: an address of what is not there is answered with what is.
func TestExplorerSaysWhatThereIsInABrowser(t *testing.T) {
	t.Parallel()
	address := explore(t)
	for path, want := range map[string]string{
		"features?sae=blocks.29":       "no SAE blocks.29; there are smollm2-demo/blocks.4.hook_resid_pre, ",
		"features?release=smollm2-dem": "no release smollm2-dem; did you mean smollm2-demo? There is smollm2-demo",
		"features?model=none":          "no model none; there is smollm2-135m",
		"set?set=all_digit":            "no token set all_digit; did you mean all_digits? There are 1 digit",
		"feature?sae=none&feature=1":   "no SAE none; there are",
		"feature?sae=" + demoRelease + "blocks.29.hook_resid_pre&feature=1536": "feature 1536 of smollm2-demo/blocks.29.hook_resid_pre; it has 0 to 1535",
	} {
		if status, body := request(t, "GET", address+"/api/"+path); status != 404 || !strings.Contains(body, want) {
			t.Errorf("%s: expected %q, found %d %s", path, want, status, body)
		}
	}
	b := openBrowser(t)
	for hash, want := range map[string]string{
		"#/nowhere":        "There is no page nowhere in this explorer.",
		"#/constructor":    "There is no page constructor in this explorer.",
		"#/layer?sae=x":    "There is no SAE x in this explorer.",
		"#/features?sae=y": "There is no SAE y in this explorer.",
	} {
		b.run(t, chromedp.Navigate(address+"/"+hash))
		b.until(t, `document.title === "Not found · saedb" && document.querySelector("main").innerText.includes("`+want+`")`)
		if choices := eval[int](t, b, `document.querySelectorAll("main li a").length`); choices < 4 {
			t.Errorf("%s leaves %d choices", hash, choices)
		}
	}
	b.picture(t, "explorer-not-found")
	// The skip link leads to the content of the page that is shown.
	b.run(t, chromedp.Navigate(address+"/#/sets"))
	b.until(t, `document.querySelectorAll("main tbody tr").length > 5`)
	b.run(t, chromedp.Focus(chromedp.CSS(".skip")), chromedp.KeyEvent(kb.Enter))
	if at := eval[string](t, b, `location.hash + " " + document.activeElement.id + " " + document.querySelector("h1").textContent`); at != "#/sets main Token sets" {
		t.Errorf("the skip link leads to %q", at)
	}
}
