package test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A featureRow is one of the explorer's answers.
type featureRow struct {
	Release, SAE  string
	Layer         *int
	Feature       int
	Skewness      *float64
	LogSparsity   *float64 `json:"log_sparsity"`
	TopTokens     []string `json:"top_tokens"`
	BottomTokens  []string `json:"bottom_tokens"`
	NeuronpediaID *string  `json:"neuronpedia_url"`
	Cosine        float64
	ES            float64
	Direction     string
}

func ask[T any](t *testing.T, address, path string) (answer T) {
	t.Helper()
	status, body := request(t, "GET", address+"/api/"+path)
	if err := json.Unmarshal([]byte(body), &answer); status != 200 || err != nil {
		t.Fatalf("%s: %d %v %s", path, status, err, body[:min(len(body), 400)])
	}
	return answer
}

// TestExplorerRowsAreThoseOfTheView: the pages read tables by ways of their own; what
// they show is what the views say.
func TestExplorerRowsAreThoseOfTheView(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "partly.db")
	copyFile(t, example, path)
	// An SAE without statistics, and one of another release.
	mustRun(t, "--db", path, "load", "sae", filepath.Join(exampleSAEs, "blocks.9.hook_resid_pre"), "--release", "again", "--copy", "--neuronpedia-id", "smollm2/9-res")
	for _, database := range []string{example, path} {
		address, db := exploreDatabase(t, database), openReadOnly(t, database)
		for _, c := range []struct{ parameters, where, order string }{
			{"", "true", "skewness DESC"},
			{"sort=kurtosis&order=asc&offset=9190", "true", "kurtosis ASC"},
			{"sort=cos_std&offset=9210", "true", "cos_std DESC"},
			{"sort=layer&order=asc&offset=1500&limit=100", "true", "layer ASC"},
			{"sort=feature&offset=20", "true", "feature DESC"},
			{"sort=log_sparsity&order=asc", "true", "log_sparsity ASC"},
			{"layer=9&sort=skewness", "layer = 9", "skewness DESC"},
			{"sae=smollm2-demo/blocks.24.hook_resid_pre&min_kurtosis=4", "release = 'smollm2-demo' AND layer = 24 AND kurtosis >= 4", "skewness DESC"},
			{"min_layer=10&max_layer=20&max_log_sparsity=-2&sort=std", "layer BETWEEN 10 AND 20 AND log_sparsity <= -2", "std DESC"},
			{"token=Three&sort=kurtosis", "list_bool_or([contains(lower(x), 'three') for x in top_tokens])", "kurtosis DESC"},
			{"token=e&min_skewness=0.3&sort=log_sparsity", "list_bool_or([contains(lower(x), 'e') for x in top_tokens]) AND skewness >= 0.3", "log_sparsity DESC"},
			{"token=no-such-token", "false", "skewness DESC"},
			{"promotes=25&sort=skewness", atEnd("promoted", 25), "skewness DESC"},
			{"suppresses=25&model=smollm2-135m&sort=log_sparsity", atEnd("suppressed", 25), "log_sparsity DESC"},
			{"promotes=25&suppresses=198&sort=feature&min_kurtosis=3.5", atEnd("promoted", 25) + " AND " + atEnd("suppressed", 198) + " AND kurtosis >= 3.5", "feature DESC"},
			{"promotes=25&token=%3F)&layer=29&sort=std", "layer = 29 AND " + atEnd("promoted", 25) + " AND list_bool_or([contains(x, '?)') for x in top_tokens])", "std DESC"},
			{"excited_by=25", "false", "skewness DESC"},
			{"label=CAPITAL&min_kurtosis=3.5", "contains(lower(label), 'capital') AND kurtosis >= 3.5", "skewness DESC"},
			{"set=all_digits&direction=promoted", "(sae, feature) IN (SELECT (sae, feature) FROM enrichment WHERE token_set = 'all_digits' AND direction = 'promoted' AND q_value < 0.05)", "skewness DESC"},
			{"set=is_punctuation&layer=29&sort=std", "layer = 29 AND (sae, feature) IN (SELECT (sae, feature) FROM enrichment WHERE token_set = 'is_punctuation' AND q_value < 0.05)", "std DESC"},
		} {
			page := ask[struct {
				Total int
				Rows  []featureRow
			}](t, address, "features?"+c.parameters)
			var total int
			if err := db.QueryRow("SELECT count(*) FROM features WHERE " + c.where).Scan(&total); err != nil || total != page.Total {
				t.Errorf("%s: %d features, SQL says %d, %v", c.parameters, page.Total, total, err)
			}
			key, _, _ := strings.Cut(c.order, " ")
			parameters, err := url.ParseQuery(c.parameters)
			if err != nil {
				t.Fatal(err)
			}
			offset, _ := strconv.Atoi(parameters.Get("offset"))
			for i, r := range page.Rows {
				// Ties may come in any order: the value at the place is compared, and the row as it is.
				var same bool
				err := db.QueryRow(`SELECT f.`+key+` IS NOT DISTINCT FROM (SELECT `+key+` FROM features WHERE `+c.where+` ORDER BY `+c.order+` NULLS LAST LIMIT 1 OFFSET ?)
						AND layer IS NOT DISTINCT FROM CAST(? AS INTEGER) AND skewness IS NOT DISTINCT FROM CAST(? AS DOUBLE) AND log_sparsity IS NOT DISTINCT FROM CAST(CAST(? AS DOUBLE) AS FLOAT)
						AND coalesce(top_tokens, []) = CAST(CAST(? AS JSON) AS VARCHAR[]) AND coalesce(bottom_tokens, []) = CAST(CAST(? AS JSON) AS VARCHAR[]) AND neuronpedia_url IS NOT DISTINCT FROM CAST(? AS VARCHAR)
					FROM features f WHERE release = ? AND sae = ? AND feature = ? AND `+c.where,
					offset+i, r.Layer, r.Skewness, r.LogSparsity, asJSON(t, r.TopTokens), asJSON(t, r.BottomTokens), r.NeuronpediaID, r.Release, r.SAE, r.Feature).Scan(&same)
				if err != nil || !same {
					t.Fatalf("%s, row %d: %+v is not what SQL says, %v", c.parameters, i, r, err)
				}
			}
			if want := min(max(total-offset, 0), 50); c.parameters != "" && len(page.Rows) < min(want, 1) || len(page.Rows) > 100 {
				t.Errorf("%s: %d rows of %d", c.parameters, len(page.Rows), total)
			}
		}
	}
}

