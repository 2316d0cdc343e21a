package test

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

var pictures = flag.String("pictures", "", "write pictures of the explorer's pages into this directory")

// explore runs saedb serve for the example on a free port and returns its address.
func explore(t *testing.T) string { return exploreDatabase(t, example) }

func exploreDatabase(t *testing.T, db string, flags ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute+attackTime(t))
	command := exec.CommandContext(ctx, program, append([]string{"--db", db, "serve", "--listen", "127.0.0.1:0"}, flags...)...)
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		defer cancel()
		command.Process.Signal(syscall.SIGTERM)
		io.Copy(io.Discard, stdout)
		if err := command.Wait(); err != nil {
			t.Errorf("saedb serve ended with %v", err)
		}
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	_, address, _ := strings.Cut(line, " on ")
	address, _, ok := strings.Cut(address, ";")
	if !ok {
		t.Fatalf("saedb serve says %q", line)
	}
	return address
}

// request sends one with headers and returns the status and the body.
func request(t *testing.T, method, address string, headers ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

func query(address, kind, sql string) string {
	return address + "/api/" + kind + "?" + url.Values{"q": {sql}}.Encode()
}

func TestExplorerRefusesOtherSites(t *testing.T) {
	address := explore(t)
	for _, c := range []struct {
		method, path string
		headers      []string
		want         int
	}{
		{"GET", "/", nil, 200},
		{"GET", "/api/overview", nil, 200},
		{"GET", "/api/overview", []string{"Host", "localhost:7433"}, 200},
		{"GET", "/api/overview", []string{"Host", "rebound.example:7433"}, 421},
		{"GET", "/api/overview", []string{"Host", "127.0.0.1.example"}, 421},
		{"GET", "/", []string{"Host", "169.254.169.254"}, 421},
		{"GET", "/api/sql?q=SELECT+1", []string{"Origin", "https://evil.example"}, 403},
		{"GET", "/api/sql?q=SELECT+1", []string{"Origin", "null"}, 403},
		{"GET", "/api/sql?q=SELECT+1", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"GET", "/api/sql?q=SELECT+1", []string{"Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, 403},
		{"GET", "/", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, 200},
		{"GET", "/", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"}, 403},
		{"POST", "/api/sql?q=SELECT+1", nil, 405},
		{"GET", "/../../etc/passwd", nil, 404},
		{"GET", "/api/feature?sae=none&feature=1", nil, 404},
		{"GET", "/api/features?sort=w_dec", nil, 400},
		{"GET", "/api/features?min_skewness=a", nil, 400},
	} {
		if status, body := request(t, c.method, address+c.path, c.headers...); status != c.want {
			t.Errorf("%s %s %v: expected %d, found %d %s", c.method, c.path, c.headers, c.want, status, body[:min(len(body), 200)])
		}
	}
	answer, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if policy := answer.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
		t.Errorf("the content security policy is %q", policy)
	}
}

func TestExplorerConfinesQueries(t *testing.T) {
	t.Parallel()
	address := exploreDatabase(t, example, "--query-time", "4s")
	inside, err := os.MkdirTemp("", "outside")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(inside)
	model, err := filepath.Abs(exampleModel)
	if err != nil {
		t.Fatal(err)
	}
	sae, err := filepath.Abs(filepath.Join(exampleSAEs, "blocks.29.hook_resid_pre"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ sql, want string }{
		{"SELECT * FROM read_text('/etc/passwd')", "read_text() cannot be used here"},
		{"SELECT * FROM '/etc/passwd.csv'", "Permission Error"},
		{"SELECT * FROM glob('/etc/*')", "glob() cannot be used here"},
		{"SELECT * FROM read_csv('https://example.org/x.csv')", "read_csv() cannot be used here"},
		{"FROM sae_info('" + sae + "')", "sae_info() cannot be used here"},
		{"FROM read_sae('" + sae + "')", "read_sae() cannot be used here"},
		{"FROM read_vocab('" + model + "')", "read_vocab() cannot be used here"},
		{"FROM read_unembedding('" + model + "')", "read_unembedding() cannot be used here"},
		{"COPY (SELECT 1) TO '" + inside + "/x.csv'", "only SELECT"},
		{"ATTACH '" + inside + "/x.db'", "only SELECT"},
		{"INSTALL httpfs", "only SELECT"},
		{"LOAD httpfs", "only SELECT"},
		{"SET enable_external_access = true", "only SELECT"},
		{"PRAGMA enable_profiling", "only SELECT"},
		{"CREATE TEMP TABLE t AS SELECT 1", "only SELECT"},
		{"DELETE FROM stored_saes", "only SELECT"},
		{"SELECT 1; SELECT 2", "expected one statement, found 2"},
		{"SELECT 1) ; COPY (SELECT 1) TO '" + inside + "/x.csv' --", "syntax error"},
		{"SELECT 1) TO '" + inside + "/x.parquet' (FORMAT parquet); --", "syntax error"},
		{"EXPLAIN SELECT 1", "only SELECT"},
		{"COPY (PIVOT features ON layer USING count(*)) TO '" + inside + "/x.csv'", "only SELECT"},
		{"CREATE TEMP TABLE t AS PIVOT features ON layer USING count(*)", "only SELECT"},
		{"WITH p AS (PIVOT features ON layer USING count(*)) DELETE FROM user_token_sets", "only SELECT"},
		{"PIVOT features ON layer USING count(*); COPY (SELECT 1) TO '" + inside + "/x.csv'", "only SELECT"},
		{"COPY (SELECT 1) TO '" + inside + "/x.csv'; PIVOT features ON layer USING count(*)", "only SELECT"},
		{"PIVOT features ON layer USING count(*)); COPY (SELECT 1) TO '" + inside + "/x.csv' --", "syntax error"},
		{"PIVOT features ON layer USING count(*)); COPY (SELECT 1", "syntax error"},
		{"PIVOT features ON layer USING count(*) /*", "unterminated"},
		{"", "there is no query"},
		{"SELECT * FROM query('COPY (SELECT 1) TO ''" + inside + "/x.csv''')", "query() cannot be used here"},
		{"SELECT sum(a.range * b.range) FROM range(100000000) a, range(100000000) b", "took longer than"},
		{"SELECT len(range(300000000))", "Out of Memory"},
		{"SELECT repeat('x', 20000000)", "larger than"},
		{"SELECT weighted_enrichment(w_dec, model, ['all_digits'], 1, 1000000) FROM decoder_directions", "took longer than"},
	} {
		for _, kind := range []string{"sql", "sql.parquet"} {
			if kind == "sql.parquet" && strings.Contains(c.want, "er than") {
				continue
			}
			status, body := request(t, "GET", query(address, kind, c.sql))
			if status < 400 || !strings.Contains(body, c.want) {
				t.Errorf("%s %s: expected %q, found %d %s", kind, c.sql, c.want, status, body[:min(len(body), 300)])
			}
		}
	}
	// Whatever function reads a path refuses to, those of later versions too.
	rows, err := openExample(t).Query(`SELECT name FROM functions WHERE contains(signature, '(path')`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	readers := 0
	for ; rows.Next(); readers++ {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		if status, body := request(t, "GET", query(address, "sql", "FROM "+name+"('"+model+"')")); status != 400 || !strings.Contains(body, name+"() cannot be used here") {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	if readers < 4 {
		t.Errorf("only %d functions that read files are tried", readers)
	}
	if left, err := os.ReadDir(inside); err != nil || len(left) != 0 {
		t.Errorf("something was written: %v, %v", left, err)
	}
	if status, body := request(t, "GET", query(address, "sql", "SELECT count(*) AS n FROM features -- all")); status != 200 || !strings.Contains(body, `[["9216"]]`) {
		t.Errorf("after all that the explorer says %d %s", status, body)
	}
	if status, body := request(t, "GET", query(address, "sql.csv", "SELECT feature FROM layer_29 ORDER BY feature LIMIT 2")); status != 200 || body != "feature\n0\n1\n" {
		t.Errorf("CSV: %d %q", status, body)
	}
	if status, body := request(t, "GET", query(address, "sql.parquet", "SELECT 1 AS x")); status != 200 || !strings.HasPrefix(body, "PAR1") {
		t.Errorf("Parquet: %d %.20q", status, body)
	}
}

// TestExplorerPivots: what DuckDB makes several statements of can be asked as well, and
// leaves nothing behind.
func TestExplorerPivots(t *testing.T) {
	address := explore(t)
	const pivot = "PIVOT (SELECT layer, feature % 2 AS odd FROM features) ON layer USING count(*) GROUP BY odd ORDER BY odd"
	for _, c := range []struct{ kind, sql, want string }{
		{"sql", pivot, `[["0","768","768","768","768","768","768"],["1","768","768","768","768","768","768"]]`},
		{"sql", "WITH p AS (" + pivot + ") SELECT sum(\"29\") FROM p -- all;", `[["1536"]]`},
		{"sql", "FROM (" + pivot + ") JOIN (" + pivot + ") USING (odd) ORDER BY odd;", `["1","768"`},
		{"sql", "PIVOT features ON layer IN (4, 9) USING count(*) GROUP BY model", `[["smollm2-135m","1536","1536"]]`},
		{"sql", "UNPIVOT (SELECT mean, std FROM layer_29 LIMIT 1) ON mean, std", `["std","`},
		{"sql", "SUMMARIZE SELECT feature FROM layer_29", `[["feature","INTEGER","0","1535"`},
		{"sql", "DESCRIBE features", `["skewness","DOUBLE"`},
		{"sql", "SHOW TABLES", `["enrichment"]`},
		{"sql.csv", pivot, "odd,14,19,24,29,4,9\n0,768,768,768,768,768,768\n1,"},
		{"sql.parquet", pivot, "PAR1"},
		{"sql.parquet", "SUMMARIZE layer_29", "PAR1"},
		{"sql", "SELECT count(*) FROM duckdb_types() WHERE type_name LIKE '%pivot%'", `[["0"]]`},
	} {
		if status, body := request(t, "GET", query(address, c.kind, c.sql)); status != 200 || !strings.Contains(body, c.want) {
			t.Errorf("%s %s: %d %s", c.kind, c.sql, status, body[:min(len(body), 400)])
		}
	}
	figure := address + "/api/figure?" + url.Values{"name": {"skewness"}, "q": {"WITH p AS (PIVOT features ON layer USING any_value(skewness) GROUP BY feature) SELECT \"29\" AS skewness FROM p"}}.Encode()
	if status, body := request(t, "GET", figure); status != 200 || !strings.Contains(body, "Skewness of 1,536 features") {
		t.Errorf("a figure of a pivot: %d %s", status, body[:min(len(body), 400)])
	}
}

func TestExplorerInABrowser(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	address := explore(t)
	b.run(t, chromedp.Navigate(address+"/"))
	b.until(t, `document.querySelectorAll("main tbody tr").length === 50`)
	b.picture(t, "explorer-features")
	first := func() string {
		return eval[string](t, b, `document.querySelector("main tbody td a").textContent`)
	}
	if first() != "1328" {
		t.Errorf("the most skewed feature is %s, expected 1328", first())
	}
	// Sort by the feature's number, twice: descending, then ascending.
	b.run(t, chromedp.Click(chromedp.CSS("th:first-child button")))
	b.until(t, `document.querySelector("main tbody td a")?.textContent === "1535"`)
	b.run(t, chromedp.Click(chromedp.CSS("th:first-child button")))
	b.until(t, `document.querySelector("main tbody td a")?.textContent === "0" && document.querySelector("th[aria-sort=ascending]") !== null`)
	// Find by token with the keyboard alone.
	b.run(t, chromedp.Evaluate[chromedp.Void](`document.activeElement.blur()`), chromedp.KeyEvent("/"))
	if focused := eval[string](t, b, `document.activeElement.id`); focused != "search" {
		t.Errorf("/ moves the focus to %q", focused)
	}
	// A key sent by DevTools is typed even where the page minds it.
	b.run(t, chromedp.Evaluate[chromedp.Void](`document.activeElement.value = ""`), chromedp.KeyEvent("?),"), chromedp.KeyEvent(kb.Enter))
	b.until(t, `document.querySelector("[aria-label=Tokens] tbody td a")?.textContent === "?),"`)
	b.picture(t, "explorer-search")
	b.run(t, chromedp.Click(chromedp.CSS("[aria-label=Tokens] tbody td a")))
	b.until(t, `[...document.querySelectorAll("main tbody td a")].some((a) => a.textContent === "1404") && location.hash.startsWith("#/token?")`)
	// Open a feature.
	b.run(t, chromedp.Navigate(address+"/#/feature?sae=smollm2-demo/blocks.29.hook_resid_pre&feature=63"))
	b.until(t, `document.querySelector("h1")?.textContent.startsWith("Feature 63") && document.querySelectorAll(".chart").length === 1`)
	b.until(t, `document.querySelectorAll("[aria-label='Nearest decoder directions'] li").length === 10 && document.body.textContent.includes("Of all 6 SAEs of the model.")`)
	if text := eval[string](t, b, `document.querySelector("[aria-label='What it writes']").innerText`); !strings.Contains(text, "␣three") {
		t.Errorf("feature 63 promotes %q", text)
	}
	b.run(t, chromedp.Click(chromedp.CSS("[aria-label='Enrichment, output'] tbody tr button")))
	b.until(t, `document.querySelectorAll(".chart").length === 2`)
	b.picture(t, "explorer-feature")
	// A token set, and a layer, in which a click on a point opens its feature.
	b.run(t, chromedp.Navigate(address+"/#/set?set=all_digits"))
	b.until(t, `document.querySelectorAll("main > div > .tokenlist a.token").length === 10 && document.querySelectorAll(".chart").length === 5`)
	b.run(t, chromedp.Navigate(address+"/#/layer?sae=smollm2-demo/blocks.29.hook_resid_pre"))
	b.until(t, `document.querySelectorAll(".chart").length === 4`)
	b.picture(t, "explorer-layer")
	at := eval[[]float64](t, b, pixel)
	b.run(t, chromedp.MouseEvent("mouseMoved", at[0], at[1]), chromedp.Sleep(100*time.Millisecond), chromedp.MouseClickXY(at[0], at[1]))
	b.until(t, `location.hash.startsWith("#/feature?")`)
	// SQL, completed and run with the keyboard, drawn, and shared by its address.
	b.run(t, chromedp.Navigate(address+"/#/sql"))
	b.until(t, `document.getElementById("query") !== null`)
	b.run(t, chromedp.Evaluate[chromedp.Void](`document.getElementById("query").value = ""`), chromedp.Focus(chromedp.CSS("#query")), chromedp.KeyEvent("SELECT skewness, kurt"))
	b.until(t, `document.querySelector(".proposals [aria-selected=true]")?.textContent.startsWith("kurtosis")`)
	b.run(t, chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(", '<b>x</b>' AS x FROM layer_29"), chromedp.Click(chromedp.CSS("#run")))
	b.until(t, `document.querySelectorAll("[aria-label=Result] tbody tr").length === 1000 && document.querySelector("[aria-label=Result] td:nth-child(3)").textContent === "<b>x</b>"`)
	b.run(t, chromedp.Evaluate[chromedp.Void](`(() => { const s = document.querySelector("[aria-label='draw as']"); s.value = "skew-kurtosis"; s.onchange(); })()`))
	b.until(t, `document.querySelectorAll(".chart").length === 1`)
	b.picture(t, "explorer-sql")
	shared := eval[string](t, b, `location.href`)
	b.run(t, chromedp.Navigate("about:blank"), chromedp.Navigate(shared))
	b.until(t, `document.querySelectorAll("[aria-label=Result] tbody tr").length === 1000`)
	b.nameless(t)
}

// nameless reports controls that a screen reader has no name for.
func (b *browser) nameless(t *testing.T) {
	t.Helper()
	found := eval[[]string](t, b, `[...document.querySelectorAll("a, button, input, select, textarea, [role=region], [role=img]")]
		.filter((e) => !(e.getAttribute("aria-label") || e.textContent.trim() || (e.labels && [...e.labels].some((l) => l.textContent.trim())))).map((e) => e.outerHTML)`)
	if len(found) > 0 {
		t.Errorf("without an accessible name: %q", found)
	}
}

// picture writes what the page looks like, when pictures are asked for.
func (b *browser) picture(t *testing.T, name string) {
	t.Helper()
	if *pictures == "" {
		return
	}
	b.run(t, chromedp.Sleep(300*time.Millisecond))
	content, err := chromedp.Run(b, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*pictures, name+".png"), content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestExplorerExplanations: the page of a feature has what is loaded of Neuronpedia's
// explanations of it.
func TestExplorerExplanations(t *testing.T) {
	dir := t.TempDir()
	db := filepath.Join(dir, "explained.db")
	copyFile(t, example, db)
	mustRun(t, "--db", db, "load", "sae", filepath.Join(exampleSAEs, "blocks.29.hook_resid_pre"), "--release", "smollm2-demo", "--neuronpedia-id", "smollm2/29-res")
	mustRun(t, "--db", db, "load", "explanations", write(t, dir, "batch-0.jsonl", []byte(explanation("29-res", "63", "number <b>words", "gpt-4o"))))
	address := exploreDatabase(t, db)
	_, body := request(t, "GET", address+"/api/feature?sae=smollm2-demo/blocks.29.hook_resid_pre&feature=63")
	var page struct {
		Explanations []struct{ Description, Explainer string }
	}
	if err := json.Unmarshal([]byte(body), &page); err != nil {
		t.Fatal(err)
	}
	if len(page.Explanations) != 1 || page.Explanations[0].Description != "number <b>words" || page.Explanations[0].Explainer != "gpt-4o" {
		t.Errorf("explanations %+v", page.Explanations)
	}
}
