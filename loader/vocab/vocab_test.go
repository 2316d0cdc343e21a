package vocab

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/saedb/saedb/internal/fault"
)

// shared holds fixtures too large for this repository; tests that use them are
// skipped where it is absent.
const shared = "../../../shared/fixtures"

func skipWithout(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		t.Skipf("needs the larger fixtures: %v", err)
	}
}

func read(t *testing.T, path string) *Vocabulary {
	t.Helper()
	v, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Oracle: get_vocab of Python's tokenizers.
func TestReadEqualsGetVocab(t *testing.T) {
	dirs := map[string]string{} // of tokenizer.json, to the file of expected tokens
	for _, name := range []string{"gpt2", "llama", "mixtral"} {
		dirs[filepath.Join("testdata", name)] = filepath.Join("testdata", name, "expected_vocab.json")
	}
	families, _ := filepath.Glob(filepath.Join(shared, "model-families", "*.expected_vocab.json"))
	for _, expected := range families {
		dirs[strings.TrimSuffix(expected, ".expected_vocab.json")] = expected
	}
	for dir, expected := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			data, err := os.ReadFile(expected)
			if err != nil {
				t.Fatal(err)
			}
			var want map[string]int
			if err := json.Unmarshal(data, &want); err != nil {
				t.Fatal(err)
			}
			v := read(t, dir)
			got := make(map[string]int)
			for _, token := range v.Tokens {
				got[token.Token] = token.ID
			}
			if len(got) != len(v.Tokens) || len(got) != len(want) {
				t.Errorf("%d tokens of %d different forms, want %d", len(v.Tokens), len(got), len(want))
			}
			for token, id := range want {
				if found, ok := got[token]; !ok || found != id {
					t.Errorf("token %q: got id %d (%t), want %d", token, found, ok, id)
				}
			}
			if v.Kind != KindTokenizerJSON || v.Path != filepath.Join(dir, "tokenizer.json") {
				t.Errorf("Kind %q, Path %q", v.Kind, v.Path)
			}
		})
	}
}

func TestTextAndSpecial(t *testing.T) {
	tests := []struct {
		dir, token, text string
		special          bool
	}{
		{"gpt2", "Ġthe", " the", false},
		{"gpt2", "Ċ", "\n", false},
		{"gpt2", "Ã", "<0xC3>", false},
		{"gpt2", "Ā", "\x00", false},
		{"gpt2", "<|endoftext|>", "<|endoftext|>", true},
		{"llama", "▁he", " he", false},
		{"llama", "▁", " ", false},
		{"llama", "<0x4E>", "<0x4E>", true}, // an added token of this tokenizer, whose decoder has no ByteFallback
		{"mixtral", "▁the", " the", false},
		{"mixtral", "</s>", "</s>", true},
		{"wordpiece", "the", " the", false},
		{"wordpiece", "##ing", "ing", false},
		{"wordpiece", ".", ".", false},
		{"wordpiece", "'", " '", false},
		{"wordpiece", "[PAD]", "[PAD]", true},
		{"byte-fallback", "▁the", " the", false},
		{"byte-fallback", "▁▁", "  ", false},
		{"byte-fallback", "<0x0A>", "\n", false},
		{"byte-fallback", "<0xC3>", "<0xC3>", false},
		{"byte-fallback", "<0x00>", "\x00", false},
		{"byte-fallback", "<0x4G>", "<0x4G>", false},
		{"byte-fallback", "<start of turn>", "<start of turn>", true},
		{"bpe-suffix", "ab</w>", "ab", false},
		{"bpe-suffix", "a", "a", false},
	}
	for _, test := range tests {
		v := read(t, filepath.Join("testdata", test.dir, "tokenizer.json"))
		i := slices.IndexFunc(v.Tokens, func(token Token) bool { return token.Token == test.token })
		if i < 0 {
			t.Errorf("%s: no token %q", test.dir, test.token)
			continue
		}
		if got := v.Tokens[i]; got.Text != test.text || got.Special != test.special {
			t.Errorf("%s: token %q: text %q, special %t; want %q, %t", test.dir, test.token, got.Text, got.Special, test.text, test.special)
		}
	}
}

