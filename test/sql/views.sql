SELECT model, architecture, d_model, d_vocab, format, dtype, norm, norm_folded, centered_over_d_model, centered_over_vocabulary FROM models;

SELECT sae, release, model, hook, layer, architecture, d_sae, dtype, scale, tokens FROM saes ORDER BY layer;

SELECT kind, name, format, bytes, conventions, replaced_by FROM loads;

SELECT load_id, path, bytes, sha256 FROM load_files WHERE load_id <= 2;

-- The columns of the contract.
SELECT string_agg(column_name, ', ' ORDER BY column_index) AS columns FROM duckdb_columns() WHERE table_name = 'features' AND schema_name = 'main';

SELECT string_agg(column_name, ', ' ORDER BY column_index) AS columns FROM duckdb_columns() WHERE table_name = 'tokens' AND schema_name = 'main';

-- A view for each layer, and a schema for each release.
SELECT schema_name, string_agg(view_name, ', ' ORDER BY view_name) AS views FROM duckdb_views()
WHERE view_name SIMILAR TO 'features|layer_[0-9]+' GROUP BY ALL ORDER BY ALL;

SELECT token_id, token, text, is_special, is_padding FROM tokens WHERE token_id IN (0, 16, 260, 28, 198) ORDER BY token_id;

SELECT direction, rank, token_id, text, round(logit_weight, 4) AS logit_weight FROM feature_tokens
WHERE layer = 29 AND feature = 1328 AND rank <= 2 ORDER BY ALL;

-- Every table, view and column is described.
SELECT count(*) AS undescribed FROM (
    SELECT comment FROM duckdb_columns() WHERE NOT internal
    UNION ALL SELECT comment FROM duckdb_tables() WHERE NOT internal
    UNION ALL SELECT comment FROM duckdb_views() WHERE NOT internal) WHERE comment IS NULL;

SELECT name, signature FROM functions;
