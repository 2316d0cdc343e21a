package saedb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/saedb/saedb/internal/fault"
	schema "github.com/saedb/saedb/sql"
)

// attachedFile is a file that is attached to a database in memory. Unlike the file
// that a database is opened with, it can be let go of and attached anew for writing,
// while temporary tables, settings and whatever else is on the connections stay.
type attachedFile struct {
	given string // the path as it was given, for errors
	path  string // absolute
	name  string // among the attached databases
}

// memoryName is DuckDB's name for the database in memory, and so no file's.
const memoryName = "memory"

// openAttached opens a file to be read first.
func openAttached(ctx context.Context, path string, o Options) (*DB, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, fault.At("open database", path, err)
	}
	// Where DuckDB puts what does not fit into memory follows from the file that it
	// opens, and here it opens none.
	settings := url.Values{"memory_limit": {memoryLimit(o)}, "temp_directory": {absolute + ".tmp"}}
	file := &attachedFile{given: path, path: absolute}
	connector, err := duckdb.NewConnector(":memory:?"+settings.Encode(), func(conn driver.ExecerContext) error {
		if file.name == "" {
			return nil // the first connection, which attaches it
		}
		_, err := conn.ExecContext(context.Background(), "USE "+schema.Identifier(file.name), nil)
		return err
	})
	if err != nil {
		return nil, openError(path, o, err)
	}
	db := &DB{DB: sql.OpenDB(connector), file: file}
	if err := db.attachFirst(ctx); err != nil {
		db.Close()
		return nil, openError(path, o, err)
	}
	if err := db.prepare(ctx, connector, path, o); err != nil {
		return nil, err
	}
	return db, nil
}

func (db *DB) attachFirst(ctx context.Context) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, db.file.attach("READ_ONLY")); err != nil {
		return err
	}
	// DuckDB names it after the file, by rules of its own.
	var name string
	if err := conn.QueryRowContext(ctx, `SELECT database_name FROM duckdb_databases() WHERE path IS NOT NULL`).Scan(&name); err != nil {
		return err
	}
	db.file.name = name
	_, err = conn.ExecContext(ctx, "USE "+schema.Identifier(name))
	return err
}

func (f *attachedFile) attach(mode string) string {
	as := ""
	if stem, _, _ := strings.Cut(filepath.Base(f.path), "."); strings.EqualFold(stem, memoryName) {
		as = " AS " + memoryName + "_db" // as DuckDB does with names that it has itself
	}
	return fmt.Sprintf("ATTACH %s%s (%s)", schema.Literal(f.path), as, mode)
}

// Name is the name of the file among the attached databases, of a database opened with
// ReadFirst; of others it is empty.
func (db *DB) Name() string {
	if db.file == nil {
		return ""
	}
	return db.file.name
}

// Write makes a database that was opened with ReadFirst writable, on all connections.
// What is on conn stays: temporary tables, settings, prepared statements,
// other attached databases. No transaction may be open on it, and no query may run on
// another connection. It reports whether the file changed meanwhile, by another program
// or by DuckDB itself, which takes in what a program that was killed left in the log.
// When the file cannot be had for writing, it is open to be read as before.
func (db *DB) Write(ctx context.Context, conn *sql.Conn) (changed bool, err error) {
	var path string
	if err := conn.QueryRowContext(ctx, "SELECT current_setting('search_path')").Scan(&path); err != nil {
		return false, err
	}
	before := db.file.state()
	// A database that is in use as the default is not let go of.
	if _, err := conn.ExecContext(ctx, "USE "+memoryName); err != nil {
		return false, err
	}
	// The rest is done also when ctx has ended: half of it would leave no database.
	ctx = context.WithoutCancel(ctx)
	if _, err := conn.ExecContext(ctx, "DETACH "+schema.Identifier(db.file.name)); err != nil {
		return false, errors.Join(err, setSearchPath(ctx, conn, path))
	}
	if _, err = conn.ExecContext(ctx, db.file.attach("READ_WRITE")); err != nil {
		err = openError(db.file.given, Options{}, err)
		if _, again := conn.ExecContext(ctx, db.file.attach("READ_ONLY")); again != nil {
			return false, errors.Join(err, openError(db.file.given, Options{ReadOnly: true}, again))
		}
	}
	changed = db.file.state() != before
	return changed, errors.Join(err, setSearchPath(ctx, conn, path))
}

func setSearchPath(ctx context.Context, conn *sql.Conn, path string) error {
	_, err := conn.ExecContext(ctx, "SET search_path = "+schema.Literal(path))
	return err
}

// fileState tells a file from what it is after another program wrote to it.
type fileState struct {
	size, log int64 // of the file and of the log beside it
	modified  time.Time
}

func (f *attachedFile) state() fileState {
	var s fileState
	if info, err := os.Stat(f.path); err == nil {
		s.size, s.modified = info.Size(), info.ModTime()
	}
	if info, err := os.Stat(f.path + ".wal"); err == nil {
		s.log = info.Size()
	} else if !errors.Is(err, fs.ErrNotExist) {
		s.log = -1
	}
	return s
}
