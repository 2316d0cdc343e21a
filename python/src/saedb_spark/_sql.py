"""The SQL that computes: what a worker's DuckDB runs, in one place.

The columns are those of docs/export.md. Every figure comes from a function of saedb's
extension, or from the query of the view ``enrichment``, in DuckDB, so that it is the
one that the program stores, bit for bit.
"""

from __future__ import annotations

#: Columns of directions, as :func:`computed` reads them.
DIRECTIONS = ("feature", "w_dec", "log_sparsity")


def computed(source: str, scored: bool, more: str = "") -> str:
    """Rows (feature, log_sparsity, decoder_norm, s) of directions, whose columns ``source`` has, ``s`` being all that is computed of each.
    The parameters are the fields of a :class:`saedb_spark._worker.Pass`; ``more`` is further columns of ``source``."""
    sets = ", CAST($sets AS INTEGER[])" if scored else ""
    norm = "sqrt(list_inner_product(CAST(w_dec AS DOUBLE[]), CAST(w_dec AS DOUBLE[])))"
    return f"SELECT feature, log_sparsity, {norm} AS decoder_norm, feature_statistics(w_dec, $model, $tokens{sets}) AS s{more} FROM {source}"


def computed_input(scored: bool) -> str:
    """The same of the input side of a part of an SAE's file: rows (feature, encoder_norm, encoder_decoder_cosine, bias, threshold, s)."""
    sets = ", CAST($sets AS INTEGER[])" if scored else ""
    norms = [f"sqrt(list_inner_product(CAST({w} AS DOUBLE[]), CAST({w} AS DOUBLE[])))" for w in ("w_enc", "w_dec")]
    return f"""
        SELECT feature, {norms[0]} AS encoder_norm,
               list_inner_product(CAST(w_enc AS DOUBLE[]), CAST(w_dec AS DOUBLE[])) / nullif({norms[0]} * {norms[1]}, 0) AS encoder_decoder_cosine,
               bias, threshold, feature_statistics(w_enc, $model || '#embedding', $tokens{sets}) AS s
        FROM read_encoder($path, first := $first, features := $count) JOIN {PART_OF_FILE} USING (feature)"""


#: What stands for them where the input side is not computed.
NO_INPUT = """
    SELECT CAST(NULL AS INTEGER) AS feature, CAST(NULL AS DOUBLE) AS encoder_norm, CAST(NULL AS DOUBLE) AS encoder_decoder_cosine,
           CAST(NULL AS FLOAT) AS bias, CAST(NULL AS FLOAT) AS threshold, s FROM computed WHERE false"""

#: And what stands for the output side where the input side alone is computed: its features, without what they write.
NO_OUTPUT = """
    SELECT feature, log_sparsity, CAST(NULL AS DOUBLE) AS decoder_norm, CASE WHEN false THEN i.s END AS s
    FROM read_sae($path, first := $first, features := $count) JOIN computed_input i USING (feature)"""

#: The part of an SAE's file that a task reads, as ``source`` of :func:`computed`.
PART_OF_FILE = "read_sae($path, first := $first, features := $count)"



def computed_through(scored: bool, correlated: bool) -> str:
    """The same of what directions of a part of an SAE's file become through a lens, with (rank_correlation) of their logit weights."""
    transported = "through_lens(w_dec, $lens, CAST($lens_layer AS INTEGER))"
    correlation = f"rank_correlation(w_dec, $model, {transported}, $tokens)" if correlated else "CAST(NULL AS DOUBLE)"
    return computed(f"(SELECT feature, log_sparsity, {transported} AS w_dec, {correlation} AS rank_correlation FROM {PART_OF_FILE})", scored, ", rank_correlation")


#: The tables that features' p-values are made of, for what is computed; and rows (feature, skewness_p, kurtosis_p) of it.
#: {query} is what saedb_feature_p_values_query gives, of a side. Without a baseline, $baseline being NULL, there are none.
#: {chance} is the database that has the baseline.
SIGNIFICANCE_VIEWS = {
    "stored_baseline_statistics": "FROM {chance}.stored_baseline_statistics",
    "stored_statistics": "SELECT 0 AS sae_id, feature, s.skewness, s.kurtosis FROM computed",
    "stored_input_statistics": "SELECT 0 AS sae_id, feature, s.skewness, s.kurtosis FROM computed_input",
}
SIGNIFICANCE = """
    SELECT feature, any_value(p) FILTER (statistic = 'skewness') AS skewness_p, any_value(p) FILTER (statistic = 'kurtosis') AS kurtosis_p
    FROM ({query}) GROUP BY feature"""

