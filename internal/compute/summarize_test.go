package compute

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

func TestSummaryReusesItsSlices(t *testing.T) {
	const d = 8
	r := rand.New(rand.NewPCG(1, 3))
	u := built(t, gonumKernel{}, normal(r, 50*d), d, nil)
	var s Summary
	big, small := normal(r, 9*d), normal(r, 4*d)
	if err := u.Summarize(t.Context(), big, Options{TopK: 5, Cosine: true}, &s); err != nil {
		t.Fatal(err)
	}
	first, ids := &s.Plain.Std[0], &s.Top.IDs[0]
	if err := u.Summarize(t.Context(), small, Options{TopK: 3}, &s); err != nil {
		t.Fatal(err)
	}
	if &s.Plain.Std[0] != first || &s.Top.IDs[0] != ids {
		t.Error("slices that were large enough were replaced")
	}
	if len(s.Plain.Std) != 4 || len(s.Top.IDs) != 12 || len(s.Bottom.Logits) != 12 || len(s.Cosine.Mean) != 0 {
		t.Errorf("got lengths %d, %d, %d, %d, want 4, 12, 12, 0",
			len(s.Plain.Std), len(s.Top.IDs), len(s.Bottom.Logits), len(s.Cosine.Mean))
	}
	if !sameBits(&s, summarized(t, u, small, Options{TopK: 3})) {
		t.Error("reused slices give other results")
	}
}

func TestNoDirections(t *testing.T) {
	u := built(t, gonumKernel{}, make([]float32, 12), 3, nil)
	s := summarized(t, u, nil, Options{TopK: 2, Cosine: true})
	if len(s.Plain.Mean) != 0 || len(s.Top.IDs) != 0 || s.Top.K != 2 {
		t.Errorf("got %d means, %d ids, K %d, want 0, 0, 2", len(s.Plain.Mean), len(s.Top.IDs), s.Top.K)
	}
}

// A call ends soon after its context, on the float32 path as on the float64 one.
func TestCancel(t *testing.T) {
	const n, vocab, d = 256, 30000, 256
	r := rand.New(rand.NewPCG(1, 4))
	w := centredRows(r, vocab, d)
	constant := make([]float32, n*d) // W_U annihilates these
	for i := range constant {
		constant[i] = 1
	}
	for _, k := range kernelsUnderTest() {
		u := built(t, k, w, d, nil)
		for name, directions := range map[string][]float32{"float32": normal(r, n*d), "float64": constant} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			err := u.Summarize(ctx, directions, Options{TopK: 5}, new(Summary))
			ended, _ := ctx.Deadline()
			late := time.Since(ended)
			cancel()
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s/%s: got error %v, want deadline exceeded", k.name(), name, err)
			}
			if late > time.Second { // a busy machine's share; 50 ms on a quiet one
				t.Errorf("%s/%s: returned %v after the deadline", k.name(), name, late)
			}
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errors.New("a cause of the caller's"))
		out := make([]float32, vocab)
		if err := u.LogitWeights(ctx, constant[:d], out); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: LogitWeights: got error %v, want canceled", k.name(), err)
		}
	}
}

func TestPanicReachesTheCaller(t *testing.T) {
	defer func() {
		if got := recover(); got != "inside" {
			t.Errorf("got panic %v, want the worker's", got)
		}
	}()
	_ = inParallel(t.Context(), 100, 1, 4, func(_ context.Context, from, _ int) error {
		if from == 40 {
			panic("inside")
		}
		return nil
	})
}

func TestKernelFromEnvironment(t *testing.T) {
	for _, k := range kernelsUnderTest() {
		t.Setenv(KernelVariable, k.name())
		b, err := NewBuilder(1, 1)
		if err != nil {
			t.Fatal(err)
		}
		b.SetRows(0, []float32{1})
		u, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		if u.Kernel() != k.name() {
			t.Errorf("got kernel %s, want %s", u.Kernel(), k.name())
		}
	}
	t.Setenv(KernelVariable, "abacus")
	if _, err := kernelFromEnvironment(); err == nil || !strings.Contains(err.Error(), `found "abacus"`) {
		t.Errorf("got error %v, want one that names the kernel", err)
	}
}
