package vocab

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// Oracle: Python's tokenizers and sentencepiece; see testdata/kinds.py.
func TestKinds(t *testing.T) {
	kinds := map[string]string{
		"bpe-bytes": KindTokenizerJSON, "bpe-replace": KindTokenizerJSON, "bpe-suffix": KindTokenizerJSON,
		"unigram-bytes": KindTokenizerJSON, "unigram-metaspace": KindTokenizerJSON, "wordlevel-fuse": KindTokenizerJSON,
		"wordpiece": KindTokenizerJSON, "wordpiece-as-is": KindTokenizerJSON,
		"sentencepiece": KindSentencePiece, "vocab-json": KindVocabJSON, "vocab-txt": KindVocabTxt,
	}
	for name, kind := range kinds {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join("testdata", "kinds", name)
			data, err := os.ReadFile(filepath.Join(dir, "expected.json"))
			if err != nil {
				t.Fatal(err)
			}
			var rows [][4]any
			if err := json.Unmarshal(data, &rows); err != nil || len(rows) == 0 {
				t.Fatal(len(rows), err)
			}
			v := read(t, dir)
			if v.Kind != kind || v.Path != filepath.Join(dir, kind) || v.Files[0] != v.Path || len(v.Tokens) != len(rows) {
				t.Errorf("kind %s of %v, %d tokens, want %d", v.Kind, v.Files, len(v.Tokens), len(rows))
			}
			for i, row := range rows {
				want := Token{ID: int(row[0].(float64)), Token: row[1].(string), Text: row[2].(string), Special: row[3].(bool)}
				// The libraries have U+FFFD for bytes that are no UTF-8 alone.
				want.Text = WithBytes(want.Token, want.Text)
				if i < len(v.Tokens) && v.Tokens[i] != want {
					t.Errorf("got  %+v\nwant %+v", v.Tokens[i], want)
				}
			}
			if file := read(t, v.Path); !slices.Equal(file.Tokens, v.Tokens) {
				t.Error("the file differs from its directory")
			}
		})
	}
}

// A model's weights stand for their directory, as they do where a model is opened.
func TestWeightsStandForDirectory(t *testing.T) {
	dir := filepath.Join("testdata", "kinds", "wordpiece")
	if v := read(t, filepath.Join(dir, "model.safetensors")); v.Path != filepath.Join(dir, KindTokenizerJSON) {
		t.Error(v.Path)
	}
}

// Files beside a vocabulary decide it too, and are named.
func TestFilesOfKinds(t *testing.T) {
	for name, want := range map[string][]string{
		"vocab-json":    {"vocab.json", "added_tokens.json", "special_tokens_map.json", "tokenizer_config.json"},
		"sentencepiece": {"tokenizer.model", "tokenizer_config.json"},
		"bpe-bytes":     {"tokenizer.json"},
	} {
		var got []string
		for _, file := range read(t, filepath.Join("testdata", "kinds", name)).Files {
			got = append(got, filepath.Base(file))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

func TestSlowErrors(t *testing.T) {
	piece := "\x0a\x05\x0a\x03abc"
	tests := []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"cut", map[string]string{"tokenizer.model": piece[:5]}, "byte 0: expected a field of a protocol buffer"},
		{"piece cut", map[string]string{"tokenizer.model": "\x0a\x02\x0a\x09"}, "a field of a protocol buffer"},
		{"unknown wire type", map[string]string{"tokenizer.model": piece + "\x0f"}, "byte 7: expected a field"},
		{"piece of no UTF-8", map[string]string{"tokenizer.model": "\x0a\x03\x0a\x01\xff"}, "piece 0: expected UTF-8"},
		{"other ids", map[string]string{"tokenizer.model": piece, "tokenizer_config.json": `{"tokenizer_class": "XGLMTokenizer"}`}, "the ids of a XGLMTokenizer are not those of its pieces"},
		{"no bytes", map[string]string{"vocab.json": `{"a": 0}`}, "expected the 256 characters of a byte-level BPE"},
		{"vocab.json is a list", map[string]string{"vocab.json": `[]`}, "expected tokens and their ids"},
		{"vocab.json of no UTF-8", map[string]string{"vocab.json": "{\"\xff\": 0}"}, "expected JSON in UTF-8"},
		{"vocab.txt of no UTF-8", map[string]string{"vocab.txt": "\xff\n"}, "expected UTF-8"},
		{"vocab.txt empty", map[string]string{"vocab.txt": ""}, "vocabulary is empty"},
		{"added tokens are a list", map[string]string{"vocab.txt": "a\n", "added_tokens.json": "[]"}, "added_tokens.json"},
		{"added id is a word", map[string]string{"vocab.txt": "a\n", "tokenizer_config.json": `{"added_tokens_decoder": {"x": {}}}`}, "expected ids as keys"},
		{"added id is negative", map[string]string{"vocab.txt": "a\n", "added_tokens.json": `{"b": -1}`}, "an id from 0"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, content := range test.files {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			_, err := Read(dir)
			checkFault(t, err, dir, test.want)
		})
	}
}

// An added token takes the place of the vocabulary's, and roles make tokens special.
func TestAdditions(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"vocab.txt":             "a\nb\n##c\r\n[unused0]\n",
		"tokenizer_config.json": `{"unk_token": {"content": "a"}, "chat_template": "x", "added_tokens_decoder": {"3": {"content": "<call>", "special": false}, "9": {"content": "b"}, "4": {"content": ""}}}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want := []Token{{0, "a", "a", true}, {1, "b", " b", false}, {2, "##c", "c", false}, {3, "<call>", " <call>", false}}
	if got := read(t, dir).Tokens; !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
}

func FuzzSentencePiece(f *testing.F) {
	data, err := os.ReadFile(filepath.Join("testdata", "kinds", "sentencepiece", "tokenizer.model"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte("\x0a\x05\x0a\x03abc"))
	f.Fuzz(func(t *testing.T, data []byte) {
		tokens, err := parseSentencePiece(data)
		if err == nil && (len(tokens) == 0 || len(tokens) > len(data)/2+1) {
			t.Errorf("%d tokens of %d bytes", len(tokens), len(data))
		}
	})
}

func FuzzVocabJSON(f *testing.F) {
	data, err := os.ReadFile(filepath.Join("testdata", "kinds", "vocab-json", "vocab.json"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		tokens, err := parseVocabJSON(data)
		if err == nil && len(tokens) < 256 {
			t.Errorf("%d tokens", len(tokens))
		}
	})
}
