package box

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/saedb/saedb/internal/figures"
	"github.com/saedb/saedb/internal/files"
	"github.com/saedb/saedb/internal/sandbox"
)

// ErrBusy is returned when the query before takes longer than one waits for it.
var ErrBusy = errors.New("another query is running; try again when it has ended")

// ErrTime is returned, with the time, when a query takes longer than one may.
var ErrTime = errors.New("stopped")

// Options of a Box.
type Options struct {
	Path         string        // of the database, absolute
	Unembeddings int64         // bytes of those of all its models, as functions hold them
	Time         time.Duration // that one query may take
	// Tables gives statements that make temporary tables for a query; it may be nil.
	Tables func(context.Context) string
}

// A Box runs strangers' queries, one at a time. Its methods may be called by several
// goroutines.
type Box struct {
	options   Options
	wait      time.Duration // for the query before
	directory string        // of directories of processes, and of files on their way
	turn      chan struct{}
	process   *process // whose turn it is may use it
	started   int      // processes
	taken     atomic.Int64
	holds     sandbox.Holds
}

// Open starts a Box, and returns when it can run queries. Close it.
func Open(ctx context.Context, o Options) (*Box, error) {
	directory, err := os.MkdirTemp("", "saedb-serve-")
	if err != nil {
		return nil, err
	}
	// What the process is allowed is a path without symbolic links, as it sees it.
	if directory, err = filepath.EvalSymlinks(directory); err != nil {
		return nil, err
	}
	b := &Box{options: o, wait: waitTime, directory: directory, turn: make(chan struct{}, 1)}
	b.renew()
	select {
	case <-b.process.ready:
		b.holds, err = b.process.holds, b.process.err
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the process for queries: %w", err), b.Close())
	}
	return b, nil
}

// Holds says what of the sandbox this system holds.
func (b *Box) Holds() sandbox.Holds { return b.holds }

// renew has another process take the place of the one there is. It is called by whose
// turn it is.
func (b *Box) renew() {
	b.started++
	b.process = start(b.options, filepath.Join(b.directory, fmt.Sprint(b.started)), b.process)
}

// Close ends the process and removes all files.
func (b *Box) Close() error {
	b.turn <- struct{}{}
	return errors.Join(b.process.end(), os.RemoveAll(b.directory))
}

// Rows runs a query for the page. The answer is JSON: columns with name and type, rows of
// texts and nulls, whether there are more, and seconds.
func (b *Box) Rows(ctx context.Context, query string) (json.RawMessage, error) {
	return b.ask(ctx, request{Ask: askRows, Query: query}, nil)
}

// Figure draws a figure of a query. The answer is the figure in JSON.
func (b *Box) Figure(ctx context.Context, r figures.Request, query string) (json.RawMessage, error) {
	return b.ask(ctx, request{Ask: askFigure, Query: query, Figure: r}, nil)
}

// Chart draws columns of a query. The answer is a figure in JSON.
func (b *Box) Chart(ctx context.Context, c figures.Chart, query string) (json.RawMessage, error) {
	return b.ask(ctx, request{Ask: askChart, Query: query, Chart: c}, nil)
}

// A File is a whole result. It is removed when it is closed.
type File struct {
	*os.File
	path string
}

// Close also removes the file.
func (f *File) Close() error { return errors.Join(f.File.Close(), os.Remove(f.path)) }

// CSV runs a query and returns its result as CSV.
func (b *Box) CSV(ctx context.Context, query string) (*File, error) {
	return b.file(ctx, request{Ask: askCSV, Query: query}, csvFile)
}

// Parquet runs a query and returns its result as Parquet.
func (b *Box) Parquet(ctx context.Context, query string) (*File, error) {
	return b.file(ctx, request{Ask: askParquet, Query: query}, parquetFile)
}

func (b *Box) file(ctx context.Context, r request, name func(directory string) string) (f *File, err error) {
	_, err = b.ask(ctx, r, func(directory string) error {
		path := filepath.Join(b.directory, fmt.Sprintf("taken-%d", b.taken.Add(1)))
		if err := os.Rename(name(directory), path); err != nil {
			return err
		}
		opened, _, err := files.Open(path) // a regular file, and nothing else
		f = &File{opened, path}
		return err
	})
	return f, err
}

// ask has the process answer a request, when it is its turn. take is called with the
// process's directory when it says that a file is there.
func (b *Box) ask(ctx context.Context, r request, take func(directory string) error) (json.RawMessage, error) {
	select {
	case b.turn <- struct{}{}:
		defer func() { <-b.turn }()
	case <-time.After(b.wait):
		return nil, ErrBusy
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	p := b.process
	select {
	case <-p.ready:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if p.err != nil {
		b.renew()
		return nil, fmt.Errorf("the process for queries: %w", p.err)
	}
	if b.options.Tables != nil {
		r.Tables = b.options.Tables(ctx)
	}
	limited, cancel := context.WithTimeout(ctx, b.options.Time)
	defer cancel()
	begun := time.Now()
	kind, payload, err := p.exchange(limited, r)
	p.spent += time.Since(begun)
	if err != nil || kind == broken || p.worn() {
		defer b.renew() // once what it has written is taken
	}
	switch {
	case err != nil && ctx.Err() == nil && limited.Err() != nil:
		return nil, fmt.Errorf("the query took longer than %v and was %w", b.options.Time, ErrTime)
	case err != nil:
		return nil, err
	case kind == refused || kind == broken:
		return nil, read(payload)
	case kind == written && take != nil:
		return nil, take(p.directory)
	case kind == content && take == nil:
		return payload, nil
	}
	return nil, errors.New("the process for queries answered what was not asked")
}
