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

// SAEName is the name of an SAE that is unique in its database.
func SAEName(release, name string) string {
	if release == DefaultRelease {
		return name
	}
	return release + "/" + name
}

// DefaultRelease is the release of SAEs that are loaded without one.
const DefaultRelease = "local"

// syncLayers makes the views layer_N for the layers that there are, in main and in a
// schema for each release, and drops the layers and releases that are no more. A release's
// schema has every view of main that has its SAEs, for that release alone, and the macros.
// kept says that those that are there are whole.
func syncLayers(ctx context.Context, tx *sql.Tx, kept bool) error {
	releases, err := Collect[string](ctx, tx, `SELECT DISTINCT release FROM stored_saes ORDER BY release`)
	if err != nil {
		return err
	}
	if err := syncSchema(ctx, tx, "main", "true", kept); err != nil {
		return err
	}
	views, err := viewsOfSAEs(ctx, tx)
	if err != nil {
		return err
	}
	if err := dropReleases(ctx, tx, views, releases); err != nil {
		return err
	}
	for _, release := range releases {
		if err := syncRelease(ctx, tx, release, views, kept); err != nil {
			return err
		}
	}
	return nil
}

// viewsOfSAEs are saedb's views in main that have rows of SAEs, but for those of layers.
func viewsOfSAEs(ctx context.Context, tx *sql.Tx) ([]string, error) {
	ours := own()
	views, err := Collect[string](ctx, tx, `SELECT view_name FROM duckdb_views() v
		WHERE v.database_name = current_database() AND v.schema_name = 'main' AND EXISTS (
			FROM duckdb_columns() c WHERE c.table_oid = v.view_oid AND c.database_name = v.database_name AND c.column_name = 'sae')
		ORDER BY view_name`)
	return slices.DeleteFunc(views, func(view string) bool { return !ours(view) || layerView.MatchString(view) }), err
}

func syncRelease(ctx context.Context, tx *sql.Tx, release string, views []string, kept bool) error {
	if err := checkApart(ctx, tx, release); err != nil {
		return err
	}
	if kept {
		there, err := Collect[string](ctx, tx, `SELECT view_name FROM duckdb_views() WHERE database_name = current_database() AND schema_name = ?`, release)
		if err != nil {
			return err
		}
		if len(there) > 0 && !slices.ContainsFunc(views, func(view string) bool { return !slices.Contains(there, view) }) {
			return syncSchema(ctx, tx, release, "release = "+Literal(release), kept)
		}
	}
	where, in := "release = "+Literal(release), Identifier(release)
	if _, err := tx.ExecContext(ctx, "CREATE SCHEMA IF NOT EXISTS "+in); err != nil {
		return err
	}
	for _, view := range views {
		_, err := tx.ExecContext(ctx, fmt.Sprintf(`CREATE OR REPLACE VIEW %[1]s.%[2]s AS SELECT * FROM main.%[2]s WHERE %[3]s;
			COMMENT ON VIEW %[1]s.%[2]s IS %[4]s`,
			in, view, where, Literal("What "+view+" has of release "+release+".")))
		if err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, releaseMacros(release)); err != nil {
		return err
	}
	return syncSchema(ctx, tx, release, where, kept)
}

// checkApart refuses a release that is called as the database is, after its file: DuckDB
// could not tell the release's schema from the database.
func checkApart(ctx context.Context, tx *sql.Tx, release string) error {
	names, err := Collect[string](ctx, tx, "SELECT current_database()")
	if err != nil || !strings.EqualFold(names[0], release) {
		return err
	}
	return &fault.Error{
		Subject: fmt.Sprintf("release %q", release), Problem: "the database's file has that name too, and DuckDB cannot tell its schema from the database",
		Hint: "choose another name with --release, or rename the file",
	}
}

// releaseMacros makes the macros of a release's schema, where words mean SAEs of that
// release alone.
func releaseMacros(release string) string {
	prefix := Literal(release + "/")
	return strings.NewReplacer("$in", Identifier(release), "$release", Literal(release),
		"$words", "CASE WHEN starts_with(words, "+prefix+") THEN words ELSE "+prefix+" || words END").Replace(`
		CREATE OR REPLACE MACRO $in.feature_logits(words, feature_index, tokens := NULL) AS TABLE
			FROM main.feature_logits($words, feature_index, tokens := tokens);
		CREATE OR REPLACE MACRO $in.features_for_token(wanted, k := 10) AS TABLE
			FROM main.features_for_token(wanted, k := k, within := $release);
		CREATE OR REPLACE MACRO $in.similar_features(words, feature_index, k := 10) AS TABLE
			FROM main.similar_features($words, feature_index, k := k, within := $release)`)
}

// releaseFeatures matches the text of the view features of a release's schema, as DuckDB
// writes it.
const releaseFeatures = `FROM main\.features WHERE \("?release"? = `

// dropReleases drops what saedb made in the schemas of releases that are no more, and
// the schemas themselves where nothing of a person's own is in them.
func dropReleases(ctx context.Context, tx *sql.Tx, views, releases []string) error {
	schemas, err := Collect[string](ctx, tx, `SELECT DISTINCT schema_name FROM duckdb_views()
		WHERE database_name = current_database() AND NOT internal AND view_name = 'features' AND regexp_matches(sql, ?)`, releaseFeatures)
	if err != nil {
		return err
	}
	for _, schema := range schemas {
		if schema == "main" || slices.Contains(releases, schema) {
			continue
		}
		if err := dropRelease(ctx, tx, schema, views); err != nil {
			return err
		}
	}
	return nil
}

func dropRelease(ctx context.Context, tx *sql.Tx, schema string, views []string) error {
	in := Identifier(schema)
	if err := syncSchema(ctx, tx, schema, "false", false); err != nil {
		return err
	}
	for _, view := range views {
		if _, err := tx.ExecContext(ctx, "DROP VIEW IF EXISTS "+in+"."+view); err != nil {
			return err
		}
	}
	for _, macro := range []string{"feature_logits", "features_for_token", "similar_features"} {
		if _, err := tx.ExecContext(ctx, "DROP MACRO TABLE IF EXISTS "+in+"."+macro); err != nil {
			return err
		}
	}
	left, err := Collect[int](ctx, tx, `SELECT (SELECT count(*) FROM duckdb_tables() WHERE database_name = current_database() AND schema_name = $1)
		+ (SELECT count(*) FROM duckdb_views() WHERE database_name = current_database() AND schema_name = $1)
		+ (SELECT count(*) FROM duckdb_functions() WHERE database_name = current_database() AND schema_name = $1)`, schema)
	if err != nil || left[0] > 0 {
		return err
	}
	_, err = tx.ExecContext(ctx, "DROP SCHEMA "+in)
	return err
}

func syncSchema(ctx context.Context, tx *sql.Tx, schema, where string, kept bool) error {
	wanted, err := Collect[int](ctx, tx, `SELECT DISTINCT layer FROM saes WHERE layer IS NOT NULL AND `+where+` ORDER BY layer`)
	if err != nil {
		return err
	}
	present, err := Collect[int](ctx, tx, `SELECT CAST(view_name[7:] AS INTEGER) FROM duckdb_views()
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
		if kept && slices.Contains(present, layer) {
			continue
		}
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
