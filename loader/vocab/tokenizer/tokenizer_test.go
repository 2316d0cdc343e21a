//go:build tokenizers

package tokenizer

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/saedb/saedb/loader/vocab"
)

const shared = "../../../../shared/fixtures"

func open(t *testing.T, path string) *Tokenizer {
	t.Helper()
	tokenizer, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tokenizer.Close)
	return tokenizer
}

func read(t *testing.T, path string) *vocab.Vocabulary {
	t.Helper()
	v, err := vocab.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func testdata(name string) string { return filepath.Join("..", "testdata", name) }

// The library is the oracle of what package vocab decodes in pure Go.
func TestVocabularyAgreesWithLibrary(t *testing.T) {
	dirs, _ := filepath.Glob(testdata("*/tokenizer.json"))
	if len(dirs) < 6 {
		t.Fatalf("found only %v", dirs)
	}
	large, _ := filepath.Glob(filepath.Join(shared, "*", "*", "tokenizer.json"))
	smollm, _ := filepath.Glob(filepath.Join(shared, "smollm2-135m", "tokenizer.json"))
	for _, path := range slices.Concat(dirs, large, smollm) {
		t.Run(filepath.Base(filepath.Dir(path)), func(t *testing.T) {
			for _, token := range open(t, path).Disagreements(read(t, path)) {
				t.Errorf("token %d %q: text %q, the library decodes another", token.ID, token.Token, token.Text)
			}
		})
	}
}

func TestGGUFAgreesWithLibrary(t *testing.T) {
	gguf := filepath.Join(shared, "demo", "SmolLM2-135M-Instruct.unembedding.gguf")
	if _, err := os.Stat(gguf); err != nil {
		t.Skipf("needs the larger fixtures: %v", err)
	}
	if differ := open(t, filepath.Join(shared, "smollm2-135m")).Disagreements(read(t, gguf)); len(differ) != 0 {
		t.Errorf("%d tokens differ, the first is %+v", len(differ), differ[0])
	}
}

func TestDisagreementsFindsWrongText(t *testing.T) {
	v := read(t, testdata("gpt2"))
	v.Tokens[300].Text += "x"
	differ := open(t, testdata("gpt2")).Disagreements(v)
	if len(differ) != 1 || differ[0].ID != 300 {
		t.Errorf("got %+v, want token 300", differ)
	}
}

func TestEncode(t *testing.T) {
	tests := []struct {
		dir, text string
		want      []int
	}{
		{"wordpiece", "the singing", []int{2, 3, 4}}, // its file asks for 2 tokens at most, and 8 at least
		{"wordpiece", "", nil},
		{"byte-fallback", "the\n", []int{11, 3}},
		{"byte-fallback", " the", []int{12}},
		{"byte-fallback", "the\x00the\x00", []int{11, 2, 11, 2}},
		{"bpe-suffix", "ab\x00a", []int{3, 4}}, // has no token for a NUL
		{"bpe-suffix", "ab a", []int{3, 4}},
	}
	for _, test := range tests {
		if got := open(t, testdata(test.dir)).Encode(test.text); !slices.Equal(got, test.want) {
			t.Errorf("%s: Encode(%q) = %v, want %v", test.dir, test.text, got, test.want)
		}
	}
}

// A byte-level tokenizer loses nothing.
func TestDecodeUndoesEncode(t *testing.T) {
	tokenizer := open(t, testdata("gpt2"))
	for _, text := range []string{
		"The quick brown fox", "  leading and trailing  ", "é ü 漢字 🎉", "line\n\ttab", "a\x00b", "\x00", "\x00 the\x00\x00 é",
		"<|endoftext|>", strings.Repeat("of the people ", 1000),
	} {
		if got := tokenizer.Decode(tokenizer.Encode(text)); got != text {
			t.Errorf("%.40q became %.40q", text, got)
		}
	}
	if got, want := tokenizer.Decode(tokenizer.Encode("a\xffb")), "a\uFFFDb"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDecode(t *testing.T) {
	tests := []struct {
		dir  string
		ids  []int
		want string
	}{
		{"wordpiece", []int{2, 3, 4, 6, 0}, "the singing. [PAD]"},
		{"wordpiece", []int{2, -1, 1 << 40, 9999, 3}, "the sing"}, // ids that it does not have
		{"wordpiece", nil, ""},
		{"byte-fallback", []int{12, 12, 2, 12}, "the the\x00 the"}, // only the text's first space is dropped
		{"byte-fallback", []int{2, 4, 5}, "\x00é"},
		{"byte-fallback", []int{4, 2, 5}, "\uFFFD\x00\uFFFD"},
	}
	for _, test := range tests {
		if got := open(t, testdata(test.dir)).Decode(test.ids); got != test.want {
			t.Errorf("%s: Decode(%v) = %q, want %q", test.dir, test.ids, got, test.want)
		}
	}
}

func TestCloseWaitsForCalls(t *testing.T) {
	tokenizer := open(t, testdata("gpt2"))
	want := tokenizer.Encode("the end of the line")
	var users sync.WaitGroup
	started := make(chan struct{}, 8)
	for range cap(started) {
		users.Go(func() {
			for i := 0; ; i++ {
				got := tokenizer.Encode("the end of the line")
				if i == 0 {
					started <- struct{}{}
				}
				if got == nil {
					return // closed
				}
				if !slices.Equal(got, want) {
					t.Errorf("got %v, want %v", got, want)
					return
				}
				tokenizer.Decode(got)
			}
		})
	}
	for range cap(started) {
		<-started
	}
	tokenizer.Close()
	users.Wait()
	tokenizer.Close()
	if got := tokenizer.Encode("the"); got != nil {
		t.Errorf("closed, Encode = %v", got)
	}
	if got := tokenizer.Decode(want); got != "" {
		t.Errorf("closed, Decode = %q", got)
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"cut.json":      `{"model": {"vocab": {`,
		"no-model.json": `{"model": {"vocab": {"a": 0}}}`, // enough for a vocabulary, not for the library
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"cut.json", "no-model.json", "absent", ""} {
		path := filepath.Join(dir, name)
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("Open(%q): %v", path, err)
		}
	}
}
