package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/saedb/saedb/bench/measure"
)

// sets maps names to token ids.
type sets map[string][]int

func setName(i int) string { return fmt.Sprintf("set %02d", i) }

func setsFile(name string) string {
	return filepath.Join(measure.Scratch, "enrichment-"+name+".json")
}

// randomSets is 100 sets with 307,000 memberships of GPT-2's vocabulary: many small
// ones and a few with a good part of it, as token sets are.
func randomSets(vocabulary int) sets {
	random := rand.New(rand.NewPCG(1, 2))
	all := sets{}
	for i := range 100 {
		size := 5 + i*i*i*vocabulary/4_030_000
		all[setName(i)] = random.Perm(vocabulary)[:min(size, vocabulary)]
	}
	return all
}

func (s sets) members() (sum int) {
	for _, members := range s {
		sum += len(members)
	}
	return sum
}

func (s sets) write(path string) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644)
}
