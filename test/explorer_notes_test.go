package test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

const featureOfNotes = "/#/feature?sae=smollm2-demo/blocks.29.hook_resid_pre&feature=63"

// TestExplorerNotes: a star, a label and a note are written by keyboard, are there after a
// reload, on their page, in SQL, as CSV and in the file, which any DuckDB opens meanwhile; their
// text is never markup; the database itself is not written.
func TestExplorerNotes(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	file := filepath.Join(t.TempDir(), "mine.db")
	address := exploreDatabase(t, example, "--notes", file)
	before := read(t, example)
	// A browser that goes to another hash draws without a reload.
	visit := func(hash, drawn string) {
		t.Helper()
		b.run(t, chromedp.Navigate(address+hash))
		b.until(t, `!document.querySelector("main").classList.contains("waiting") && `+drawn)
	}
	visit("/#/notes", `document.querySelector("main").textContent.includes("There is none yet")`)
	visit(featureOfNotes, `document.querySelector(".star")?.textContent === "☆ star"`)
	if _, err := os.Stat(file); err == nil {
		t.Error("there is a file before anything is written")
	}
	b.run(t, chromedp.KeyEvent("s"))
	b.until(t, `document.querySelector(".star").getAttribute("aria-pressed") === "true" && document.querySelector(".mine [role=status]").textContent.startsWith("kept in ")`)
	const hostile = `<img src=x onerror="document.title='taken'"> s n`
	b.run(t, chromedp.KeyEvent("n"))
	b.until(t, `document.activeElement.tagName === "TEXTAREA"`)
	// s and n are letters there. The driver sends a key's letter apart from the key, which would
	// not come where the page takes the key.
	eval[string](t, b, `document.activeElement.value = ""`)
	b.run(t, chromedp.KeyEvent(hostile), chromedp.SetValue(".mynote input", "number words"), chromedp.Click(".mynote button"))
	b.until(t, `document.querySelector(".mine [role=status]").textContent.startsWith("kept in ")`)
	visit("/#/notes", `document.querySelectorAll("main tbody tr").length === 1`)
	if row := eval[string](t, b, `document.querySelector("main tbody tr").textContent`); !strings.Contains(row, "★6329number words"+hostile+"smollm2-demo/blocks.29.hook_resid_pre") {
		t.Errorf("the page of notes has %q", row)
	}
	visit("/#/features?noted=starred&columns=role,label", `document.querySelectorAll("main tbody tr").length === 1`)
	if row := eval[string](t, b, `document.querySelector("main tbody tr").textContent`); row != "★ 6329prediction–" {
		t.Errorf("the table of starred features has %q", row)
	}
	visit(featureOfNotes, `document.querySelector(".mynote textarea")?.value === `+asJSON(t, hostile))
	visit("/#/search?q=NUMBER%20WORDS", `document.querySelector("main h2")?.textContent === "Notes of your own"`)
	if row := eval[string](t, b, `document.querySelector("main tbody tr").textContent`); row != "6329number words"+hostile+"smollm2-demo/blocks.29.hook_resid_pre" {
		t.Errorf("a search has %q", row)
	}
	found := ask[struct{ Notes searched }](t, address, "search?q=onerror").Notes
	if _, body := request(t, "GET", query(address, "sql", "SELECT count(*) FROM ("+found.Query+")")); found.Total != 1 || !strings.Contains(body, `[["1"]]`) {
		t.Errorf("a search of the note's text has %+v, its query %s", found, body)
	}
	if found := ask[struct{ Notes searched }](t, address, "search?q=another").Notes; found.Total != 0 {
		t.Errorf("a search of another text has %+v", found)
	}
	const stored = "SELECT n.label, n.note, n.starred, f.layer FROM my_notes n JOIN features f USING (sae, feature)"
	if _, body := request(t, "GET", query(address, "sql", stored)); !strings.Contains(body, `["number words",`+asJSON(t, hostile)+`,"true","29"]`) {
		t.Errorf("SQL has %s", body)
	}
	if _, body := request(t, "GET", address+"/api/notes.csv"); !strings.Contains(body, "blocks.29.hook_resid_pre,63,true,number words,") {
		t.Errorf("the CSV file has %s", body)
	}
	said := mustRun(t, "--db", example, "sql", "--format", "csv", "ATTACH '"+file+"' AS mine (READ_ONLY); SELECT n.label FROM mine.notes n JOIN features USING (sae, feature)")
	if !strings.HasSuffix(said, "\nnumber words\n") {
		t.Errorf("the file has %s", said)
	}
	// Queries.
	visit("/#/sql", `document.querySelector("details.mine") !== null`)
	b.run(t, chromedp.Click("details.mine summary"), chromedp.SendKeys("details.mine input", "skewed <b>"+kb.Enter))
	b.until(t, `document.querySelector(".saved li a")?.textContent === "skewed <b>"`)
	b.run(t, chromedp.Click(".saved li a"))
	b.until(t, `location.hash.startsWith("#/sql?q=SELECT") && document.querySelectorAll("main tbody tr").length > 5`)
	b.run(t, chromedp.Click("details.mine summary"), chromedp.Click(".saved li button"))
	b.until(t, `document.querySelector(".saved li") === null`)
	// What is emptied is gone.
	visit(featureOfNotes, `document.querySelector(".mynote") !== null`)
	eval[bool](t, b, `[...document.querySelectorAll(".mynote input, .mynote textarea")].map((e) => { e.value = ""; }).length === 2`)
	b.run(t, chromedp.Click(".mynote button"))
	b.until(t, `document.querySelector(".mine [role=status]").textContent.startsWith("kept in ")`)
	b.run(t, chromedp.Click(".star"))
	b.until(t, `document.querySelector(".star").textContent === "☆ star"`)
	visit("/#/notes", `document.querySelector("main").textContent.includes("There is none yet")`)
	if string(read(t, example)) != string(before) {
		t.Error("the database was written")
	}
	b.nameless(t)
}

