// Package saedb is saedb for Go programs: a DuckDB database, through database/sql,
// with saedb's SQL functions in it.
//
//	db, err := saedb.Open(ctx, "features.db", saedb.Options{ReadOnly: true})
//	if err != nil {
//		return err
//	}
//	defer db.Close()
//	rows, err := db.QueryContext(ctx, "SELECT feature, skewness FROM layer_8 ORDER BY skewness DESC LIMIT 10")
//
// The functions, views and columns are in docs/reference.md, and in the database
// itself: FROM functions. A vector goes in as a []float32 or []float64, and a list
// comes out into a duckdb.Composite of github.com/duckdb/duckdb-go/v2, the driver.
// examples/clients/go is a whole program.
//
// Models and SAEs come into a database through DB's methods, or through the program saedb,
// which calls them. A DB may be used by several goroutines; each query, with all its functions, runs on all cores. The
// package needs cgo and links DuckDB, which the driver brings along.
package saedb

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/operations"
	"github.com/saedb/saedb/internal/version"
	"github.com/saedb/saedb/loader/hub"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf"
	"github.com/saedb/saedb/udf/capi"
)

// Version is the version of saedb.
const Version = version.Number

// Options say how a database is opened.
type Options struct {
	ReadOnly  bool // several programs may read at once, none may write meanwhile
	MustExist bool // a missing file is an error instead of a new database
	// ReadFirst opens a file as ReadOnly does, and lets DB.Write make it writable.
	ReadFirst bool
	// MemoryLimit bounds what DuckDB itself buffers, in bytes; 0 is
	// DefaultMemoryLimit.
	MemoryLimit int64
	// ModelMemory bounds the unembeddings that functions keep for the next query,
	// in bytes; 0 is DefaultModelMemory. The last one used is kept in any case.
	ModelMemory int64
	// Upgrading is told when a database of an older saedb is opened for writing, before
	// its tables are brought from that schema version to this one's, all or none of
	// them. It may be nil.
	Upgrading func(from, to int)
	// LogCut is told when the log of a database that is opened for writing ended in a torn
	// entry, as a loss of power leaves it, and was cut there: the file in which the whole log is
	// kept. It may be nil.
	LogCut func(kept string)
	// Connected gives statements that each new connection runs first, such as those that make
	// temporary tables. It may be nil.
	Connected func() string
	// Watch is told of the work of loads and computations. It may be nil.
	Watch operations.Watch
	// Hub makes the client for what a load needs of the Hugging Face Hub. It may be nil:
	// then the environment's is made.
	Hub func() (*hub.Client, error)
}

// DefaultModelMemory holds several models of GPT-2's size, or one of Gemma-2's.
const DefaultModelMemory = udf.DefaultModelMemory

// DefaultMemoryLimit is enough for DuckDB to sort and join the statistics of
// millions of features; it spills to disk beyond.
const DefaultMemoryLimit = 1 << 30

// WithProgress returns a context whose statements report the rows that saedb's functions
// finish in them, from any goroutine.
func WithProgress(ctx context.Context, report func(rows int64)) context.Context {
	return udf.WithProgress(ctx, report)
}

// DB is a DuckDB database with saedb's functions registered. A statement ends soon after
// its context, in the midst of a function too.
type DB struct {
	*sql.DB
	// Functions are what the functions share.
	Functions  *udf.Functions
	operations operations.Database
	lookups    *sql.Conn
	file       *attachedFile // of ReadFirst, nil otherwise
	path       string        // "" in memory
}

// Open opens the database in a file, or one in memory when path is empty. A
// database of an older saedb is upgraded; where it is opened to be read only, and one
// of a newer saedb, that is an error which says what to do.
func Open(ctx context.Context, path string, o Options) (*DB, error) {
	o.ReadFirst = o.ReadFirst && path != "" && !o.ReadOnly
	if err := missing(path, o); err != nil {
		return nil, err
	}
	if path != "" {
		if err := fittingLog(ctx, path); err != nil {
			return nil, err
		}
	}
	if o.ReadFirst {
		return openAttached(ctx, path, o)
	}
	return whole(path, o, func() (*DB, error) { return openFile(ctx, path, o) })
}

// openFile opens a file, or a database in memory, as itself.
func openFile(ctx context.Context, path string, o Options) (*DB, error) {
	dsn, err := sourceName(path, o)
	if err != nil {
		return nil, err
	}
	if err := create(path); err != nil {
		return nil, openError(path, o, err)
	}
	connector, err := duckdb.NewConnector(dsn, o.connected())
	if err != nil {
		return nil, openError(path, o, err)
	}
	db := &DB{DB: sql.OpenDB(connector), path: path}
	if err := db.prepare(ctx, connector, path, o); err != nil {
		return nil, err
	}
	return db, nil
}

