package export

import (
	"database/sql"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/saedb/saedb/internal/plaintext"
	schema "github.com/saedb/saedb/sql"
)

// csv writes a file of each table. Lists are JSON, which programs read: DuckDB's own form of
// them has quotes and escapes of its own.
func (r *run) csv(conn *sql.Conn) error {
	for _, t := range tables {
		if !t.always && r.rows[t.name] == 0 {
			continue
		}
		if t.perSAE {
			if err := r.csvInPieces(conn, t); err != nil {
				return err
			}
			continue
		}
		if err := r.joined(conn, t, "SELECT * FROM "+t.view+" ORDER BY "+t.order); err != nil {
			return err
		}
	}
	return nil
}

// csvInPieces writes a table piece by piece.
func (r *run) csvInPieces(conn *sql.Conn, t table) error {
	var queries []string
	for _, p := range r.pieces() {
		queries = append(queries, t.viewQuery(p))
	}
	return r.joined(conn, t, queries...)
}

// joined writes what queries give to one file of a table.
func (r *run) joined(conn *sql.Conn, t table, queries ...string) error {
	whole, err := os.Create(filepath.Join(r.dir, t.name+".csv"))
	if err != nil {
		return err
	}
	defer whole.Close()
	if r.Spreadsheet {
		if _, err := whole.WriteString(plaintext.ByteOrderMark); err != nil {
			return err
		}
	}
	inCSV, err := r.inCSV(conn, t.view)
	if err != nil {
		return err
	}
	const part = ".part.csv"
	for i, query := range queries {
		options := "FORMAT csv, HEADER"
		if i > 0 {
			options = "FORMAT csv, HEADER false"
		}
		if err := r.copyTo(conn, inCSV(query), part, options); err != nil {
			return err
		}
		if err := moveInto(whole, filepath.Join(r.dir, part)); err != nil {
			return err
		}
	}
	return whole.Close()
}

// moveInto appends a file to another and removes it.
func moveInto(whole *os.File, path string) error {
	part, err := os.Open(path)
	if err != nil {
		return err
	}
	defer part.Close()
	if _, err := io.Copy(whole, part); err != nil {
		return err
	}
	return os.Remove(path)
}

// inCSV makes of a query of a view one with its lists as JSON, and with text guarded where a
// spreadsheet is to open it.
func (r *run) inCSV(conn *sql.Conn, view string) (func(query string) string, error) {
	type column struct{ name, kind string }
	columns, err := schema.Rows(r.ctx, conn, func(c *column) []any { return []any{&c.name, &c.kind} }, "SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM "+view+")")
	if err != nil {
		return nil, err
	}
	var replaced []string
	for _, c := range columns {
		name := schema.Identifier(c.name)
		switch {
		case strings.HasSuffix(c.kind, "[]"):
			replaced = append(replaced, "to_json("+name+") AS "+name)
		case r.Spreadsheet && c.kind == "VARCHAR":
			replaced = append(replaced, plaintext.GuardedSQL(name)+" AS "+name)
		}
	}
	if replaced == nil {
		return func(query string) string { return query }, nil
	}
	return func(query string) string {
		return "SELECT * REPLACE (" + strings.Join(replaced, ", ") + ") FROM (" + query + ")"
	}, nil
}
