package test

import (
	"fmt"
	"testing"
)

// TestShapeColumns compares logit_z, participation and top_share with their definitions, by
// the logit weights of all tokens that count.
func TestShapeColumns(t *testing.T) {
	t.Parallel()
	db := specialDatabase(t)
	for _, tokens := range []string{"all", "real"} {
		mustRun(t, "--db", db, "compute", "--tokens", tokens)
		for _, feature := range []int{0, 7, 23} {
			query := fmt.Sprintf(`WITH w AS (SELECT token_id, logit_weight AS w FROM feature_logits('layer_1', %[1]d)),
				d AS (SELECT token_id, w - avg(w) OVER () AS d FROM w),
				p AS (SELECT pow(sum(d * d), 2) / sum(d ** 4) AS participation, sqrt(sum(d * d) / count(*)) AS std,
					(SELECT sum(s) FROM (SELECT d * d AS s FROM d ORDER BY s DESC LIMIT 10)) / sum(d * d) AS top_share FROM d)
				SELECT CAST(abs(f.participation / p.participation - 1) < 1e-5 AND abs(f.top_share / p.top_share - 1) < 1e-5 AND f.participation > 1 AND f.top_share < 1
					AND (SELECT count(*) = 20 AND max(abs(logit_z - d / p.std)) < 1e-5 FROM feature_tokens JOIN d USING (token_id) WHERE layer = 1 AND feature = %[1]d) AS INTEGER)
				FROM p, layer_1 f WHERE f.feature = %[1]d`, feature)
			if count(t, db, query) != 1 {
				t.Errorf("%s tokens, feature %d: a column is not what it says", tokens, feature)
			}
		}
	}
	// Directions without a spread have no shape.
	mustRun(t, "--db", db, "load", "directions", "--sql", "SELECT list_resize([0::FLOAT], 32, 0) AS w_dec", "--name", "zeros")
	mustRun(t, "--db", db, "compute")
	if n := count(t, db, "SELECT count(*) FROM features JOIN feature_tokens USING (sae, feature) WHERE sae = 'zeros' AND participation IS NULL AND top_share IS NULL AND logit_z IS NULL"); n != 20 {
		t.Errorf("%d of 20 tokens of a direction of zeros have no shape", n)
	}
	mustRun(t, "--db", db, "check", "--all")
}
