package check

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// TestDiffers: figures within the tolerance are sound, and the first beyond it is named.
func TestDiffers(t *testing.T) {
	x := []float64{1, 2, 4, 8, 16}
	mean, std := meanAndStd(x)
	if math.Abs(mean-6.2) > 1e-15*mean || math.Abs(std-math.Sqrt(29.76)) > 1e-15*std {
		t.Errorf("mean %v, std %v", mean, std)
	}
	var third, fourth float64
	for _, v := range x {
		z := (v - mean) / std
		third, fourth = third+z*z*z/5, fourth+z*z*z*z/5
	}
	sound := [4]float64{mean, std, third, fourth}
	if said := differs(sound, x, 16); said != "" {
		t.Error(said)
	}
	for i, name := range []string{"mean", "std", "skewness", "kurtosis"} {
		near, far, none := sound, sound, sound
		near[i] *= 1 + 1e-7
		far[i] *= 1 + 1e-4
		none[i] = math.NaN()
		if said := differs(near, x, 16); said != "" {
			t.Errorf("%s: %s", name, said)
		}
		for _, wrong := range [][4]float64{far, none} {
			if said := differs(wrong, x, 16); !strings.HasPrefix(said, name+": expected ") {
				t.Errorf("%s: %q", name, said)
			}
		}
	}
	// The shape of weights that are equal but for rounding is not compared.
	if said := differs([4]float64{1, 0, 5, 5}, []float64{1, 1, 1 + 0x1p-52}, 1); said != "" {
		t.Error(said)
	}
}

// TestMisranked: each token at an end has its own weight, and the one that belongs at its rank;
// those that are equal may stand in any order.
func TestMisranked(t *testing.T) {
	l := &logits{}
	l.ids = []int32{10, 20, 30, 40}
	weights := []float64{0.5, -1, 3, 0.5}
	for _, c := range []struct {
		ids    []int32
		stored []float64
		sign   float64
		want   string
	}{
		{[]int32{30, 10}, []float64{3, 0.5}, 1, ""},
		{[]int32{30, 40}, []float64{3, 0.5}, 1, ""},
		{[]int32{20, 40}, []float64{-1, 0.5}, -1, ""},
		{[]int32{30, 10}, []float64{3, 0.6}, 1, "top_logit_weights: expected 0.5 of token 10"},
		{[]int32{30, 10}, []float64{3, math.NaN()}, 1, "top_logit_weights: expected 0.5 of token 10"},
		{[]int32{30, 20}, []float64{3, -1}, 1, "top_token_ids: expected token 10 at rank 2, found 20"},
		{[]int32{25}, []float64{3}, 1, ""}, // no token has that id, which a rule reports
	} {
		if said := misranked("top", l, weights, c.ids, c.stored, c.sign, 1); !strings.HasPrefix(said, c.want) || said != "" && c.want == "" {
			t.Errorf("%v %v: %q, want %q", c.ids, c.stored, said, c.want)
		}
	}
	if got := outermost(weights, 3, 1); !slices.Equal(got, []int{2, 0, 3}) {
		t.Errorf("outermost: %v", got)
	}
	if got := outermost(weights, 0, 1); len(got) != 0 {
		t.Errorf("none outermost: %v", got)
	}
}

// TestSample: features are evenly spread, the first and the last among them.
func TestSample(t *testing.T) {
	for _, c := range []struct {
		of, sample int
		want       []int
	}{{10, 4, []int{0, 3, 6, 9}}, {3, 8, []int{0, 1, 2}}, {10, 1, []int{0}}, {10, 0, []int{}}, {3, AllFeatures, []int{0, 1, 2}}} {
		r := &run{Checker: &Checker{Sample: c.sample}}
		if got := r.sample(&storedSAE{dSAE: c.of}); !slices.Equal(got, c.want) {
			t.Errorf("%d of %d: %v, want %v", c.sample, c.of, got, c.want)
		}
	}
}

// TestCouldNotRead: what this machine could not read is no damage, unless DuckDB names a checksum.
func TestCouldNotRead(t *testing.T) {
	for said, want := range map[string]bool{
		"Out of Memory Error: failed to allocate data":                      true,
		"IO Error: Could not read from file":                                true,
		"Interrupt Error: Interrupted!":                                     true,
		"std::bad_alloc":                                                    true,
		"IO Error: Corrupt database file: computed checksum does not match": false,
		"Binder Error: column w_dec not found":                              false,
		"Invalid Input Error: a memory of old times":                        false,
	} {
		if got := couldNotRead(errors.New(said)); got != want {
			t.Errorf("%s: %v", said, got)
		}
	}
	if !couldNotRead(fmt.Errorf("query: %w", context.Canceled)) {
		t.Error("a cancelled query says nothing about the database")
	}
	for said, hint := range map[string]string{"IO Error: x": "where it can be read", "Out of Memory Error: x\ny": "with more memory"} {
		if err := unchecked("stored_saes", errors.New(said)); !strings.Contains(err.Error(), hint) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v", said, err)
		}
	}
}

// TestDamaged: the error of a database with findings counts them, and says where the check ended.
func TestDamaged(t *testing.T) {
	if err := Damaged("a.db", Result{Findings: 1}, nil); !strings.Contains(err.Error(), "check: a.db: expected a sound database, found 1 problem") {
		t.Error(err)
	}
	if err := Damaged("a.db", Result{Findings: 2}, context.Canceled); !strings.Contains(err.Error(), "found 2 problems before the check ended: context canceled") {
		t.Error(err)
	}
}
