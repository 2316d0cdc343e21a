package udf_test

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"
)

// held is what a process holds: what leaks would make grow.
type held struct {
	goroutines, files int
	resident          int64 // bytes, of Go, of DuckDB and of C
}

// holds looks once everything that has ended is gone.
func holds(t *testing.T) held {
	t.Helper()
	debug.FreeOSMemory()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skipf("this system does not say which files are open: %v", err)
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	h := held{goroutines: runtime.NumGoroutine(), files: len(files)}
	for line := range strings.Lines(string(status)) {
		if text, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			if _, err := fmt.Sscan(text, &h.resident); err != nil {
				t.Fatal(err)
			}
			h.resident <<= 10
		}
	}
	return h
}

// TestNothingLeaks calls every function, 4,000 times in all after the first calls, with arguments that are
// right and with some that are not: goroutines and open files are as they were after the
// first calls, and so is memory, but for what DuckDB keeps for itself: a query of its own
// tables alone adds up to 0.7 kB to its queues, which levels off at some 35 MB.
func TestNothingLeaks(t *testing.T) {
	const queries, first, allowed = 4_000, 1_000, 9 << 20
	db := withSets(t)
	var before held
	failed := 0
	begun := time.Now()
	for i := range first + queries {
		if i == first {
			before = holds(t)
		}
		form := callForms[i%len(callForms)]
		a := soundArguments(form, i/len(callForms))
		if i%7 == 0 {
			a.shape, a.real, a.text = byte(i), math.NaN(), "nothing of that name"
		}
		if strings.Contains(form, "releases") && i%4 != 0 {
			form = "row_hash(i, w)" // reading all releases takes a long time
		}
		var n int64
		if err := db.QueryRowContext(t.Context(), a.render(form)).Scan(&n); err != nil {
			failed++
		}
	}
	after := holds(t)
	t.Logf("%d queries in %.0f s, %d of them errors: %d goroutines before, %d after; %d files, %d; %.1f MB resident, %.1f",
		first+queries, time.Since(begun).Seconds(), failed, before.goroutines, after.goroutines, before.files, after.files, float64(before.resident)/1e6, float64(after.resident)/1e6)
	if failed == 0 || failed > (first+queries)*45/100 {
		t.Errorf("%d errors", failed)
	}
	if after.goroutines > before.goroutines || after.files > before.files || after.resident > before.resident+allowed {
		t.Errorf("held %+v before, %+v after", before, after)
	}
}

// soundArguments are arguments that a form takes, others in each round.
func soundArguments(form string, round int) arguments {
	const first, real, none = 1 << 2, 2 << 2, 3 << 2 // what oneText gives
	a := arguments{
		shape: 8 | byte(round&3), weights: []byte{0, 0, 128, 63, 0, 0, 0, byte(round), 0, 0, 128, 191}, text: "third", number: int64(round%40)*4 + 1, real: 1, rows: first,
	}
	switch {
	case strings.Contains(form, "processing"):
		a.rows = none
	case strings.HasPrefix(form, "feature_statistics"), strings.HasPrefix(form, "enrichment_values"):
		a.rows = real
	case strings.HasPrefix(form, "weighted_enrichment"):
		a.number = int64(round%4) * 4 // permutations
	case strings.HasPrefix(form, "FROM read_sae"), strings.HasPrefix(form, "FROM read_encoder"), strings.HasPrefix(form, "FROM sae_info"):
		a.number = 0
	case strings.HasPrefix(form, "FROM read_vocab"):
		a.number = 2
	}
	a.rows |= byte(round&1)<<6 | byte(round>>1&1) // the model, and one row or three
	return a
}
