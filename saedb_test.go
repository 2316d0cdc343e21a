package saedb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/udf"
	"github.com/saedb/saedb/udf/capi"
)

func open(t *testing.T, path string, o Options) *DB {
	t.Helper()
	db, err := Open(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// TestRawConnection fails when a new version of the driver keeps its connection
// elsewhere: a query through it must work.
func TestRawConnection(t *testing.T) {
	db := open(t, "", Options{})
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var answer []int32
	err = rawConnection(conn, func(c capi.Connection) error {
		return c.Query("SELECT 40 + range::INTEGER FROM range(3)", func(chunk capi.Chunk) error {
			answer = append(answer, capi.Values[int32](chunk.Column(0), chunk.Rows())...)
			return nil
		})
	})
	if err != nil || !slices.Equal(answer, []int32{40, 41, 42}) {
		t.Errorf("%v, %v", answer, err)
	}
}

// TestFunctionsRegistered: every documented function is in DuckDB's catalogue,
// and every function of ours there is documented.
func TestFunctionsRegistered(t *testing.T) {
	db := open(t, "", Options{})
	for _, f := range udf.Documentation() {
		var n int
		err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM duckdb_functions() WHERE function_name = ?", f.Name).Scan(&n)
		if err != nil || n == 0 {
			t.Errorf("%s is documented but not registered (%v)", f.Name, err)
		}
		if !strings.HasPrefix(f.Signature, f.Name+"(") || f.Description == "" || !strings.Contains(f.Example, f.Name+"(") {
			t.Errorf("%s: signature %q, description %q, example %q", f.Name, f.Signature, f.Description, f.Example)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	absent := filepath.Join(t.TempDir(), "absent.db")
	for name, c := range map[string]struct {
		path string
		o    Options
		says string
	}{
		"must exist":        {absent, Options{MustExist: true}, "no such file"},
		"read-only":         {absent, Options{ReadOnly: true}, "no such file"},
		"a directory":       {t.TempDir(), Options{}, ""},
		"a question mark":   {"what?.db", Options{}, "?"},
		"no such directory": {filepath.Join(absent, "x.db"), Options{}, ""},
	} {
		db, err := Open(t.Context(), c.path, c.o)
		var failed *fault.Error
		if err == nil {
			db.Close()
		}
		if !errors.As(err, &failed) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestConcurrentQueries runs functions from many connections at once.
func TestConcurrentQueries(t *testing.T) {
	db := open(t, "", Options{})
	const sae = "loader/sae/testdata/saelens-standard-bf16"
	errs := make(chan error)
	for range 8 {
		go func() {
			var n int
			err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM read_sae(?) a JOIN read_sae(?) b ON a.w_dec = b.w_dec", sae, sae).Scan(&n)
			if err == nil && n != 96 {
				err = errors.New("wrong count")
			}
			errs <- err
		}()
	}
	for range 8 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

// TestCancel: a context that ends stops a statement soon.
func TestCancel(t *testing.T) {
	db := open(t, "", Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	begun := time.Now()
	_, err := db.ExecContext(ctx, "SELECT count(*) FROM range(1000000000) a, range(1000) b WHERE a.range + b.range = -1")
	if err == nil || time.Since(begun) > 2*time.Second {
		t.Errorf("cancelled after 0.1 s, it ended after %v with %v", time.Since(begun), err)
	}
}

// TestCancelOne: of two statements in one function at the same time, each ends with its own
// context, within a chunk of rows, and each reports its own progress.
func TestCancelOne(t *testing.T) {
	const rows = 2048 // one chunk, in which DuckDB itself does not look
	db := open(t, "", Options{})
	if _, err := db.Exec("CALL saedb_model('smollm2', 'examples/smollm2-135m/SmolLM2-135M-Instruct.unembedding.gguf')"); err != nil {
		t.Fatal(err)
	}
	run := func(ctx context.Context) (n, reported int64, err error) {
		var done atomic.Int64
		ctx = WithProgress(ctx, func(rows int64) { done.Add(rows) })
		err = db.QueryRowContext(ctx, `SELECT count((logit_stats(list_transform(range(576), lambda j: sin(i * j)), 'smollm2')).std)
			FROM range(?) t(i)`, rows).Scan(&n)
		return n, done.Load(), err
	}
	if _, _, err := run(t.Context()); err != nil { // reads the model
		t.Fatal(err)
	}
	stopped := make(chan error)
	go func() {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, reported, err := run(ctx)
		if err == nil || reported == rows {
			err = fmt.Errorf("ended with %v after %d rows", err, reported)
		} else if errors.Is(err, context.DeadlineExceeded) {
			err = nil
		}
		stopped <- err
	}()
	finished := make(chan error)
	go func() {
		n, reported, err := run(t.Context())
		if err == nil && (n != rows || reported != rows) {
			err = fmt.Errorf("%d rows of %d, %d reported", n, rows, reported)
		}
		finished <- err
	}()
	select {
	case err := <-finished:
		t.Errorf("the statement that goes on ended first (%v)", err)
		<-stopped
		return
	case err := <-stopped:
		if err != nil {
			t.Errorf("the statement whose context ended: %v", err)
		}
	}
	if err := <-finished; err != nil {
		t.Errorf("the other: %v", err)
	}
}

// counted counts the queries that functions ask.
type counted struct {
	capi.Queryer
	queries atomic.Int64
}

func (c *counted) Query(sql string, each func(capi.Chunk) error) error {
	c.queries.Add(1)
	return c.Queryer.Query(sql, each)
}

// TestLookedUpOnce: a statement looks a model up once, however many rows it has.
func TestLookedUpOnce(t *testing.T) {
	connector, err := duckdb.NewConnector("", nil)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	var lookups counted
	var raw [2]*sql.Conn
	for i := range raw {
		if raw[i], err = db.Conn(t.Context()); err != nil {
			t.Fatal(err)
		}
		defer raw[i].Close()
	}
	err = rawConnection(raw[0], func(to capi.Connection) error {
		return rawConnection(raw[1], func(from capi.Connection) error {
			lookups.Queryer = from
			_, err := udf.Register(to, &lookups, DefaultModelMemory, nil)
			return err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	model := t.TempDir()
	for _, part := range []string{"model", "vocab"} {
		if err := os.CopyFS(model, os.DirFS("loader/"+part+"/testdata/gpt2")); err != nil {
			t.Fatal(err)
		}
	}
	for _, statement := range []string{"SET threads = 1", "CALL saedb_model('gpt2', '" + model + "')"} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	asked := func(rows int) int64 {
		before := lookups.queries.Load()
		var n int
		err := db.QueryRow(`SELECT count(logit_weight(list_transform(range(32), lambda j: i + j)::FLOAT[], 'gpt2', 1)) FROM range(?) t(i)`, rows).Scan(&n)
		if err != nil || n != rows {
			t.Fatalf("%d rows of %d: %v", n, rows, err)
		}
		return lookups.queries.Load() - before
	}
	asked(1) // reads the model
	if one, many := asked(1), asked(20_000); one == 0 || many != one {
		t.Errorf("%d queries for one row, %d for 20,000", one, many)
	}
}
