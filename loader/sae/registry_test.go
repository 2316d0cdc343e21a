package sae

import "testing"

// A format whose name another has could not be told from it in what a load keeps. OpenSAE is one
// name of a directory's format and of its training's checkpoints, dictionary_learning likewise.
func TestFormatsHaveNamesOfTheirOwn(t *testing.T) {
	formatNames, layoutNames := map[string]bool{}, map[string]bool{}
	for _, f := range formats {
		if formatNames[f.name] {
			t.Errorf("two formats are named %s", f.name)
		}
		formatNames[f.name] = true
	}
	for _, c := range checkpoints {
		if layoutNames[c.name] {
			t.Errorf("two layouts of checkpoints are named %s", c.name)
		}
		layoutNames[c.name] = true
	}
}