#: How many columns of the unembedding count, as a table of one row (tokens).
COUNTED = """(SELECT count(*) AS tokens FROM model.stored_tokens t JOIN model.stored_models m USING (model_id)
          WHERE m.model = $model AND t.token_id < m.d_vocab AND ($tokens = 'all' OR NOT t.is_special AND NOT t.is_padding))"""

#: The part of ten tokens in the sum of squares, of a row c of what is :func:`computed`.
TOP_SHARE = """list_sum(list_reverse_sort(list_transform(
               list_concat(c.s.top_logit_weights, c.s.bottom_logit_weights[:greatest(counted.tokens - 10, 0)]),
               lambda w: pow((w - c.s.mean) / nullif(c.s.std, 0), 2)))[:10]) / counted.tokens"""

#: What is of the computation of the output side, NULL where that is none.
BY_OUTPUT = "CASE WHEN CAST($side AS VARCHAR) <> 'input' THEN {} END"

#: Rows of ``features`` from the table of what is :func:`computed` and that of its SIGNIFICANCE, without q-values, which
#: need the p-values of all of an SAE, nor labels, which saedb import makes of all that is exported; those p-values; and the rows with q-values.
FEATURES = f"""
    SELECT c.feature, CAST(NULL AS VARCHAR) AS label, c.s.skewness, c.s.kurtosis, c.s.top_tokens, c.s.bottom_tokens,
           feature_role(c.s.cos_kurtosis, c.s.cos_skewness, pow(c.s.cos_std / nullif(decoder_norm, 0), 2)) AS role,
           g.skewness_p, CAST(NULL AS DOUBLE) AS skewness_q, g.kurtosis_p, CAST(NULL AS DOUBLE) AS kurtosis_q, c.s.mean, c.s.std,
           c.s.cos_mean, c.s.cos_std, c.s.cos_skewness, c.s.cos_kurtosis, counted.tokens / c.s.kurtosis AS participation,
           {TOP_SHARE} AS top_share,
           decoder_norm, encoder_norm, encoder_decoder_cosine, bias AS encoder_bias, threshold,
           i.s.top_tokens AS input_tokens, i.s.bottom_tokens AS input_bottom_tokens, i.s.skewness AS input_skewness, i.s.kurtosis AS input_kurtosis,
           h.skewness_p AS input_skewness_p, CAST(NULL AS DOUBLE) AS input_skewness_q,
           h.kurtosis_p AS input_kurtosis_p, CAST(NULL AS DOUBLE) AS input_kurtosis_q, i.s.mean AS input_mean, i.s.std AS input_std, log_sparsity,
           CAST($sae AS VARCHAR) AS sae, CAST($hook AS VARCHAR) AS hook, CAST($model AS VARCHAR) AS model,
           'https://www.neuronpedia.org/' || CAST($neuronpedia_id AS VARCHAR) || '/' || c.feature AS neuronpedia_url,
           c.s.top_token_ids, c.s.bottom_token_ids, c.s.top_logit_weights, c.s.bottom_logit_weights,
           i.s.top_token_ids AS input_token_ids, i.s.top_logit_weights AS input_weights, i.s.bottom_token_ids AS input_bottom_token_ids,
           i.s.bottom_logit_weights AS input_bottom_weights, i.s.cos_mean AS input_cos_mean, i.s.cos_std AS input_cos_std,
           i.s.cos_skewness AS input_cos_skewness, i.s.cos_kurtosis AS input_cos_kurtosis,
           CAST($sae_sha256 AS VARCHAR) AS sae_sha256, CAST($model_sha256 AS VARCHAR) AS model_sha256, CAST($scale AS VARCHAR) AS scale,
           CAST($processing AS VARCHAR) AS processing, {BY_OUTPUT.format("CAST($tokens AS VARCHAR)")} AS tokens, {BY_OUTPUT.format("about.kernel")} AS kernel,
           {BY_OUTPUT.format("about.version")} AS saedb_version, {BY_OUTPUT.format("CAST($computed_at AS TIMESTAMP)")} AS computed_at
    FROM computed c LEFT JOIN significance g ON g.feature = c.feature
    LEFT JOIN computed_input i ON i.feature = c.feature LEFT JOIN input_significance h ON h.feature = c.feature, saedb_about() AS about,
         {COUNTED} AS counted
    ORDER BY c.feature"""
