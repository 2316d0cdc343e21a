package export

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	schema "github.com/saedb/saedb/sql"
)

// results is the name of the DuckDB file.
const results = "results.duckdb"

// database writes the same tables and views as the database's own, without weights.
// The views are made in the new file opened directly, so that it can be attached under any name.
func (r *run) database(*sql.Conn) error {
	return r.Results(r.ctx, filepath.Join(r.dir, results), func(db *sql.DB, from string) error {
		conn, err := db.Conn(r.ctx)
		if err != nil {
			return err
		}
		defer conn.Close()
		if _, err := conn.ExecContext(r.ctx, "SET temp_directory = "+schema.Literal(filepath.Join(r.dir, ".spill"))); err != nil {
			return err
		}
		if err := r.fill(conn, from); err != nil {
			return err
		}
		_, err = conn.ExecContext(r.ctx, "CHECKPOINT")
		return err
	})
}

// withoutWeights are the columns of the tables that are not copied as they are.
var withoutWeights = map[string]string{
	"stored_decoders":      "* REPLACE (NULL AS w_dec)",
	"stored_encoders":      "* REPLACE (NULL AS w_enc)",
	"stored_unembeddings":  "* REPLACE (NULL AS w_u)",
	"stored_embeddings":    "* REPLACE (NULL AS w_e)",
	"stored_head_weights":  "* REPLACE (NULL AS weights)",
	"stored_mlp_weights":   "* REPLACE (NULL AS w_in)",
	"stored_lens_matrices": "* REPLACE (NULL AS weights)",
	"stored_loads": fmt.Sprintf(`* REPLACE (CASE WHEN kind IN ('model', 'sae', 'lens') AND replaced_by IS NULL AND NOT contains(conventions, '%[1]s')
		THEN conventions || '%[1]s' ELSE conventions END AS conventions)`, schema.WithoutWeights),
}

// fill copies the tables from a database that is attached, and makes the views.
func (r *run) fill(conn *sql.Conn, database string) error {
	from := schema.Identifier(database)
	tx, err := conn.BeginTx(r.ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := schema.CreateTables(r.ctx, tx, r.Version); err != nil {
		return err
	}
	for _, table := range schema.Tables() {
		if table == "stored_schema" {
			continue
		}
		if slices.Contains(schema.PlaceTables, table) {
			continue // results lead to no weights
		}
		columns := withoutWeights[table]
		if columns == "" {
			columns = "*"
		}
		query := "INSERT INTO " + table + " SELECT " + columns + " FROM " + from + "." + table
		if table == "stored_contents" { // what has weights is recorded anew
			query += " WHERE stored_table NOT IN ('" + strings.Join(schema.WeightTables, "', '") + "')"
		}
		if _, err := tx.ExecContext(r.ctx, query); err != nil {
			return err
		}
	}
	if err := r.continueSequences(tx, database); err != nil {
		return err
	}
	if err := r.recordContents(tx, from); err != nil {
		return err
	}
	if err := schema.CreateViews(r.ctx, tx, r.Functions); err != nil {
		return err
	}
	for _, t := range tables {
		r.add(r.rows[t.name])
	}
	return tx.Commit()
}

// continueSequences has the sequences go on where those of the database end: numbers that its
// rows have are not given again.
func (r *run) continueSequences(tx *sql.Tx, database string) error {
	type sequence struct {
		name string
		next int
	}
	all, err := schema.Rows(r.ctx, tx, func(s *sequence) []any { return []any{&s.name, &s.next} },
		`SELECT o.sequence_name, greatest(s.start_value, coalesce(s.last_value + s.increment_by, 0)) FROM duckdb_sequences() s JOIN duckdb_sequences() o USING (sequence_name)
		WHERE s.database_name = ? AND o.database_name = current_database()`, database)
	if err != nil {
		return err
	}
	for _, s := range all {
		name := schema.Identifier(s.name)
		if _, err := tx.ExecContext(r.ctx, fmt.Sprintf("DROP SEQUENCE %s; CREATE SEQUENCE %s START %d", name, name, s.next)); err != nil {
			return err
		}
	}
	return nil
}

// recordContents records what the tables of weights hold now, as loads did in the database
// that is exported.
func (r *run) recordContents(tx *sql.Tx, from string) error {
	type recorded struct {
		load  int
		table string
	}
	all, err := schema.Rows(r.ctx, tx, func(one *recorded) []any { return []any{&one.load, &one.table} }, "SELECT load_id, stored_table FROM "+from+
		".stored_contents WHERE stored_table IN ('"+strings.Join(schema.WeightTables, "', '")+"')")
	if err != nil {
		return err
	}
	for _, one := range all {
		if err := schema.RecordContents(r.ctx, tx, one.load, one.table); err != nil {
			return err
		}
	}
	return nil
}
