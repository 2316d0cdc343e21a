package check

import (
	"slices"

	schema "github.com/saedb/saedb/sql"
)

// catalogue checks what says which loads, models, SAEs and token sets there are.
func (r *run) catalogue() error { return r.applyAll(catalogueRules) }

var catalogueRules = slices.Concat([]rule{
	{"stored_schema", `SELECT NULL, 'expected 1 row, found ' || count(*) FROM stored_schema HAVING count(*) <> 1`},

	{"stored_loads", `SELECT 'load ' || load_id, count(*) || ' rows have that number' FROM stored_loads GROUP BY load_id HAVING count(*) > 1`},
	{"stored_loads", `SELECT 'load ' || load_id, 'expected kind model, sae, lens or explanations, found ' || kind FROM stored_loads WHERE kind NOT IN ('model', 'sae', 'lens', 'explanations')`},
	{"stored_loads", `SELECT 'load ' || load_id || ', ' || kind || ' ' || name, 'it is current, but nothing that it loaded is there' FROM stored_loads
		WHERE replaced_by IS NULL AND kind IN ('model', 'sae', 'lens') AND load_id NOT IN (SELECT model_id FROM stored_models UNION ALL SELECT sae_id FROM stored_saes UNION ALL SELECT lens_id FROM stored_lenses)`},
	{"stored_loads", `SELECT 'load ' || load_id, 'replaced by load ' || replaced_by || ', which is not there' FROM stored_loads
		WHERE replaced_by IS NOT NULL AND replaced_by NOT IN (SELECT load_id FROM stored_loads)`},
	{"stored_loads", `SELECT 'load ' || load_id || ', ' || kind || ' ' || name, 'expected ' || l.bytes || ' bytes in its files, found ' || coalesce(sum(f.bytes), 0)
		FROM stored_loads l LEFT JOIN stored_load_files f USING (load_id) WHERE NOT contains(conventions, '` + schema.WithoutWeights + `')
		GROUP BY load_id, kind, name, l.bytes HAVING l.bytes <> coalesce(sum(f.bytes), 0)`},
	{"stored_contents", `SELECT kind || ' ' || name, 'expected the hash of its rows of ' || stored_table || ', found none' FROM (
			SELECT load_id, kind, name, 'stored_decoders' AS stored_table FROM stored_loads WHERE kind = 'sae' AND replaced_by IS NULL
			UNION ALL SELECT DISTINCT load_id, kind, name, 'stored_encoders' FROM stored_loads JOIN stored_encoders ON sae_id = load_id
			UNION ALL SELECT DISTINCT load_id, kind, name, 'stored_embeddings' FROM stored_loads JOIN stored_embeddings ON model_id = load_id
			UNION ALL SELECT DISTINCT load_id, kind, name, 'stored_head_weights' FROM stored_loads JOIN stored_head_weights ON model_id = load_id
			UNION ALL SELECT load_id, kind, name, 'stored_lens_matrices' FROM stored_loads WHERE kind = 'lens' AND replaced_by IS NULL
			UNION ALL SELECT load_id, kind, name, unnest(['stored_unembeddings', 'stored_tokens']) FROM stored_loads WHERE kind = 'model' AND replaced_by IS NULL
			UNION ALL SELECT load_id, kind, name, unnest(['stored_explanations', 'stored_neuronpedia_features']) FROM stored_loads WHERE kind = 'explanations' AND replaced_by IS NULL
		) ANTI JOIN stored_contents USING (load_id, stored_table)`},

	{"stored_models", `SELECT 'model ' || model, 'load ' || model_id || ' is not there, or no current load of that model' FROM stored_models
		ANTI JOIN (SELECT load_id AS model_id, name AS model FROM stored_loads WHERE kind = 'model' AND replaced_by IS NULL) USING (model_id, model)`},
	{"stored_models", `SELECT 'model ' || model, count(*) || ' models have that name' FROM stored_models GROUP BY model HAVING count(*) > 1`},
	{"stored_models", `SELECT 'model_id ' || model_id, count(*) || ' models have that number' FROM stored_models GROUP BY model_id HAVING count(*) > 1`},
	{"stored_models", `SELECT 'model ' || model, 'expected sizes of at least 1, found d_model ' || d_model || ', d_vocab ' || d_vocab
		FROM stored_models WHERE least(d_model, d_vocab) < 1`},

	{"stored_saes", `SELECT 'SAE ' || sae, 'load ' || sae_id || ' is not there, or no current load of that SAE' FROM stored_saes
		ANTI JOIN (SELECT load_id AS sae_id, name AS sae, release FROM stored_loads WHERE kind = 'sae' AND replaced_by IS NULL) USING (sae_id, sae, release)`},
	{"stored_saes", `SELECT 'SAE ' || sae, 'its model, model_id ' || model_id || ', is not there' FROM stored_saes
		WHERE model_id NOT IN (SELECT model_id FROM stored_models)`},
	{"stored_saes", `SELECT 'SAE ' || sae, 'expected d_model ' || m.d_model || ', that of model ' || model || ', found ' || s.d_model
		FROM stored_saes s JOIN stored_models m USING (model_id) WHERE s.d_model <> m.d_model`},
	{"stored_saes", `SELECT 'SAE ' || sae, 'expected at least 1 feature, found d_sae ' || d_sae FROM stored_saes WHERE d_sae < 1`},
	{"stored_saes", `SELECT 'SAE ' || sae, count(*) || ' SAEs have that name' FROM stored_saes GROUP BY sae HAVING count(*) > 1`},
	{"stored_saes", `SELECT 'sae_id ' || sae_id, count(*) || ' SAEs have that number' FROM stored_saes GROUP BY sae_id HAVING count(*) > 1`},

	{"stored_lenses", `SELECT 'lens ' || lens, 'load ' || lens_id || ' is not there, or no current load of that lens' FROM stored_lenses
		ANTI JOIN (SELECT load_id AS lens_id, name AS lens FROM stored_loads WHERE kind = 'lens' AND replaced_by IS NULL) USING (lens_id, lens)`},
	{"stored_lenses", `SELECT 'lens ' || lens, count(*) || ' lenses have that name' FROM stored_lenses GROUP BY lens HAVING count(*) > 1`},
	{"stored_lenses", `SELECT 'lens_id ' || lens_id, count(*) || ' lenses have that number' FROM stored_lenses GROUP BY lens_id HAVING count(*) > 1`},
	{"stored_lenses", `SELECT 'lens ' || lens, 'expected d_model ' || m.d_model || ', that of model ' || model || ', found ' || l.d_model
		FROM stored_lenses l JOIN stored_models m USING (model_id) WHERE l.d_model <> m.d_model`},
	{"stored_lenses", `SELECT 'lens ' || lens, 'its layers are not ascending, each once and before the last block' FROM stored_lenses
		WHERE NOT coalesce(layers = list_sort(list_distinct(layers)) AND len(layers) > 0 AND layers[1] >= -1 AND layers[-1] < coalesce(blocks, 1 << 20), false)`},
	{"stored_lens_saes", `SELECT 'lens_sae_id ' || lens_sae_id, 'expected one row with that number below 0, found ' || count(*) FROM stored_lens_saes GROUP BY lens_sae_id HAVING count(*) > 1 OR lens_sae_id >= 0`},
	{"stored_lens_saes", `SELECT 'SAE ' || s.sae || ', lens ' || lens, 'expected one row, found ' || count(*) FROM stored_lens_saes JOIN stored_saes s USING (sae_id) JOIN stored_lenses USING (lens_id) GROUP BY ALL HAVING count(*) > 1`},
	{"stored_lens_saes", `SELECT 'SAE ' || s.sae || ', lens ' || l.lens, 'the lens has no matrix of layer ' || r.layer FROM stored_lens_saes r JOIN stored_saes s USING (sae_id) JOIN stored_lenses l USING (lens_id)
		WHERE NOT list_contains(l.layers, r.layer) AND r.layer IS DISTINCT FROM l.blocks - 1`},
	{"stored_lens_matrices", `SELECT 'lens ' || lens || ', layer ' || layer, 'expected ' || d_model || ' rows, each once, found ' || found FROM (
			SELECT lens, d_model, layer, count(DISTINCT dimension) FILTER (dimension >= 0 AND dimension < d_model) AS found, count(*) AS n
			FROM (SELECT lens_id, lens, d_model, unnest(layers) AS layer FROM stored_lenses) LEFT JOIN (SELECT lens_id, layer, dimension FROM stored_lens_matrices) USING (lens_id, layer)
			GROUP BY ALL) WHERE found <> d_model OR n <> d_model`},
	{"stored_lens_matrices", `SELECT 'lens ' || lens || ', layer ' || layer, 'the lens has no such layer' FROM stored_lens_matrices JOIN stored_lenses USING (lens_id) WHERE NOT list_contains(layers, layer) GROUP BY ALL`},
	{"stored_lens_matrices", `SELECT 'lens ' || lens || ', layer ' || layer || ', row ' || dimension, 'expected ' || d_model || ' finite values' FROM stored_lens_matrices JOIN stored_lenses USING (lens_id)
		WHERE weights IS NOT NULL AND NOT coalesce(len(weights) = d_model AND len(list_filter(weights, lambda w: isfinite(w))) = d_model, false)`},

	{"stored_in_place", `SELECT 'SAE ' || sae, 'expected one row where its weights stay in files, with at least one file, found ' || count(*) || ' and ' || (SELECT count(*) FROM stored_weight_files f WHERE f.sae_id = p.sae_id)
		FROM stored_in_place p JOIN stored_saes s USING (sae_id) GROUP BY p.sae_id, sae HAVING count(*) > 1 OR (SELECT count(*) FROM stored_weight_files f WHERE f.sae_id = p.sae_id) = 0`},

	recorded("stored_computations", "features", "stored_statistics"),
	recorded("stored_computations", "scores", "stored_enrichment"),
	recorded("stored_input_computations", "features", "stored_input_statistics"),
	recorded("stored_input_computations", "scores", "stored_input_enrichment"),

	{"stored_token_sets", `SELECT 'set_id ' || set_id, count(*) || ' sets have that number' FROM stored_token_sets GROUP BY set_id HAVING count(*) > 1`},
	{"stored_token_sets", `SELECT 'token set ' || token_set, count(*) || ' sets of the model have that name' FROM stored_token_sets GROUP BY model_id, token_set HAVING count(*) > 1`},
	{"stored_token_sets", `SELECT 'token set ' || token_set, 'expected ids of tokens from 0 to ' || (d_vocab - 1) || ', found ' || coalesce(CAST(token_id AS VARCHAR), 'NULL')
		FROM (SELECT model_id, token_set, unnest(token_ids) AS token_id FROM stored_token_sets) JOIN stored_models USING (model_id)
		WHERE token_id IS NULL OR token_id < 0 OR token_id >= d_vocab`},
	{"stored_token_sets", `SELECT 'token set ' || token_set, 'its token ids are not ascending, each once' FROM stored_token_sets
		WHERE token_ids <> list_sort(list_distinct(token_ids))`},
	{"stored_token_sets", `SELECT 'token set ' || token_set, 'it is not the set that was stored: expected hash ' || row_hash || ' of its name, family, description, tokens and source, found ' || found
		FROM (SELECT token_set, row_hash, ` + schema.TokenSetHash + ` AS found FROM stored_token_sets s) WHERE row_hash <> found`},
	{"stored_token_sets", `SELECT 'token set ' || token_set, 'expected real_size ' || expected || ', found ' || real_size
		FROM (SELECT token_set, real_size, ` + schema.RealSize + ` AS expected FROM stored_token_sets s) WHERE real_size <> expected`},

	{"stored_embeddings", `SELECT 'model ' || model, 'expected ' || expected || ' rows of its embedding, found ' || found
		FROM (SELECT model, (SELECT count(*) FROM stored_embeddings e WHERE e.model_id = m.model_id) AS found,
			CASE WHEN embedding_in = 'stored_embeddings' THEN d_vocab ELSE 0 END AS expected FROM stored_models m) WHERE found <> expected`},
	{"stored_attention", `SELECT 'model ' || model || ', layer ' || layer, 'expected 1 row, found ' || count(*) FROM stored_attention JOIN stored_models USING (model_id)
		GROUP BY ALL HAVING count(*) > 1`},
	{"stored_attention", `SELECT 'model ' || model || ', layer ' || layer, 'expected heads that share key-value heads evenly, found ' || n_heads || ', ' || n_kv_heads || ' of width ' || d_head
		FROM stored_attention JOIN stored_models USING (model_id) WHERE least(n_heads, n_kv_heads, d_head) < 1 OR n_heads % greatest(n_kv_heads, 1) <> 0`},
	{"stored_head_weights", `SELECT 'model_id ' || w.model_id || ', layer ' || w.layer, count(*) || ' rows, but no heads of that layer in stored_attention'
		FROM stored_head_weights w ANTI JOIN stored_attention a USING (model_id, layer) GROUP BY ALL`},
	{"stored_head_weights", `SELECT 'model ' || model || ', layer ' || layer || ', matrix ' || matrix, 'expected rows 0 to ' || (expected - 1) || ', each once, found ' || found
		FROM (SELECT model_id, layer, matrix, d_head * CASE WHEN matrix IN ('k', 'v') THEN n_kv_heads ELSE n_heads END AS expected,
				(SELECT count(DISTINCT head_row) FILTER (head_row >= 0 AND head_row < expected) FROM stored_head_weights w
				 WHERE w.model_id = a.model_id AND w.layer = a.layer AND w.matrix = a.matrix) AS distinct_rows,
				(SELECT count(*) FROM stored_head_weights w WHERE w.model_id = a.model_id AND w.layer = a.layer AND w.matrix = a.matrix) AS found
			FROM (SELECT *, unnest(['q', 'k', 'v', 'o']) AS matrix FROM stored_attention) a) JOIN stored_models USING (model_id)
		WHERE found <> expected OR distinct_rows <> expected`},
	{"stored_baselines", `SELECT 'baseline ' || baseline_id, 'expected side output or input, found ' || side FROM stored_baselines WHERE side NOT IN ('output', 'input')`},
	{"stored_mlp_weights", `SELECT 'model_id ' || w.model_id || ', layer ' || w.layer, count(*) || ' rows, but no MLP of that layer in stored_mlps'
		FROM stored_mlp_weights w ANTI JOIN stored_mlps p USING (model_id, layer) GROUP BY ALL`},
	{"stored_mlp_weights", `SELECT 'model ' || model || ', layer ' || layer || ', matrix ' || matrix, 'expected neurons 0 to ' || (d_mlp - 1) || ', each once, found ' || found || ' rows'
		FROM (SELECT model_id, layer, matrix, d_mlp,
				(SELECT count(DISTINCT neuron) FILTER (neuron >= 0 AND neuron < d_mlp) FROM stored_mlp_weights w WHERE w.model_id = p.model_id AND w.layer = p.layer AND w.matrix = p.matrix) AS distinct_rows,
				(SELECT count(*) FROM stored_mlp_weights w WHERE w.model_id = p.model_id AND w.layer = p.layer AND w.matrix = p.matrix) AS found
			FROM (SELECT *, unnest(CASE WHEN gated THEN ['in', 'gate'] ELSE ['in'] END) AS matrix FROM stored_mlps) p) JOIN stored_models USING (model_id)
		WHERE found <> d_mlp OR distinct_rows <> d_mlp`},
	{"stored_baseline_statistics", `SELECT 'baseline ' || baseline_id || ', ' || statistic, 'its values are not finite and ascending' FROM stored_baseline_statistics
		WHERE sorted_values <> list_sort(sorted_values) OR NOT isfinite(sorted_values[1]) OR NOT isfinite(sorted_values[-1])`},
	{"stored_baseline_statistics", `SELECT 'baseline ' || baseline_id || ', ' || statistic, 'expected a row of its random directions for each value, found others' FROM stored_baseline_statistics s
		JOIN stored_baselines b USING (baseline_id) WHERE NOT coalesce(` + schema.RowsOfDirections("s", "b.directions") + `, false)`},
	{"stored_baseline_enrichment", `SELECT 'baseline ' || baseline_id || ', set_id ' || set_id, 'expected scores that descend, counts that ascend, one for each, a location and a scale above 0' FROM stored_baseline_enrichment
		WHERE scores IS NOT NULL AND NOT coalesce(scores = list_reverse_sort(scores) AND counts = list_sort(counts) AND len(scores) = len(counts) AND counts[-1] = directions AND location >= 0 AND scale > 0, false)`},
	probabilities("stored_significance"),
	probabilities("stored_input_significance"),
	{"stored_encoders", `SELECT 'SAE ' || sae, 'expected ' || CASE WHEN encoder_hook IS NULL THEN 0 ELSE d_sae END || ' rows of its encoder, found ' || found
		FROM (SELECT sae, d_sae, encoder_hook, (SELECT count(*) FROM stored_encoders e WHERE e.sae_id = s.sae_id) AS found FROM stored_saes s)
		WHERE found <> CASE WHEN encoder_hook IS NULL THEN 0 ELSE d_sae END`},
}, computationRules(schema.Output), computationRules(schema.Input),
	orphans("load", "stored_loads", "load_id", "load_id", "stored_load_files", "stored_contents", "stored_explanations", "stored_neuronpedia_features"),
	orphans("model", "stored_models", "model_id", "model_id", "stored_tokens", "stored_unembeddings", "stored_embeddings", "stored_attention", "stored_mlps",
		"stored_lenses", "stored_token_sets", "stored_baselines"),
	orphans("lens", "stored_lenses", "lens_id", "lens_id", "stored_lens_matrices", "stored_lens_saes", "stored_baselines"),
	orphans("SAE", "stored_saes", "sae_id", "sae_id", "stored_decoders", "stored_encoders", "stored_input_computations", "stored_input_statistics",
		"stored_input_significance", "stored_input_enrichment", "stored_input_set_enrichment", "stored_input_labels", "stored_baselines", "stored_lens_saes", "stored_in_place", "stored_weight_files"),
	orphans("SAE", "(SELECT sae_id FROM stored_saes UNION ALL SELECT lens_sae_id FROM stored_lens_saes)", "sae_id", "sae_id",
		"stored_computations", "stored_statistics", "stored_significance", "stored_enrichment", "stored_set_enrichment", "stored_labels", "stored_lens_correlations"),
	orphans("row of stored_computations", "stored_computations", "sae_id", "sae_id", "stored_statistics", "stored_enrichment"),
	orphans("row of stored_input_computations", "stored_input_computations", "sae_id", "sae_id", "stored_input_statistics", "stored_input_enrichment"),
	orphans("baseline", "stored_baselines", "baseline_id", "baseline_id", "stored_baseline_statistics", "stored_baseline_enrichment"),
	orphans("token set", "stored_token_sets", "set_id", "set_id", "stored_set_enrichment", "stored_input_set_enrichment", "stored_enrichment", "stored_labels", "stored_input_enrichment", "stored_input_labels", "stored_baseline_enrichment"),
)

