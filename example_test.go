package saedb_test

import (
	"context"
	"fmt"
	"log"
	"strings"
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
