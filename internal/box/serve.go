package box

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/internal/sandbox"
)

// Serve answers requests on standard input until there are no more, if this process is one
// that a Box has started: then it does not return. A program that opens a Box calls it
// first of all.
func Serve() {
	if !sandbox.Inside() {
		return
	}
	// As in the program itself: nearly all of the heap is unembeddings.
	debug.SetGCPercent(10)
	requests, answers := os.Stdin, os.Stdout
	os.Stdout = os.Stderr // frames are alone on standard output
	if err := serve(requests, answers); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func serve(requests io.Reader, answers io.Writer) error {
	// The other side may close its end at any time, when a query runs too.
	waiting := make(chan request)
	go func() {
		for {
			asked, err := readRequest(requests)
			if err != nil {
				os.Exit(0)
			}
			waiting <- asked
		}
	}()
	w := &worker{directory: sandbox.Directory()}
	for asked := range waiting {
		kind, payload, err := w.answer(context.Background(), asked)
		if err != nil {
			// The ways out that DuckDB has are settings, which nobody can change here.
			message, _, _ := strings.Cut(messageOf(err), "\n\nPossible solutions:")
			kind = refused
			if unusable(message) {
				kind = broken
			}
			var placed *Error
			if !errors.As(err, &placed) {
				placed = errorOf(asked.Query, message)
			}
			if payload, err = json.Marshal(placed); err != nil {
				return err
			}
		}
		if err := writeFrame(answers, kind, payload); err != nil {
			return err
		}
	}
	return nil
}

// unusable tells whether DuckDB may be none any more after an error: memory ran out, which
// may have left some taken, or it has found itself in a state that it does not know.
func unusable(message string) bool {
	for _, sign := range []string{"Out of Memory", "bad_alloc", "INTERNAL Error", "FATAL Error"} {
		if strings.Contains(message, sign) {
			return true
		}
	}
	return false
}

// A worker is the process's database, and what it knows of it.
type worker struct {
	db        *saedb.DB
	checker   *checker
	directory string
	tables    string // statements that make the tables of the request, on a connection of its own
}

func (w *worker) answer(ctx context.Context, asked request) (kind byte, payload []byte, err error) {
	if asked.Ask == askOpen {
		holds, err := w.open(ctx, asked)
		if err != nil {
			return 0, nil, err
		}
		payload, err = json.Marshal(holds)
		return content, payload, err
	}
	if w.db == nil {
		return 0, nil, errors.New("no database is open")
	}
	w.tables = asked.Tables
	query, err := w.checker.query(ctx, asked.Query)
	if err != nil {
		return 0, nil, err
	}
	switch asked.Ask {
	case askRows:
		payload, err = w.rows(ctx, query)
		return content, payload, err
	case askFigure:
		payload, err = w.figure(ctx, asked.Figure, query)
		return content, payload, err
	case askChart:
		payload, err = w.chart(ctx, asked.Chart, query)
		return content, payload, err
	case askCSV:
		return written, nil, w.csv(ctx, query)
	case askParquet:
		return written, nil, w.parquet(ctx, query)
	}
	return 0, nil, fmt.Errorf("no request %q", asked.Ask)
}

func (w *worker) open(ctx context.Context, asked request) (sandbox.Holds, error) {
	holds, err := sandbox.Confined()
	if err != nil {
		return holds, err
	}
	// The last unembedding that was used is kept for the next query, and no other.
	w.db, err = saedb.Open(ctx, asked.Path,
		saedb.Options{ReadOnly: true, MemoryLimit: databaseMemory, ModelMemory: 1, Connected: func() string { return w.tables }})
	if err != nil {
		return holds, err
	}
	// What a query leaves on its connection, such as the types that PIVOT makes, ends with it.
	w.db.SetMaxIdleConns(0)
	if _, err := w.db.ExecContext(ctx, fmt.Sprintf("SET threads = %d", asked.Threads)); err != nil {
		return holds, err
	}
	if w.checker, err = newChecker(ctx, w.db.DB); err != nil {
		return holds, err
	}
	return holds, Confine(ctx, w.db, w.directory)
}
