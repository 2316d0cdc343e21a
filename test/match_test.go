package test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
)

// TestMatch: a copy of an SAE with its features in another order and turned round is matched
// with it; of few features all are candidates, and the matching is the best there is.
func TestMatch(t *testing.T) {
	dir := t.TempDir()
	db := filepath.Join(dir, "match.db")
	mustRun(t, "--db", db, "load", "model", modelOf(t, "gpt2", ""), "--name", "small")
	const features = 1000
	order := rand.New(rand.NewPCG(5, 5)).Perm(features)
	decoder, turned := gaussian(5, features*linkedWidth), make([]float32, features*linkedWidth)
	for i, at := range order {
		for j, w := range rowOf(decoder, i) {
			rowOf(turned, at)[j] = -3 * w
		}
	}
	few := gaussian(6, 40*linkedWidth)
	clear(rowOf(few, 7))
	for name, rows := range map[string][]float32{"one": decoder, "copy": turned, "few": few, "fewer": gaussian(7, 30*linkedWidth)} {
		transcoder(t, filepath.Join(dir, name), 1, rows, rows)
		mustRun(t, "--db", db, "load", "sae", filepath.Join(dir, name), "--release", "r")
	}
	matched := textsIn(t, db, "SELECT feature_b || ' ' || round(cosine, 9) FROM match_saes('r/one', 'r/copy') ORDER BY feature_a")
	for i, at := range order {
		if want := fmt.Sprint(at, " -1.0"); len(matched) != features || matched[i] != want {
			t.Fatalf("feature %d of %d: %v, expected %s", i, len(matched), matched[i], want)
		}
	}
	for query, want := range map[string]int{
		"SELECT count(*) FROM (SELECT sum(abs(cosine)) AS s, any_value(sum_at_most) AS m, avg(abs(cosine)) AS pw_mcc FROM match_saes('r/one', 'r/copy')) WHERE abs(s - 1000) < 1e-6 AND abs(m - 1000) < 1e-6 AND abs(pw_mcc - 1) < 1e-9": 1,
		"SELECT count(*) FROM (SELECT sum(abs(cosine)) AS s, any_value(sum_at_most) AS m FROM match_saes('r/few', 'r/fewer')) WHERE abs(s - m) < 1e-9":                                                                                   1,
		"SELECT count(*) FROM (SELECT sum(abs(cosine)) AS s, any_value(sum_at_most) AS m FROM match_saes('r/fewer', 'r/few')) WHERE abs(s - m) < 1e-9":                                                                                   1,
		"SELECT count(cosine) FROM match_saes('r/few', 'r/fewer')":                                                                                                                                    30,
		"SELECT count(*) FROM match_saes('r/few', 'r/fewer') WHERE feature_b IS NULL AND feature_a IS NOT NULL":                                                                                       10,
		"SELECT count(*) FROM match_saes('r/fewer', 'r/few') WHERE feature_a IS NULL AND feature_b IS NOT NULL":                                                                                       10,
		"SELECT count(*) FROM match_saes('r/few', 'r/fewer') WHERE feature_a = 7 AND feature_b IS NULL AND max_absolute_cosine IS NULL":                                                               1,
		"SELECT count(*) FROM match_saes('r/few', 'r/fewer') a JOIN match_saes('r/fewer', 'r/few') b ON a.feature_a = b.feature_b AND a.feature_b = b.feature_a AND abs(a.cosine - b.cosine) < 1e-12": 30,
		"SELECT count(*) FROM match_saes('r/few', 'r/fewer') m JOIN decoder_directions a ON a.sae = 'r/few' AND a.feature = feature_a JOIN decoder_directions b ON b.sae = 'r/fewer' AND b.feature = feature_b WHERE abs(cosine - list_cosine_similarity(a.w_dec::DOUBLE[], b.w_dec::DOUBLE[])) < 1e-14": 30,
	} {
		if got := count(t, db, query); got != want {
			t.Errorf("%s: %d, expected %d", query, got, want)
		}
	}
}
