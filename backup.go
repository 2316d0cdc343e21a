package saedb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/saedb/saedb/internal/check"
	"github.com/saedb/saedb/internal/fault"
	schema "github.com/saedb/saedb/sql"
)

// CopyRequest says what [Copy] copies.
type CopyRequest struct {
	Op       string // the operation, for errors
	From, To string // paths of databases
	Replace  bool   // what is at To
	// Progress is told the bytes that are written, and how many there will be.
	Progress func(written, total int64)
}

// Copy makes a copy of a database, its log taken in, while others may read it, and returns the
// size of the copy in bytes. The copy is written beside its place, read wholly and compared
// with what it was made of, checked as [check.Checker] does but for figures computed again,
// and only then given its name: until then what was there stays. A database that is damaged
// is not copied. Databases of older schemas are copied as they are.
//
// Neither may be open in this process otherwise: where files are locked by process, as on
// Linux, closing one would unlock it.
func Copy(ctx context.Context, r CopyRequest) (size int64, err error) {
	c := &copying{CopyRequest: r}
	defer c.release()
	failed := func(err error) (int64, error) { return 0, fault.At(r.Op, r.To, err) }
	if err := c.mayWrite(); err != nil {
		return failed(err)
	}
	if err := fittingLog(ctx, r.From); err != nil {
		return failed(err)
	}
	from, err := openPlain(ctx, r.From, true)
	if err != nil {
		return 0, err
	}
	defer from.Close()
	if c.next, err = temporaryBeside(r.To, r.Op); err != nil {
		return failed(err)
	}
	defer removeDatabase(c.next)
	if size, err = c.write(ctx); err != nil {
		return failed(err)
	}
	if err := c.verify(ctx, from); err != nil {
		return failed(err)
	}
	if err := c.place(ctx); err != nil {
		return failed(err)
	}
	_, err = onDisk(filepath.Dir(r.To))
	return size, fault.At(r.Op, r.To, err)
}

type copying struct {
	CopyRequest
	next string // written, and to be given the name
	// Files that were read, which stay open as long as the database that is copied: where
	// files are locked by process, closing one gives up DuckDB's lock of it.
	read []*os.File
}

func (c *copying) release() {
	for _, file := range c.read {
		file.Close()
	}
}

// mayWrite refuses a place that is taken.
func (c *copying) mayWrite() error {
	there, err := os.Stat(c.To)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(c.To + ".wal"); err == nil {
			return &fault.Error{Subject: c.To + ".wal", Problem: "a log lies there, which would be taken for the new file's", Hint: "move it away"}
		}
		return nil
	}
	if err != nil {
		return err
	}
	if from, err := os.Stat(c.From); err == nil && os.SameFile(there, from) {
		return &fault.Error{Problem: "it is the file that is to be copied"}
	}
	if !there.Mode().IsRegular() {
		return &fault.Error{Problem: "it is there, and no file"}
	}
	if !c.Replace {
		return &fault.Error{Problem: "it is there already", Hint: "name another file, or give --replace"}
	}
	return nil
}

// write copies the file, and takes in its log.
func (c *copying) write(ctx context.Context) (size int64, err error) {
	if err := c.copyFile(ctx, c.From, c.next); err != nil {
		return 0, err
	}
	switch err := c.copyFile(ctx, c.From+".wal", c.next+".wal"); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return 0, err
	default:
		if err := takeInLog(ctx, c.next); err != nil {
			return 0, err
		}
	}
	return onDisk(c.next)
}

// takeInLog writes what a database's log holds into its file.
func takeInLog(ctx context.Context, path string) error {
	db, err := openPlain(ctx, path, false)
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "CHECKPOINT")
	if err = errors.Join(err, db.Close()); err != nil {
		return err
	}
	if info, err := os.Stat(path + ".wal"); err == nil && info.Size() > 0 {
		return &fault.Error{Subject: path + ".wal", Problem: "the log was not taken in"}
	}
	return nil
}

// copyFile copies a file byte by byte.
func (c *copying) copyFile(ctx context.Context, from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	c.read = append(c.read, source)
	info, err := source.Stat()
	if err != nil {
		return err
	}
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, info.Mode().Perm())
	if err != nil {
		return err
	}
	defer target.Close()
	const part = 8 << 20
	written := int64(0)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := io.CopyN(target, source, part)
		written += n
		if c.Progress != nil {
			c.Progress(written, info.Size())
		}
		if errors.Is(err, io.EOF) {
			return target.Close()
		}
		if err != nil {
			return err
		}
	}
}