// connected has a new connection run what Connected gives.
func (o Options) connected() func(driver.ExecerContext) error {
	if o.Connected == nil {
		return nil
	}
	return func(connection driver.ExecerContext) error {
		statements := o.Connected()
		if statements == "" {
			return nil
		}
		_, err := connection.ExecContext(context.Background(), statements, nil)
		return err
	}
}

// prepare registers the functions in a database that has just been opened, and makes
// sure that its tables are of this version. It closes the database if that fails.
func (db *DB) prepare(ctx context.Context, connector *duckdb.Connector, path string, o Options) error {
	err := db.register(ctx, connector, cmp.Or(o.ModelMemory, DefaultModelMemory))
	if err == nil {
		err = registerNames(connector)
	}
	if err == nil && path != "" {
		err = db.upgrade(ctx, o)
	}
	if err != nil {
		db.Close()
		if IsDamage(err) {
			return openError(path, o, err)
		}
		return fault.At("open database", path, err)
	}
	db.operations = operations.Database{DB: db.DB, Path: path, Functions: db.Functions, Watch: o.Watch, Hub: o.Hub, Alone: true}
	return nil
}

// create makes an empty database where path names no file yet, whole or not at all:
// DuckDB writes one piece by piece, and a program that is killed in between would leave
// a file that does not open.
func create(path string) error {
	if path == "" {
		return nil
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	temporary, err := filepath.Abs(path + ".new-" + rand.Text())
	if err != nil {
		return err
	}
	defer os.Remove(temporary)
	connector, err := duckdb.NewConnector(temporary, nil)
	if err != nil {
		return err
	}
	if err := connector.Close(); err != nil {
		return err
	}
	// Unlike a renamed file, a link never takes the place of one that another program
	// made meanwhile.
	err = os.Link(temporary, path)
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil
	case err != nil: // a file system without links
		return os.Rename(temporary, path)
	}
	return nil
}

// Path is that of the database's file, empty in memory.
func (db *DB) Path() string { return db.path }

// Close closes the database; its file may then be opened elsewhere.
func (db *DB) Close() error {
	var err error
	if db.lookups != nil {
		err = db.lookups.Close()
	}
	return errors.Join(err, db.DB.Close())
}

func (db *DB) register(ctx context.Context, connector *duckdb.Connector, modelMemory int64) error {
	running, err := contexts(connector)
	if err != nil {
		return err
	}
	if db.lookups, err = db.Conn(ctx); err != nil {
		return err
	}
	registration, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer registration.Close()
	return rawConnection(registration, func(to capi.Connection) error {
		return rawConnection(db.lookups, func(from capi.Connection) error {
			db.Functions, err = udf.Register(to, from, modelMemory, running)
			return err
		})
	})
}

// upgrade makes sure that tables of saedb's, where there are any, are of this version.
func (db *DB) upgrade(ctx context.Context, o Options) error {
	if !o.ReadOnly && !o.ReadFirst {
		return schema.Upgrade(ctx, db.DB, Version, udf.Documentation(), func(from int) {
			if o.Upgrading != nil {
				o.Upgrading(from, schema.Version)
			}
		})
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	_, err = schema.Present(ctx, tx)
	return err
}

func registerNames(connector *duckdb.Connector) error {
	raw, err := rawDatabase(connector)
	if err != nil {
		return err
	}
	udf.RegisterNames(raw)
	return nil
}

func memoryLimit(o Options) string {
	return fmt.Sprintf("%dB", cmp.Or(o.MemoryLimit, DefaultMemoryLimit))
}

// missing is the error of a file that should be there and is not.
func missing(path string, o Options) error {
	if path == "" || !o.MustExist && !o.ReadOnly && !o.ReadFirst {
		return nil
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return &fault.Error{
		Op: "open database", Subject: path, Problem: "no such file",
		Hint: "saedb --db " + path + " load model PATH makes one",
	}
}

func sourceName(path string, o Options) (string, error) {
	settings := url.Values{"memory_limit": {memoryLimit(o)}}
	if path == "" {
		return ":memory:?" + settings.Encode(), nil
	}
	if strings.ContainsAny(path, "?%") {
		return "", &fault.Error{Op: "open database", Subject: path, Problem: "the path has a ? or %, which DuckDB's driver does not take"}
	}
	if o.ReadOnly {
		settings.Set("access_mode", "READ_ONLY")
	}
	// A relative path with a colon would be taken for a URL.
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", fault.At("open database", path, err)
	}
	return absolute + "?" + settings.Encode(), nil
}
