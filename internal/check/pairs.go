package check

import (
	"fmt"
	"slices"
	"strings"

	schema "github.com/saedb/saedb/sql"
)

// pairRules are what links and neighbours must obey whatever the weights.
var pairRules = slices.Concat(orphans("SAE", "stored_saes", "sae_id", "sae_id", "stored_sae_pairs"), orphans("SAE", "stored_saes", "sae_id", "other_id", "stored_sae_pairs"),
	orphans("row of stored_sae_pairs", "stored_sae_pairs", "pair_id", "pair_id", "stored_links", "stored_neighbours"), []rule{
		{"stored_sae_pairs", `SELECT 'pair ' || pair_id, count(*) || ' pairs have that number' FROM stored_sae_pairs GROUP BY pair_id HAVING count(*) > 1`},
		{"stored_sae_pairs", `SELECT 'pair ' || any_value(pair_id), 'expected 1 pair of that kind and these SAEs, found ' || count(*) FROM stored_sae_pairs GROUP BY kind, sae_id, other_id HAVING count(*) > 1`},
		{"stored_sae_pairs", `SELECT 'pair ' || pair_id, 'expected kind outgoing, incoming or neighbours, found ' || kind FROM stored_sae_pairs WHERE kind NOT IN ('outgoing', 'incoming', 'neighbours')`},
		{"stored_sae_pairs", `SELECT 'pair ' || pair_id, 'expected ' || features || ' rows, as its computation recorded, found ' || found FROM (
			SELECT pair_id, features, (SELECT count(*) FROM stored_links l WHERE l.pair_id = p.pair_id) + (SELECT count(*) FROM stored_neighbours n WHERE n.pair_id = p.pair_id) AS found FROM stored_sae_pairs p)
		WHERE features <> found`},
		{"stored_sae_pairs", `SELECT 'pair ' || pair_id, 'expected a mean and a std of all its products where all are there, and nowhere else' FROM stored_sae_pairs p JOIN stored_saes s USING (sae_id)
		WHERE (mean IS NOT NULL AND std >= 0 AND isfinite(mean) AND isfinite(std)) <> (kind <> 'neighbours' AND features = d_sae)`},
	}, listRules("stored_links", "top_features", "top_weights", "list_reverse_sort", "="), listRules("stored_links", "bottom_features", "bottom_weights", "list_sort", "="),
	listRules("stored_neighbours", "neighbours", "cosines", "list_reverse_sort", "<="))

// listRules are those of lists of features with their values, in that order; length compares how
// many there are with how many are kept, or there.
func listRules(table, features, values, order, length string) []rule {
	where := strings.NewReplacer("@length", length, "@features", features, "@values", values, "@order", order, "@table", table)
	from := where.Replace(` FROM @table l JOIN (SELECT p.*, s.d_sae, o.d_sae AS d_other FROM stored_sae_pairs p JOIN stored_saes s USING (sae_id) JOIN stored_saes o ON o.sae_id = other_id) p USING (pair_id) WHERE `)
	subject := `'pair ' || pair_id || ', feature ' || feature`
	return []rule{
		{table, `SELECT ` + subject + `, 'expected 1 row of a feature from 0 to ' || (any_value(d_sae) - 1) || ', found ' || count(*)` + from + `true
			GROUP BY pair_id, feature HAVING count(*) > 1 OR feature < 0 OR feature >= any_value(d_sae)`},
		{table, `SELECT ` + subject + where.Replace(`, 'expected in @features as many features, of 0 to ' || (d_other - 1) || ', as values in @values, in their order, @length ' || least(top, d_other)`) + from +
			where.Replace(`NOT coalesce(len(@features) = len(@values) AND len(@features) @length least(top, d_other) AND @values = @order(@values) AND list_count(@values) = len(@values)
				AND (len(@values) = 0 OR isfinite(@values[1]) AND isfinite(@values[-1]) AND list_min(@features) >= 0 AND list_max(@features) < d_other)
				AND len(list_distinct(@features)) = len(@features), false)`)},
	}
}

// storedPair is what stored_sae_pairs has of two SAEs that are there.
type storedPair struct {
	id, sae, other int
	kind           string
}