// verify reads all of both databases and compares them, and checks the copy.
func (c *copying) verify(ctx context.Context, from *sql.DB) error {
	copied, err := openPlain(ctx, c.next, true)
	if err != nil {
		return err
	}
	same := sameContents(ctx, from, copied)
	if IsDamage(same) {
		return c.damaged(same.Error())
	}
	if err := errors.Join(same, copied.Close()); err != nil {
		return err
	}
	db, err := openFile(ctx, c.next, Options{ReadOnly: true})
	if err != nil {
		return nil // of an older schema, whose rules this version does not know
	}
	defer db.Close()
	if err := db.Require(ctx); err != nil {
		return nil // no database of saedb's
	}
	first := ""
	checker := &check.Checker{DB: db.DB, Sample: 0, SkipSources: true, Note: func(string) {}, Report: func(f check.Finding) {
		if first == "" {
			first = f.String()
		}
	}}
	result, err := checker.Run(ctx)
	if err == nil && result.Findings > 0 {
		err = c.damaged(first)
	}
	return err
}

func (c *copying) damaged(found string) error {
	return &fault.Error{
		Subject: c.From, Problem: "the database is damaged, and was not copied: " + found, Hint: "saedb check lists all that is wrong",
	}
}

// sameContents compares the rows of all tables of two databases by their numbers and a hash.
func sameContents(ctx context.Context, a, b *sql.DB) error {
	var contents [2]map[string]string
	for i, db := range []*sql.DB{a, b} {
		contents[i] = map[string]string{}
		tables, err := schema.Collect[string](ctx, db, `SELECT format('"{}"."{}"', replace(schema_name, '"', '""'), replace(table_name, '"', '""'))
			FROM duckdb_tables() WHERE database_name = current_database() AND NOT temporary ORDER BY ALL`)
		if err != nil {
			return err
		}
		for _, table := range tables {
			var rows int64
			var hash sql.NullString
			if err := db.QueryRowContext(ctx, "SELECT count(*), CAST(bit_xor(hash(t)) AS VARCHAR) FROM "+table+" t").Scan(&rows, &hash); err != nil {
				return fault.At("", "table "+table, err)
			}
			contents[i][table] = fmt.Sprintf("%d rows with hash %s", rows, hash.String)
		}
	}
	for table, expected := range contents[0] {
		if found := contents[1][table]; found != expected {
			return &fault.Error{Subject: "table " + table, Expected: expected + " in the copy", Found: found, Hint: "is the disk sound?"}
		}
	}
	return nil
}

// place gives the copy its name.
func (c *copying) place(ctx context.Context) error {
	if !c.Replace {
		switch err := os.Link(c.next, c.To); {
		case errors.Is(err, fs.ErrExist):
			return &fault.Error{Problem: "it is there already", Hint: "name another file, or give --replace"}
		case err == nil:
			return nil
		}
		if err := c.mayWrite(); err != nil { // a file system without links
			return err
		}
		return os.Rename(c.next, c.To)
	}
	// A log is found by its file's name: what it holds goes into the old file first, so that
	// at no moment it lies beside the new one.
	if info, err := os.Stat(c.To + ".wal"); err == nil && info.Size() > 0 {
		if err := takeInLog(ctx, c.To); err != nil {
			return &fault.Error{
				Subject: c.To + ".wal", Problem: "the log of the file that is to be replaced cannot be taken in", Err: err, Hint: "move it away; the file stays as it is until then",
			}
		}
	}
	unlock, err := lockFile(c.To)
	if err != nil {
		return err
	}
	defer unlock()
	return os.Rename(c.next, c.To)
}

// openPlain opens a database without saedb's functions and whatever its schema.
func openPlain(ctx context.Context, path string, readOnly bool) (*sql.DB, error) {
	o := Options{ReadOnly: readOnly}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, &fault.Error{Op: "open database", Subject: path, Problem: "no such file"}
	}
	dsn, err := sourceName(path, o)
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("duckdb", dsn)
	if err != nil {
		return nil, openError(path, o, err)
	}
	if err := db.PingContext(ctx); err != nil {
		db.Close()
		return nil, openError(path, o, err)
	}
	return db, nil
}
