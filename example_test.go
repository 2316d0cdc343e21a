package saedb_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/saedb/saedb"
)

const (
	exampleModel = "examples/smollm2-135m/SmolLM2-135M-Instruct.unembedding.gguf"
	exampleSAE   = "examples/smollm2-135m/saes/blocks.29.hook_resid_pre"
)

// An empty path is a database in memory, which is enough to look at files.
func ExampleOpen() {
	ctx := context.Background()
	db, err := saedb.Open(ctx, "", saedb.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()

	var architecture, hook string
	var features int
	err = db.QueryRowContext(ctx, "SELECT architecture, d_sae, hook FROM sae_info(?)", exampleSAE).Scan(&architecture, &features, &hook)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s SAE of %d features at %s\n", architecture, features, hook)
	// Output: topk SAE of 1536 features at blocks.29.hook_resid_pre
}

// The tokens that one direction promotes. saedb_model gives a model on disk a name that
// functions take; in a database that saedb loaded, models have theirs.
func ExampleDB() {
	ctx := context.Background()
	db, err := saedb.Open(ctx, "", saedb.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, "CALL saedb_model('smollm2', ?)", exampleModel); err != nil {
		log.Fatal(err)
	}

	var direction duckdb.Composite[[]float32]
	err = db.QueryRowContext(ctx, "SELECT w_dec FROM read_sae(?) WHERE feature = 63", exampleSAE).Scan(&direction)
	if err != nil {
		log.Fatal(err)
	}
	opposite := direction.Get() // or any other vector of the model's width
	for i := range opposite {
		opposite[i] = -opposite[i]
	}
	var tokens duckdb.Composite[[]string]
	err = db.QueryRowContext(ctx, `
		SELECT list(text ORDER BY logit_weight)
		FROM (SELECT unnest(bottom_tokens(?, 'smollm2', 4), recursive := true))`, opposite).Scan(&tokens)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(strings.Join(tokens.Get(), ","))
	// Output:  five, four, eight, three
}

// From files to an answer. Families of token sets, the kinds of SAEs and what else there is
// to say are fields of the requests.
func ExampleDB_Compute() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "saedb-example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	db, err := saedb.Open(ctx, filepath.Join(dir, "features.db"), saedb.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()

	model, err := db.LoadModel(ctx, saedb.ModelRequest{Path: exampleModel, Name: "smollm2-135m"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("model %s: %d tokens\n", model.Name, model.Rows)
	err = db.LoadSAEs(ctx, exampleSAE, saedb.SAERequest{}, func(sae saedb.Outcome) error {
		fmt.Printf("SAE %s: %d features\n", sae.Name, sae.Rows)
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := db.Compute(ctx, saedb.ComputeRequest{Baseline: 0}); err != nil {
		log.Fatal(err)
	}
	var feature int
	var tokens duckdb.Composite[[]string]
	err = db.QueryRowContext(ctx, "SELECT feature, top_tokens[:3] FROM features ORDER BY skewness DESC LIMIT 1").Scan(&feature, &tokens)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(feature, strings.Join(tokens.Get(), ","))
	// Output:
	// model smollm2-135m: 49152 tokens
	// SAE blocks.29.hook_resid_pre: 1536 features
	// 1328 ),?),).
}

// What is loaded already, what makes no sense and what is missing is an *Error: it says the
// operation, what it failed on, what was expected and found, and what to do.
func ExampleDB_LoadSAE() {
	ctx := context.Background()
	db, err := saedb.Open(ctx, "", saedb.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	_, err = db.LoadSAE(ctx, saedb.SAERequest{Path: exampleSAE})
	var failed *saedb.Error
	if errors.As(err, &failed) {
		fmt.Println(failed.Op)
		fmt.Println(failed.Problem)
		fmt.Println(failed.Hint)
	}
	// Output:
	// load sae
	// no model is loaded that it could belong to
	// load its model first, with saedb load model
}

// The error of a statement is DuckDB's, which is a text; Returned has that of the function.
func ExampleReturned() {
	ctx := context.Background()
	db, err := saedb.Open(ctx, "", saedb.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, "SELECT logit_stats([1, 2]::FLOAT[], 'smollm2')")
	var failed *saedb.Error
	if errors.As(saedb.Returned(err), &failed) {
		fmt.Println(failed.Op)
		fmt.Println(failed.Subject)
		fmt.Println(failed.Problem)
	}
	// Output:
	// logit_stats
	// model "smollm2"
	// no such model in this database
}

// Functions report what they finish, in statements with a context that asks for it.
func ExampleWithProgress() {
	db, err := saedb.Open(context.Background(), "", saedb.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	var rows atomic.Int64
	ctx := saedb.WithProgress(context.Background(), func(n int64) { rows.Add(n) })
	if _, err := db.ExecContext(ctx, "CREATE TABLE directions AS SELECT w_dec FROM read_sae(?)", exampleSAE); err != nil {
		log.Fatal(err)
	}
	fmt.Println(rows.Load(), "rows")
	// Output: 1536 rows
}

// A query ends soon after its context, also in the midst of a function.
func ExampleDB_cancel() {
	db, err := saedb.Open(context.Background(), "", saedb.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("CALL saedb_model('smollm2', ?)", exampleModel); err != nil {
		log.Fatal(err)
	}

	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	_, err = db.ExecContext(ctx, `
		SELECT sum((logit_stats(list_transform(range(576), lambda j: sin(i * j)), 'smollm2')).std) FROM range(1_000_000) t(i)`)
	fmt.Println(err != nil, ctx.Err())
	// Output: true context deadline exceeded
}
