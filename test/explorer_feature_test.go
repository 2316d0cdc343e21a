package test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	schema "github.com/saedb/saedb/sql"
)

const layer4, layer9, layer29 = "smollm2-demo/blocks.4.hook_resid_pre", "smollm2-demo/blocks.9.hook_resid_pre", "smollm2-demo/blocks.29.hook_resid_pre"

// withEverything makes a copy of the example with the input side of a layer, and its links to the next.
func withEverything(t *testing.T) string {
	t.Helper()
	db := withInputSide(t)
	mustRun(t, "--db", db, "load", "sae", exampleSAEs+"/blocks.9.hook_resid_pre", "--release", "smollm2-demo", "--encoder")
	mustRun(t, "--db", db, "compute", "--side", "input", "--baseline", "0", "--sae", "layer_4")
	mustRun(t, "--db", db, "compute", "--links", "--from", "layer_4", "--to", "layer_9")
	return db
}

// TestExplorerOfEverything: what pages say of a feature, a set and a token is what the views and
// functions say, and a browser shows it.
func TestExplorerOfEverything(t *testing.T) {
	t.Parallel()
	path := withEverything(t)
	address := exploreDatabase(t, path)
	t.Run("feature", func(t *testing.T) { sameFeature(t, address, path) })
	t.Run("set", func(t *testing.T) { sameFeaturesOfSet(t, address, path) })
	t.Run("evidence", func(t *testing.T) { sameEvidence(t, address, path) })
	t.Run("token", func(t *testing.T) { sameToken(t, address, path) })
	t.Run("browser", func(t *testing.T) {
		b := openBrowser(t)
		featureInABrowser(t, b, address)
		setInABrowser(t, b, address)
		tokenInABrowser(t, b, address)
	})
}

// An endToken is one of a feature's ends.
type endToken struct {
	Direction, Text string
	Rank            int
	ID              int `json:"token_id"`
	Weight          float64
	Member          bool
}

// asSQL compares rows of an answer with those of a query, a list of texts.
func asSQL(t *testing.T, path, what string, got []string, query string, args ...any) {
	t.Helper()
	want, err := schema.Collect[string](t.Context(), openReadOnly(t, path), query, args...)
	if err != nil || !slices.Equal(got, want) || len(got) == 0 {
		t.Errorf("%s:\n%q\nSQL says, %v:\n%q", what, got, err, want)
	}
}

func linesOf[T any](rows []T, text func(T) string) (all []string) {
	for _, r := range rows {
		all = append(all, text(r))
	}
	return all
}

func sameFeature(t *testing.T, address, path string) {
	of := "?sae=" + layer4 + "&feature=63"
	page := ask[struct {
		Tokens []endToken
		Inputs []endToken `json:"input_tokens"`
	}](t, address, "feature"+of)
	plain := func(k endToken) string { return fmt.Sprintf("%s %d %d %.6f", k.Direction, k.Rank, k.ID, k.Weight) }
	for view, found := range map[string][]endToken{"feature_tokens": page.Tokens, "feature_input_tokens": page.Inputs} {
		weight := map[bool]string{true: "logit_weight", false: "input_weight"}[view == "feature_tokens"]
		asSQL(t, path, view, linesOf(found, plain), `SELECT format('{} {} {} {:.6f}', direction, rank, token_id, `+weight+`) FROM `+view+` WHERE sae = ? AND feature = 63 ORDER BY direction, rank`, layer4)
	}
	ends := ask[[]endToken](t, address, "ends"+of+"&set=all_digits")
	asSQL(t, path, "ends", linesOf(ends, func(k endToken) string { return plain(k) + fmt.Sprint(" ", k.Member) }), `WITH ends AS (
			SELECT 'promoted' AS direction, top_tokens(w_dec, model, 50) AS tokens FROM decoder_directions WHERE sae = $1 AND feature = 63
			UNION ALL SELECT 'suppressed', bottom_tokens(w_dec, model, 50) FROM decoder_directions WHERE sae = $1 AND feature = 63)
		SELECT format('{} {} {} {:.6f} {}', direction, rank, k.token_id, k.logit_weight, list_contains((SELECT tokens FROM token_sets WHERE token_set = 'all_digits'), k.token_id))
		FROM (SELECT direction, unnest(tokens) AS k, unnest(range(1, 51)) AS rank FROM ends) ORDER BY direction, rank`, layer4)
	for side, view := range map[string]string{"output": "enrichment", "input": "input_enrichment"} {
		type score struct {
			Set       string `json:"token_set"`
			Direction string
			Effect    float32
		}
		rows := ask[[]score](t, address, "enrichment"+of+"&side="+side)
		asSQL(t, path, view, linesOf(rows, func(r score) string { return fmt.Sprintf("%s %s %.6f", r.Set, r.Direction, r.Effect) }),
			`SELECT format('{} {} {:.6f}', token_set, direction, CAST(effect AS DOUBLE)) FROM `+view+` WHERE sae = ? AND feature = 63 AND direction IS NOT NULL
			ORDER BY coalesce(q_value < 0.05, false) DESC, abs(effect) DESC, q_value, token_set`, layer4)
	}
	type link struct {
		SAE, Direction string
		Feature, Rank  int
		Weight         float64
	}
	plainLink := func(l link) string {
		return fmt.Sprintf("%s %d %s %d %.6f", l.SAE, l.Feature, l.Direction, l.Rank, l.Weight)
	}
	for sae, way := range map[string][2]string{layer4: {"source", "target"}, layer9: {"target", "source"}} {
		found := ask[struct {
			To   []link `json:"writes_to"`
			From []link `json:"reads_from"`
		}](t, address, "links?sae="+sae+"&feature=63")
		if (len(found.To) > 0) == (len(found.From) > 0) {
			t.Errorf("%s: %d links to others, %d from them", sae, len(found.To), len(found.From))
		}
		asSQL(t, path, "links of "+sae, linesOf(append(found.To, found.From...), plainLink), fmt.Sprintf(`SELECT format('{} {} {} {} {:.6f}', %[2]s_sae, %[2]s_feature, direction, rank, weight)
			FROM feature_links WHERE %[1]s_sae = ? AND %[1]s_feature = 63 AND ranked_for = '%[1]s' AND rank <= 5 ORDER BY direction, rank`, way[0], way[1]), sae)
	}
	for path, want := range map[string]int{"enrichment" + of + "&side=both": 400, "ends" + of + "&set=none": 404, "links?sae=none&feature=1": 404, "feature?sae=" + layer4 + "&feature=1536": 404} {
		if status, body := request(t, "GET", address+"/api/"+path); status != want {
			t.Errorf("%s: %d %s, expected %d", path, status, body, want)
		}
	}
}

