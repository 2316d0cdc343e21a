package export

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	schema "github.com/saedb/saedb/sql"
)

// table is one that is exported: the rows of a view.
type table struct {
	name, view string
	order      string // of its rows; within an SAE when it is in partitions
	perSAE     bool   // in partitions by release and layer, a file an SAE
	always     bool   // also without rows
	// more is SQL of columns that Parquet has beside the view's, for each of which more has
	// a comment. $sae_id and the fields of an sae in $ stand for themselves. Without SQL
	// it is of a column that view or rows have.
	more []column
	join string // to v, which is the view, for more
	rows string // in place of view, join and more: all columns of Parquet for one SAE
}

type column struct{ name, sql, comment string }

const loadColumns = `l.source, l.revision, l.sha256, l.bytes, replace(l.conventions, '` + schema.WithoutWeights + `', '') AS conventions, l.saedb_version, l.loaded_at`

// A baseline goes by its model, side, choice of tokens, the SAE that it is like, seed and number of
// random directions, of which a database has one: its number is the database's own.
const (
	baselineStatistics = `(SELECT v.*, s.sorted_values, s.direction_rows, b.kernel, b.saedb_version, b.computed_at
		FROM baseline_statistics v JOIN stored_models m USING (model)
		JOIN (SELECT b.*, l.name AS like_sae FROM stored_baselines b LEFT JOIN stored_loads l ON l.load_id = b.sae_id) b
			ON b.model_id = m.model_id AND b.side = v.side AND b.tokens = v.tokens AND b.seed = v.seed AND b.directions = v.directions AND b.like_sae IS NOT DISTINCT FROM v.like_sae AND b.lens_id IS NULL
		JOIN stored_baseline_statistics s ON s.baseline_id = b.baseline_id AND s.statistic = v.statistic)`
	// The view's directions are those that have a score.
	baselineNulls = `(SELECT t.token_set, t.family, n.median AS expected_es, n.threshold AS es_q99, n.location AS es_location, n.scale AS es_scale, n.auc_scale,
			n.directions, b.tokens, b.seed, CASE WHEN b.sae_id IS NULL THEN '` + schema.Isotropic + `' ELSE '` + schema.LikeSAE + `' END AS kind, l.name AS like_sae, b.side, m.model, b.directions AS baseline_directions, n.scores, n.counts, n.resolution
		FROM stored_baseline_enrichment n JOIN stored_baselines b USING (baseline_id) JOIN stored_models m USING (model_id)
		JOIN (SELECT set_id, token_set, family FROM stored_token_sets) t USING (set_id) LEFT JOIN stored_loads l ON l.load_id = b.sae_id
		WHERE b.side = '$side' AND b.lens_id IS NULL)`
)

// baselineEnrichment is the table of the nulls of one side's baselines.
func baselineEnrichment(side schema.Side) table {
	return table{
		name: side.Prefix + "baseline_enrichment", view: strings.ReplaceAll(baselineNulls, "$side", side.Name),
		order: "model, tokens, like_sae, seed, baseline_directions, token_set", more: []column{
			baselineDirections, {"scores", "", "Enrichment scores of random directions, descending: the highest eighth all, of the rest every eighth."},
			{"counts", "", "How many of the random directions reach each of scores."}, {"resolution", "", "Least score above 0."},
		},
	}
}

// enrichment is the table of the scores of one side.
func enrichment(side schema.Side) table {
	return table{
		name: side.Prefix + "enrichment", view: side.Prefix + "enrichment", order: "token_set, feature", perSAE: true,
		more: []column{
			{"log10_ks_p", "", "log10 of ks_p_value."},
			{"log10_q", "", "log10 of q_value."},
			{"log10_q_all", "", "log10 of q_all."},
		},
		// The view's own query, of which these are no columns: a join to find them again
		// would cost more than all else.
		rows: "SELECT * EXCLUDE (release, layer) FROM (" + side.EnrichmentQuery() + " WHERE e.sae_id = $sae_id AND e.feature >= $from AND e.feature < $to)",
	}
}

// ofPair is the SQL of what the row p of a table of pairs has of one.
const ofPair = "p.top, p.features AS pair_features, p.mean AS pair_mean, p.std AS pair_std, p.kernel, p.saedb_version, p.computed_at"

