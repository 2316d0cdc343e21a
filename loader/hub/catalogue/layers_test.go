package catalogue

import (
	"strconv"
	"testing"
)

// A layer is the index of the hook point's block, but where the release itself counts
// otherwise: one SAE alone.
func TestLayersAreThoseOfHooks(t *testing.T) {
	all, err := All()
	if err != nil {
		t.Fatal(err)
	}
	var others []string
	for _, r := range all {
		for _, s := range r.SAEs {
			if index := firstNumber.FindString(s.Hook); index != "" && index != strconv.Itoa(s.Layer) {
				others = append(others, r.Name+"/"+s.ID)
			}
		}
	}
	if len(others) != 1 || others[0] != "gpt2-small-res-jb/blocks.11.hook_resid_post" {
		t.Errorf("numbered otherwise than their hook points: %v", others)
	}
}