FEATURE_P_VALUES = """
    SELECT g.skewness_p, g.kurtosis_p, h.skewness_p AS input_skewness_p, h.kurtosis_p AS input_kurtosis_p
    FROM computed c LEFT JOIN significance g ON g.feature = c.feature LEFT JOIN input_significance h ON h.feature = c.feature"""

#: Rows of ``features_through``, likewise.
FEATURES_THROUGH = f"""
    SELECT CAST($sae AS VARCHAR) AS sae, CAST($model AS VARCHAR) AS model, CAST($lens AS VARCHAR) AS lens, CAST($lens_layer AS INTEGER) AS lens_layer,
           c.feature, CAST(NULL AS VARCHAR) AS label, c.s.mean, c.s.std, c.s.skewness, c.s.kurtosis, c.s.cos_mean, c.s.cos_std, c.s.cos_skewness, c.s.cos_kurtosis,
           c.s.top_tokens, c.s.top_token_ids, c.s.top_logit_weights, c.s.bottom_tokens, c.s.bottom_token_ids, c.s.bottom_logit_weights,
           {TOP_SHARE} AS top_share, decoder_norm, g.skewness_p, CAST(NULL AS DOUBLE) AS skewness_q, g.kurtosis_p, CAST(NULL AS DOUBLE) AS kurtosis_q,
           c.rank_correlation, log_sparsity, CAST($tokens AS VARCHAR) AS tokens, about.kernel, about.version AS saedb_version,
           CAST($computed_at AS TIMESTAMP) AS computed_at, CAST($baseline_seed AS BIGINT) AS baseline_seed, CAST($baseline_directions AS INTEGER) AS baseline_directions,
           CASE WHEN $baseline_seed IS NOT NULL THEN CAST($baseline_kind AS VARCHAR) END AS baseline_kind, CAST($lens_sha256 AS VARCHAR) AS lens_sha256,
           CAST($sae_sha256 AS VARCHAR) AS sae_sha256, CAST($model_sha256 AS VARCHAR) AS model_sha256, CAST($scale AS VARCHAR) AS scale,
           CAST($processing AS VARCHAR) AS processing
    FROM computed c LEFT JOIN significance g ON g.feature = c.feature, saedb_about() AS about, {COUNTED} AS counted
    ORDER BY c.feature"""

#: The statistics that features have p- and q-values of.
SIGNIFICANT = ("skewness", "kurtosis", "input_skewness", "input_kurtosis")


def adjusted_features(statistics: tuple[str, ...]) -> str:
    """The rows with q-values of some of them."""
    q_values = ", ".join(f"q_of_{name}.q AS {name}_q" for name in statistics)
    joins = "".join(f" LEFT JOIN (FROM feature_q_values WHERE statistic = '{name}') q_of_{name} ON q_of_{name}.p = f.{name}_p" for name in statistics)
    return f"SELECT f.* REPLACE ({q_values}) FROM unadjusted f{joins} ORDER BY f.feature"


#: Every score of what is computed, {computed} being a table, without names, as stored_enrichment has it; and of that the p-values alone, which
#: q-values need of all of an SAE.
SCORES = f"""
    SELECT feature, set_id, es, promoted, auc,
           CAST(ks_log10_p(CAST(members AS INTEGER), CAST(counted.tokens AS INTEGER), CAST(es AS DOUBLE)) AS FLOAT) AS log10_ks_p,
           CAST(baseline_log10_p($against, CAST($baseline AS INTEGER), set_id, es) AS FLOAT) AS log10_p
    FROM (SELECT feature, unnest(s.enrichment, recursive := true) FROM {{computed}})
    JOIN (SELECT set_id, CASE WHEN $tokens = 'real' THEN real_size ELSE len(token_ids) END AS members FROM model.stored_token_sets) USING (set_id),
         {COUNTED} AS counted"""
P_VALUES = """
    SELECT family, log10_p FROM scored JOIN (SELECT set_id, family FROM model.stored_token_sets) USING (set_id)
    WHERE log10_p IS NOT NULL"""

