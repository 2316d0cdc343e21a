package nearest

import (
	"slices"
	"testing"
)

func TestQuestion(t *testing.T) {
	commands := []string{"load", "compute", "sql", "export", "import", "sets", "plot", "report", "releases", "neuronpedia"}
	for name, want := range map[string]string{
		"lod": "load", "laod": "load", "LOAD": "load", "comptue": "compute", "reprot": "report", "neuron": "neuronpedia",
		"exports": "export", "set": "sets", "slq": "sql", "frobnicate": "", "x": "", "": "", "--": "",
	} {
		if want != "" {
			want = "did you mean " + want + "?"
		}
		if got := Question(name, commands); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
	if got := Question("x", nil); got != "" {
		t.Errorf("of no names: got %q", got)
	}
}

func TestNames(t *testing.T) {
	got := Names("layer_12", []string{"layer_345", "layer_21", "a/layer_12/width", "other"}, 2)
	if want := []string{"layer_21", "a/layer_12/width"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestEdits: worked out by hand; 3 for kitten and sitting is the textbook's.
func TestEdits(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"kitten", "sitting", 3}, {"", "abc", 3}, {"abc", "", 3}, {"same", "same", 0}, {"ab", "ba", 1}, {"plto", "plot", 1}, {"abcd", "badc", 2}} {
		if got := edits(c.a, c.b); got != c.want {
			t.Errorf("%s, %s: got %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
