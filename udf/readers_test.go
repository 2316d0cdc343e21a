package udf_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/saedb/saedb"
)

// familyModels are two small models of 32 dimensions, as a person has them on disk.
var familyModels = []string{"llama", "gpt2"}

// withModels opens a new database with the small models loaded.
func withModels(t testing.TB, o saedb.Options) *saedb.DB {
	t.Helper()
	db, err := saedb.Open(t.Context(), filepath.Join(t.TempDir(), "models.db"), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	for _, m := range familyModels {
		request := saedb.ModelRequest{Path: modelDirectory(t, m, m)}
		request.Options.Attention, request.Options.MLP = "all", "all"
		if _, err := db.LoadModel(t.Context(), request); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

// modelDirectory puts the weights and the tokenizer of a family, which the
// readers' test data keeps apart, into a directory of that name.
func modelDirectory(t testing.TB, family, name string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	for _, part := range []string{"../loader/model/testdata/", "../loader/vocab/testdata/"} {
		if err := os.CopyFS(dir, os.DirFS(part+family)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// direction is a vector of 32 values in SQL.
const direction = "list_transform(range(32), lambda i: sin(i))::FLOAT[]"

func std(t *testing.T, db *saedb.DB, model string) float64 {
	t.Helper()
	var x float64
	err := db.QueryRowContext(t.Context(), "SELECT (logit_stats("+direction+", ?)).std", model).Scan(&x)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// TestModelsShareMemory: with room for one model only, each is still right, and
// again after the other took its place.
func TestModelsShareMemory(t *testing.T) {
	roomy, tight := withModels(t, saedb.Options{}), withModels(t, saedb.Options{ModelMemory: 1})
	for range 3 {
		for _, m := range familyModels {
			if a, b := std(t, roomy, m), std(t, tight, m); a != b || a == 0 {
				t.Errorf("%s: %g with room for all models, %g with room for one", m, a, b)
			}
		}
	}
}

// TestReplacedModel: a function notices that a model was replaced.
func TestReplacedModel(t *testing.T) {
	db := withModels(t, saedb.Options{})
	before, other := std(t, db, "llama"), std(t, db, "gpt2")
	if before == other {
		t.Fatal("the two models give the same")
	}
	if _, err := db.LoadModel(t.Context(), saedb.ModelRequest{Path: modelDirectory(t, "gpt2", "llama"), Replace: true}); err != nil {
		t.Fatal(err)
	}
	if after := std(t, db, "llama"); after != other {
		t.Errorf("%g after the model was replaced, expected %g", after, other)
	}
}

// TestSameConnection: what a statement found is not the next one's, on the same connection,
// prepared or not: a model that was replaced meanwhile, one that is gone, and one of the
// same name in a database that was attached.
func TestSameConnection(t *testing.T) {
	db := withModels(t, saedb.Options{})
	llama, gpt2 := std(t, db, "llama"), std(t, db, "gpt2")
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const many = "SELECT max(s), min(s) FROM (SELECT (logit_stats(" + direction + ", ?)).std AS s FROM range(5000) WHERE range >= 0)"
	prepared, err := conn.PrepareContext(t.Context(), many)
	if err != nil {
		t.Fatal(err)
	}
	defer prepared.Close()
	expect := func(model string, want float64) {
		t.Helper()
		for _, row := range []*sql.Row{conn.QueryRowContext(t.Context(), many, model), prepared.QueryRowContext(t.Context(), model)} {
			var most, least float64
			if err := row.Scan(&most, &least); err != nil || most != want || least != want {
				t.Errorf("%s: %g to %g (%v), expected %g", model, least, most, err, want)
			}
		}
	}
	refused := func(model, says string) {
		t.Helper()
		for _, row := range []*sql.Row{conn.QueryRowContext(t.Context(), many, model), prepared.QueryRowContext(t.Context(), model)} {
			var most, least float64
			if err := row.Scan(&most, &least); err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("%s: %v, expected %q", model, err, says)
			}
		}
	}
	run := func(statement string) {
		t.Helper()
		if _, err := conn.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	load := func(into *saedb.DB, family string) {
		t.Helper()
		if _, err := into.LoadModel(t.Context(), saedb.ModelRequest{Path: modelDirectory(t, family, "llama"), Replace: true}); err != nil {
			t.Fatal(err)
		}
	}
	expect("llama", llama)
	load(db, "gpt2")
	expect("llama", gpt2)
	load(db, "llama")
	expect("llama", llama)

	// What a transaction has not committed is not seen, nor is it when it is rolled back.
	run("BEGIN")
	run("DELETE FROM stored_models WHERE model = 'llama'")
	expect("llama", llama)
	run("ROLLBACK")
	expect("llama", llama)

	paths := make([]string, 2)
	for i, family := range []string{"gpt2", "llama"} {
		paths[i] = filepath.Join(t.TempDir(), "other.db")
		other, err := saedb.Open(t.Context(), paths[i], saedb.Options{})
		if err != nil {
			t.Fatal(err)
		}
		load(other, family)
		other.Close()
	}
	run("ATTACH '" + paths[0] + "' AS other (READ_ONLY)")
	refused("llama", "has other weights in each of the databases")
	expect("other.llama", gpt2)
	expect("models.llama", llama)
	run("DETACH other")
	expect("llama", llama)
	refused("other.llama", "no such model")
	run("ATTACH '" + paths[1] + "' AS other (READ_ONLY)")
	expect("other.llama", llama)
	run("DELETE FROM stored_models WHERE model = 'gpt2'")
	refused("gpt2", "no such model")
}

// TestManyAtOnce asks for the same models from many connections at once, the
// first time for each.
func TestManyAtOnce(t *testing.T) {
	db := withModels(t, saedb.Options{})
	want := map[string]float64{}
	for _, m := range familyModels {
		want[m] = std(t, withModels(t, saedb.Options{}), m)
	}
	errs := make(chan error)
	const callers = 16
	for i := range callers {
		go func() {
			m := familyModels[i%len(familyModels)]
			var x float64
			err := db.QueryRowContext(t.Context(), "SELECT (logit_stats("+direction+", ?)).std", m).Scan(&x)
			if err == nil && x != want[m] {
				err = fmt.Errorf("%s: %g, expected %g", m, x, want[m])
			}
			errs <- err
		}()
	}
	for range callers {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

// TestMixedModels: one query over rows of several models, with NULLs between, and
// more rows than one chunk.
func TestMixedModels(t *testing.T) {
	db := withModels(t, saedb.Options{})
	rows, err := db.QueryContext(t.Context(), `
		WITH calls AS (
			SELECT i, CASE i % 3 WHEN 0 THEN 'llama' WHEN 1 THEN 'gpt2' END AS model,
			       list_transform(range(32), lambda j: sin(j + (i % 7)))::FLOAT[] AS w
			FROM range(5000) r(i))
		SELECT model, i % 7 AS shift, count(DISTINCT s.std), count(s.std), count(*)
		FROM (SELECT i, model, logit_stats(w, model) AS s FROM calls) GROUP BY ALL`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	groups := 0
	for rows.Next() {
		var model *string
		var shift, distinct, computed, all int
		if err := rows.Scan(&model, &shift, &distinct, &computed, &all); err != nil {
			t.Fatal(err)
		}
		groups++
		if model == nil && computed != 0 || model != nil && (distinct != 1 || computed != all) {
			t.Errorf("model %v, shift %d: %d different of %d computed of %d", model, shift, distinct, computed, all)
		}
	}
	if err := rows.Err(); err != nil || groups != 21 {
		t.Errorf("%d groups, expected 21 (%v)", groups, err)
	}
}

// TestNoTables: in a database without saedb's tables a function says so.
func TestNoTables(t *testing.T) {
	db, err := saedb.Open(t.Context(), "", saedb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	_, err = db.ExecContext(t.Context(), "SELECT logit_stats([1]::FLOAT[], 'gpt2')")
	if err == nil || !strings.Contains(err.Error(), `model "gpt2"`) || !strings.Contains(err.Error(), "load model") {
		t.Errorf("%v", err)
	}
}

// TestDamagedReader: a row that is not what was loaded is named, whichever it is, and one that is
// missing is counted; the function that matrices are read by is nobody else's.
func TestDamagedReader(t *testing.T) {
	for statement, want := range map[string]string{
		"UPDATE stored_unembeddings SET w_u = w_u[:31] WHERE token_id = 5":                                    "row 5 of the stored unembedding is damaged: expected 32 values",
		"UPDATE stored_unembeddings SET token_id = 1000000 WHERE token_id = 5":                                "row 1000000 of the stored unembedding is damaged",
		"UPDATE stored_unembeddings SET token_id = -1 WHERE token_id = 5":                                     "row -1 of the stored unembedding is damaged",
		"DELETE FROM stored_unembeddings WHERE token_id = 5":                                                  "the stored unembedding is damaged: expected",
		"UPDATE stored_unembeddings SET token_id = 6 WHERE token_id = 5":                                      "found no row 5",
		"UPDATE stored_unembeddings SET w_u = ['nan'::FLOAT] || w_u[2:] WHERE token_id = 5 AND len(w_u) = 32": "expected finite weights",
	} {
		db := withModels(t, saedb.Options{})
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
		var x sql.NullFloat64
		err := db.QueryRowContext(t.Context(), "SELECT (logit_stats("+direction+", 'llama')).std + (logit_stats("+direction+", 'gpt2')).std").Scan(&x)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v; want %s", statement, x, err, want)
		}
	}
	db := withModels(t, saedb.Options{})
	std(t, db, "gpt2")
	for _, reading := range []string{"0", "1", "2", "-1"} {
		var is bool
		err := db.QueryRowContext(t.Context(), "SELECT any_value(saedb_read_row("+reading+", 3, w)) FROM (SELECT "+direction+" AS w)").Scan(&is)
		if err == nil || !strings.Contains(err.Error(), "saedb's own") {
			t.Errorf("saedb_read_row(%s, …): %v, %v", reading, is, err)
		}
	}
}
