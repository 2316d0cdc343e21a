package export

import (
	"database/sql"
	"io"
	"os"
	"path/filepath"
	"strings"

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
		lists, err := r.listsAsJSON(conn, t)
		if err != nil {
			return err
		}
		if err := r.copyTo(conn, "SELECT *"+lists+" FROM "+t.view+" ORDER BY "+t.order, t.name+".csv", "FORMAT csv, HEADER"); err != nil {
			return err
		}
	}
	return nil
}

// listsAsJSON is what stands behind the * of a query of a table, so that its lists are JSON.
func (r *run) listsAsJSON(conn *sql.Conn, t table) (string, error) {
	lists, err := schema.Collect[string](r.ctx, conn, "SELECT column_name FROM (DESCRIBE SELECT * FROM "+t.view+") WHERE column_type LIKE '%[]'")
	if err != nil || len(lists) == 0 {
		return "", err
	}
	for i, name := range lists {
		lists[i] = "to_json(" + schema.Identifier(name) + ") AS " + schema.Identifier(name)
	}
	return " REPLACE (" + strings.Join(lists, ", ") + ")", nil
}

// csvInPieces writes a table piece by piece and joins the files.
func (r *run) csvInPieces(conn *sql.Conn, t table) error {
	whole, err := os.Create(filepath.Join(r.dir, t.name+".csv"))
	if err != nil {
		return err
	}
	defer whole.Close()
	lists, err := r.listsAsJSON(conn, t)
	if err != nil {
		return err
	}
	const part = ".part.csv"
	for i, p := range r.pieces() {
		options := "FORMAT csv, HEADER"
		if i > 0 {
			options = "FORMAT csv, HEADER false"
		}
		if err := r.copyTo(conn, t.viewQuery(p, lists), part, options); err != nil {
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