// computationRules are those of the table of what was computed of a side of SAEs, a row each.
func computationRules(side schema.Side) []rule {
	table := side.SQL("stored_computations")
	from := ` FROM ` + table + ` `
	return []rule{
		baselineOf(side),
		{table, `SELECT 'sae_id ' || sae_id, 'expected 1 row, found ' || count(*)` + from + `GROUP BY sae_id HAVING count(*) > 1`},
		{table, `SELECT 'sae_id ' || sae_id, 'expected tokens all or real, found ' || tokens` + from + `WHERE tokens NOT IN ('all', 'real')`},
		{table, `SELECT 'SAE ' || sae, 'expected ' || expected || ' counted tokens, found ' || counted_tokens
			FROM (SELECT sae, counted_tokens, ` + schema.CountedTokens("s.model_id", "c.tokens") + ` AS expected` + from + `c JOIN stored_saes s USING (sae_id))
			WHERE counted_tokens <> expected`},
	}
}

// baselineOf finds computations of a side whose baseline is not there, or of the other side.
func baselineOf(side schema.Side) rule {
	return rule{side.SQL("stored_computations"), side.SQL(`SELECT 'sae_id ' || sae_id, 'baseline ' || baseline_id || coalesce(' is of side ' || side || ', expected ' || 'output', ' is not there')
		FROM stored_computations c LEFT JOIN (SELECT baseline_id, side FROM stored_baselines) b USING (baseline_id)
		WHERE c.baseline_id IS NOT NULL AND side IS DISTINCT FROM 'output'`)}
}