// pairsOf is the query of a table with a row a feature of a pair of SAEs: which pair by the
// names of the SAEs, since its number is the database's own.
func pairsOf(table string) string {
	return `(SELECT p.kind, s.sae, o.sae AS other_sae, l.* EXCLUDE (pair_id), ` + ofPair + `
		FROM ` + table + ` l JOIN stored_sae_pairs p USING (pair_id) JOIN stored_saes s USING (sae_id) JOIN stored_saes o ON o.sae_id = p.other_id)`
}

// neuronLinks is the query of a table with a row a feature and MLP, or a neuron and SAE, likewise.
const neuronLinks = `(SELECT p.kind, s.sae, m.model, p.layer, p.matrix, l.* EXCLUDE (pair_id), ` + ofPair + `
	FROM stored_neuron_links l JOIN stored_neuron_pairs p USING (pair_id) JOIN stored_saes s USING (sae_id) JOIN stored_models m ON m.model_id = p.model_id)`

// pairColumns have the comments of stored_sae_pairs.
var pairColumns = []column{
	{"kind", "", "outgoing: the decoder of sae with the encoder of other_sae. incoming: the encoder of sae with the decoder of other_sae. neighbours: the decoders of both, at unit length."},
	{"other_sae", "", "SAE whose features are in the lists."}, {"top", "", "How many are kept of each end."},
	{"pair_features", "", "How many features of the pair have a row."},
	{"pair_mean", "", "Mean over all products of the pair."}, {"pair_std", "", "Their population standard deviation."},
}

var baselineDirections = column{"baseline_directions", "", "Number of random directions of the baseline."}

