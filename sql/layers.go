package schema

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
)

// layerView matches the name of a layer's view.
var layerView = regexp.MustCompile(`^layer_[0-9]+$`)

// reserved schemas cannot be a release's.
var reserved = []string{"main", "temp", "system", "information_schema", "pg_catalog"}

// CheckRelease tells whether name can be a release: a schema is named after it.
func CheckRelease(name string) error {
	if name == "" || slices.Contains(reserved, strings.ToLower(name)) {
		return &fault.Error{
			Op: "load sae", Subject: fmt.Sprintf("release %q", name), Problem: "a schema of that name cannot be made for it",
			Hint: "choose another name with --release",
		}
	}
	return nil
}

// syncLayers makes the views layer_N for the layers that there are, in main and
// in a schema for each release, which also gets its own features and enrichment; and drops the
// layers that are no more.
func syncLayers(ctx context.Context, tx *sql.Tx) error {
	releases, err := collect[string](ctx, tx, `SELECT DISTINCT release FROM stored_saes ORDER BY release`)
	if err != nil {
		return err
	}
	if err := syncSchema(ctx, tx, "main", "true"); err != nil {
		return err
	}
	for _, release := range releases {
		where := "release = " + Literal(release)
		views := Identifier(release)
		_, err := tx.ExecContext(ctx, fmt.Sprintf(`CREATE SCHEMA IF NOT EXISTS %[1]s;
			CREATE OR REPLACE VIEW %[1]s.features AS SELECT * FROM main.features WHERE %[2]s;
			COMMENT ON VIEW %[1]s.features IS %[3]s;
			CREATE OR REPLACE VIEW %[1]s.enrichment AS
			SELECT sae, layer, feature, token_set, size, es, direction, p_value, q_value, auc FROM main.release_enrichment WHERE %[2]s;
			COMMENT ON VIEW %[1]s.enrichment IS %[4]s`,
			views, where, Literal("Every feature of release "+release+"; the columns of features."),
			Literal("Enrichment of every feature of release "+release+"; the columns of enrichment.")))
		if err != nil {
			return err
		}
		if err := syncSchema(ctx, tx, release, where); err != nil {
			return err
		}
	}
	return nil
}

func syncSchema(ctx context.Context, tx *sql.Tx, schema, where string) error {
	wanted, err := collect[int](ctx, tx, `SELECT DISTINCT layer FROM saes WHERE layer IS NOT NULL AND `+where+` ORDER BY layer`)
	if err != nil {
		return err
	}
	present, err := collect[int](ctx, tx, `SELECT CAST(view_name[7:] AS INTEGER) FROM duckdb_views()
		WHERE database_name = current_database() AND schema_name = ? AND regexp_matches(view_name, ?)`, schema, layerView.String())
	if err != nil {
		return err
	}
	in := Identifier(schema)
	for _, layer := range present {
		if !slices.Contains(wanted, layer) {
			if _, err := tx.ExecContext(ctx, fmt.Sprintf(`DROP VIEW %s.layer_%d`, in, layer)); err != nil {
				return err
			}
		}
	}
	for _, layer := range wanted {
		source, of := "features", ""
		if schema != "main" {
			source, of = "main.features", " of release "+schema
		}
		_, err := tx.ExecContext(ctx, fmt.Sprintf(`CREATE OR REPLACE VIEW %[1]s.layer_%[2]d AS SELECT * FROM %[3]s WHERE %[4]s AND layer = %[2]d;
			COMMENT ON VIEW %[1]s.layer_%[2]d IS %[5]s`,
			in, layer, source, where, Literal(fmt.Sprintf("Every feature at layer %d%s; the columns of features.", layer, of))))
		if err != nil {
			return err
		}
	}
	return nil
}

// collect returns the single column of a query.
func collect[T any](ctx context.Context, tx *sql.Tx, query string, args ...any) ([]T, error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		var v T
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}