// recorded finds computations that recorded another number of rows, in a column, than a
// table has. They record it in the transactions that store the rows, so an interrupted one
// has what it recorded.
func recorded(computations, column, table string) rule {
	return rule{computations, `SELECT 'SAE ' || sae, 'expected ' || ` + column + ` || ' rows of ` + table + `, as its computation recorded, found ' || found
		FROM (SELECT sae, ` + column + `, (SELECT count(*) FROM ` + table + ` t WHERE t.sae_id = c.sae_id) AS found
			FROM ` + computations + ` c JOIN stored_saes USING (sae_id)) WHERE ` + column + ` <> found`}
}

// probabilities finds p- and q-values of features that are none.
func probabilities(table string) rule {
	return rule{table, `SELECT 'sae_id ' || sae_id || ', feature ' || feature, 'expected p- and q-values above 0 and at most 1' FROM ` + table + `
		WHERE NOT (coalesce(skewness_p, 1) > 0 AND coalesce(skewness_p, 1) <= 1 AND coalesce(kurtosis_p, 1) > 0 AND coalesce(kurtosis_p, 1) <= 1
			AND coalesce(skewness_q >= skewness_p * (1 - 1e-9), true) AND coalesce(kurtosis_q >= kurtosis_p * (1 - 1e-9), true))`}
}