#: The tables that the views ``enrichment`` and ``input_enrichment`` have their rows from, for one side of one SAE with q-values that are in the table q_values; and
#: the rows, without the SAE's partition. {view} is the view's query, which saedb_enrichment_query gives.
SAE_TABLES = {
    "saes": "SELECT 0 AS load_id, CAST($sae AS VARCHAR) AS sae, CAST($model AS VARCHAR) AS model, CAST(NULL AS VARCHAR) AS release, CAST(NULL AS INTEGER) AS layer, CAST($tokens AS VARCHAR) AS tokens",
    "stored_computations": "SELECT 0 AS sae_id, CAST($baseline AS INTEGER) AS baseline_id, CAST($tokens AS VARCHAR) AS tokens",
    "stored_input_computations": "SELECT 0 AS sae_id, CAST($baseline AS INTEGER) AS baseline_id, CAST($tokens AS VARCHAR) AS tokens",
}
SAE_VIEWS = {
    "stored_token_sets": "FROM model.stored_token_sets",
    "stored_baseline_enrichment": "FROM {chance}.stored_baseline_enrichment",
    **{table: """
        SELECT 0 AS sae_id, scores.*, q.log10_q, q.log10_q_all
        FROM scores JOIN (SELECT set_id, family FROM model.stored_token_sets) USING (set_id) LEFT JOIN q_values q USING (family, log10_p)"""
       for table in ("stored_enrichment", "stored_input_enrichment")},
}  # fmt: skip
ENRICHMENT = "SELECT * EXCLUDE (layer, release) FROM ({view}) ORDER BY token_set, feature"

#: The rows of ``enrichment_through``, from the table stored_enrichment of SAE_VIEWS.
ENRICHMENT_THROUGH = """
    SELECT CAST($sae AS VARCHAR) AS sae, CAST($model AS VARCHAR) AS model, CAST($lens AS VARCHAR) AS lens, CAST($lens_layer AS INTEGER) AS lens_layer,
           e.feature, t.token_set, e.es, CASE WHEN e.promoted THEN 'promoted' WHEN NOT e.promoted THEN 'suppressed' END AS direction,
           e.auc, e.log10_ks_p, e.log10_p, e.log10_q, e.log10_q_all
    FROM stored_enrichment e JOIN model.stored_token_sets t USING (set_id) ORDER BY t.token_set, e.feature"""

#: One row for the rows of each SAE in a batch: their hash does not depend on their order.
HASHES = """
    SELECT release, sae, bit_xor(row_hash(feature, CAST(w_dec AS FLOAT[]))) AS hash, count(*) AS features,
           count(*) FILTER (feature IS NULL OR w_dec IS NULL) AS lacking, min(len(w_dec)) AS narrowest, max(len(w_dec)) AS widest
    FROM directions GROUP BY release, sae"""

MODELS = """
    SELECT m.* EXCLUDE (load_id), l.source, l.revision, l.sha256, l.bytes, l.conventions, l.saedb_version, l.loaded_at
    FROM models m JOIN loads l USING (load_id) WHERE model = $model"""
TOKENS = "SELECT * FROM tokens WHERE model = $model ORDER BY token_id"
#: The tables that the program has baselines in, and those of results with the nulls of each side.
BASELINE_TABLES = ("stored_baselines", "stored_baseline_statistics", "stored_baseline_enrichment")
NULLS = {"output": "baseline_enrichment", "input": "input_baseline_enrichment"}
BASELINE_STATISTICS = """
    SELECT v.*, s.sorted_values, s.direction_rows, b.kernel, b.saedb_version, b.computed_at
    FROM baseline_statistics v JOIN stored_models m USING (model)
    JOIN (SELECT b.*, l.name AS like_sae FROM stored_baselines b LEFT JOIN stored_loads l ON l.load_id = b.sae_id) b
        ON b.model_id = m.model_id AND b.tokens = v.tokens AND b.seed = v.seed AND b.directions = v.directions AND b.side = v.side
        AND b.like_sae IS NOT DISTINCT FROM v.like_sae AND b.lens_id IS NULL
    JOIN stored_baseline_statistics s ON s.baseline_id = b.baseline_id AND s.statistic = v.statistic
    WHERE list_contains(CAST($baselines AS INTEGER[]), b.baseline_id) ORDER BY v.statistic"""
BASELINE_ENRICHMENT = """
    SELECT t.token_set, t.family, n.median AS expected_es, n.threshold AS es_q99, n.location AS es_location, n.scale AS es_scale, n.auc_scale,
           n.directions, b.tokens, b.seed, CASE WHEN b.sae_id IS NULL THEN 'isotropic' ELSE 'sae' END AS kind, l.name AS like_sae, b.side, m.model,
           b.directions AS baseline_directions, n.scores, n.counts, n.resolution
    FROM stored_baseline_enrichment n JOIN stored_baselines b USING (baseline_id) JOIN stored_models m USING (model_id)
    JOIN (SELECT set_id, token_set, family FROM stored_token_sets) t USING (set_id) LEFT JOIN stored_loads l ON l.load_id = b.sae_id
    WHERE baseline_id = $baseline ORDER BY t.token_set"""
