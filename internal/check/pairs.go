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
		WHERE coalesce(std >= 0 AND isfinite(mean) AND isfinite(std), false) <> (kind <> 'neighbours' AND features = d_sae)`},
	}, listRules("stored_links", "top_features", "top_weights", "list_reverse_sort", "="), listRules("stored_links", "bottom_features", "bottom_weights", "list_sort", "="),
	listRules("stored_neighbours", "neighbours", "cosines", "list_reverse_sort", "<="),
	orphans("SAE", "stored_saes", "sae_id", "sae_id", "stored_neuron_pairs"), orphans("row of stored_neuron_pairs", "stored_neuron_pairs", "pair_id", "pair_id", "stored_neuron_links"), []rule{
		{"stored_neuron_pairs", `SELECT 'pair ' || pair_id, 'expected an MLP of that model, layer and matrix in stored_mlps, found none'
		FROM stored_neuron_pairs p ANTI JOIN stored_mlps m ON m.model_id = p.model_id AND m.layer = p.layer AND (p.matrix = 'in' OR p.matrix = 'gate' AND m.gated)`},
		{"stored_neuron_pairs", `SELECT 'pair ' || pair_id, count(*) || ' pairs have that number' FROM stored_neuron_pairs GROUP BY pair_id HAVING count(*) > 1`},
		{"stored_neuron_pairs", `SELECT 'pair ' || any_value(pair_id), 'expected 1 pair of that kind, SAE and MLP, found ' || count(*) FROM stored_neuron_pairs GROUP BY kind, sae_id, model_id, layer, matrix HAVING count(*) > 1`},
		{"stored_neuron_pairs", `SELECT 'pair ' || pair_id, 'expected kind outgoing or incoming, found ' || kind FROM stored_neuron_pairs WHERE kind NOT IN ('outgoing', 'incoming')`},
		{"stored_neuron_pairs", `SELECT 'pair ' || pair_id, 'expected ' || features || ' rows, as its computation recorded, found ' || found
		FROM (SELECT *, (SELECT count(*) FROM stored_neuron_links l WHERE l.pair_id = p.pair_id) AS found FROM stored_neuron_pairs p) WHERE features <> found`},
		{"stored_neuron_pairs", `SELECT 'pair ' || pair_id, 'expected a mean and a std of all its products where all are there, and nowhere else' FROM ` + neuronPairs + `
		WHERE coalesce(std >= 0 AND isfinite(mean) AND isfinite(std), false) <> (features = d_sae)`},
	}, listRules(neuronLinks, "top_features", "top_weights", "list_reverse_sort", "="), listRules(neuronLinks, "bottom_features", "bottom_weights", "list_sort", "="))

// Links to neurons as rules of pairs of SAEs read theirs: each pair with the number of those that
// have a row each and of those that are in the lists, and rows.
const (
	saePairs    = `(SELECT p.*, s.d_sae, o.d_sae AS d_other FROM stored_sae_pairs p JOIN stored_saes s USING (sae_id) JOIN stored_saes o ON o.sae_id = other_id)`
	neuronPairs = `(SELECT p.*, CASE kind WHEN 'outgoing' THEN s.d_sae ELSE m.d_mlp END AS d_sae, CASE kind WHEN 'outgoing' THEN m.d_mlp ELSE s.d_sae END AS d_other
		FROM stored_neuron_pairs p JOIN stored_saes s USING (sae_id) JOIN stored_mlps m ON m.model_id = p.model_id AND m.layer = p.layer)`
	neuronLinks = "stored_neuron_links"
)

// linkRows are the rows of a table of links, with the columns of stored_links.
func linkRows(table string) string {
	if table != neuronLinks {
		return table
	}
	return `(SELECT pair_id, number AS feature, top_numbers AS top_features, top_weights, bottom_numbers AS bottom_features, bottom_weights FROM stored_neuron_links)`
}

// listRules are those of lists of features with their values, in that order; length compares how
// many there are with how many are kept, or there.
func listRules(table, features, values, order, length string) []rule {
	where := strings.NewReplacer("@length", length, "@features", features, "@values", values, "@order", order)
	pairs := saePairs
	if table == neuronLinks {
		pairs = neuronPairs
	}
	from := " FROM " + linkRows(table) + " l JOIN " + pairs + " p USING (pair_id) WHERE "
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
	id, sae, other int // other is the model of neurons
	kind           string
	rows           int // that it has when it is complete
	// neurons: with those of an MLP, of this layer and matrix
	neurons bool
	layer   int
	matrix  string
}

// pairs checks what is stored of features with features, and computes a sample of it again:
// DuckDB multiplies here, in float64.
func (r *run) pairs() error {
	if err := r.applyAll(pairRules); err != nil {
		return err
	}
	all, err := read(r, "stored_sae_pairs", func(p *storedPair) []any {
		return []any{&p.id, &p.sae, &p.other, &p.kind, &p.rows, &p.neurons, &p.layer, &p.matrix}
	},
		`SELECT pair_id, sae_id, other_id, kind, d_sae, false AS neurons, -1, '' FROM `+saePairs+`
		UNION ALL SELECT pair_id, sae_id, model_id, kind, d_sae, true, layer, matrix FROM `+neuronPairs+` ORDER BY neurons, pair_id`)
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
		owner, other := p.sae, p.other
		if p.neurons && p.kind == "incoming" {
			owner, other = other, owner
		}
		again := p.again(r.directions)
		const atOnce = 32 // their products with all features of the other SAE are in memory
		for features := range slices.Chunk(r.sampleOf(p.rows), atOnce) {
			for _, rule := range again {
				err := r.apply(rule, "$pair", fmt.Sprint(p.id), "$sae", fmt.Sprint(owner), "$other", fmt.Sprint(other), "$features", schema.List(features))
				if err != nil {
					return err
				}
			}
		}
		add(1)
	}
	return nil
}

// again are the rules that compute some features of a pair again; none where weights cannot be read.
func (p storedPair) again(directions func(side schema.Side, sae int) (rows string, read bool)) []rule {
	unread := false
	matrix := func(side schema.Side, sae int) string {
		rows, read := directions(side, sae)
		unread = unread || !read
		return "(SELECT sae_id, feature, " + side.SQL("w_dec") + " AS w FROM " + rows + ")"
	}
	product, ends := "list_inner_product", [][3]string{{"top_features", "top_weights", "DESC"}, {"bottom_features", "bottom_weights", "ASC"}}
	table, counts := "stored_links", "true"
	rows, others := matrix(schema.Output, p.sae), ""
	switch {
	case p.neurons:
		table = neuronLinks
		others = fmt.Sprintf("(SELECT model_id AS sae_id, neuron AS feature, w_in AS w FROM stored_mlp_weights WHERE layer = %d AND matrix = %s)", p.layer, schema.Literal(p.matrix))
		if p.kind == "incoming" {
			rows, others = others, rows
		}
	case p.kind == "outgoing":
		others = matrix(schema.Input, p.other)
	case p.kind == "incoming":
		rows, others = matrix(schema.Input, p.sae), matrix(schema.Output, p.other)
	case p.kind == "neighbours":
		others = matrix(schema.Output, p.other)
		table, product, ends = "stored_neighbours", "list_cosine_similarity", [][3]string{{"neighbours", "cosines", "DESC"}}
		counts = "($sae <> $other OR o.feature <> l.feature) AND list_inner_product(l.w, l.w) > 0 AND list_inner_product(o.w, o.w) > 0"
	}
	if unread {
		return nil
	}
	var rules []rule
	for _, end := range ends {
		named := strings.NewReplacer("@table", linkRows(table), "@rows", rows, "@others", others, "@product", product, "@counts", counts,
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
