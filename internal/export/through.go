package export

import (
	"slices"
	"strings"

	schema "github.com/saedb/saedb/sql"
)

// throughLenses is the SQL of rows s of saes as they are read through lenses, u being the row of
// stored_lens_saes and l that of stored_lenses.
const throughLenses = `stored_lens_saes u JOIN stored_lenses l USING (lens_id) JOIN saes s ON s.load_id = u.sae_id`

// featuresThrough is the table of what features come to write through lenses, as it is stored: a
// row a lens and feature of the SAEs that are computed through it.
var featuresThrough = table{
	name: "features_through", order: "lens, feature", perSAE: true,
	view: `(SELECT s.release, s.layer, s.sae, s.model, l.lens, u.layer AS lens_layer, d.feature, b.label, ` + statisticsOf("t") + `,
			g.skewness_p, g.skewness_q, g.kurtosis_p, g.kurtosis_q, r.rank_correlation, d.log_sparsity, c.tokens, c.kernel, c.saedb_version, c.computed_at,
			n.seed AS baseline_seed, n.directions AS baseline_directions, CASE WHEN n.sae_id IS NOT NULL THEN '` + schema.LikeSAE + `' WHEN n.seed IS NOT NULL THEN '` + schema.Isotropic + `' END AS baseline_kind,
			o.sha256 AS lens_sha256
		FROM ` + throughLenses + ` JOIN stored_decoders d ON d.sae_id = u.sae_id JOIN stored_loads o ON o.load_id = l.lens_id
		LEFT JOIN stored_statistics t ON t.sae_id = u.lens_sae_id AND t.feature = d.feature
		LEFT JOIN stored_significance g ON g.sae_id = u.lens_sae_id AND g.feature = d.feature
		LEFT JOIN stored_labels b ON b.sae_id = u.lens_sae_id AND b.feature = d.feature
		LEFT JOIN stored_lens_correlations r ON r.sae_id = u.lens_sae_id AND r.feature = d.feature
		LEFT JOIN stored_computations c ON c.sae_id = u.lens_sae_id LEFT JOIN stored_baselines n USING (baseline_id))`,
	more: slices.Concat([]column{
		{"baseline_seed", "", "Seed of the random directions that p-values are against, which go through the lens; NULL for none."}, baselineDirections,
		{"baseline_kind", "", "isotropic, or sae: with the covariance of its unit decoder."}, {"lens_sha256", "", "SHA-256 of the lens's files, as in loads."},
	}, provenance[:4]),
}

// statisticsOf is the SQL of the columns of a row of stored_statistics.
func statisticsOf(row string) string {
	return row + "." + strings.Join(schema.Output.StatisticsColumns(), ", "+row+".")
}

// enrichmentThrough is the table of the scores of what they come to write, as they are stored.
var enrichmentThrough = table{
	name: "enrichment_through", order: "lens, token_set, feature", perSAE: true,
	view: `(SELECT s.release, s.layer, s.sae, s.model, l.lens, u.layer AS lens_layer, e.feature, t.token_set, e.es, CASE WHEN e.promoted THEN 'promoted' WHEN NOT e.promoted THEN 'suppressed' END AS direction,
			e.auc, e.log10_ks_p, e.log10_p, e.log10_q, e.log10_q_all
		FROM ` + throughLenses + ` JOIN stored_enrichment e ON e.sae_id = u.lens_sae_id JOIN stored_token_sets t USING (set_id))`,
	more: []column{{"log10_ks_p", "", "log10 of ks_p_value."}, {"log10_p", "", "log10 of p_value."}, {"log10_q", "", "log10 of q_value."}, {"log10_q_all", "", "log10 of q_all."}},
}

// baselinesThrough is the SQL of the baselines b whose directions go through a lens.
const baselinesThrough = `(SELECT b.baseline_id, m.model, z.lens, b.lens_layer, b.tokens, b.seed, b.directions AS baseline_directions, l.name AS like_sae, b.side, b.kernel, b.saedb_version, b.computed_at
	FROM stored_baselines b JOIN stored_models m USING (model_id) JOIN stored_lenses z USING (lens_id) LEFT JOIN stored_loads l ON l.load_id = b.sae_id) b`

var baselineStatisticsThrough = table{
	name: "baseline_statistics_through", order: "model, lens, lens_layer, tokens, like_sae, seed, directions, statistic",
	view: `(SELECT b.* EXCLUDE (baseline_id, baseline_directions), b.baseline_directions AS directions, s.statistic, s.sorted_values, s.direction_rows
		FROM stored_baseline_statistics s JOIN ` + baselinesThrough + ` USING (baseline_id))`,
}

var baselineEnrichmentThrough = table{
	name: "baseline_enrichment_through", order: "model, lens, lens_layer, tokens, like_sae, seed, baseline_directions, token_set",
	view: `(SELECT b.* EXCLUDE (baseline_id, kernel, saedb_version, computed_at), t.token_set, n.median AS expected_es, n.threshold AS es_q99, n.location AS es_location, n.scale AS es_scale,
			n.auc_scale, n.directions, n.scores, n.counts, n.resolution
		FROM stored_baseline_enrichment n JOIN ` + baselinesThrough + ` USING (baseline_id) JOIN stored_token_sets t USING (set_id))`,
}
