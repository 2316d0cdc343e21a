package export

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	schema "github.com/saedb/saedb/sql"
)

// parquet writes a file of each table, or of each table and piece of an SAE.
func (r *run) parquet(conn *sql.Conn) error {
	for _, t := range tables {
		if !t.always && r.rows[t.name] == 0 {
			continue
		}
		options, err := r.parquetOptions(conn, t)
		if err != nil {
			return err
		}
		if !t.perSAE {
			query := "SELECT * FROM " + t.view + " ORDER BY " + t.order
			if err := r.copyTo(conn, query, filepath.Join(t.name, t.name+".parquet"), options); err != nil {
				return err
			}
			continue
		}
		for _, p := range r.pieces() {
			file, err := p.file()
			if err != nil {
				return err
			}
			if err := r.copyTo(conn, t.query(p), filepath.Join(t.name, file), options); err != nil {
				return err
			}
		}
	}
	return nil
}

// parquetOptions are the options of COPY: compression, and comments as metadata.
func (r *run) parquetOptions(conn *sql.Conn, t table) (string, error) {
	comments, err := r.comments(conn, t)
	if err != nil {
		return "", err
	}
	for _, c := range t.more {
		comments = append(comments, "'comment."+c.name+"': "+schema.Literal(c.comment))
	}
	comments = append(comments, "saedb: "+schema.Literal(r.Version))
	return "FORMAT parquet, COMPRESSION zstd, KV_METADATA {" + strings.Join(comments, ", ") + "}", nil
}

// comments are fields of a struct: the comments on the view of a table and on its
// columns, those of a join's second relation too.
func (r *run) comments(conn *sql.Conn, t table) ([]string, error) {
	rows, err := schema.Rows(r.ctx, conn, func(row *[2]string) []any { return []any{&row[0], &row[1]} },
		`SELECT 'comment', comment FROM duckdb_views() WHERE database_name = current_database() AND schema_name = 'main' AND view_name = ?
		UNION ALL
		SELECT 'comment.' || d.column_name, coalesce(any_value(c.comment) FILTER (c.table_name = ?), any_value(c.comment) FILTER (c.table_name = 'loads'), any_value(c.comment))
		FROM (DESCRIBE SELECT * FROM `+t.view+`) d JOIN duckdb_columns() c USING (column_name)
		WHERE c.database_name = current_database() AND c.schema_name = 'main' AND c.comment IS NOT NULL GROUP BY d.column_name`, t.name, t.name)
	var fields []string
	for _, row := range rows {
		// A column of more has a comment of its own.
		if !slices.ContainsFunc(t.more, func(c column) bool { return row[0] == "comment."+c.name }) {
			fields = append(fields, schema.Literal(row[0])+": "+schema.Literal(row[1]))
		}
	}
	return fields, err
}

// nullPartition is the value of a partition column that is NULL, as Hive has it.
const nullPartition = "__HIVE_DEFAULT_PARTITION__"

// longestName bounds names in a directory, in bytes.
const longestName = 255

// file is the path of a piece's file below its table's directory.
func (p piece) file() (string, error) {
	layer := nullPartition
	if p.layer.Valid {
		layer = fmt.Sprint(p.layer.Int32)
	}
	release := "release=" + escape(p.release)
	if len(release) > longestName {
		return "", &fault.Error{Subject: "release " + p.release, Problem: fmt.Sprintf("its name is too long for a directory: escaped, %d bytes", len(release))}
	}
	// The number keeps names apart that are equal where case does not count, or when cut.
	name := escape(p.name)
	file := fmt.Sprintf("%s.%d", name[:min(len(name), 200)], p.id)
	if p.features > featuresAtOnce {
		file += fmt.Sprintf(".%09d", p.from) // so that names are in order
	}
	return filepath.Join(release, "layer="+layer, file+".parquet"), nil
}

// escape makes a name of a directory or file of any text, as a URL escapes it: readers
// of Hive's partitions take it back. A first . or _ would hide it from them.
func escape(text string) string {
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-',
			(c == '.' || c == '_') && i > 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