func TestOverlay(t *testing.T) {
	const file = `{"model": {"vocab": {"a": 0, "Ġb": 1}}, "decoder": {"type": "ByteLevel"}, "added_tokens": [
		{"id": 5, "content": "Ġb", "special": false},
		{"id": 7, "content": "é  ", "special": false},
		{"id": 7, "content": "", "special": true},
		{"id": 3, "content": "<s>", "special": true}]}`
	v, err := Parse("tokenizer.json", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	want := []Token{
		{ID: 0, Token: "a", Text: "a"},
		{ID: 1, Token: "Ġb", Text: "Ġb"}, // the model's id; as an added token it is literal text
		{ID: 3, Token: "<s>", Text: "<s>", Special: true},
		{ID: 7, Token: "é  ", Text: "é  "},
	}
	if !slices.Equal(v.Tokens, want) {
		t.Errorf("got  %+v\nwant %+v", v.Tokens, want)
	}
}

func TestParseErrors(t *testing.T) {
	tests := []struct{ name, file, want string }{
		{"no JSON", `{"model": `, "is not a tokenizer.json"},
		{"empty", ``, "is not a tokenizer.json"},
		{"an array", `[]`, "is not a tokenizer.json"},
		{"invalid UTF-8", "{\"model\": {\"vocab\": {\"\xff\": 0}}}", "no UTF-8"},
		{"no model", `{}`, "has no model.vocab"},
		{"null vocab", `{"model": {"vocab": null}}`, "expected an object or an array"},
		{"vocab of another type", `{"model": {"vocab": "a"}}`, "expected an object or an array"},
		{"empty vocab", `{"model": {"vocab": {}}}`, "vocabulary is empty"},
		{"negative id", `{"model": {"vocab": {"a": -1}}}`, "found -1"},
		{"huge id", `{"model": {"vocab": {"a": 4294967296}}}`, "found 4294967296"},
		{"id beyond int64", `{"model": {"vocab": {"a": 1e30}}}`, "whole numbers"},
		{"fraction", `{"model": {"vocab": {"a": 1.5}}}`, "whole numbers"},
		{"same id twice", `{"model": {"vocab": {"a": 1, "b": 1}}}`, `tokens "a" and "b" have the same id 1`},
		{"added over another", `{"model": {"vocab": {"a": 1}}, "added_tokens": [{"id": 1, "content": "b"}]}`, "same id 1"},
		{"added without id", `{"model": {"vocab": {"a": 1}}, "added_tokens": [{"content": "b"}]}`, "has no id"},
		{"piece of one", `{"model": {"vocab": [["a"]]}}`, "expected [token, score]"},
		{"piece of a number", `{"model": {"vocab": [[1, 2]]}}`, "model.vocab"},
		{"unknown decoder", `{"model": {"vocab": {"a": 1}}, "decoder": {"type": "CTC"}}`, `found type "CTC"`},
		{"decoder of no type", `{"model": {"vocab": {"a": 1}}, "decoder": {}}`, `found type ""`},
		{"decoder is a number", `{"model": {"vocab": {"a": 1}}, "decoder": 3}`, "decoder"},
		{"pattern without end", `{"model": {"vocab": {"a": 1}}, "decoder": {"type": "Replace", "pattern": {"Regex": "("}}}`, "Replace"},
		{"no pattern", `{"model": {"vocab": {"a": 1}}, "decoder": {"type": "Replace"}}`, "String or Regex"},
		{"deep decoder", `{"model": {"vocab": {"a": 1}}, "decoder": ` + strings.Repeat(`{"type": "Sequence", "decoders": [`, 100) + `{"type": "Fuse"}` + strings.Repeat("]}", 100) + `}`, "at most 64 steps"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v, err := Parse("some.json", []byte(test.file))
			checkFault(t, err, "some.json", test.want)
			if v != nil {
				t.Error("a vocabulary beside an error")
			}
		})
	}
}

func TestReadErrors(t *testing.T) {
	dir := t.TempDir()
	slow := t.TempDir()
	large := filepath.Join(dir, "large.json")
	for _, err := range []error{
		os.WriteFile(filepath.Join(slow, "tokenizer.model"), nil, 0o644),
		os.WriteFile(large, nil, 0o644),
		os.Truncate(large, maxTokenizerJSON+1), // sparse, so it costs nothing
		os.Mkdir(filepath.Join(dir, "odd"), 0o755),
		os.Mkdir(filepath.Join(dir, "odd", "tokenizer.json"), 0o755),
		os.WriteFile(filepath.Join(dir, "no.gguf"), []byte("GGUF"), 0o644),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct{ path, want string }{
		{filepath.Join(dir, "absent"), "give a directory with tokenizer.json"},
		{dir, "tokenizer.json"},
		{slow, "expected a SentencePiece model, found a file without pieces"},
		{large, "is too large: expected at most 256 MB, found more"},
		{filepath.Join(dir, "odd"), "expected a regular file"},
		{filepath.Join(dir, "no.gguf"), "no.gguf"},
		{filepath.Join(dir, "absent.gguf"), "absent.gguf"},
	}
	for _, test := range tests {
		_, err := Read(test.path)
		checkFault(t, err, test.path, test.want)
	}
}

// checkFault fails unless err is a fault of reading that names path and holds want.
func checkFault(t *testing.T, err error, path, want string) {
	t.Helper()
	var e *fault.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want a *fault.Error with %q", err, want)
	}
	for _, part := range []string{path, want} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"wordpiece", "byte-fallback", "bpe-suffix"} {
		data, err := os.ReadFile(filepath.Join("testdata", name, "tokenizer.json"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := Parse("fuzz.json", data)
		if err != nil {
			return
		}
		for i, token := range v.Tokens {
			if token.ID < 0 || token.ID >= maxID || i > 0 && v.Tokens[i-1].ID >= token.ID {
				t.Fatalf("ids are not ascending at %d: %+v", i, token)
			}
		}
	})
}
