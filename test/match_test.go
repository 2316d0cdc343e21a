package test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/internal/operations"
)

// TestMatch: a copy of an SAE with its features in another order and turned round is matched
// with it; of few features all are candidates, and the matching is the best there is.
func TestMatch(t *testing.T) {
	t.Parallel()
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

// TestMatchFolded: directions times thresholds, so that features of unlike scales which are the
// same once folded are partners without an error; the sum is the best there is.
func TestMatchFolded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := filepath.Join(dir, "match.db")
	mustRun(t, "--db", db, "load", "model", modelOf(t, "gpt2", ""), "--name", "small")
	const features = 60
	decoder, scaled := gaussian(8, features*linkedWidth), make([]float32, features*linkedWidth)
	for i := range features { // the same where a's threshold is 1 + i % 4, b's 4
		for j, w := range rowOf(decoder, i) {
			rowOf(scaled, features-1-i)[j] = w * float32(1+i%4) / 4
		}
	}
	for name, rows := range map[string][]float32{"a": decoder, "b": scaled, "plain": gaussian(9, features*linkedWidth)} {
		transcoder(t, filepath.Join(dir, name), 1, rows, rows)
		mustRun(t, "--db", db, "load", "sae", filepath.Join(dir, name), "--release", "r", "--encoder")
	}
	wrongs := map[string]string{
		"FROM match_saes('r/a', 'r/plain', folded := true)": "folded directions need the threshold of every feature",
		"FROM match_saes('r/a', 'r/b', folded := 'often')":  "folded: expected true or false",
	}
	for query, want := range wrongs {
		expectFailure(t, saedbRun(t, "", "--db", db, "sql", query), 1, want)
	}
	given, err := saedb.Open(t.Context(), db, saedb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for sae, threshold := range map[string]string{"r/a": "1 + feature % 4", "r/b": "4"} {
		if _, err := given.Exec("UPDATE stored_encoders SET threshold = "+threshold+" WHERE sae_id = (SELECT load_id FROM saes WHERE sae = ?)", sae); err != nil {
			t.Fatal(err)
		}
	}
	if err := given.Close(); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]int{
		"SELECT count(*) FROM match_saes('r/a', 'r/b', folded := true) WHERE feature_b = 59 - feature_a AND abs(squared_error) < 1e-4 AND max_absolute_cosine IS NULL": features,
		"SELECT count(*) FROM (SELECT sum(worth) AS s, any_value(sum_at_most) AS m FROM match_saes('r/a', 'r/b', folded := true)) WHERE abs(s / m - 1) < 1e-9":         1,
		`SELECT count(*) FROM match_saes('r/a', 'r/b', folded := true) m JOIN decoder_directions a ON a.sae = 'r/a' AND a.feature = feature_a JOIN decoder_directions b ON b.sae = 'r/b' AND b.feature = feature_b
			WHERE abs(worth - list_inner_product(a.w_dec::DOUBLE[], b.w_dec::DOUBLE[]) * (1 + feature_a % 4) * 4) < 1e-6 * worth AND abs(cosine - list_cosine_similarity(a.w_dec::DOUBLE[], b.w_dec::DOUBLE[])) < 1e-6`: features,
		"SELECT count(*) FROM match_saes('r/a', 'r/b') WHERE worth = abs(cosine) AND nearest_b = feature_b AND squared_error IS NULL": features,
	} {
		if got := count(t, db, query); got != want {
			t.Errorf("%s: %d, expected %d", query, got, want)
		}
	}
}

// TestMatchCommand: the file says what the function says, and where both SAEs come from.
func TestMatchCommand(t *testing.T) {
	dir := t.TempDir()
	db, to := filepath.Join(dir, "match.db"), filepath.Join(dir, "pairs.json")
	mustRun(t, "--db", db, "load", "model", modelOf(t, "gpt2", ""), "--name", "small")
	narrow := gaussian(10, 40*linkedWidth)
	wide := append(slices.Clone(narrow), gaussian(11, 30*linkedWidth)...)
	for j, w := range rowOf(narrow, 3) { // the fourth is split into two more
		rowOf(wide, 50)[j], rowOf(wide, 60)[j] = 2*w, -w+0.01*float32(j)
	}
	for name, rows := range map[string][]float32{"wide": wide, "narrow": narrow} {
		transcoder(t, filepath.Join(dir, name), 1, rows, rows)
		mustRun(t, "--db", db, "load", "sae", filepath.Join(dir, name), "--release", "r")
	}
	out := mustRun(t, "--db", db, "match", "r/wide", "r/narrow", "--cosine", "0.9", "--to", to)
	if want := "matched 40 features of r/wide with r/narrow by decoder cosine: PW-MCC 1.000"; !strings.HasPrefix(out, want) {
		t.Errorf("%s, expected %s …", out, want)
	}
	text, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err)
	}
	var m operations.Matching
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	if m.Matched != 40 || len(m.Pairs) != 40 || len(m.OnlyA) != 30 || len(m.OnlyB) != 0 || m.Cosine != 0.9 ||
		m.A.SAE != "r/wide" || m.A.Features != 70 || m.A.Source != filepath.Join(dir, "wide") || len(m.A.SHA256) != 64 || m.B.Model != "small" {
		t.Errorf("%s", text)
	}
	for _, p := range m.Pairs {
		if p.B != 3 && p.A != p.B {
			t.Errorf("feature %d has the partner %d", p.A, p.B)
		}
	}
	i := slices.IndexFunc(m.SplitOfB, func(s operations.MatchedSplit) bool { return s.B == 3 })
	if i < 0 || !slices.Contains(m.SplitOfB[i].A, 3) || !slices.Contains(m.SplitOfB[i].A, 50) || !slices.Contains(m.SplitOfB[i].A, 60) {
		t.Errorf("splits %v, expected 3, 50 and 60 of feature 3", m.SplitOfB)
	}
	got := textsIn(t, db, "SELECT feature || ' ' || features || ' ' || CAST(list_sort(split_into) AS VARCHAR) FROM feature_splits('r/wide', 'r/narrow', cosine := 0.9)")
	if want := []string{"3 3 [3, 50, 60]"}; !slices.Equal(got, want) {
		t.Errorf("feature_splits: %v, expected %v", got, want)
	}
	expectFailure(t, saedbRun(t, "", "--db", db, "match", "r/wide", "nobody"), 1, "nobody")
}
