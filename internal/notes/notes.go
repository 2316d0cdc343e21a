// Package notes keeps what people write of features, and the queries that they save, in a DuckDB
// file beside the database that they are about, which stays as it is. The file is opened for as
// long as it is read or written, so that other programs can read it meanwhile.
package notes

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/internal/fault"
	schema "github.com/saedb/saedb/sql"
)

// A Note is what somebody has written of a feature. An SAE's name is its own in every database.
type Note struct {
	SAE     string    `json:"sae"`
	Feature int       `json:"feature"`
	Starred bool      `json:"starred"`
	Label   string    `json:"label"` // in a few words
	Note    string    `json:"note"`
	Changed time.Time `json:"changed"`
}

// empty tells that nothing is written.
func (n Note) empty() bool { return !n.Starred && n.Label == "" && n.Note == "" }

// A Query is one that somebody has saved under a name.
type Query struct {
	Name    string    `json:"name"`
	Query   string    `json:"query"`
	Changed time.Time `json:"changed"`
}

// Kept is all that a file has: notes by SAE and feature, queries by name.
type Kept struct {
	Notes   []Note
	Queries []Query
}

// What one may be long, in characters.
const (
	mostLabel = 200
	mostText  = 10_000
)

// tables are made when the first thing is written.
const tables = `
CREATE TABLE IF NOT EXISTS notes (
	sae VARCHAR NOT NULL, feature INTEGER NOT NULL, starred BOOLEAN NOT NULL, label VARCHAR, note VARCHAR, changed_at TIMESTAMP NOT NULL,
	PRIMARY KEY (sae, feature));
CREATE TABLE IF NOT EXISTS saved_queries (name VARCHAR PRIMARY KEY, query VARCHAR NOT NULL, changed_at TIMESTAMP NOT NULL);
COMMENT ON TABLE notes IS 'What was written of features in the explorer: join it with features USING (sae, feature).';
COMMENT ON TABLE saved_queries IS 'Queries that were saved on the explorer''s page of SQL.';`

// Store is a file of notes, which need not be there yet. A nil one keeps none.
type Store struct {
	path string

	mutex sync.Mutex
	read  state // of the file that kept is of
	kept  Kept
}

// state tells one version of a file from another.
type state struct {
	there    bool
	size     int64
	modified time.Time
}

// Beside is the path of the notes of a database: features.notes.db of features.db.
func Beside(database string) string {
	for _, extension := range []string{".db", ".duckdb", ".ddb"} {
		if name, found := strings.CutSuffix(database, extension); found {
			return name + ".notes" + extension
		}
	}
	return database + ".notes.db"
}

// New is the store in a file.
func New(path string) *Store { return &Store{path: path} }

// Path is where the notes are, empty where none are kept.
func (s *Store) Path() string {
	if s == nil {
		return ""
	}
	return s.path
}

