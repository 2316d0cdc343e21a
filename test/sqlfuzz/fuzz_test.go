// Package sqlfuzz makes statements over saedb's functions, macros and views, and looks for
// those that end the process, end in an internal error, do not end, or contradict themselves.
package sqlfuzz

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/loader/npy/npytest"
	schema "github.com/saedb/saedb/sql"
)

// directory is where the database is made.
var directory string

// database is the path of the small database that statements are over, made once.
func database(t *testing.T) string {
	t.Helper()
	path, err := made()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// made makes it: two models of 32 dimensions and 500 tokens, two SAEs of one of them, one of
// which has a row of zeros, token sets, and all that is computed of them.
var made = sync.OnceValues(func() (string, error) {
	ctx, path := context.Background(), filepath.Join(directory, "statements.db")
	db, err := saedb.Open(ctx, path, saedb.Options{})
	if err != nil {
		return "", err
	}
	defer db.Close()
	for _, model := range []string{"llama", "gpt2"} {
		dir := filepath.Join(directory, model)
		for _, part := range []string{"../../loader/model/testdata/", "../../loader/vocab/testdata/"} {
			if err := os.CopyFS(dir, os.DirFS(part+model)); err != nil {
				return "", err
			}
		}
		request := saedb.ModelRequest{Path: dir}
		request.Options.Attention, request.Options.MLP = "all", "all"
		if _, err := db.LoadModel(ctx, request); err != nil {
			return "", err
		}
	}
	for _, r := range []saedb.QueryRequest{
		{Name: "first", Hook: "blocks.0.hook_resid_pre", SQL: "SELECT random_direction(1, range, 32) FROM range(20)"},
		{Name: "second", SQL: "SELECT list_transform(range(32), lambda j: CASE WHEN r = 3 THEN 0 ELSE sin(j * r) END)::FLOAT[] FROM range(1, 13) q(r)"},
	} {
		r.Model, r.Release = "llama", "small"
		if _, err := db.LoadQuery(ctx, r); err != nil {
			return "", err
		}
	}
	for _, r := range []saedb.SetsRequest{
		{Families: []string{"regex"}}, {Name: "few", Query: "SELECT range FROM range(40, 60)"}, {Name: "some", Query: "SELECT range * 3 FROM range(100)"},
		{Name: "one", Query: "SELECT 7"}, {Name: "every", Query: "SELECT range FROM range(500)"},
	} {
		if _, err := db.LoadSets(ctx, r); err != nil {
			return "", err
		}
	}
	if _, err = db.Compute(ctx, saedb.ComputeRequest{Baseline: 256}); err != nil {
		return "", err
	}
	if err := computeThrough(ctx, db); err != nil {
		return "", err
	}
	// What loads of encoders and of Neuronpedia's files would bring.
	for _, statement := range []string{
		"INSERT INTO stored_encoders SELECT sae_id, feature, list_reverse(w_dec), feature / 10, CASE WHEN feature % 2 = 0 THEN 0.1 END FROM stored_decoders",
		"UPDATE stored_saes SET neuronpedia_id = 'small/' || short_name",
		"INSERT INTO stored_explanations SELECT 1, neuronpedia_id, range, 'about ' || range, 'made up', CASE WHEN range % 3 > 0 THEN 'nobody' END FROM stored_saes, range(10)",
		"INSERT INTO stored_neuronpedia_features SELECT 1, neuronpedia_id, range, range * 1.5, 'nan' FROM stored_saes, range(10)",
		"INSERT INTO user_token_sets SELECT 'llama', 'mine', range FROM range(5)",
	} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return "", err
		}
	}
	return path, nil
})

// computeThrough loads the lens turned, a matrix of the block before the SAE first, which takes
// each dimension for the next, and computes that SAE through it.
func computeThrough(ctx context.Context, db *saedb.DB) error {
	const d = 32
	matrix := make([]float32, d*d)
	for i := range d {
		matrix[i*d+(i+1)%d] = 1
	}
	dir := filepath.Join(directory, "turned")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	file := npytest.Bytes(npytest.Floats("", []int{d, d}, matrix...))
	if err := os.WriteFile(filepath.Join(dir, "blocks.0.hook_resid_pre.npy"), file, 0o644); err != nil {
		return err
	}
	if _, err := db.LoadLens(ctx, saedb.LensRequest{Path: dir, Model: "llama"}); err != nil {
		return err
	}
	_, err := db.Compute(ctx, saedb.ComputeRequest{SAEs: "first", Lens: "turned", Baseline: 256})
	return err
}