// TestExplorerRefusesNotes: only a page of the explorer writes, of what is loaded, and nothing at
// all with --no-notes; a file that cannot be written is named, and pages go on.
func TestExplorerRefusesNotes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	address := exploreDatabase(t, example, "--notes", filepath.Join(dir, "none", "mine.db"))
	silent := exploreDatabase(t, example, "--no-notes")
	const sae = `{"sae": "smollm2-demo/blocks.29.hook_resid_pre", `
	for _, c := range []struct {
		address, origin, kind, body string
		want                        int
		says                        string
	}{
		{address, "", "application/json", sae + `"feature": 1, "starred": true}`, 405, "only GET"},
		{address, "https://evil.example", "application/json", sae + `"feature": 1, "starred": true}`, 403, "another site"},
		{address, address, "text/plain", sae + `"feature": 1, "starred": true}`, 405, "only GET"},
		{address, address, "application/json", sae + `"feature": 1536, "starred": true}`, 404, "feature 1536"},
		{address, address, "application/json", sae + `"feature": -1, "starred": true}`, 404, "feature -1"},
		{address, address, "application/json", `{"sae": "none", "feature": 1, "starred": true}`, 404, "SAE none"},
		{address, address, "application/json", `{"sql": "DROP TABLE notes"}`, 400, "unknown field"},
		{address, address, "application/json", sae + `"feature": 1, "note": "` + strings.Repeat("x", 70_000) + `"}`, 400, "too large"},
		{address, address, "application/json", sae + `"feature": 1, "starred": true}`, 400, "mine.db"},
		{silent, silent, "application/json", sae + `"feature": 1, "starred": true}`, 400, "--no-notes"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), "POST", c.address+"/api/note", strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", c.kind)
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body := make([]byte, 500)
		n, _ := answer.Body.Read(body)
		answer.Body.Close()
		if answer.StatusCode != c.want || !strings.Contains(string(body[:n]), c.says) {
			t.Errorf("%.80s from %q: %d %s, want %d %s", c.body, c.origin, answer.StatusCode, body[:n], c.want, c.says)
		}
	}
	for _, path := range []string{"/api/note?sae=smollm2-demo/blocks.29.hook_resid_pre&feature=1", "/api/notes", query("", "sql", "SELECT 1")} {
		for _, at := range []string{address, silent} {
			if status, body := request(t, "GET", at+path); status != 200 {
				t.Errorf("%s: %d %s", path, status, body)
			}
		}
	}
	expectFailure(t, saedbRun(t, "", "--db", example, "serve", "--notes", "a.db", "--no-notes"), 2, "--notes or --no-notes, not both")
}

// TestExplorerRoles: the features of a role, and how many there are of each, are those of the view.
func TestExplorerRoles(t *testing.T) {
	address := explore(t)
	_, text := request(t, "GET", address+"/api/facets?min_kurtosis=5")
	var facets struct {
		Roles []struct {
			Role     string
			Features int
		}
	}
	if err := json.Unmarshal([]byte(text), &facets); err != nil || len(facets.Roles) == 0 {
		t.Fatalf("%v: %s", err, text)
	}
	want := mustRun(t, "--db", example, "sql", "--format", "csv", "SELECT role, count(*) FROM features WHERE kurtosis >= 5 AND role IS NOT NULL GROUP BY role ORDER BY role")
	var got []string
	for _, r := range facets.Roles {
		got = append(got, fmt.Sprintf("%s,%d", r.Role, r.Features))
		_, text := request(t, "GET", address+"/api/features?limit=0&min_kurtosis=5&role="+r.Role)
		if !strings.HasSuffix(text, fmt.Sprintf(`"total":%d}`, r.Features)) {
			t.Errorf("role %s: %d by the facet, and %s", r.Role, r.Features, text)
		}
	}
	slices.Sort(got)
	if _, rows, _ := strings.Cut(strings.TrimSpace(want), "\n"); rows != strings.Join(got, "\n") {
		t.Errorf("roles %v, want %s", got, rows)
	}
}
