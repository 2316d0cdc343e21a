package tokenset

import (
	"compress/gzip"
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/saedb/saedb/loader/vocab"
)

const smolLM2 = "../../examples/smollm2-135m/SmolLM2-135M-Instruct.unembedding.gguf"

func readVocabulary(t testing.TB, path string) []vocab.Token {
	t.Helper()
	v, err := vocab.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return v.Tokens
}

func readGolden(t *testing.T, path string) map[string][]int32 {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var sets map[string][]int32
	if err := json.NewDecoder(unzipped).Decode(&sets); err != nil {
		t.Fatal(err)
	}
	return sets
}

// Oracles: SAELens 6.54.12 and NLTK 3.10.4; see testdata/README.md.
func TestBuiltinEqualsReference(t *testing.T) {
	tokens := readVocabulary(t, smolLM2)
	tests := []struct {
		file     string
		families []string
	}{
		{"smollm2-regex-letters.json.gz", []string{FamilyRegex, FamilyLetters}},
		{"smollm2-parts-of-speech.json.gz", []string{FamilyPartsOfSpeech}},
	}
	for _, test := range tests {
		golden := readGolden(t, "testdata/"+test.file)
		sets, err := Builtin(tokens, test.families, Options{})
		if err != nil {
			t.Fatal(err)
		}
		seen := make(map[string]bool)
		for _, set := range sets {
			seen[set.Name] = true
			if !slices.Equal(set.IDs, golden[set.Name]) {
				t.Errorf("%s: %d tokens, not the reference's %d", set.Name, len(set.IDs), len(golden[set.Name]))
			}
		}
		for name, ids := range golden {
			if seen[name] != (len(ids) > 0) {
				t.Errorf("%s: built %v, the reference has %d tokens", name, seen[name], len(ids))
			}
		}
	}
}
