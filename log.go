package saedb

import (
	"context"
	"os"
	"path/filepath"

	"github.com/saedb/saedb/internal/check"
	"github.com/saedb/saedb/internal/fault"
)

// logHint is what to do about a log that does not belong to its database.
const logHint = "it may be another database's: move it away, and keep it; the database then opens as it was without it"

// fittingLog makes sure that the write-ahead log beside a database, which a program that was
// killed left, is that database's. DuckDB finds it by its name alone: in the format that all
// of its versions read, a log does not say whose it is, and what it holds would be put into
// whatever file lies there. So where there is one, the file is opened with it to be read,
// which leaves both as they are, and refused if loads, models, SAEs or their rows do not
// fit together then but do without it.
func fittingLog(ctx context.Context, path string) error {
	log := path + ".wal"
	if info, err := os.Stat(log); err != nil || info.Size() == 0 {
		return nil
	}
	found, err := catalogueOf(ctx, path)
	if err != nil || found == nil {
		return nil // what does not open says so when it is opened in earnest
	}
	without, err := withoutLog(ctx, path)
	if err != nil || without != nil {
		return nil // not the log's fault
	}
	return &fault.Error{
		Op: "open database", Subject: log, Problem: "the log does not fit the database that it lies beside, which would be damaged after it: " + found.String(), Hint: logHint,
	}
}

// withoutLog is catalogueOf the file under another name, beside which there is no log.
func withoutLog(ctx context.Context, path string) (*check.Finding, error) {
	whole, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	// A hard link, since DuckDB follows symbolic ones before it looks for a log.
	dir, err := os.MkdirTemp(filepath.Dir(whole), ".saedb-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	link := filepath.Join(dir, "database")
	if err := os.Link(whole, link); err != nil {
		return nil, err
	}
	return catalogueOf(ctx, link)
}

// catalogueOf checks the catalogue of the database in a file that it opens to be read.
func catalogueOf(ctx context.Context, path string) (*check.Finding, error) {
	db, err := openFile(ctx, path, Options{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer db.Close()
	return check.Catalogue(ctx, db.DB)
}
