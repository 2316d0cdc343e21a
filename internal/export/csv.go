package export

import (
	"database/sql"
	"io"
	"os"
	"path/filepath"
)

// csv writes a file of each table.
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
		if err := r.copyTo(conn, "SELECT * FROM "+t.view+" ORDER BY "+t.order, t.name+".csv", "FORMAT csv, HEADER"); err != nil {
			return err
		}
	}
	return nil
}

// csvInPieces writes a table piece by piece and joins the files.
func (r *run) csvInPieces(conn *sql.Conn, t table) error {
	whole, err := os.Create(filepath.Join(r.dir, t.name+".csv"))
	if err != nil {
		return err
	}
	defer whole.Close()
	const part = ".part.csv"
	for i, p := range r.pieces() {
		options := "FORMAT csv, HEADER"
		if i > 0 {
			options = "FORMAT csv, HEADER false"
		}
		if err := r.copyTo(conn, t.viewQuery(p), part, options); err != nil {
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