// sameFeaturesOfSet: a set's page has the features that strongest_features has, in its order, the second time as the first.
func sameFeaturesOfSet(t *testing.T, address, path string) {
	type feature struct {
		SAE, Direction string
		Feature        int
		Effect, ES     float32
		Beyond         bool `json:"beyond_chance"`
	}
	for _, set := range []string{"all_digits", "girl_names", "all_digits"} {
		page := ask[struct {
			Set      map[string]any
			Features []feature
		}](t, address, "set?"+url.Values{"set": {set}}.Encode())
		if _, there := page.Set["set_id"]; there || len(page.Features) != 50 {
			t.Errorf("%s: %d features, of %v", set, len(page.Features), page.Set)
		}
		asSQL(t, path, set, linesOf(page.Features, func(f feature) string {
			return fmt.Sprintf("%s %s %d %.6f %.6f %t", f.Direction, f.SAE, f.Feature, f.Effect, f.ES, f.Beyond)
		}), `SELECT format('{} {} {} {:.6f} {:.6f} {}', direction, sae, feature, CAST(effect AS DOUBLE), CAST(es AS DOUBLE), beyond_chance) FROM strongest_features(?, k := 25)`, set)
	}
}

// sameEvidence: the tokens that stand beside a feature of a set's page are the first of the set's
// leading edge, whether they were stored or the vocabulary was ranked for them.
func sameEvidence(t *testing.T, address, path string) {
	for set, direction := range map[string]string{"all_digits": "promoted", "girl_names": "suppressed"} {
		found := ask[[]struct {
			SAE     string
			Feature int
			Members []struct {
				ID     int `json:"token_id"`
				Rank   int
				Weight float64 `json:"logit_weight"`
			}
		}](t, address, "evidence?"+url.Values{"set": {set}, "direction": {direction}}.Encode())
		if len(found) != 25 {
			t.Errorf("%s, %s: evidence for %d features", set, direction, len(found))
		}
		for _, f := range found[:3] {
			var got []string
			for _, m := range f.Members {
				got = append(got, fmt.Sprintf("%d %d %.6f", m.ID, m.Rank, m.Weight))
			}
			asSQL(t, path, fmt.Sprintf("%s, %s by feature %d", set, direction, f.Feature), got, `SELECT format('{} {} {:.6f}', k.token_id, k.rank, k.logit_weight)
				FROM (SELECT unnest(leading_edge(w_dec, model, ?)[:6]) AS k, unnest(range(1, 7)) AS place FROM decoder_directions WHERE sae = ? AND feature = ?) WHERE k IS NOT NULL ORDER BY place`, set, f.SAE, f.Feature)
		}
	}
	if status, body := request(t, "GET", address+"/api/evidence?set=all_digits&direction=up"); status != 400 {
		t.Errorf("a direction that there is not: %d %s", status, body)
	}
}

