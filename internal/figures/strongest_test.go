package figures

import (
	"context"
	"slices"
	"testing"
)

// Six sets of ten tokens and features made by hand. copy shares 7 of 13 tokens with up, more
// than half; half shares 5 of 15 with it.
const strongestExample = `
	DELETE FROM token_sets; DELETE FROM enrichment;
	INSERT INTO token_sets SELECT 'm', name, 'test', 10, range(first, first + 10) FROM (VALUES
		('up', 10), ('copy', 13), ('half', 5), ('down', 100), ('both', 200), ('lucky', 300)) AS s(name, first);
	INSERT INTO enrichment BY NAME SELECT s.*, 'one' AS sae, 'local' AS release, 'm' AS model, 1 AS layer, 10 AS size,
			CASE WHEN effect < 0 THEN 'suppressed' ELSE 'promoted' END AS direction FROM (VALUES
		(1, 'up', 0.9, 0.01), (2, 'up', 0.99, 0.5), (3, 'copy', 0.85, 0.01), (4, 'half', 0.7, 0.01),
		(5, 'down', -0.8, 0.02), (6, 'both', 0.5, 0.01), (7, 'both', -0.6, 0.001), (8, 'both', -0.6, 0.01),
		(9, 'lucky', 1.0, 0.06), (10, 'lucky', NULL, NULL)) AS s(feature, token_set, effect, q_value)`

func TestStrongestSets(t *testing.T) {
	for _, c := range []struct {
		change string
		want   []string
	}{
		// up before down, since it has the larger effect; then the second each way. lucky, and
		// the larger effect of up, are not beyond chance; copy is too much like up.
		{"", []string{"up", "down", "half", "both"}},
		{"UPDATE enrichment SET q_value = 0.05", []string{"lucky", "down", "up", "both", "half"}},
		{"UPDATE enrichment SET q_value = NULL", []string{"lucky", "down", "up", "both", "half"}},
		{"UPDATE enrichment SET effect = NULL", nil},
	} {
		db := open(t)
		if _, err := db.Exec(strongestExample + ";" + c.change); err != nil {
			t.Fatal(err)
		}
		found, err := StrongestSets(context.Background(), db, "one")
		if err != nil || !slices.Equal(found, c.want) {
			t.Errorf("%s: found %v, expected %v, %v", c.change, found, c.want, err)
		}
		if c.change != "" {
			continue
		}
		if feature := ask(t, db, `SELECT feature FROM strongest_sets('one') WHERE token_set = 'up'`); feature != 1 {
			t.Errorf("up is there for feature %v, expected 1", feature)
		}
		if first := ask(t, db, `SELECT feature FROM strongest_features('both') WHERE direction = 'suppressed' LIMIT 1`); first != 7 {
			t.Errorf("the first that suppresses both is %v, expected 7: of equal effects the smaller q", first)
		}
		if beyond := ask(t, db, `SELECT feature FROM strongest_features('up') LIMIT 1`); beyond != 1 {
			t.Errorf("the first that promotes up is %v, expected 1, which is beyond chance", beyond)
		}
	}
}
