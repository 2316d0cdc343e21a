package test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	schema "github.com/saedb/saedb/sql"
)

// specialDatabase is a database as [smallDatabase] makes it, but of its model's 64 tokens
// the last four are special.
func specialDatabase(t *testing.T) (db string) {
	t.Helper()
	dir := t.TempDir()
	db = filepath.Join(dir, "special.db")
	tinySAE(t, filepath.Join(dir, "blocks.0.hook_resid_pre"), 0)
	tinySAE(t, filepath.Join(dir, "blocks.1.hook_resid_pre"), 1)
	mustRun(t, "--db", db, "load", "model", modelOf(t, "gpt2", ""), "--name", "small")
	contents, _ := schema.Contents("stored_tokens", 1)
	change(t, db, `UPDATE stored_tokens SET is_special = true WHERE token_id BETWEEN 60 AND 63;
		UPDATE stored_contents SET row_hash = (SELECT hash FROM (`+contents+`) q(n, hash)) WHERE stored_table = 'stored_tokens'`)
	mustRun(t, "--db", db, "load", "sae", dir, "--release", "r")
	for name, condition := range map[string]string{"first": "token_id < 10", "mixed": "token_id BETWEEN 40 AND 63", "special": "is_special"} {
		mustRun(t, "--db", db, "load", "sets", "--name", name, "--sql", "SELECT token_id FROM tokens WHERE "+condition)
	}
	mustRun(t, "--db", db, "compute")
	return db
}