// sameToken: how many features of each SAE have a token at an end, and its best rank.
func sameToken(t *testing.T, address, path string) {
	type count struct {
		Parameter, SAE string
		ID             int `json:"token_id"`
		Features, Best int
	}
	page := ask[struct {
		Token struct {
			Text, Token string
			ID          int `json:"token_id"`
		}
		Sets []struct {
			Name string `json:"token_set"`
		}
		Spellings []endToken
		Counts    []count
	}](t, address, "token?id=25")
	if page.Token.Text != ")" || len(page.Sets) != 2 || len(page.Spellings) != 2 || page.Spellings[0].Text != ")" || page.Spellings[1].Text != " )" {
		t.Errorf("the token ) is %+v of sets %v, spelt %v", page.Token, page.Sets, page.Spellings)
	}
	asSQL(t, path, "counts of )", linesOf(page.Counts, func(c count) string {
		return fmt.Sprintf("%s %s %d: %d, %d", c.Parameter, c.SAE, c.ID, c.Features, c.Best)
	}), `SELECT format('{} {} {}: {}, {}', parameter, sae, token_id, count(*), min(rank)) FROM (
			SELECT CASE direction WHEN 'promoted' THEN 'promotes' ELSE 'suppresses' END AS parameter, sae, token_id, rank FROM feature_tokens
			UNION ALL SELECT 'excited_by', sae, token_id, rank FROM feature_input_tokens WHERE direction = 'excites')
		JOIN saes USING (sae) WHERE token_id IN (SELECT token_id FROM tokens WHERE trim(text) = ')')
		GROUP BY parameter, sae, token_id, load_id ORDER BY parameter, load_id, token_id`)
	for path, want := range map[string]int{"token?id=49152": 404, "token": 400, "token?id=1&model=none": 404} {
		if status, body := request(t, "GET", address+"/api/"+path); status != want {
			t.Errorf("%s: %d %s, expected %d", path, status, body, want)
		}
	}
}

func featureInABrowser(t *testing.T, b *browser, address string) {
	page := func(sae, more string) string { return address + "/#/feature?sae=" + sae + "&feature=" + more }
	b.run(t, chromedp.Navigate(page(layer4, "63&set=all_digits")))
	b.until(t, `document.querySelectorAll("[aria-label='What it writes'] tbody tr").length === 50 && document.querySelectorAll(".member").length === 1`)
	b.until(t, `document.querySelectorAll("[aria-label='What excites it'] tbody tr").length === 10 && document.querySelectorAll("[aria-label='Writes to'] tbody tr").length === 10`)
	b.until(t, `document.querySelectorAll(".cards li").length === 10 && document.querySelectorAll(".chart").length === 2`)
	b.picture(t, "explorer-feature-of-everything")
	b.nameless(t)
	// All sets, sorted by the address, and by keyboard with the focus kept.
	sets := `[...document.querySelectorAll("[aria-label='Enrichment, output'] tbody td:first-child")].map((e) => e.textContent).join()`
	b.run(t, chromedp.Focus(chromedp.CSS("[aria-label='Enrichment, output'] [data-key='sort effect']")), chromedp.KeyEvent(kb.Enter))
	b.until(t, `location.hash.includes("sort=effect") && document.activeElement.dataset.key === "sort effect"`)
	order := eval[[]float64](t, b, `[...document.querySelectorAll("[aria-label='Enrichment, output'] tbody tr")].map((r) => Number(r.children[4].textContent))`)
	for i := 1; i < len(order); i++ {
		if order[i] > order[i-1] {
			t.Errorf("sorted by effect: %v", order)
		}
	}
	if len(order) != 16 {
		t.Errorf("%d sets of the feature, expected all 16", len(order))
	}
	before := eval[string](t, b, sets)
	shared := eval[string](t, b, `location.href`)
	b.run(t, chromedp.Navigate("about:blank"), chromedp.Navigate(shared))
	b.until(t, `document.querySelector("[aria-label='Enrichment, output'] th[aria-sort=descending]") !== null`)
	if again := eval[string](t, b, sets); again != before {
		t.Errorf("loaded again the sets are %s, before %s", again, before)
	}
	// The last feature has no next, and the first none before it.
	links := `[...document.querySelectorAll("[aria-label='Other features'] a")].map((a) => a.textContent).join()`
	for feature, want := range map[string][]string{"1535": {"← previous", "next →", "the last of 1,536"}, "0": {"next →", "← previous", "the first"}} {
		b.run(t, chromedp.Navigate(page(layer29, feature)))
		b.until(t, `document.querySelector("h1")?.textContent.startsWith("Feature `+feature+`smollm2") && document.body.textContent.includes("like this: ")`)
		found := eval[string](t, b, links)
		ends := eval[string](t, b, `document.querySelector("[aria-label='Other features'] .end").textContent`)
		if !strings.Contains(found, want[0]) || strings.Contains(found, want[1]) || ends != want[2] {
			t.Errorf("feature %s has links %s, and %q", feature, found, ends)
		}
		near := ask[[]featureRow](t, address, "similar?sae="+layer29+"&feature="+feature)
		if next := fmt.Sprintf("like this: %d →", near[0].Feature); !strings.Contains(found, next) {
			t.Errorf("feature %s has links %s, expected %s", feature, found, next)
		}
	}
}

