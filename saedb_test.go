package saedb

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

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
	defer db.Functions.During(ctx)()
	begun := time.Now()
	_, err := db.ExecContext(ctx, "SELECT count(*) FROM range(1000000000) a, range(1000) b WHERE a.range + b.range = -1")
	if err == nil || time.Since(begun) > 2*time.Second {
		t.Errorf("cancelled after 0.1 s, it ended after %v with %v", time.Since(begun), err)
	}
}
