package schema

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// contents is, for each table of weights, tokens or explanations, the column of the
// load that wrote a row, and the SQL of the hash of rows, which does not depend on
// their order. Explanations may be twice in a file, so theirs is a sum: in bit_xor two
// that are equal leave no trace.
var contents = map[string]struct{ owner, hash string }{
	"stored_decoders": {"sae_id", "bit_xor(xor(row_hash(feature, w_dec), coalesce(row_hash(-1 - feature, [log_sparsity]), 0)))"},
	"stored_encoders": {"sae_id", "bit_xor(xor(xor(row_hash(feature, w_enc), coalesce(row_hash(-1 - feature, [bias]), 0)), " +
		"coalesce(row_hash(-1 - feature, [threshold, threshold]), 0)))"},
	"stored_unembeddings": {"model_id", "bit_xor(row_hash(token_id, w_u))"},
	"stored_embeddings":   {"model_id", "bit_xor(row_hash(token_id, w_e))"},
	// Rows have numbers of their own: two bits for the matrix, nineteen for its row.
	"stored_head_weights":  {"model_id", "bit_xor(row_hash(CAST(((layer * 4 + instr('qkvo', matrix) - 1) << 19) + head_row AS INTEGER), weights))"},
	"stored_mlp_weights":   {"model_id", "bit_xor(row_hash(CAST(((layer * 2 + CAST(matrix = 'gate' AS INTEGER)) << 18) + neuron AS INTEGER), w_in))"},
	"stored_lens_matrices": {"lens_id", "bit_xor(row_hash(layer * 1048576 + dimension, weights))"},
	"stored_tokens":        {"model_id", "bit_xor(" + textHash("CAST(token_id AS VARCHAR), token, text, CAST(is_special AS VARCHAR), CAST(is_padding AS VARCHAR)") + ")"},
	"stored_explanations":  {"load_id", summed(textHash("neuronpedia_id, CAST(feature AS VARCHAR), description, type, explainer"))},
	"stored_neuronpedia_features": {"load_id", summed(textHash(
		"neuronpedia_id, CAST(feature AS VARCHAR), CAST(max_activation AS VARCHAR), CAST(density AS VARCHAR)"))},
}

// WeightTables are those that hold weights, which results alone are without.
var WeightTables = []string{"stored_decoders", "stored_encoders", "stored_unembeddings", "stored_embeddings", "stored_head_weights", "stored_mlp_weights", "stored_lens_matrices"}

// textHash is the SQL of the hash of a row's texts. >> 1 makes the unsigned half of
// an MD5 a BIGINT.
func textHash(texts string) string {
	return "CAST(md5_number_lower(to_json([" + texts + "])) >> 1 AS BIGINT)"
}

func summed(hash string) string { return "CAST(sum(" + hash + ") % 9223372036854775807 AS BIGINT)" }

// Contents is the query for the number and the hash of a load's rows in a table of
// weights, tokens or explanations. Of any other table, known is false.
func Contents(table string, load int) (query string, known bool) {
	c, known := contents[table]
	return fmt.Sprintf("SELECT count(*), coalesce(%s, 0) FROM %s WHERE %s = %d", c.hash, table, c.owner, load), known
}

// RecordContents writes the number and the hash of a load's rows in these tables
// into stored_contents, in place of what was there.
func RecordContents(ctx context.Context, tx *sql.Tx, load int, tables ...string) error {
	for _, table := range tables {
		query, _ := Contents(table, load)
		var rows, hash int64
		if err := tx.QueryRowContext(ctx, query).Scan(&rows, &hash); err != nil {
			return err
		}
		if err := RecordRows(ctx, tx, load, table, rows, hash); err != nil {
			return err
		}
	}
	return nil
}

// RecordRows writes the number and the hash of a load's rows in a table, which are known, into
// stored_contents, in place of what was there.
func RecordRows(ctx context.Context, tx *sql.Tx, load int, table string, rows, hash int64) error {
	if _, err := tx.ExecContext(ctx, "DELETE FROM stored_contents WHERE load_id = ? AND stored_table = ?", load, table); err != nil {
		return err
	}
	return Insert(ctx, tx, "stored_contents", Row{{"load_id", load}, {"stored_table", table}, {"row_count", rows}, {"row_hash", hash}})
}