#: The same of random directions through lenses, and the lens itself.
BASELINES_THROUGH = """(SELECT b.baseline_id, m.model, z.lens, b.lens_layer, b.tokens, b.seed, b.directions AS baseline_directions, l.name AS like_sae, b.side,
        b.kernel, b.saedb_version, b.computed_at
    FROM stored_baselines b JOIN stored_models m USING (model_id) JOIN stored_lenses z USING (lens_id) LEFT JOIN stored_loads l ON l.load_id = b.sae_id WHERE list_contains(CAST($baselines AS INTEGER[]), b.baseline_id)) b"""
BASELINE_STATISTICS_THROUGH = f"""
    SELECT b.* EXCLUDE (baseline_id, baseline_directions), b.baseline_directions AS directions, s.statistic, s.sorted_values, s.direction_rows
    FROM stored_baseline_statistics s JOIN {BASELINES_THROUGH} USING (baseline_id) ORDER BY lens_layer, statistic"""
BASELINE_ENRICHMENT_THROUGH = f"""
    SELECT b.* EXCLUDE (baseline_id, kernel, saedb_version, computed_at), t.token_set, n.median AS expected_es, n.threshold AS es_q99, n.location AS es_location,
           n.scale AS es_scale, n.auc_scale, n.directions, n.scores, n.counts, n.resolution
    FROM stored_baseline_enrichment n JOIN {BASELINES_THROUGH} USING (baseline_id) JOIN stored_token_sets t USING (set_id) ORDER BY lens_layer, token_set"""
LENSES = """
    SELECT s.* EXCLUDE (load_id), l.source, l.revision, l.sha256, l.bytes, l.conventions, l.saedb_version, l.loaded_at
    FROM lenses s JOIN loads l USING (load_id) WHERE s.lens = $lens"""
TOKEN_SETS = "SELECT * FROM token_sets WHERE model = $model AND list_contains($names, token_set) ORDER BY token_set"

SAES = """
    SELECT CAST($sae AS VARCHAR) AS sae, CAST($release AS VARCHAR) AS release, CAST($model AS VARCHAR) AS model, CAST($hook AS VARCHAR) AS hook,
           CAST($layer AS INTEGER) AS layer, CAST($architecture AS VARCHAR) AS architecture, CAST($d_model AS INTEGER) AS d_model,
           CAST($d_sae AS INTEGER) AS d_sae, CAST($format AS VARCHAR) AS format, CAST($dtype AS VARCHAR) AS dtype,
           CAST($scale AS VARCHAR) AS scale, CAST($neuronpedia_id AS VARCHAR) AS neuronpedia_id, CAST($l0 AS DOUBLE) AS l0,
           CAST($tokens AS VARCHAR) AS tokens, CAST($source AS VARCHAR) AS source, CAST(NULL AS VARCHAR) AS revision,
           CAST($sha256 AS VARCHAR) AS sha256, CAST($bytes AS BIGINT) AS bytes, CAST($conventions AS VARCHAR) AS conventions,
           CAST($saedb_version AS VARCHAR) AS saedb_version, CAST($computed_at AS TIMESTAMP) AS loaded_at,
           CAST($baseline_seed AS BIGINT) AS baseline_seed, CAST($baseline_directions AS INTEGER) AS baseline_directions,
           CASE WHEN $baseline_seed IS NOT NULL THEN CAST($baseline_kind AS VARCHAR) END AS baseline_kind,
           CAST($input_side_tokens AS VARCHAR) AS input_side_tokens, CAST($kernel AS VARCHAR) AS input_side_kernel,
           CASE WHEN $input_side_tokens IS NOT NULL THEN CAST($saedb_version AS VARCHAR) END AS input_side_saedb_version,
           CASE WHEN $input_side_tokens IS NOT NULL THEN CAST($computed_at AS TIMESTAMP) END AS input_side_computed_at,
           CAST($input_side_seed AS BIGINT) AS input_side_baseline_seed, CAST($input_side_directions AS INTEGER) AS input_side_baseline_directions,
           CASE WHEN $input_side_seed IS NOT NULL THEN CAST($baseline_kind AS VARCHAR) END AS input_side_baseline_kind"""