// tables are all tables that are exported.
var tables = []table{
	{name: "features", view: "features", order: "feature", perSAE: true, more: slices.Concat(endColumns(), inputColumns(), provenance),
		join: "LEFT JOIN stored_statistics t ON t.sae_id = $sae_id AND t.feature = v.feature AND t.feature >= $from AND t.feature < $to " +
			"LEFT JOIN stored_input_statistics i ON i.sae_id = $sae_id AND i.feature = v.feature AND i.feature >= $from AND i.feature < $to"},
	{name: "feature_tokens", view: "feature_tokens", order: "feature, direction, rank", perSAE: true},
	enrichment(schema.Output),
	enrichment(schema.Input),
	{name: "saes", order: "release, layer, sae", always: true,
		view: "(SELECT s.* EXCLUDE (load_id), " + loadColumns + `, b.seed AS baseline_seed, b.directions AS baseline_directions,
				CASE WHEN b.sae_id IS NOT NULL THEN '` + schema.LikeSAE + `' WHEN b.seed IS NOT NULL THEN '` + schema.Isotropic + `' END AS baseline_kind
				, i.tokens AS input_side_tokens, i.kernel AS input_side_kernel, i.saedb_version AS input_side_saedb_version, i.computed_at AS input_side_computed_at,
				o.seed AS input_side_baseline_seed, o.directions AS input_side_baseline_directions,
				CASE WHEN o.sae_id IS NOT NULL THEN '` + schema.LikeSAE + `' WHEN o.seed IS NOT NULL THEN '` + schema.Isotropic + `' END AS input_side_baseline_kind
			FROM saes s JOIN loads l USING (load_id) LEFT JOIN stored_computations c ON c.sae_id = load_id LEFT JOIN stored_baselines b USING (baseline_id)
			LEFT JOIN stored_input_computations i ON i.sae_id = load_id LEFT JOIN stored_baselines o ON o.baseline_id = i.baseline_id)`,
		more: []column{{"baseline_seed", "", "Seed of the random directions that its p-values are against; NULL for none."}, baselineDirections,
			{"baseline_kind", "", "isotropic, or sae: with the covariance of its unit decoder."},
			{"input_side_tokens", "", "Rows of the embedding that the figures of its input side are for: all, or real; NULL where they were not computed."},
			{"input_side_kernel", "", "Kernel that computed these."}, {"input_side_saedb_version", "", "Version of saedb that computed them."},
			{"input_side_computed_at", "", "When they were begun, in UTC."}, {"input_side_baseline_seed", "", "Seed of the random directions that their p-values are against; NULL for none."},
			{"input_side_baseline_directions", "", "Number of those."}, {"input_side_baseline_kind", "", "isotropic, or sae: with the covariance of its unit encoder."}}},
	{name: "models", view: "(SELECT m.* EXCLUDE (load_id), " + loadColumns + " FROM models m JOIN loads l USING (load_id))", order: "model", always: true},
	{name: "tokens", view: "tokens", order: "model, token_id", always: true},
	{name: "token_sets", view: "token_sets", order: "model, token_set"},
	{name: "baseline_statistics", view: baselineStatistics, order: "model, tokens, like_sae, seed, directions, statistic", more: []column{
		{"sorted_values", "", "Values of the statistic in the random directions, ascending."},
		{"direction_rows", "", "Row number of the random direction that has each of them."},
		{"kernel", "", "Kernel that computed them."}, {"saedb_version", "", "Version of saedb that computed them."}, {"computed_at", "", "When, in UTC."},
	}},
	baselineEnrichment(schema.Output),
	baselineEnrichment(schema.Input),
	{name: "links", view: pairsOf("stored_links"), order: "kind, sae, other_sae, feature", more: pairColumns},
	{name: "neighbours", view: pairsOf("stored_neighbours"), order: "kind, sae, other_sae, feature", more: pairColumns},
	{name: "mlp_links", view: neuronLinks, order: "kind, sae, model, layer, matrix, number", more: slices.Concat([]column{
		{"kind", "", "outgoing: a row for each feature of the SAE, with lists of neurons. incoming: a row for each neuron, with lists of features."},
		{"layer", "", "Index of the block whose MLP reads."}, {"matrix", "", "in for the neurons' inputs, gate for their gates."},
		{"number", "", "Index of the feature where outgoing, of the neuron where incoming."},
	}, pairColumns[2:])},
	{name: "mlps", view: "mlps", order: "model, layer"},
	featuresThrough, enrichmentThrough, baselineStatisticsThrough, baselineEnrichmentThrough,
	{name: "lenses", view: "(SELECT s.* EXCLUDE (load_id), " + loadColumns + " FROM lenses s JOIN loads l USING (load_id))", order: "lens"},
	{name: "loads", view: "loads", order: "load_id", always: true},
	{name: "load_files", view: "load_files", order: "load_id, path"},
	{name: "explanations", view: "explanations", order: "ALL"},
	{name: "neuronpedia_features", view: "neuronpedia_features", order: "ALL"},
}

// endColumns are the ids and logit weights of the tokens at both ends, as they are stored.
func endColumns() []column {
	var all []column
	for _, end := range []string{"top", "bottom"} {
		all = append(all,
			column{end + "_token_ids", "t." + end + "_token_ids", "Ids of " + end + "_tokens."},
			column{end + "_logit_weights", "t." + end + "_logit_weights", "Logit weights of " + end + "_tokens."})
	}
	return all
}

// inputColumns are the figures of the input side that the view does not have.
func inputColumns() []column {
	all := []column{
		{"input_token_ids", "i.top_token_ids", "Ids of input_tokens."}, {"input_weights", "i.top_logit_weights", "Input weights of input_tokens."},
		{"input_bottom_token_ids", "i.bottom_token_ids", "Ids of input_bottom_tokens."}, {"input_bottom_weights", "i.bottom_logit_weights", "Input weights of input_bottom_tokens."},
	}
	for _, name := range []string{"cos_mean", "cos_std", "cos_skewness", "cos_kurtosis"} {
		all = append(all, column{schema.InputPrefix + name, "i." + name, "As " + name + ", of the cosines of the encoder with the rows of the embedding, of unit length times its own."})
	}
	return all
}

