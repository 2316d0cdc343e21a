package main

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/saedb/saedb/bench/measure"
	"github.com/saedb/saedb/internal/compute"
)

// rung is one size to measure.
type rung struct {
	measure.Shape
	Workers int // goroutines, and threads of the whole process
	Runs    int // at most
}

// timing is what a rung's own process knows.
type timing struct {
	Kernel      string
	PackSeconds float64 // preparing the unembedding
	Seconds     float64 // of the fastest run over all features
	Held        int64   // bytes of the prepared unembedding
}

// measurement is a finished rung.
type measurement struct {
	rung
	timing
	Peak   int64   // largest resident set of its process, bytes
	Others float64 // share of the cores that other programs used meanwhile
}

func (m measurement) featuresPerSecond() float64 { return float64(m.Features) / m.Seconds }

func (m measurement) gigaflops() float64 { return m.Operations() / m.Seconds / 1e9 }

// batch is how many directions a call takes: a chunk of DuckDB, as in saedb compute.
const batch = 2048

// enoughSeconds of runs end a rung early.
const enoughSeconds = 10

// runRung measures the rung in this process and prints its timing as JSON.
func runRung(text string) error {
	var r rung
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return err
	}
	runtime.GOMAXPROCS(r.Workers)
	u, pack, err := unembedding(r.Shape)
	if err != nil {
		return err
	}
	// What building left behind is not part of the pass.
	debug.FreeOSMemory()
	t := timing{Kernel: u.Kernel(), PackSeconds: pack, Seconds: math.Inf(1), Held: u.Bytes()}
	for run, total := 0, 0.0; run < max(r.Runs, 1) && total < enoughSeconds; run++ {
		seconds, err := pass(u, r)
		if err != nil {
			return err
		}
		t.Seconds = min(t.Seconds, seconds)
		total += seconds
	}
	return json.NewEncoder(os.Stdout).Encode(t)
}

// pass projects all features, batch by batch, and returns the seconds in the
// projection alone: directions are made up between batches.
func pass(u *compute.Unembedding, r rung) (float64, error) {
	options := compute.Options{TopK: 10, Cosine: true, Workers: r.Workers}
	directions := make([]float32, min(batch, r.Features)*r.DModel)
	var (
		summary compute.Summary
		total   time.Duration
	)
	for from := 0; from < r.Features; from += batch {
		some := directions[:min(batch, r.Features-from)*r.DModel]
		fillNormal(some, 1/math.Sqrt(float64(r.DModel)), uint64(from))
		begun := time.Now()
		if err := u.Summarize(context.Background(), some, options, &summary); err != nil {
			return 0, err
		}
		total += time.Since(begun)
	}
	return total.Seconds(), nil
}

// unembedding makes one of normal weights and returns the seconds of its packing.
func unembedding(s measure.Shape) (*compute.Unembedding, float64, error) {
	const rowsAtOnce = 1024
	b, err := compute.NewBuilder(s.Vocab, s.DModel)
	if err != nil {
		return nil, 0, err
	}
	var group sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for worker := range workers {
		group.Go(func() {
			rows := make([]float32, rowsAtOnce*s.DModel)
			for from := worker * rowsAtOnce; from < s.Vocab; from += workers * rowsAtOnce {
				some := rows[:min(rowsAtOnce, s.Vocab-from)*s.DModel]
				fillNormal(some, 0.15, uint64(from)+1<<32)
				b.SetRows(from, some)
			}
		})
	}
	group.Wait()
	begun := time.Now()
	u, err := b.Build()
	return u, time.Since(begun).Seconds(), err
}

// fillNormal fills values with normal numbers; the seed alone decides which.
func fillNormal(values []float32, deviation float64, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 0))
	for i := range values {
		values[i] = float32(deviation * random.NormFloat64())
	}
}
