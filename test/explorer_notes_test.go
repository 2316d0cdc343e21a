package test

import (
	"encoding/json"
	"fmt"
	"io"
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

// TestExplorerReadsNotes: a CSV file of notes, as the page gives it, is read back by keyboard alone: all
// of it or nothing, with the line of what is wrong; notes that say something else are replaced or kept,
// as one says, and no others are touched; and SQL reads the same file.
func TestExplorerReadsNotes(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "mine.db")
	address := exploreDatabase(t, example, "--notes", file)
	const sae = "smollm2-demo/blocks.29.hook_resid_pre"
	notes := func() string {
		t.Helper()
		_, body := request(t, "GET", address+"/api/notes.csv")
		var lines []string
		for _, line := range strings.Split(strings.TrimSpace(body), "\n")[1:] {
			lines = append(lines, strings.TrimPrefix(line[:strings.LastIndex(line, ",")], sae+","))
		}
		return strings.Join(lines, "|")
	}
	choose := func(name, text, said string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		b.run(t, chromedp.SetUploadFiles(".importer input", []string{path}))
		b.until(t, `document.querySelector(".importer [role=status]").textContent.includes(`+asJSON(t, said)+`)`)
	}
	const header = "sae,feature,starred,label,note,changed_at\n"
	b.run(t, chromedp.Navigate(address+"/#/notes"))
	b.until(t, `document.querySelector(".importer input") !== null`)
	choose("none.csv", header+sae+",1,true,,,\n"+sae+",x,true,,,\n", `line 3, column feature: expected a feature's index, a whole number from 0, found "x"`)
	choose("far.csv", header+sae+",1,true,,,\n"+sae+",1536,true,,,\n", "line 3, column feature: no feature 1536 of "+sae)
	choose("latin.csv", header+sae+",1,true,caf\xe9,,\n", "latin.csv: expected CSV in UTF-8")
	if _, err := os.Stat(file); err == nil {
		t.Error("a file that was refused has made a file of notes")
	}
	const script = `<img src=x onerror="document.title='taken'">`
	choose("first.csv", header+sae+`,63,true,number words,"two, lines`+"\n"+`and a ""quote""",2025-01-02 03:04:05`+"\n"+sae+",7,,"+strings.ReplaceAll(`"`+strings.ReplaceAll(script, `"`, `""`)+`"`, "\n", "")+",,\nother/blocks.0,5,true,,,\n",
		"3 notes read: 3 added, 0 replaced, 0 the same, 1 of SAEs that are not in this database.")
	if rows := eval[int](t, b, `document.querySelectorAll("main tbody tr").length`); rows != 3 {
		t.Errorf("the page shows %d notes", rows)
	}
	// What was given is what is read: nothing changes.
	_, given := request(t, "GET", address+"/api/notes.csv")
	if !strings.Contains(given, "2025-01-02 03:04:05") {
		t.Errorf("the time of a note is not that of the file: %s", given)
	}
	choose("given.csv", given, "3 notes read: 0 added, 0 replaced, 3 the same")
	// Another file says something else of one, and has a new one.
	second := "\ufefffeature,sae,note,label,starred\n7," + sae + ",changed,,false\n8," + sae + ",,new,TRUE\n"
	before := notes()
	choose("second.csv", second, "Nothing is written yet: the file says something else than 1 note of yours: feature 7 of "+sae)
	if notes() != before {
		t.Errorf("before one has said so there are %s", notes())
	}
	b.until(t, `document.activeElement.textContent === "Replace them by the file's"`)
	b.run(t, chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Enter))
	b.until(t, `document.querySelector(".importer [role=status]").textContent.includes("2 notes read: 1 added, 1 left as they are")`)
	if got := notes(); got != strings.Replace(before, "|63,", "|8,true,new,|63,", 1) {
		t.Errorf("with mine kept there are %s, before %s", got, before)
	}
	choose("second.csv", second, "Nothing is written yet")
	b.run(t, chromedp.KeyEvent(kb.Enter))
	b.until(t, `document.querySelector(".importer [role=status]").textContent.includes("0 added, 1 replaced, 1 the same")`)
	if got := notes(); !strings.Contains(got, "7,false,,changed|8,true,new,|63,true,number words,") {
		t.Errorf("with mine replaced there are %s", got)
	}
	b.nameless(t)
	// SQL reads the file too, as the guide has it.
	_, given = request(t, "GET", address+"/api/notes.csv")
	path := filepath.Join(dir, "notes.csv")
	if err := os.WriteFile(path, []byte(strings.Replace(given, "number words", "words", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	mustRun(t, "--db", example, "sql", "ATTACH '"+file+"' AS mine; INSERT OR REPLACE INTO mine.notes BY NAME FROM '"+path+"'")
	if got := notes(); !strings.Contains(got, "63,true,words,") {
		t.Errorf("after SQL there are %s", got)
	}
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
		post(t, c.address+"/api/note", c.origin, c.kind, c.body, c.want, c.says)
	}
	for _, c := range []struct {
		address, origin, kind, body string
		want                        int
		says                        string
	}{
		{address, "https://evil.example", "application/json", `{"csv": ""}`, 403, "another site"},
		{address, address, "text/csv", "sae,feature", 405, "only GET"},
		{address, address, "application/json", `{"csv": "", "path": "x"}`, 400, "unknown field"},
		{address, address, "application/json", `{"csv": "sae,feature"}`, 400, "line 1, column starred: expected the columns"},
		{address, address, "application/json", `{"csv": "sae,feature,starred,label,note\nx,1,true,,"}`, 400, "mine.db"},
		{address, address, "application/json", `{"csv": "` + strings.Repeat("x", 17<<20) + `"}`, 400, "too large"},
		{silent, silent, "application/json", `{"csv": ""}`, 400, "--no-notes"},
	} {
		post(t, c.address+"/api/notes", c.origin, c.kind, c.body, c.want, c.says)
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

// post sends what a page would, from an origin, and expects a status and a text.
func post(t *testing.T, address, origin, kind, sent string, want int, says string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "POST", address, strings.NewReader(sent))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	if origin != "" {
		r.Header.Set("Origin", origin)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != want || !strings.Contains(string(body), says) {
		t.Errorf("%.80s to %s from %q: %d %s (%v), want %d %s", sent, address, origin, answer.StatusCode, body, err, want, says)
	}
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