// pairs checks what is stored of features with features, and computes a sample of it again:
// DuckDB multiplies here, in float64.
func (r *run) pairs() error {
	if err := r.applyAll(pairRules); err != nil {
		return err
	}
	all, err := read(r, "stored_sae_pairs", func(p *storedPair) []any { return []any{&p.id, &p.sae, &p.other, &p.kind} },
		`SELECT pair_id, sae_id, other_id, kind FROM stored_sae_pairs WHERE other_id IN (SELECT sae_id FROM stored_saes) ORDER BY pair_id`)
	if err != nil {
		return err
	}
	add, end := r.begin("links and neighbours again", int64(len(all)), "pairs")
	defer end()
	for _, p := range all {
		at := slices.IndexFunc(r.saes, func(s storedSAE) bool { return s.id == p.sae })
		if at < 0 {
			continue // reported already
		}
		const atOnce = 32 // their products with all features of the other SAE are in memory
		for features := range slices.Chunk(r.sample(&r.saes[at]), atOnce) {
			for _, rule := range p.again() {
				err := r.apply(rule, "$pair", fmt.Sprint(p.id), "$sae", fmt.Sprint(p.sae), "$other", fmt.Sprint(p.other), "$features", schema.List(features))
				if err != nil {
					return err
				}
			}
		}
		add(1)
	}
	return nil
}

// again are the rules that compute some features of a pair again.
func (p storedPair) again() []rule {
	const decoder, encoder = "(SELECT sae_id, feature, w_dec AS w FROM stored_decoders)", "(SELECT sae_id, feature, w_enc AS w FROM stored_encoders)"
	product, ends := "list_inner_product", [][3]string{{"top_features", "top_weights", "DESC"}, {"bottom_features", "bottom_weights", "ASC"}}
	table, rows, others, counts := "stored_links", decoder, encoder, "true"
	switch p.kind {
	case "incoming":
		rows, others = encoder, decoder
	case "neighbours":
		table, others, product, ends = "stored_neighbours", decoder, "list_cosine_similarity", [][3]string{{"neighbours", "cosines", "DESC"}}
		counts = "($sae <> $other OR o.feature <> l.feature) AND list_inner_product(l.w, l.w) > 0 AND list_inner_product(o.w, o.w) > 0"
	}
	var rules []rule
	for _, end := range ends {
		named := strings.NewReplacer("@table", table, "@rows", rows, "@others", others, "@product", product, "@counts", counts,
			"@features", end[0], "@values", end[1], "@order", end[2])
		rules = append(rules, rule{table, named.Replace(`WITH listed AS (
				SELECT l.feature, @features AS features, @values AS listed, CAST(d.w AS DOUBLE[]) AS w FROM @table l JOIN @rows d USING (feature)
				WHERE l.pair_id = $pair AND d.sae_id = $sae AND d.w IS NOT NULL AND list_contains($features, l.feature)),
			others AS (SELECT feature, CAST(w AS DOUBLE[]) AS w FROM @others WHERE sae_id = $other AND w IS NOT NULL),
			products AS (
				SELECT l.feature, any_value(l.features) AS features, any_value(l.listed) AS listed,
				       list(@product(l.w, o.w) ORDER BY @product(l.w, o.w) @order) FILTER (@counts) AS best,
				       list(@product(l.w, o.w) ORDER BY o.feature) AS by_feature
				FROM listed l JOIN others o ON len(l.w) = len(o.w) GROUP BY l.feature),
			compared AS (
				SELECT feature, unnest(range(1, greatest(len(features), 1) + 1)) AS place, unnest(features) AS other, unnest(listed) AS found, unnest(best[:greatest(len(features), 1)]) AS expected,
				       unnest(list_transform(features, lambda f: by_feature[f + 1])) AS own,
				       1e-9 * greatest(abs(best[1]), abs(best[-1])) AS rounding
				FROM products)
			SELECT 'pair $pair, feature ' || feature, 'expected ' || coalesce(CAST(expected AS VARCHAR), 'none') || ' at place ' || place || ' of @values, computed again in float64, found '
				|| coalesce(CAST(found AS VARCHAR), 'none') || ' of feature ' || coalesce(CAST(other AS VARCHAR), 'none') || ', which has ' || coalesce(CAST(own AS VARCHAR), 'none')
			FROM compared WHERE (expected IS NOT NULL OR found IS NOT NULL) AND NOT coalesce(abs(found - expected) <= rounding AND abs(found - own) <= rounding, false) ORDER BY feature, place`)})
	}
	return rules
}
