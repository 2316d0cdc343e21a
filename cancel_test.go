package saedb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// soon is within what a call ends after its context does; a machine that is busy with other
// things gets five tries.
const (
	soon  = 200 * time.Millisecond
	tries = 5
)

// TestCancelInsideAChunk: a function stops soon after its context, while it works on one chunk
// of rows, in which DuckDB itself does not look.
func TestCancelInsideAChunk(t *testing.T) {
	db := open(t, "", Options{})
	if _, err := db.Exec("CALL saedb_model('smollm2', 'examples/smollm2-135m/SmolLM2-135M-Instruct.unembedding.gguf')"); err != nil {
		t.Fatal(err)
	}
	small := t.TempDir()
	for _, part := range []string{"loader/model/testdata/llama", "loader/vocab/testdata/llama"} {
		if err := os.CopyFS(small, os.DirFS(part)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.LoadModel(t.Context(), ModelRequest{Path: small, Name: "small"}); err != nil {
		t.Fatal(err)
	}
	// Their p-values take longer than their scores.
	for i := range 30 {
		members := fmt.Sprintf("SELECT range FROM range(500) WHERE range %% %d < 2", i+3)
		if _, err := db.LoadSets(t.Context(), SetsRequest{Model: "small", Name: fmt.Sprint("two of ", i+3), Query: members}); err != nil {
			t.Fatal(err)
		}
	}
	for name, call := range map[string]string{
		"ks_log10_p":       "ks_log10_p(8000, 16384, 0.005 + range * 1e-9)",
		"enrich":           "len(enrich(w[:32], 'small'))",
		"logit_stats":      "(logit_stats(w, 'smollm2')).std",
		"l_moments":        "(l_moments(w, 'smollm2')).l_scale",
		"top_tokens":       "len(top_tokens(w, 'smollm2', 1000))",
		"logit_weights":    "len(logit_weights(w, 'smollm2'))",
		"random_direction": "len(random_direction(1, range, 300000))",
	} {
		query := "SELECT count(" + call + ") FROM (SELECT range, list_transform(range(576), lambda j: sin(range * j)) AS w FROM range(%d))"
		if _, err := db.Exec(fmt.Sprintf(query, 1)); err != nil { // what it needs is there from now on
			t.Fatal(err)
		}
		query = fmt.Sprintf(query, 2048)
		var took time.Duration
		for range tries {
			ctx, cancel := context.WithCancelCause(t.Context())
			var ended time.Time
			timer := time.AfterFunc(300*time.Millisecond, func() { ended = time.Now(); cancel(nil) })
			_, err := db.ExecContext(ctx, query)
			took = time.Since(ended)
			cancel(nil)
			if timer.Stop() {
				t.Fatalf("%s: it ended before its context, with %v", name, err)
			}
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("%s: ended with %v", name, err)
			}
			if took < soon {
				break
			}
		}
		if took >= soon {
			t.Errorf("%s: ended %v after its context", name, took)
		}
	}
}

// TestCancelFunctions: what Cancel stops says so, and the next statement runs.
func TestCancelFunctions(t *testing.T) {
	db := open(t, "", Options{})
	if _, err := db.Exec("CALL saedb_model('smollm2', 'examples/smollm2-135m/SmolLM2-135M-Instruct.unembedding.gguf')"); err != nil {
		t.Fatal(err)
	}
	if n := db.Functions.Cancel(); n != 0 {
		t.Errorf("stopped %d calls where none runs", n)
	}
	const call = "SELECT count((l_moments(list_transform(range(576), lambda j: sin(range * j)), 'smollm2')).l_scale) FROM range(?)"
	ended := make(chan error)
	go func() {
		_, err := db.ExecContext(t.Context(), call, 2048)
		ended <- err
	}()
	stopped := 0
	for deadline := time.Now().Add(20 * time.Second); stopped == 0 && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		stopped = db.Functions.Cancel()
	}
	if err := <-ended; stopped != 1 || err == nil || !strings.Contains(err.Error(), "cancelled") {
		t.Errorf("stopped %d calls, which ended with %v", stopped, err)
	}
	if _, err := db.ExecContext(t.Context(), call, 2); err != nil {
		t.Errorf("the next statement: %v", err)
	}
}
