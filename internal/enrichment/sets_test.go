package enrichment

import (
	"errors"
	"slices"
	"testing"
)

func TestSetsAreSortedWithoutDuplicates(t *testing.T) {
	given := [][]int32{{4, 1, 4, 0, 1}, {}, {2}, {0, 1, 2, 3, 4}}
	sets := newSets(t, 5, given)
	for set, want := range [][]int32{{0, 1, 4}, {}, {2}, {0, 1, 2, 3, 4}} {
		if got := sets.Members(set); !slices.Equal(got, want) {
			t.Errorf("set %d: got %v, want %v", set, got, want)
		}
		if got := sets.Size(set); got != len(want) {
			t.Errorf("set %d: size %d, want %d", set, got, len(want))
		}
	}
	if sets.Len() != 4 || sets.Tokens() != 5 {
		t.Errorf("%d sets of %d tokens, want 4 of 5", sets.Len(), sets.Tokens())
	}
	if !slices.Equal(given[0], []int32{4, 1, 4, 0, 1}) {
		t.Errorf("the caller's set was changed to %v", given[0])
	}
}

func TestSetsRefusePositions(t *testing.T) {
	for _, position := range []int32{-1, 5, 1 << 30} {
		_, err := NewSets(5, [][]int32{{1}, {0, position, 2}})
		var got *PositionError
		if !errors.As(err, &got) {
			t.Fatalf("position %d: got error %v", position, err)
		}
		if want := (PositionError{Set: 1, Position: position, Tokens: 5}); *got != want {
			t.Errorf("got %+v, want %+v", *got, want)
		}
	}
	if _, err := NewSets(-1, nil); err == nil {
		t.Error("a negative number of tokens was accepted")
	}
}
