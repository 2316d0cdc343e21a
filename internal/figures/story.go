package figures

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"strings"

	"github.com/saedb/saedb/internal/plaintext"
	schema "github.com/saedb/saedb/sql"
)

// reportCards is how many features a report shows before its figures.
const reportCards = 6

// A FeatureCard is a feature that stands out: what it writes, and a token set that it is among
// those to promote most.
type FeatureCard struct {
	SAE, Label, Promotes, Set string
	Link                      string // to the feature's page in the explorer
	Layer, Feature, Effect    any
}

// story adds what the data say in words: how many features write beyond chance by layer, where
// skewness grows, and which sets are written most. What is not computed is left out.
func (r *Report) story(ctx context.Context, db *sql.DB) error {
	for _, finding := range []func(context.Context, *sql.DB) (string, error){beyondByLayer, skewnessByLayer, setsWrittenMost} {
		found, err := finding(ctx, db)
		if err != nil {
			return err
		}
		if found != "" {
			r.Findings = append(r.Findings, found)
		}
	}
	return nil
}

// beyondByLayer compares the layers with the largest and the smallest share of features beyond chance.
func beyondByLayer(ctx context.Context, db *sql.DB) (string, error) {
	type share struct{ layer, beyond, features int64 }
	shares, err := schema.Rows(ctx, db, func(s *share) []any { return []any{&s.layer, &s.beyond, &s.features} },
		`SELECT layer, CAST(sum(beyond_chance) AS BIGINT), CAST(sum(features) AS BIGINT) FROM layers WHERE beyond_chance IS NOT NULL AND layer IS NOT NULL
		GROUP BY layer ORDER BY sum(beyond_chance) / sum(features) DESC, layer`)
	if err != nil || len(shares) == 0 {
		return "", err
	}
	says := func(s share) string {
		return fmt.Sprintf("%s of %s (%s) at layer %d", plaintext.Thousands(s.beyond), plaintext.Thousands(s.features), percent(float64(s.beyond)/float64(s.features)), s.layer)
	}
	finding := fmt.Sprintf("Features that write some token set beyond chance (q < %g): %s", chance, says(shares[0]))
	if len(shares) > 1 {
		finding += ", the most; " + says(shares[len(shares)-1]) + ", the fewest"
	}
	return finding + ".", nil
}

// skewnessByLayer is how the 99th percentile of skewness goes over layers, and its largest step up.
func skewnessByLayer(ctx context.Context, db *sql.DB) (string, error) {
	type level struct {
		layer    int64
		skewness float64
	}
	levels, err := schema.Rows(ctx, db, func(l *level) []any { return []any{&l.layer, &l.skewness} },
		`SELECT layer, quantile_cont(CAST(skewness AS DOUBLE), 0.99) FROM features WHERE layer IS NOT NULL AND `+finite("skewness")+` GROUP BY layer ORDER BY layer`)
	if err != nil || len(levels) < 2 {
		return "", err
	}
	first, last, step, largest := levels[0], levels[len(levels)-1], 1, math.Inf(-1)
	for i := 1; i < len(levels); i++ {
		if rise := levels[i].skewness - levels[i-1].skewness; rise > largest {
			step, largest = i, rise
		}
	}
	finding := fmt.Sprintf("The 99th percentile of skewness is %s at layer %d and %s at layer %d", short(first.skewness), first.layer, short(last.skewness), last.layer)
	if largest > 0 {
		finding += fmt.Sprintf("; it grows most from layer %d (%s) to layer %d (%s)", levels[step-1].layer, short(levels[step-1].skewness), levels[step].layer, short(levels[step].skewness))
	}
	return finding + ".", nil
}

// setsWrittenMost are the three token sets that most features write beyond chance, of identical
// ones the first.
func setsWrittenMost(ctx context.Context, db *sql.DB) (string, error) {
	type written struct {
		set               string
		promote, suppress int64
	}
	sets, err := schema.Rows(ctx, db, func(w *written) []any { return []any{&w.set, &w.promote, &w.suppress} },
		`SELECT token_set, `+writtenEachWay+` FROM set_enrichment
		WHERE beyond_chance > 0 AND `+firstOfIdentical+` GROUP BY token_set ORDER BY sum(beyond_chance) DESC, token_set LIMIT 3`)
	if err != nil || len(sets) == 0 {
		return "", err
	}
	var said []string
	for _, s := range sets {
		said = append(said, fmt.Sprintf("%s (promoted by %s, suppressed by %s)", s.set, plaintext.Thousands(s.promote), plaintext.Thousands(s.suppress)))
	}
	return "Token sets that most features write beyond chance: " + strings.Join(said, ", ") + ".", nil
}

// writtenEachWay are how many features promote sets beyond chance, and how many suppress them, of rows
// of set_enrichment.
var writtenEachWay = schema.BeyondChanceIn("promoted") + ", " + schema.BeyondChanceIn("suppressed")

// firstOfIdentical is the condition on a row of enrichment, or of set_enrichment, that no token set before its own, by name,
// has the same tokens.
const firstOfIdentical = `(model, token_set) IN (SELECT (model, min(token_set)) FROM token_sets GROUP BY model, list_sort(tokens))`

// addCards takes features from the table of the strongest enrichments: the first of each set that is
// promoted, each feature once.
func (r *Report) addCards(t *DataTable) {
	column := map[string]int{}
	for i, c := range t.Columns {
		column[c.Name] = i
	}
	seen := map[any]bool{}
	for _, row := range t.Rows {
		text := func(name string) string {
			s, _ := row[column[name]].(string)
			return s
		}
		feature := fmt.Sprint(text("SAE"), row[column["feature"]])
		if len(r.Cards) == reportCards || text("direction") != "promoted" || seen[text("token set")] || seen[feature] {
			continue
		}
		seen[text("token set")], seen[feature] = true, true
		r.Cards = append(r.Cards, FeatureCard{
			SAE: text("SAE"), Label: text("label"), Promotes: text("promotes"), Set: text("token set"),
			Link:  explorerLink("feature", "sae", text("SAE"), "feature", fmt.Sprint(row[column["feature"]])),
			Layer: row[column["layer"]], Feature: row[column["feature"]], Effect: row[column["effect"]],
		})
	}
}
