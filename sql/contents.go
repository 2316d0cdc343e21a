package schema

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
)

// contents is, for each table of weights, tokens or explanations, the column of the
// load that wrote a row, and the SQL of the hash of rows, which does not depend on
// their order. Explanations may be twice in a file, so theirs is a sum: in bit_xor two
// that are equal leave no trace.
var contents = map[string]struct{ owner, hash string }{
	"stored_decoders":     {"sae_id", "bit_xor(xor(row_hash(feature, w_dec), coalesce(row_hash(-1 - feature, [log_sparsity]), 0)))"},
	"stored_unembeddings": {"model_id", "bit_xor(row_hash(token_id, w_u))"},
	"stored_tokens":       {"model_id", "bit_xor(" + textHash("CAST(token_id AS VARCHAR), token, text, CAST(is_special AS VARCHAR), CAST(is_padding AS VARCHAR)") + ")"},
	"stored_explanations": {"load_id", summed(textHash("neuronpedia_id, CAST(feature AS VARCHAR), description, type, explainer"))},
	"stored_neuronpedia_features": {"load_id", summed(textHash(
		"neuronpedia_id, CAST(feature AS VARCHAR), CAST(max_activation AS VARCHAR), CAST(density AS VARCHAR)"))},
}

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
// into stored_contents.
func RecordContents(ctx context.Context, tx *sql.Tx, load int, tables ...string) error {
	for _, table := range tables {
		query, _ := Contents(table, load)
		if _, err := tx.ExecContext(ctx, fmt.Sprintf("INSERT INTO stored_contents SELECT %d, %s, * FROM (%s)", load, Literal(table), query)); err != nil {
			return err
		}
	}
	return nil
}

var createdTable = regexp.MustCompile(`(?m)^CREATE TABLE (\w+)`)

// Tables returns the names of the tables, in the order in which they are made.
func Tables() []string {
	text, err := files.ReadFile("schema.sql")
	if err != nil {
		panic(err) // it is embedded
	}
	var names []string
	for _, match := range createdTable.FindAllSubmatch(text, -1) {
		names = append(names, string(match[1]))
	}
	return names
}
