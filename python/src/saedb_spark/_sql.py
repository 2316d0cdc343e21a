"""The SQL that computes: what a worker's DuckDB runs, in one place.

The columns are those of docs/export.md. Every figure comes from a function of saedb's
extension, or from the arithmetic of the view ``enrichment``, in DuckDB, so that it is the
one that the program stores, bit for bit.
"""

from __future__ import annotations

#: Columns of directions, as :func:`computed` reads them.
DIRECTIONS = ("feature", "w_dec", "log_sparsity")


def computed(source: str, scored: bool) -> str:
    """Rows (feature, log_sparsity, s) of directions, whose columns ``source`` has, ``s`` being all that is computed of each.
    The parameters are the fields of a :class:`saedb_spark._worker.Pass`."""
    sets = ", CAST($sets AS INTEGER[])" if scored else ""
    return f"SELECT feature, log_sparsity, feature_statistics(w_dec, $model, $tokens{sets}) AS s FROM {source}"


#: The part of an SAE's file that a task reads, as ``source`` of :func:`computed`.
PART_OF_FILE = "read_sae($path, first := $first, features := $count)"

#: Rows of ``features`` from the table of what is :func:`computed`.
FEATURES = """
    SELECT feature, s.skewness, s.kurtosis, s.top_tokens, s.bottom_tokens, s.mean, s.std,
           s.cos_mean, s.cos_std, s.cos_skewness, s.cos_kurtosis, log_sparsity,
           CAST($sae AS VARCHAR) AS sae, CAST($hook AS VARCHAR) AS hook, CAST($model AS VARCHAR) AS model,
           'https://www.neuronpedia.org/' || CAST($neuronpedia_id AS VARCHAR) || '/' || feature AS neuronpedia_url,
           s.top_token_ids, s.bottom_token_ids, s.top_logit_weights, s.bottom_logit_weights,
           CAST($sae_sha256 AS VARCHAR) AS sae_sha256, CAST($model_sha256 AS VARCHAR) AS model_sha256, CAST($scale AS VARCHAR) AS scale,
           CAST($processing AS VARCHAR) AS processing, CAST($tokens AS VARCHAR) AS tokens,
           about.kernel, about.version AS saedb_version, CAST($computed_at AS TIMESTAMP) AS computed_at
    FROM computed, saedb_about() AS about
    ORDER BY feature"""

#: Every score of what is computed, without names; and the p-values alone, which q-values need of all of an SAE.
SCORES = "SELECT feature, unnest(s.enrichment, recursive := true) FROM computed"
P_VALUES = "SELECT log10_p FROM (SELECT unnest(s.enrichment).log10_p AS log10_p FROM computed) WHERE log10_p IS NOT NULL"

#: Rows of ``enrichment`` from those of SCORES, the model's token sets and the SAE's q-values.
ENRICHMENT = """
    SELECT feature, token_set, es,
           CASE WHEN promoted THEN 'promoted' WHEN NOT promoted THEN 'suppressed' END AS direction,
           pow(10.0, CAST(log10_p AS DOUBLE)) AS p_value, pow(10.0, CAST(log10_q AS DOUBLE)) AS q_value, auc,
           CASE WHEN $tokens = 'real' THEN real_size ELSE size END AS size,
           CAST($sae AS VARCHAR) AS sae, CAST($model AS VARCHAR) AS model, log10_p, log10_q
    FROM scores
    JOIN (SELECT set_id, token_set, len(token_ids) AS size, real_size FROM model.stored_token_sets) USING (set_id) -- its tokens go into no join
    LEFT JOIN q_values USING (log10_p)
    ORDER BY token_set, feature"""

#: One row for the rows of each SAE in a batch: their hash does not depend on their order.
HASHES = """
    SELECT release, sae, bit_xor(row_hash(feature, CAST(w_dec AS FLOAT[]))) AS hash, count(*) AS features,
           count(*) FILTER (feature IS NULL OR w_dec IS NULL) AS lacking, min(len(w_dec)) AS narrowest, max(len(w_dec)) AS widest
    FROM directions GROUP BY release, sae"""

MODELS = """
    SELECT m.* EXCLUDE (load_id), l.source, l.revision, l.sha256, l.bytes, l.conventions, l.saedb_version, l.loaded_at
    FROM models m JOIN loads l USING (load_id) WHERE model = $model"""
TOKENS = "SELECT * FROM tokens WHERE model = $model ORDER BY token_id"
TOKEN_SETS = "SELECT * FROM token_sets WHERE model = $model AND list_contains($names, token_set) ORDER BY token_set"

SAES = """
    SELECT CAST($sae AS VARCHAR) AS sae, CAST($release AS VARCHAR) AS release, CAST($model AS VARCHAR) AS model, CAST($hook AS VARCHAR) AS hook,
           CAST($layer AS INTEGER) AS layer, CAST($architecture AS VARCHAR) AS architecture, CAST($d_model AS INTEGER) AS d_model,
           CAST($d_sae AS INTEGER) AS d_sae, CAST($format AS VARCHAR) AS format, CAST($dtype AS VARCHAR) AS dtype,
           CAST($scale AS VARCHAR) AS scale, CAST($neuronpedia_id AS VARCHAR) AS neuronpedia_id, CAST($l0 AS DOUBLE) AS l0,
           CAST($tokens AS VARCHAR) AS tokens, CAST($source AS VARCHAR) AS source, CAST(NULL AS VARCHAR) AS revision,
           CAST($sha256 AS VARCHAR) AS sha256, CAST($bytes AS BIGINT) AS bytes, CAST($conventions AS VARCHAR) AS conventions,
           CAST($saedb_version AS VARCHAR) AS saedb_version, CAST($computed_at AS TIMESTAMP) AS loaded_at"""
