// Package export writes the results of a database, without its weights, for other
// programs: Parquet, CSV and a DuckDB file, in the layout of docs/export.md.
//
// What is written appears whole or not at all: all of it is made in a directory
// beside (directory.go), which is then renamed. DuckDB writes the files itself, one
// statement a file, so that no more is in memory than it buffers; what it has to sort it
// spills into that directory too.
package export

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/saedb/saedb/internal/fault"
	schema "github.com/saedb/saedb/sql"
)

const op = "export"

// A Format is a kind of file.
type Format string

// The formats.
const (
	Parquet Format = "parquet"
	CSV     Format = "csv"
	DuckDB  Format = "duckdb"
)

// Formats are all formats, in the order in which they are written.
func Formats() []Format { return []Format{Parquet, CSV, DuckDB} }

// ParseFormats reads all, or some of them, separated by commas.
func ParseFormats(text string) ([]Format, error) {
	if text == "all" || text == "" {
		return Formats(), nil
	}
	var formats []Format
	for _, name := range strings.Split(text, ",") {
		format := Format(strings.TrimSpace(name))
		if !slices.Contains(Formats(), format) {
			return nil, &fault.Error{Op: op, Subject: "--format", Expected: "all, or some of parquet, csv and duckdb", Found: fmt.Sprintf("%q", text)}
		}
		formats = append(formats, format)
	}
	return formats, nil
}

// Job is one export.
type Job struct {
	DB      *sql.DB
	Path    string // of the database's file
	Dir     string // to write
	Formats []Format
	Replace bool // an export that is there
	// Spreadsheet writes CSV to open in a spreadsheet: with a byte order mark, and an
	// apostrophe before text that would be a formula.
	Spreadsheet bool
	Version     string // of saedb
	// Results makes a new database at path, with saedb's functions, in whose connections the
	// exported one is attached as from, and closes it after use, checkpointed.
	Results func(ctx context.Context, path string, use func(db *sql.DB, from string) error) error
	// Functions are for the view functions.
	Functions []schema.Function
	// Begin is told of work that takes time; it returns what is called as rows are
	// written, and at the end.
	Begin func(what string, total int64, unit string) (add func(int64), end func())
}

// Result says what was written.
type Result struct {
	SAEs, Features int
	Bytes          int64
}

// manifest is the file that says of a directory that an export wrote it.
const manifest = "saedb-export.json"

// written is the content of the manifest.
type written struct {
	SAEDB    string           `json:"saedb"`
	Layout   int              `json:"layout"` // of docs/export.md
	Database string           `json:"database"`
	At       time.Time        `json:"exported_at"`
	Formats  []Format         `json:"formats"`
	Rows     map[string]int64 `json:"rows"`
}

// layoutVersion is the version of the layout.
const layoutVersion = 1

// Run exports.
func (j *Job) Run(ctx context.Context) (Result, error) {
	r := &run{Job: j, ctx: ctx, rows: map[string]int64{}}
	target, err := newTarget(j.Dir, j.Replace)
	if err != nil {
		return Result{}, err
	}
	defer target.abandon()
	r.dir = target.partial
	if err := r.write(); err != nil {
		if ctx.Err() != nil {
			return Result{}, ctx.Err()
		}
		return Result{}, fault.At(op, j.Dir, err)
	}
	if r.result.Bytes, err = sizeOf(r.dir); err != nil {
		return Result{}, fault.At(op, j.Dir, err)
	}
	return r.result, target.finish()
}

// run is one run of a Job.
type run struct {
	*Job
	ctx    context.Context
	dir    string // that is written to
	saes   []sae
	rows   map[string]int64 // of each table
	result Result
	add    func(rows int64) // to the progress
}

func (r *run) write() error {
	spill := filepath.Join(r.dir, ".spill")
	conn, err := r.DB.Conn(r.ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(r.ctx, "SET temp_directory = "+schema.Literal(spill)); err != nil {
		return err
	}
	if r.saes, err = readSAEs(r.ctx, conn); err != nil {
		return err
	}
	if len(r.saes) == 0 {
		return &fault.Error{Subject: r.Path, Problem: "no SAE is loaded: there are no results", Hint: "saedb load sae, then saedb compute"}
	}
	total, err := r.count(conn)
	if err != nil {
		return err
	}
	var end func()
	r.add, end = r.Begin("export", total*int64(len(r.Formats)), "rows")
	defer end()
	for _, format := range []struct {
		Format
		write func(*sql.Conn) error
	}{{Parquet, r.parquet}, {CSV, r.csv}, {DuckDB, r.database}} {
		if !slices.Contains(r.Formats, format.Format) {
			continue
		}
		if err := format.write(conn); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(spill); err != nil {
		return err
	}
	return r.writeManifest()
}

// count fills in the number of rows of each table, and returns their sum.
func (r *run) count(conn *sql.Conn) (total int64, err error) {
	for _, t := range tables {
		var n int64
		if err := conn.QueryRowContext(r.ctx, "SELECT count(*) FROM "+t.view).Scan(&n); err != nil {
			return 0, err
		}
		r.rows[t.name] = n
		total += n
	}
	r.result.SAEs, r.result.Features = len(r.saes), int(r.rows["features"])
	return total, nil
}

func (r *run) writeManifest() error {
	text, err := json.MarshalIndent(written{
		SAEDB: r.Version, Layout: layoutVersion, Database: filepath.Base(r.Path), At: time.Now().UTC(), Formats: r.Formats, Rows: r.rows,
	}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.dir, manifest), append(text, '\n'), 0o666)
}

// copyTo runs a COPY of a query to a file below the directory, with options, and
// counts the rows that it wrote.
func (r *run) copyTo(conn *sql.Conn, query, file, options string) error {
	path := filepath.Join(r.dir, file)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	result, err := conn.ExecContext(r.ctx, "COPY ("+query+") TO "+schema.Literal(path)+" ("+options+")")
	if err != nil {
		return err
	}
	rows, err := result.RowsAffected()
	r.add(rows)
	return err
}

// pieces are all features of all SAEs.
func (r *run) pieces() []piece {
	var all []piece
	for i := range r.saes {
		all = append(all, r.saes[i].pieces()...)
	}
	return all
}