// orphans finds rows of tables whose column names something, and nothing that the column key of a
// table has.
func orphans(what, in, key, column string, tables ...string) []rule {
	var rules []rule
	for _, table := range tables {
		rules = append(rules, rule{table, `SELECT '` + column + ` ' || ` + column + `, count(*) || ' rows, but no such ` + what + `' FROM ` + table + `
			WHERE ` + column + ` IS NOT NULL AND ` + column + ` NOT IN (SELECT ` + key + ` FROM ` + in + `) GROUP BY ` + column + ` ORDER BY ` + column})
	}
	return rules
}

// numbered are the rules for a table with one row for each whole number below a
// size. The $names are filled in by apply.
func numbered(table, owner, id, what, size string) []rule {
	here := ` FROM ` + table + ` WHERE ` + owner + ` = $id`
	name := `'$subject, ` + what + ` ' || `
	return []rule{
		{table, `SELECT ` + name + `i, 'its row is missing' FROM range(` + size + `) t(i) WHERE i NOT IN (SELECT ` + id + here + `) ORDER BY i`},
		{table, `SELECT ` + name + id + `, 'expected 1 row, found ' || count(*)` + here + ` GROUP BY ` + id + ` HAVING count(*) > 1 ORDER BY ` + id},
		{table, `SELECT ` + name + id + `, 'expected numbers from 0 to ' || (` + size + ` - 1)` + here + ` AND (` + id + ` < 0 OR ` + id + ` >= ` + size + `)`},
	}
}

// vectors finds lists of the wrong length, and values that are NULL or not finite.
// DuckDB's order has NaN above everything.
func vectors(table, owner, id, what, list string) []rule {
	here := ` FROM ` + table + ` WHERE ` + owner + ` = $id AND `
	name := `'$subject, ` + what + ` ' || ` + id
	return []rule{
		{table, `SELECT ` + name + `, 'expected $d_model values in ` + list + `, found ' || len(` + list + `)` + here + `len(` + list + `) <> $d_model`},
		{table, `SELECT ` + name + `, 'expected finite values in ` + list + `, found NULL, NaN or infinity'` + here + `len(` + list + `) > 0
			AND (list_count(` + list + `) <> len(` + list + `) OR NOT isfinite(list_max(` + list + `)) OR NOT isfinite(list_min(` + list + `)))`},
	}
}