// atEnd is the condition that a feature has a token among those stored of an end.
func atEnd(direction string, token int) string {
	return fmt.Sprintf("(sae, feature) IN (SELECT (sae, feature) FROM feature_tokens WHERE direction = '%s' AND token_id = %d)", direction, token)
}

// TestExplorerFindsATokenByItsID: a token's features are those that have that very token at an
// end, ranked as the view says, and not those whose tokens contain its text.
func TestExplorerFindsATokenByItsID(t *testing.T) {
	t.Parallel()
	address, db := explore(t), openExample(t)
	type page struct {
		Total       int
		Sort, Order string
		Tokens      []struct {
			Parameter, Model, Text string
			ID                     int `json:"token_id"`
		}
		Rows []struct {
			SAE           string
			Feature, Rank int
			Weight        float64
			Model         string
			TopIDs        []int    `json:"top_token_ids"`
			Top           []string `json:"top_tokens"`
		}
	}
	var parenthesis int
	if err := db.QueryRow(`SELECT token_id FROM tokens WHERE text = ')'`).Scan(&parenthesis); err != nil {
		t.Fatal(err)
	}
	for parameter, direction := range map[string]string{"promotes": "promoted", "suppresses": "suppressed"} {
		found := ask[page](t, address, fmt.Sprintf("features?%s=%d", parameter, parenthesis))
		if parameter == "promotes" && found.Total != 32 { // by hand: 922 contain it, in one of their ten tokens
			t.Errorf("%d features promote the token ), expected 32", found.Total)
		}
		if len(found.Tokens) != 1 || found.Tokens[0].Text != ")" || found.Tokens[0].Parameter != parameter || found.Sort != "rank" || found.Order != "asc" {
			t.Errorf("%s: %+v by %s %s", parameter, found.Tokens, found.Sort, found.Order)
		}
		var of int
		if err := db.QueryRow(`SELECT count(*) FROM feature_tokens WHERE token_id = ? AND direction = ?`, parenthesis, direction).Scan(&of); err != nil || of != found.Total || of != len(found.Rows) {
			t.Errorf("%s: %d features in %d rows, SQL says %d, %v", parameter, found.Total, len(found.Rows), of, err)
		}
		before := 0
		for _, r := range found.Rows {
			var rank int
			var weight float64
			err := db.QueryRow(`SELECT rank, logit_weight FROM feature_tokens WHERE sae = ? AND feature = ? AND token_id = ? AND direction = ?`, r.SAE, r.Feature, parenthesis, direction).Scan(&rank, &weight)
			if err != nil || rank != r.Rank || weight != r.Weight || rank < before {
				t.Errorf("%s: %+v, SQL says rank %d, weight %v, %v", parameter, r, rank, weight, err)
			}
			if before = rank; parameter == "promotes" && (r.TopIDs[rank-1] != parenthesis || r.Top[rank-1] != ")") {
				t.Errorf("feature %d has tokens %v %q", r.Feature, r.TopIDs, r.Top)
			}
		}
	}
	for path, want := range map[string]string{
		"features?promotes=49152":           "no token 49152 of model smollm2-135m, whose tokens are 0 to 49151",
		"features?promotes=x":               "promotes: expected a number",
		"features?promotes=1&model=other":   "there is smollm2-135m",
		"features?sort=rank":                `no column \"rank\"`,
		"features?suppresses=-1":            "expected a number",
		"features?promotes=1&sort=feature)": "no column",
	} {
		if status, body := request(t, "GET", address+"/api/"+path); status < 400 || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s, expected %q", path, status, body, want)
		}
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestExplorerNearestAndEnriched(t *testing.T) {
	address, db := explore(t), openExample(t)
	// Nearest: the best of each SAE together are the best of all. Both sum in float64, not in the
	// same order.
	var found []featureRow
	for _, layer := range []string{"4", "9", "14", "19", "24", "29"} {
		found = append(found, ask[[]featureRow](t, address, "similar?sae=smollm2-demo/blocks.29.hook_resid_pre&feature=63&of=smollm2-demo/blocks."+layer+".hook_resid_pre")...)
	}
	slices.SortStableFunc(found, func(a, b featureRow) int { return cmp.Compare(b.Cosine, a.Cosine) })
	rows, err := db.Query(`SELECT sae, feature, cosine FROM similar_features('blocks.29.hook_resid_pre', 63, k := 10) ORDER BY cosine DESC`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n := 0
	for ; rows.Next(); n++ {
		var sae string
		var feature int
		var cosine float64
		if err := rows.Scan(&sae, &feature, &cosine); err != nil {
			t.Fatal(err)
		}
		if f := found[n]; f.SAE != sae || f.Feature != feature || math.Abs(f.Cosine-cosine) > 1e-14 {
			t.Errorf("place %d: %s/%d at %v, SQL says %s/%d at %v", n, f.SAE, f.Feature, f.Cosine, sae, feature, cosine)
		}
	}
	if n != 10 {
		t.Errorf("%d nearest features", n)
	}
	// A set: its features are those beyond chance of the largest effect, each way.
	set := ask[struct {
		Set      struct{ Size int }
		Tokens   []endToken
		SAEs     []featureRow
		Features []featureRow
	}](t, address, "set?set=all_digits")
	for _, s := range set.SAEs {
		var feature int
		if err := db.QueryRow(`SELECT feature FROM enrichment WHERE token_set = 'all_digits' AND sae = ? AND direction = ? ORDER BY (q_value < 0.05) DESC, abs(effect) DESC, q_value, feature LIMIT 1`, s.SAE, s.Direction).Scan(&feature); err != nil || s.Feature != feature {
			t.Errorf("%s, %s: the strongest is feature %d, SQL says %d, %v", s.SAE, s.Direction, s.Feature, feature, err)
		}
	}
	if len(set.SAEs) != 12 {
		t.Errorf("%d rows of SAEs", len(set.SAEs))
	}
	if set.Set.Size != 10 || len(set.Tokens) != 10 || len(set.Features) != 50 {
		t.Errorf("the set has %d tokens, %v, and %d features", set.Set.Size, set.Tokens, len(set.Features))
	}
	for i, f := range set.Features {
		var same bool
		if err := db.QueryRow(`SELECT direction = ? AND es = CAST(? AS FLOAT) AND abs(effect) = (
				SELECT abs(effect) FROM enrichment WHERE token_set = 'all_digits' AND direction = ?
				ORDER BY (q_value < 0.05) DESC, abs(effect) DESC, q_value LIMIT 1 OFFSET ?)
			FROM enrichment WHERE token_set = 'all_digits' AND sae = ? AND feature = ?`, f.Direction, f.ES, f.Direction, i%25, f.SAE, f.Feature).Scan(&same); err != nil || !same {
			t.Errorf("place %d: %+v is not what SQL says, %v", i, f, err)
		}
	}
	most := ask[[]featureRow](t, address, "promoters?sae=smollm2-demo/blocks.29.hook_resid_pre&set=all_digits")
	for i, f := range most {
		var feature int
		if err := db.QueryRow(`SELECT feature FROM enrichment WHERE token_set = 'all_digits' AND sae = 'smollm2-demo/blocks.29.hook_resid_pre' AND direction = 'promoted' ORDER BY (q_value < 0.05) DESC, effect DESC, q_value, feature LIMIT 1 OFFSET ?`, i).Scan(&feature); err != nil || feature != f.Feature {
			t.Errorf("promoter %d is feature %d, SQL says %d, %v", i, f.Feature, feature, err)
		}
	}
	if len(most) != 4 {
		t.Errorf("%d promoters", len(most))
	}
	for _, s := range ask[[]struct {
		Set          string   `json:"token_set"`
		Tokens       []string `json:"first_tokens"`
		Size         int
		PromotedBy   int `json:"promoted_by"`
		SuppressedBy int `json:"suppressed_by"`
	}](t, address, "sets") {
		var first string
		var size, promoted, suppressed int
		if err := db.QueryRow(`SELECT count(*) FILTER (direction = 'promoted'), count(*) FILTER (direction = 'suppressed') FROM enrichment WHERE token_set = ? AND q_value < 0.05`, s.Set).Scan(&promoted, &suppressed); err != nil || s.PromotedBy != promoted || s.SuppressedBy != suppressed {
			t.Errorf("set %s: promoted by %d, suppressed by %d, SQL says %d and %d, %v", s.Set, s.PromotedBy, s.SuppressedBy, promoted, suppressed, err)
		}
		if err := db.QueryRow(`SELECT min_by(text, token_id), count(*) FROM token_set_members WHERE token_set = ?`, s.Set).Scan(&first, &size); err != nil || s.Size != size || s.Tokens[0] != first && !strings.Contains(first, "\ufffd") {
			t.Errorf("set %s: %d tokens from %q, SQL says %d from %q, %v", s.Set, s.Size, s.Tokens, size, first, err)
		}
	}
}

func TestExplorerAgreesWithSQL(t *testing.T) {
	address, db := explore(t), openExample(t)
	var page struct {
		Total int
		Rows  []struct {
			SAE      string
			Feature  int
			Skewness float64
		}
	}
	status, body := request(t, "GET", address+"/api/features?token=THREE&min_skewness=0.1&sort=skewness&order=asc&limit=3&offset=1")
	if err := json.Unmarshal([]byte(body), &page); status != 200 || err != nil {
		t.Fatalf("%d %v %s", status, err, body)
	}
	const where = ` FROM features WHERE contains(lower(array_to_string(top_tokens, chr(31))), 'three') AND skewness >= 0.1`
	var total int
	if err := db.QueryRow(`SELECT count(*)` + where).Scan(&total); err != nil || total != page.Total || total < 4 {
		t.Errorf("total %d, SQL says %d, %v", page.Total, total, err)
	}
	for i, r := range page.Rows {
		var feature int
		var skewness float64
		if err := db.QueryRow(`SELECT feature, skewness`+where+` ORDER BY skewness LIMIT 1 OFFSET ?`, i+1).Scan(&feature, &skewness); err != nil || feature != r.Feature || skewness != r.Skewness {
			t.Errorf("row %d is feature %d with skewness %v, SQL says %d with %v, %v", i, r.Feature, r.Skewness, feature, skewness, err)
		}
	}
	// Every page answers within bounds that a slow machine keeps.
	for _, path := range []string{"overview", "features", "feature?sae=smollm2-demo/blocks.29.hook_resid_pre&feature=63", "set?set=all_digits"} {
		begun := time.Now()
		if status, body := request(t, "GET", address+"/api/"+path); status != 200 {
			t.Errorf("%s: %d %s", path, status, body)
		}
		if took := time.Since(begun); took > 3*time.Second {
			t.Errorf("%s took %v", path, took)
		} else {
			t.Logf("%s: %v", path, took)
		}
	}
}