func setInABrowser(t *testing.T, b *browser, address string) {
	b.run(t, chromedp.Navigate(address+"/#/set?set=all_digits&direction=suppressed"))
	b.until(t, `document.querySelector("[role=tab][aria-selected=true]")?.id === "tab-suppressed" && document.querySelectorAll("[role=tabpanel]:not([hidden]) tbody tr").length === 25`)
	b.until(t, `[...document.querySelectorAll("[role=tabpanel]:not([hidden]) td.tokens")].every((e) => e.querySelectorAll("a.token").length === 6)`)
	if href := eval[string](t, b, `document.querySelector("[role=tabpanel]:not([hidden]) a.token").getAttribute("href")`); !strings.Contains(href, "end=suppresses") {
		t.Errorf("a token that is suppressed leads to %s", href)
	}
	b.picture(t, "explorer-set")
	b.run(t, chromedp.Focus(chromedp.CSS("#tab-suppressed")), chromedp.KeyEvent(kb.ArrowLeft))
	b.until(t, `document.activeElement.id === "tab-promoted" && location.hash.includes("direction=promoted") && document.getElementById("panel-suppressed").hidden && !document.getElementById("panel-promoted").hidden`)
	b.until(t, `document.querySelectorAll("#panel-promoted .chart").length === 5`)
	b.nameless(t)
	// What it comes to by SAE, and where all sets stand, sorted by that from the keyboard.
	const bySAE = `[...document.querySelectorAll("[aria-label='Features beyond chance by SAE'] tbody tr:last-child td")].map((e) => e.textContent).join()`
	if row := eval[string](t, b, bySAE); row != "29,smollm2-demo/blocks.29.hook_resid_pre,7,41,1,0,1239,-0.9997" {
		t.Errorf("the last SAE has %s", row)
	}
	b.run(t, chromedp.Navigate(address+"/#/sets?family=regex"))
	b.until(t, `document.querySelector("[data-key='sort promoted_by']") !== null`)
	b.run(t, chromedp.Focus(chromedp.CSS("[data-key='sort promoted_by']")), chromedp.KeyEvent(kb.Enter))
	b.until(t, `location.hash.includes("sort=promoted_by") && document.activeElement.dataset.key === "sort promoted_by" && document.querySelector("[aria-sort=descending]").textContent === "promoted by"`)
	most := eval[[]int](t, b, `[...document.querySelectorAll("[aria-label='Token sets'] tbody td:nth-child(4)")].map((e) => Number(e.textContent))`)
	if len(most) != 14 || most[0] == 0 || !slices.IsSortedFunc(most, func(a, b int) int { return b - a }) {
		t.Errorf("sets sorted by how many features promote them: %v", most)
	}
	b.picture(t, "explorer-sets")
	b.nameless(t)
}

// tokenInABrowser: a token that a feature suppresses leads to the features that suppress it.
func tokenInABrowser(t *testing.T, b *browser, address string) {
	b.run(t, chromedp.Navigate(address+"/#/token?id=25&end=suppresses"))
	b.until(t, `document.querySelector("[role=tab][aria-selected=true]")?.textContent === "25 features suppress it" && document.querySelectorAll("[aria-label=Features] tbody tr").length === 25`)
	b.picture(t, "explorer-token")
	b.run(t, chromedp.Click(chromedp.CSS("#tab-promotes")))
	b.until(t, `location.hash.includes("end=promotes") && document.querySelectorAll("#panel-promotes [aria-label=Features] tbody tr").length === 32`)
	if heat := eval[string](t, b, `[...document.querySelectorAll("#panel-promotes .heat tbody tr:first-child td")].map((e) => e.textContent).join()`); heat != "3 #1,4 #2,8 #1,5 #1,4 #1,8 #1" {
		t.Errorf("features that promote ) by layer: %s", heat)
	}
	b.nameless(t)
	b.run(t, chromedp.Click(chromedp.CSS("#panel-promotes .heat td a")))
	b.until(t, `location.hash.startsWith("#/features?promotes=25") && document.querySelector("[role=status]")?.textContent === "1 to 3 of 3 features"`)
}