// TestTokensArgument: beside figures that count real tokens alone, functions that are told
// so give the same figures, feature_logits does by itself, and by default functions count
// all tokens. Of the model's 500 columns 436 are padding, so that the two differ.
func TestTokensArgument(t *testing.T) {
	t.Parallel()
	db := specialDatabase(t)
	all := filepath.Join(t.TempDir(), "all.db")
	copyFile(t, db, all)
	mustRun(t, "--db", db, "compute", "--tokens", "real")
	mustRun(t, "--db", db, "check", "--all")
	const real = "(SELECT count(*) FROM tokens WHERE NOT is_padding AND NOT is_special)"
	if n := count(t, db, "SELECT "+real); n != 60 {
		t.Fatalf("%d real tokens", n)
	}
	for _, given := range []struct{ db, last string }{{db, ", 'real'"}, {all, ""}, {all, ", 'all'"}} {
		// Hosking's probability weighted moments b0 to b3, in SQL.
		query := fmt.Sprintf(`WITH x AS (SELECT row_number() OVER (ORDER BY logit_weight) - 1.0::DOUBLE AS j, count(*) OVER ()::DOUBLE AS n, logit_weight::DOUBLE AS x FROM feature_logits('layer_1', 3)),
			b AS (SELECT avg(x) AS b0, avg(x * j / (n - 1)) AS b1, avg(x * j * (j - 1) / ((n - 1) * (n - 2))) AS b2,
			             avg(x * j * (j - 1) * (j - 2) / ((n - 1) * (n - 2) * (n - 3))) AS b3 FROM x),
			want AS (SELECT 2 * b1 - b0 AS second, (6 * b2 - 6 * b1 + b0) / second AS skewness, (20 * b3 - 30 * b2 + 12 * b1 - b0) / second AS kurtosis FROM b)
			SELECT count(*) FROM (SELECT unnest(l_moments(w_dec, model%s)) FROM decoder_directions WHERE layer = 1 AND feature = 3), want
			WHERE abs(l_scale / second - 1) < 1e-6 AND abs(l_skewness - skewness) < 1e-6 AND abs(l_kurtosis - kurtosis) < 1e-6`, given.last)
		if n := count(t, given.db, query); n != 1 {
			t.Errorf("%s: l_moments differ from what sorted logit weights give", filepath.Base(given.db))
		}
		for function, same := range map[string]string{
			"logit_stats(w_dec, model$)":                                "abs(v.std / f.std - 1) < 1e-6 AND abs(v.kurtosis / f.kurtosis - 1) < 1e-6",
			"logit_stats(w_dec, model, true$)":                          "abs(v.std / f.cos_std - 1) < 1e-6 AND abs(v.kurtosis / f.cos_kurtosis - 1) < 1e-6",
			"top_tokens(w_dec, model, 10$)":                             "[x.text FOR x IN v] = f.top_tokens",
			"bottom_tokens(w_dec, model, 10$)":                          "[x.text FOR x IN v] = f.bottom_tokens",
			"enrich(w_dec, model$)":                                     "len(v) = 3 AND len([x FOR x IN v IF x.token_set = 'mixed' AND CAST(x.es AS FLOAT) = e.es AND x.size = e.size AND CAST(x.auc AS FLOAT) = e.auc AND x.direction = e.direction]) = 1",
			"enrich(w_dec, model, ['mixed']$)":                          "CAST(v[1].es AS FLOAT) = e.es AND abs(v[1].p_value / e.ks_p_value - 1) < 1e-5 AND v[1].size = e.size",
			"enrichment_score(w_dec, model, 'mixed'$)":                  "CAST(v AS FLOAT) = e.es",
			"len(leading_edge(w_dec, model, 'mixed'$))":                 "v BETWEEN 1 AND e.size",
			"len(leading_edge(w_dec, model, 'mixed', 1.0$))":            "v BETWEEN 1 AND e.size",
			"weighted_enrichment(w_dec, model, ['mixed'], 0.0, 10$)":    "abs(abs(v[1].es) - e.es) < 1e-6 AND v[1].size = e.size",
			"weighted_enrichment(w_dec, model, ['mixed'], 0.0, 10, 7$)": "abs(abs(v[1].es) - e.es) < 1e-6 AND v[1].size = e.size",
		} {
			call := strings.ReplaceAll(function, "$", given.last)
			query := fmt.Sprintf(`WITH v AS (SELECT sae, feature, %s AS v FROM decoder_directions)
				SELECT count(*) FROM v JOIN features f USING (sae, feature) JOIN enrichment e USING (sae, feature) WHERE e.token_set = 'mixed' AND %s`, call, same)
			if n := count(t, given.db, query); n != 48 {
				t.Errorf("%s, %s: agrees with what is stored of %d of 48 features", filepath.Base(given.db), call, n)
			}
		}
	}
	if n := count(t, db, "SELECT count(*) FROM decoder_directions JOIN features USING (sae, feature) WHERE logit_stats(w_dec, decoder_directions.model).std = std"); n != 0 {
		t.Errorf("%d features have the same spread over all tokens as over real ones", n)
	}
	if n := count(t, db, "SELECT count(*) FROM decoder_directions WHERE enrich(w_dec, model, ['mixed'], NULL) IS NULL"); n != 48 {
		t.Errorf("NULL tokens give NULL for %d of 48", n)
	}
	expectFailure(t, saedbRun(t, "", "--db", db, "sql", "SELECT enrich(w_dec, model, 'rael') FROM decoder_directions"), 1, "enrich: tokens: expected 'all' or 'real', found 'rael'")

	// feature_logits names an SAE, and counts what is stored for it.
	for _, c := range []struct{ db, arguments, want string }{
		{db, "", real}, {db, ", tokens := 'real'", real}, {db, ", tokens := 'all'", "500"}, {all, "", "500"}, {all, ", tokens := 'real'", real},
	} {
		for _, release := range []string{"", "r."} {
			query := fmt.Sprintf("SELECT count(*) = %s AND max(rank) = %[1]s FROM %sfeature_logits('layer_1', 3%s)", c.want, release, c.arguments)
			if n := count(t, c.db, "SELECT CAST(("+query+") AS INTEGER)"); n != 1 {
				t.Errorf("%s is wrong", query)
			}
		}
	}
	if n := count(t, db, "SELECT count(*) FROM (SELECT text FROM feature_logits('layer_1', 3) LIMIT 10) POSITIONAL JOIN (SELECT unnest(top_tokens) AS stored FROM layer_1 WHERE feature = 3) WHERE text = stored"); n != 10 {
		t.Errorf("%d of the ten highest tokens are the stored ones", n)
	}
	expectFailure(t, saedbRun(t, "", "--db", db, "sql", "FROM feature_logits('layer_1', 3, tokens := 'rael')"), 1, "expected 'all' or 'real', found 'rael'")

	// What counted is the size of a score; a set's size is its own.
	for set, want := range map[string][2]int{"mixed": {20, 24}, "special": {0, 4}, "first": {10, 10}} {
		for i, path := range []string{db, all} {
			query := fmt.Sprintf("SELECT count(*) FROM enrichment NATURAL JOIN token_sets WHERE token_set = '%s' AND size = %d AND members = %d", set, want[i], want[1])
			if n := count(t, path, query); n != 48 {
				t.Errorf("%s: %d of 48 scores", query, n)
			}
		}
	}
	// A natural join of views that have token sets takes no column of two meanings along.
	for _, path := range []string{db, all} {
		scores, members := 3*48, 24+4+10
		for views, want := range map[[2]string]int{
			{"enrichment", "token_sets"}: scores, {"token_sets", "token_set_members"}: members, {"enrichment", "token_set_members"}: 48 * members,
			{"enrichment", "features"}: scores, {"token_set_members", "tokens"}: members,
		} {
			query := fmt.Sprintf("SELECT count(*) FROM (FROM %s WHERE model = (SELECT model FROM saes LIMIT 1)) NATURAL JOIN %s", views[0], views[1])
			if n := count(t, path, query); n != want {
				t.Errorf("%s gave %d, expected %d", query, n, want)
			}
		}
	}
}