// provenance is what leads back from a feature's row.
var provenance = []column{
	{"sae_sha256", "$sae_sha256", "SHA-256 of the SAE's files, as in loads."},
	{"model_sha256", "$model_sha256", "SHA-256 of the model's files, as in loads."},
	{"scale", "$scale", "Scale convention of the decoder."},
	{"processing", "$processing", "What was done to the unembedding."},
	{"tokens", "$tokens", "Columns of the unembedding that were used: all, or real (without padding and special tokens)."},
	{"kernel", "$kernel", "Kernel that computed the figures."},
	{"saedb_version", "$saedb_version", "Version of saedb that computed them."},
	{"computed_at", "CAST($computed_at AS TIMESTAMP)", "When they were begun, in UTC."},
}

// sae is an SAE that is exported.
type sae struct {
	id, modelID   int
	features      int
	name, release string
	layer         sql.NullInt32
	named         []string // pairs for a strings.Replacer: the $names of columns and joins
}

func readSAEs(ctx context.Context, conn *sql.Conn) ([]sae, error) {
	type row struct {
		sae
		text [9]sql.NullString
	}
	rows, err := schema.Rows(ctx, conn, func(s *row) []any {
		into := []any{&s.id, &s.modelID, &s.features, &s.name, &s.release, &s.layer}
		for i := range s.text {
			into = append(into, &s.text[i])
		}
		return into
	}, `SELECT s.load_id, m.model_id, s.d_sae, s.sae, s.release, s.layer, l.sha256, n.sha256, s.model, s.scale,
			replace(n.conventions, '`+schema.WithoutWeights+`', ''), s.tokens, c.kernel, c.saedb_version, CAST(c.computed_at AS VARCHAR)
		FROM saes s JOIN stored_models m USING (model) JOIN stored_loads l USING (load_id) JOIN stored_loads n ON n.load_id = m.model_id
		LEFT JOIN stored_computations c ON c.sae_id = s.load_id
		ORDER BY s.release, s.layer, s.sae`)
	all := make([]sae, len(rows))
	for i, s := range rows {
		// A replacer takes the first that fits: $model after those that it begins.
		s.named = []string{"$sae_id", fmt.Sprint(s.id), "$model_id", fmt.Sprint(s.modelID)}
		for i, name := range []string{"sae_sha256", "model_sha256", "model", "scale", "processing", "tokens", "kernel", "saedb_version", "computed_at"} {
			value := "CAST(NULL AS VARCHAR)"
			if s.text[i].Valid {
				value = schema.Literal(s.text[i].String)
			}
			s.named = append(s.named, "$"+name, value)
		}
		all[i] = s.sae
	}
	return all, err
}

// featuresAtOnce bounds the features whose rows are sorted, and in memory, at a time.
const featuresAtOnce = 1 << 16

// piece is some features of an SAE, from and those before to.
type piece struct {
	*sae
	from, to int
}

// pieces are all features of an SAE, in order.
func (s *sae) pieces() []piece {
	var all []piece
	for from := 0; from < s.features; from += featuresAtOnce {
		all = append(all, piece{s, from, min(from+featuresAtOnce, s.features)})
	}
	return all
}

// query selects the rows of some features with the columns of Parquet, which has
// release and layer in the path.
func (t table) query(p piece) string {
	named := p.named()
	if t.rows != "" {
		return named.Replace(t.rows + " ORDER BY " + t.order)
	}
	var columns strings.Builder
	for _, c := range t.more {
		if c.sql != "" {
			columns.WriteString(", " + c.sql + " AS " + c.name)
		}
	}
	return named.Replace("SELECT v.* EXCLUDE (release, layer)" + columns.String() + " FROM " + t.view + " v " + t.join + t.where() + t.sorted())
}

// viewQuery selects the view's rows of some features.
func (t table) viewQuery(p piece) string {
	return p.named().Replace("SELECT v.* FROM " + t.view + " v" + t.where() + t.sorted())
}

func (t table) where() string {
	return " WHERE v.sae = $name AND v.feature >= $from AND v.feature < $to"
}

func (t table) sorted() string { return " ORDER BY v." + strings.ReplaceAll(t.order, ", ", ", v.") }

// named replaces the names in $ of queries.
func (p piece) named() *strings.Replacer {
	return strings.NewReplacer(append(p.sae.named, "$release", schema.Literal(p.release), "$name", schema.Literal(p.name),
		"$from", fmt.Sprint(p.from), "$to", fmt.Sprint(p.to))...)
}