// All is what the file has, nothing where there is none.
func (s *Store) All(ctx context.Context) (Kept, error) {
	if s == nil {
		return Kept{}, nil
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.all(ctx)
}

// all is All under the mutex.
func (s *Store) all(ctx context.Context) (Kept, error) {
	now, err := s.state()
	if err != nil || now == s.read {
		return s.kept, s.fault("read notes", err)
	}
	if now.there {
		err = s.open(ctx, true, func(db *saedb.DB) error { return s.take(ctx, db) })
	} else {
		s.kept = Kept{}
	}
	if err != nil {
		return Kept{}, s.fault("read notes", err)
	}
	s.read = now
	return s.kept, nil
}

// Tables is the SQL of a temporary table my_notes, of all notes, for a query about another
// database. Where they cannot be read there is no such table, and the query can ask for others.
func (s *Store) Tables(ctx context.Context) string {
	kept, err := s.All(ctx)
	if err != nil {
		return ""
	}
	text := "CREATE TEMP TABLE my_notes (sae VARCHAR, feature INTEGER, starred BOOLEAN, label VARCHAR, note VARCHAR, changed_at TIMESTAMP)"
	if len(kept.Notes) > 0 {
		text += "; INSERT INTO my_notes VALUES " + values(kept.Notes)
	}
	return text
}

// Put stores a note in place of an earlier one; of one that says nothing nothing is kept.
func (s *Store) Put(ctx context.Context, n Note) error {
	n.Label, n.Note = strings.TrimSpace(n.Label), strings.TrimSpace(n.Note)
	if err := cmp.Or(check("label", n.Label, mostLabel), check("note", n.Note, mostText)); err != nil {
		return err
	}
	if n.empty() {
		return s.change(ctx, `DELETE FROM notes WHERE sae = ? AND feature = ?`, n.SAE, n.Feature)
	}
	return s.change(ctx, `INSERT OR REPLACE INTO notes VALUES (?, ?, ?, nullif(?, ''), nullif(?, ''), ?)`,
		n.SAE, n.Feature, n.Starred, n.Label, n.Note, time.Now().UTC())
}

// Save stores a query under a name, in place of an earlier one; an empty one is forgotten.
func (s *Store) Save(ctx context.Context, name, query string) error {
	name = strings.TrimSpace(name)
	if name == "" {
		return &fault.Error{Op: "save query", Subject: "name", Expected: "a name", Found: "none"}
	}
	if err := cmp.Or(check("name", name, mostLabel), check("query", query, mostText)); err != nil {
		return err
	}
	if strings.TrimSpace(query) == "" {
		return s.change(ctx, `DELETE FROM saved_queries WHERE name = ?`, name)
	}
	return s.change(ctx, `INSERT OR REPLACE INTO saved_queries VALUES (?, ?, ?)`, name, query, time.Now().UTC())
}

// check refuses text that is too long, and what SQL cannot hold.
func check(name, text string, most int) error {
	switch n := len([]rune(text)); {
	case n > most:
		return &fault.Error{Op: "write notes", Subject: name, Expected: fmt.Sprintf("at most %d characters", most), Found: fmt.Sprint(n)}
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return &fault.Error{Op: "write notes", Subject: name, Expected: "text in UTF-8 without NUL", Found: "other bytes"}
	}
	return nil
}

// change runs a statement on the file, which is made where there is none, and reads it again. When
// it returns without an error, the change is on disk.
func (s *Store) change(ctx context.Context, statement string, args ...any) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.write(ctx, statement, args...)
}

// write is change under the mutex.
func (s *Store) write(ctx context.Context, statement string, args ...any) error {
	s.read = state{} // whatever happens
	err := s.open(ctx, false, func(db *saedb.DB) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		if _, err := tx.ExecContext(ctx, tables); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, statement, args...); err != nil {
			return err
		}
		return tx.Commit()
	})
	return s.fault("write notes", err)
}

// open opens the file for as long as use runs. Closing it moves what was written out of its log.
func (s *Store) open(ctx context.Context, readOnly bool, use func(*saedb.DB) error) error {
	db, err := saedb.Open(ctx, s.path, saedb.Options{ReadOnly: readOnly})
	if err != nil {
		return err
	}
	return errors.Join(use(db), db.Close())
}

// take reads what an open file has.
func (s *Store) take(ctx context.Context, db *saedb.DB) error {
	notes, err := schema.Rows(ctx, db, func(n *Note) []any {
		return []any{&n.SAE, &n.Feature, &n.Starred, &n.Label, &n.Note, &n.Changed}
	}, `SELECT sae, feature, starred, coalesce(label, ''), coalesce(note, ''), changed_at FROM notes ORDER BY sae, feature`)
	if err != nil {
		return err
	}
	queries, err := schema.Rows(ctx, db, func(q *Query) []any { return []any{&q.Name, &q.Query, &q.Changed} },
		`SELECT name, query, changed_at FROM saved_queries ORDER BY name`)
	if err != nil {
		return err
	}
	s.kept = Kept{notes, queries}
	return nil
}

func (s *Store) state() (state, error) {
	info, err := os.Stat(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return state{}, nil
	}
	if err != nil {
		return state{}, err
	}
	return state{true, info.Size(), info.ModTime()}, nil
}

// fault says of an error what to do.
func (s *Store) fault(op string, err error) error {
	hint := ""
	switch {
	case err == nil:
		return nil
	case strings.Contains(err.Error(), "Could not set lock"):
		hint = "another program has the file open: close it there, or give serve another file with --notes"
	case errors.Is(err, fs.ErrPermission), strings.Contains(err.Error(), "ermission denied"), strings.Contains(err.Error(), "ead-only"):
		hint = "the explorer keeps notes beside the database: give serve a file that can be written with --notes"
	}
	return &fault.Error{Op: op, Subject: s.path, Err: err, Hint: hint}
}
