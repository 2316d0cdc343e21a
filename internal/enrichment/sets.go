package enrichment

import (
	"fmt"
	"math"
	"slices"
	"sync"
)

// Sets is an index of token sets over tokens at positions 0 … n−1. It is
// immutable and may be used by any number of goroutines.
type Sets struct {
	tokens  int
	members []int32 // the sets one after another, each ascending and without duplicates
	ends    []int   // ends[i] is where set i ends in members
	matrix  *matrix // of the first sets, or of none
	split   func() *split
	bitmaps sync.Pool // of *[]uint64, one bit for each rank
}

// PositionError is returned for a set's member that is not a token.
type PositionError struct {
	Set      int   // index of the set
	Position int32 // the member
	Tokens   int   // number of tokens
}

func (e *PositionError) Error() string {
	return fmt.Sprintf("enrichment: token set %d: expected positions from 0 to %d, found %d",
		e.Set, e.Tokens-1, e.Position)
}

// NewSets indexes sets of positions among n tokens. A position given twice in a
// set counts once; sets may be empty, hold every token, or be equal to each other.
// A position that is negative or not below n is a [*PositionError].
func NewSets(n int, members [][]int32) (*Sets, error) {
	if n < 0 || n > math.MaxInt32 {
		return nil, fmt.Errorf("enrichment: expected from 0 to %d tokens, found %d", math.MaxInt32, n)
	}
	total := 0
	for _, set := range members {
		total += len(set)
	}
	s := &Sets{tokens: n, members: make([]int32, 0, total), ends: make([]int, len(members))}
	s.bitmaps.New = func() any {
		bitmap := make([]uint64, (n+63)/64)
		return &bitmap
	}
	for i, set := range members {
		start := len(s.members)
		s.members = append(s.members, set...)
		sorted := s.members[start:]
		slices.Sort(sorted)
		if len(sorted) > 0 {
			for _, end := range []int32{sorted[0], sorted[len(sorted)-1]} {
				if end < 0 || int(end) >= n {
					return nil, &PositionError{Set: i, Position: end, Tokens: n}
				}
			}
		}
		s.members = s.members[:start+len(slices.Compact(sorted))]
		s.ends[i] = len(s.members)
	}
	s.matrix = newMatrix(s)
	s.split = sync.OnceValue(func() *split { return newSplit(s) })
	return s, nil
}

// Len returns the number of sets.
func (s *Sets) Len() int { return len(s.ends) }

// Tokens returns the number of tokens that positions are below.
func (s *Sets) Tokens() int { return s.tokens }

// Size returns how many distinct tokens a set has.
func (s *Sets) Size(set int) int { return len(s.Members(set)) }

// Members returns the positions of a set's tokens, ascending. They are not to be
// changed.
func (s *Sets) Members(set int) []int32 { return s.part(s.members, set) }

// part returns a set's part of what is given for the members of all sets.
func (s *Sets) part(ofMembers []int32, set int) []int32 {
	start := 0
	if set > 0 {
		start = s.ends[set-1]
	}
	return ofMembers[start:s.ends[set]:s.ends[set]]
}

// defined reports whether a set of m tokens can be told from the others: a set
// with no token, or with all, has no score.
func (s *Sets) defined(m int) bool { return m > 0 && m < s.tokens }

// borrowBitmap returns a bitmap of ranks with arbitrary contents; release gives it
// back.
func (s *Sets) borrowBitmap() (bitmap []uint64, release func()) {
	borrowed := s.bitmaps.Get().(*[]uint64)
	return *borrowed, func() { s.bitmaps.Put(borrowed) }
}