// InsertTokenSets is the statement that stores token sets, the rows of a query for the
// columns of stored_token_sets up to loaded_at, with what follows from them.
func InsertTokenSets(rows string) string {
	return "INSERT INTO stored_token_sets SELECT *, " + RealSize + ", " + TokenSetHash + " FROM (" + rows + ") s"
}

// TokenSetHash and RealSize are the SQL of row_hash and real_size of a row of
// stored_token_sets, which is called s.
var TokenSetHash = textHash("token_set, family, description, CAST(token_ids AS VARCHAR), source")

const RealSize = `(SELECT count(*) FROM (SELECT unnest(s.token_ids) AS token_id) m
	JOIN stored_tokens t ON t.model_id = s.model_id AND t.token_id = m.token_id WHERE NOT (t.is_special OR t.is_padding))`

// Members is the SQL of how many tokens of a row of stored_token_sets count, where tokens is
// the SQL of all or real.
func Members(tokens string) string {
	return "CAST(CASE WHEN " + tokens + " = 'real' THEN real_size ELSE len(token_ids) END AS INTEGER)"
}

// TopShare is the SQL of top_share of a row of stored_statistics for which counted tokens
// count: with z = (w − mean)/std, the sum of the ten largest z² over that of all, which is
// counted. Each of them is at an end of the ranking; where the ends of fewer than 20
// tokens overlap, the lower end has those that the upper has not.
func TopShare(counted string) string {
	return strings.ReplaceAll(`list_sum(list_reverse_sort(list_transform(list_concat(top_logit_weights, bottom_logit_weights[:greatest($counted - 10, 0)]),
		lambda w: pow((w - mean) / nullif(std, 0), 2)))[:10]) / $counted`, "$counted", counted)
}

// CountedTokens is the SQL of how many columns of the unembedding count for an SAE of a
// model: tokens is all or real.
func CountedTokens(model, tokens string) string {
	return strings.NewReplacer("$model", model, "$tokens", tokens).Replace(`(SELECT count(*) FROM stored_tokens t JOIN stored_models m USING (model_id)
		WHERE t.model_id = $model AND t.token_id < m.d_vocab AND ($tokens = 'all' OR NOT t.is_special AND NOT t.is_padding))`)
}

// RecordCounts writes into stored_computations, and into that of the input side, how many figures
// are stored of the SAEs that a condition on sae_id chooses.
func RecordCounts(ctx context.Context, tx *sql.Tx, condition string) error {
	for _, s := range Sides {
		_, err := tx.ExecContext(ctx, s.SQL(`UPDATE stored_computations SET
			features = (SELECT count(*) FROM stored_statistics t WHERE t.sae_id = stored_computations.sae_id),
			scores = (SELECT count(*) FROM stored_enrichment e WHERE e.sae_id = stored_computations.sae_id)
			WHERE `+condition))
		if err != nil {
			return err
		}
	}
	return nil
}

// DropPairs takes away pairs of SAEs that a condition on stored_sae_pairs chooses, with what was
// computed of them.
func DropPairs(ctx context.Context, tx *sql.Tx, condition string) error {
	return dropPairs(ctx, tx, condition, "stored_links", "stored_neighbours", "stored_sae_pairs")
}

// DropNeuronPairs takes away those of SAEs and MLPs, by a condition on stored_neuron_pairs.
func DropNeuronPairs(ctx context.Context, tx *sql.Tx, condition string) error {
	return dropPairs(ctx, tx, condition, "stored_neuron_links", "stored_neuron_pairs")
}

// dropPairs deletes from tables, of which the last has a row a pair.
func dropPairs(ctx context.Context, tx *sql.Tx, condition string, tables ...string) error {
	for _, table := range tables {
		_, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE pair_id IN (SELECT pair_id FROM "+tables[len(tables)-1]+" WHERE "+condition+")")
		if err != nil {
			return err
		}
	}
	return nil
}

// OfSAE is the condition for the pairs that an SAE is in.
func OfSAE(id int) string { return fmt.Sprintf("sae_id = %[1]d OR other_id = %[1]d", id) }

// Tables returns the names of the tables, in the order in which they are made.
func Tables() []string { return created("CREATE TABLE ", tables()) }