// viewsOf are the views and tables of a database, with columns by their kinds.
func viewsOf(t *testing.T, path string) []view {
	t.Helper()
	db, err := saedb.Open(t.Context(), path, saedb.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	type row struct{ table, column, kind string }
	rows, err := schema.Rows(t.Context(), db, func(r *row) []any { return []any{&r.table, &r.column, &r.kind} },
		"SELECT table_name, '\"' || column_name || '\"', data_type FROM duckdb_columns() WHERE NOT internal AND schema_name = 'main' ORDER BY table_name, column_index")
	if err != nil {
		t.Fatal(err)
	}
	var views []view
	for _, r := range rows {
		if len(views) == 0 || views[len(views)-1].name != r.table {
			views = append(views, view{name: r.table})
		}
		last := &views[len(views)-1]
		last.columns = append(last.columns, column{r.column, kindOf(strings.Trim(r.column, `"`), r.kind)})
	}
	if len(views) < 30 {
		t.Fatalf("expected views and tables, found %v", views)
	}
	return views
}

// kindOf is the kind of a column's values, by its name and DuckDB's type.
func kindOf(name, of string) string {
	byName := map[string]string{"model": "m", "sae": "a", "token_set": "s", "release": "r"}
	byType := map[string]string{"FLOAT[]": "w", "DOUBLE[]": "w", "FLOAT": "d", "DOUBLE": "d", "INTEGER": "i", "BIGINT": "i", "BOOLEAN": "b", "VARCHAR": "t", "VARCHAR[]": "l", "INTEGER[]": "n"}
	if kind := byName[name]; kind != "" && of == "VARCHAR" {
		return kind
	}
	if kind := byType[of]; kind != "" {
		return kind
	}
	return "x"
}

// functions are the names of all functions and macros of saedb's.
func functions(t *testing.T) []string {
	t.Helper()
	db, err := saedb.Open(t.Context(), database(t), saedb.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	names, err := schema.Rows(t.Context(), db, func(name *string) []any { return []any{name} }, "SELECT name FROM functions")
	if err != nil || len(names) < 30 {
		t.Fatalf("%v, %v", names, err)
	}
	return names
}

// TestRules: every function and macro that saedb has is called in some rule, and every kind
// that a rule asks for is one.
func TestRules(t *testing.T) {
	var calls []string
	for _, list := range rules {
		calls = append(calls, list...)
	}
	for _, list := range oddRules {
		calls = append(calls, list...)
	}
	for _, table := range tables {
		calls = append(calls, table.call)
	}
	all := strings.Join(calls, "\n")
	names := functions(t)
	for _, name := range names {
		if !regexp.MustCompile(`\b` + name + `\(`).MatchString(all) {
			t.Errorf("no rule calls %s", name)
		}
	}
	for _, found := range regexp.MustCompile(`<([a-z])[,>]`).FindAllStringSubmatch(all, -1) {
		if _, ok := literals[found[1]]; !ok {
			t.Errorf("%s is no kind", found[0])
		}
	}
}

// setting is a number of the environment.
func setting(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(value, 10, 64)
	if err != nil {
		t.Fatalf("%s: expected a number, found %q", name, value)
	}
	return n
}

// TestStatements runs 800 statements, or as many as a few seconds allow, the same ones each
// time; or new ones for as long as SAEDB_FUZZSQL says (make fuzz-sql). SAEDB_FUZZSQL_SEED
// chooses the statements, SAEDB_FUZZSQL_FIRST the number of the first.
func TestStatements(t *testing.T) {
	lasting, last, workers, seed, allowed := 4*time.Second, uint64(800), 1, uint64(1), usual
	if value := os.Getenv("SAEDB_FUZZSQL"); value != "" {
		var err error
		if lasting, err = time.ParseDuration(value); err != nil {
			t.Fatal(err)
		}
		last, workers, seed, allowed = math.MaxUint64, runtime.GOMAXPROCS(0), uint64(time.Now().Unix()), patient
	}
	seed = setting(t, "SAEDB_FUZZSQL_SEED", seed)
	path := database(t)
	views, names := viewsOf(t, path), functions(t)
	var (
		next  atomic.Uint64
		lock  sync.Mutex
		all   tally
		kinds []string // of what was found
		group sync.WaitGroup
	)
	next.Store(setting(t, "SAEDB_FUZZSQL_FIRST", 0))
	ctx, cancel := context.WithTimeout(t.Context(), lasting)
	defer cancel()
	for range workers {
		group.Go(func() {
			r := &runner{path: path, times: allowed}
			defer r.close()
			for ctx.Err() == nil {
				number := next.Add(1) - 1
				if number >= last {
					break
				}
				if r.tally.Statements%1000 == 999 {
					r.close() // what one process holds after many statements says nothing
				}
				s := generate(views, seed, number)
				before := r.tally.Latest
				found := r.check(s)
				if latest := r.tally.Latest; latest.Late > max(before.Late, time.Second) {
					t.Logf("seed %d, statement %d ended %s", seed, number, latest.afterwards())
				}
				if found == nil {
					continue
				}
				if why := isKnown(s, found); why != "" {
					continue
				}
				whole := report(s, found, seed, number)
				counted := r.tally
				r.minimise(s, found.kind)
				if again := r.check(s); again != nil {
					found = again
				}
				r.tally = counted
				if why := isKnown(s, found); why != "" {
					continue
				}
				lock.Lock()
				if alike := alike(found); !slices.Contains(kinds, alike) {
					kinds = append(kinds, alike)
					t.Errorf("%s\nWhole: %s\n%s", report(s, found, seed, number), whole, whose(s, names))
				}
				if len(kinds) >= 20 {
					cancel()
				}
				lock.Unlock()
			}
			lock.Lock()
			all.add(r.tally)
			lock.Unlock()
		})
	}
	t.Logf("seed %d", seed)
	group.Wait()
	t.Logf("%d statements, %d runs, %d findings; %d statements ended in errors (%v), %d were over their limits, the latest ended %s; %d compared with a run again, %d with one on 4 threads, %d with their parts",
		all.Statements, all.Runs, len(kinds), all.Errors, all.Causes, all.Over, all.Latest.afterwards(), all.Repeated, all.Threaded, all.Divided)
	if all.Repeated*10 < all.Statements || all.Divided == 0 || all.Threaded == 0 {
		t.Error("too few statements have an answer that can be compared")
	}
}

// alike is the same for findings that look like one fault.
func alike(f *finding) string {
	line := regexp.MustCompile(`[0-9a-f]*[0-9][0-9a-f]*`).ReplaceAllString(f.detail, "N")
	return f.kind + " " + line[:min(len(line), 200)]
}
