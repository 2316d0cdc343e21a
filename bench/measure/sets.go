package measure

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
)

// Sets maps names of token sets to token ids.
type Sets map[string][]int

// SetName is the name of the i-th of RandomSets.
func SetName(i int) string { return fmt.Sprintf("set %02d", i) }

// RandomSets is 100 sets with 307,000 memberships of GPT-2's vocabulary: many small
// ones and a few with a good part of it, as token sets are.
func RandomSets(vocabulary int) Sets {
	random := rand.New(rand.NewPCG(1, 2))
	all := Sets{}
	for i := range 100 {
		size := 5 + i*i*i*vocabulary/4_030_000
		all[SetName(i)] = random.Perm(vocabulary)[:min(size, vocabulary)]
	}
	return all
}

// Members counts the memberships.
func (s Sets) Members() (sum int) {
	for _, members := range s {
		sum += len(members)
	}
	return sum
}

// Write writes the sets as saedb load sets reads them.
func (s Sets) Write(path string) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644)
}
