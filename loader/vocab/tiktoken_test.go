package vocab

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// byteTokens are the 256 bytes and five longer tokens, one of them two bytes of a character.
func byteTokens() [][]byte {
	var tokens [][]byte
	for b := range 256 {
		tokens = append(tokens, []byte{byte(b)})
	}
	return append(tokens, []byte(" three"), []byte("\xe2\x80"), []byte(" four"), []byte("five"), []byte("six"))
}

func tiktokenFile() string {
	var lines strings.Builder
	for id, token := range byteTokens() {
		fmt.Fprintf(&lines, "%s %d\n", base64.StdEncoding.EncodeToString(token), id)
	}
	return lines.String()
}

// tekkenText is a tekken.json of byteTokens; more goes over its fields.
func tekkenText(t *testing.T, vocabSize, specials int, more map[string]any) string {
	t.Helper()
	var entries []map[string]any
	for rank, token := range byteTokens() {
		entries = append(entries, map[string]any{"rank": rank, "token_bytes": base64.StdEncoding.EncodeToString(token), "token_str": nil})
	}
	file := map[string]any{
		"config": map[string]any{"default_vocab_size": vocabSize, "default_num_special_tokens": specials, "version": "v7"},
		"vocab":  entries,
	}
	for key, value := range more {
		file[key] = value
	}
	data, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func inDirectory(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func checkTokens(t *testing.T, v *Vocabulary, want ...Token) {
	t.Helper()
	for _, w := range want {
		at, there := slices.BinarySearchFunc(v.Tokens, w.ID, func(token Token, id int) int { return token.ID - id })
		if !there || v.Tokens[at] != w {
			t.Errorf("%s: token %d: found %t, %+v, want %+v", v.Path, w.ID, there, v.Tokens[min(at, len(v.Tokens)-1)], w)
		}
	}
}

// Under every name that families give the file. The texts are the bytes of each line; the
// spelling is that of a byte-level tokenizer.json, so that both are read alike.
func TestTiktoken(t *testing.T) {
	for _, name := range []string{"qwen.tiktoken", "tiktoken.model", "tokenizer.model", "hy.tiktoken"} {
		dir := inDirectory(t, map[string]string{
			name:            tiktokenFile() + "\n",
			"config.json":   "{}",
			tokenizerConfig: `{"added_tokens_decoder": {"261": {"content": "<|im_end|>", "special": true}}, "x": NaN}`,
		})
		v := read(t, dir)
		if v.Kind != KindTiktoken || len(v.Tokens) != 262 || filepath.Base(v.Path) != name || len(v.Files) != 2 {
			t.Errorf("%s: kind %s of %v, %d tokens", name, v.Kind, v.Files, len(v.Tokens))
		}
		checkTokens(
			t, v, Token{ID: 0xbb, Token: "»", Text: "<0xBB>"}, Token{ID: 'a', Token: "a", Text: "a"}, Token{ID: 256, Token: "Ġthree", Text: " three"},
			Token{ID: 257, Token: "âĢ", Text: "<0xE2><0x80>"}, Token{ID: 258, Token: "Ġfour", Text: " four"},
			Token{ID: 261, Token: "<|im_end|>", Text: "<|im_end|>", Special: true})
		if file := read(t, v.Path); !slices.Equal(file.Tokens, v.Tokens) {
			t.Error(name + " differs from its directory")
		}
	}
}

// Special tokens that only the code of a tokenizer's class has.
func TestTiktokenSpecials(t *testing.T) {
	special := func(id int, text string) Token { return Token{ID: id, Token: text, Text: text, Special: true} }
	for _, test := range []struct {
		file, config string
		tokens       int
		want         []Token
	}{
		// SPECIAL_TOKENS of tokenization_qwen.py and tokenization_hy.py.
		{"qwen.tiktoken", "", 261 + 208, []Token{special(261, "<|endoftext|>"), special(263, "<|im_end|>"), special(264, "<|extra_0|>"), special(468, "<|extra_204|>")}},
		{"qwen.tiktoken", `{"tokenizer_class": "QWenTokenizer"}`, 261 + 208, []Token{special(262, "<|im_start|>")}},
		{"hy.tiktoken", `{"tokenizer_class": "HYTokenizer"}`, 261 + 209, []Token{special(261, "<|endoftext|>"), special(265, "<|pad|>"), special(469, "<|extra_203|>")}},
		// special_tokens of tokenization_kimi.py: added tokens, and reserved ones between.
		{
			"tiktoken.model", `{"tokenizer_class": "TikTokenTokenizer", "added_tokens_decoder": {"261": {"content": "[BOS]", "special": true}}}`,
			261 + 258, []Token{special(261, "[BOS]"), special(262, "<|reserved_token_262|>"), special(518, "<|reserved_token_518|>")},
		},
		{"tiktoken.model", `{"tokenizer_class": "Other"}`, 261, nil},
		{"qwen.tiktoken", `{"tokenizer_class": "Other"}`, 261, nil},
	} {
		files := map[string]string{test.file: tiktokenFile()}
		if test.config != "" {
			files[tokenizerConfig] = test.config
		}
		v := read(t, inDirectory(t, files))
		if len(v.Tokens) != test.tokens {
			t.Errorf("%s, %s: %d tokens, want %d", test.file, test.config, len(v.Tokens), test.tokens)
		}
		checkTokens(t, v, test.want...)
	}
}

// Oracle: id_to_piece and id_to_byte_piece of mistral-common 1.13.1's Tekkenizer on the
// same files.
func TestTekken(t *testing.T) {
	special := func(id int, text string) Token { return Token{ID: id, Token: text, Text: text, Special: true} }
	names := []map[string]any{{"rank": 0, "token_str": "<unk>"}, {"rank": 1, "token_str": "<s>"}, {"rank": 2, "token_str": "</s>"}}
	v := read(t, inDirectory(t, map[string]string{
		"tekken.json": tekkenText(t, 269, 10, map[string]any{"special_tokens": names}),
		// Of a Python class that reads tekken.json by other ids: no part of it.
		tokenizerConfig: `{"added_tokens_decoder": {"259": {"content": "<|im_end|>", "special": true}}}`,
	}))
	if v.Kind != KindTekken || len(v.Tokens) != 269 || len(v.Files) != 1 {
		t.Errorf("kind %s of %v, %d tokens", v.Kind, v.Files, len(v.Tokens))
	}
	checkTokens(
		t, v, special(0, "<unk>"), special(2, "</s>"), special(3, "<SPECIAL_3>"), special(9, "<SPECIAL_9>"), Token{ID: 10, Token: "Ā", Text: "\x00"},
		Token{ID: 197, Token: "»", Text: "<0xBB>"}, Token{ID: 259, Token: "ù", Text: "<0xF9>"}, Token{ID: 265, Token: "ÿ", Text: "<0xFF>"},
		Token{ID: 266, Token: "Ġthree", Text: " three"}, Token{ID: 267, Token: "âĢ", Text: "<0xE2><0x80>"}, Token{ID: 268, Token: "Ġfour", Text: " four"})
	old := read(t, inDirectory(t, map[string]string{"tekken_240718.json": tekkenText(t, 291, 30, nil)}))
	checkTokens(
		t, old, special(3, "[INST]"), special(11, "<pad>"), special(19, "[TOOL_CONTENT]"), special(20, "<SPECIAL_20>"), special(29, "<SPECIAL_29>"),
		Token{ID: 30, Token: "Ā", Text: "\x00"}, Token{ID: 290, Token: "six", Text: "six"})
}

// The order is that of before these kinds: what was read keeps its file.
func TestSearchOrder(t *testing.T) {
	piece := "\x0a\x05\x0a\x03abc"
	files := map[string]string{
		"tokenizer.json": `{"model": {"vocab": {"a": 0}}}`, "tokenizer.model": piece, "vocab.txt": "a\n",
		"qwen.tiktoken": tiktokenFile(), "tiktoken.model": tiktokenFile(), "tekken.json": tekkenText(t, 271, 10, nil), "tokenizer.model.v3": piece,
	}
	for _, name := range []string{"tokenizer.json", "tokenizer.model", "vocab.txt", "qwen.tiktoken", "tiktoken.model", "tekken.json", "tokenizer.model.v3"} {
		if v := read(t, inDirectory(t, files)); filepath.Base(v.Path) != name {
			t.Errorf("read %s, want %s", v.Path, name)
		}
		delete(files, name)
	}
}

func TestTiktokenErrors(t *testing.T) {
	tests := []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"no tokenizer", map[string]string{"config.json": "{}", "merges.txt": ""}, "found config.json, merges.txt"},
		{"no files", nil, "found no files"},
		{"several", map[string]string{"a.tiktoken": "", "b.tiktoken": ""}, "expected one *.tiktoken, found a.tiktoken, b.tiktoken"},
		{"unreadable beside others", map[string]string{"vocab.json": `{"a": 0}`, "my.bin": ""}, "the directory has my.bin, vocab.json"},
		{"no base64", map[string]string{"qwen.tiktoken": "YQ== 0\n*** 1\n"}, "line 2: expected a token in base64"},
		{"no id", map[string]string{"qwen.tiktoken": "YQ==\n"}, "line 1: expected a token in base64 and its id"},
		{"id is a word", map[string]string{"qwen.tiktoken": "YQ== x\n"}, "line 1: expected a token's id"},
		{"id twice", map[string]string{"qwen.tiktoken": "YQ== 0\nYg== 0\n"}, "have the same id 0"},
		{"empty", map[string]string{"tiktoken.model": "\n"}, "vocabulary is empty"},
		{"tekken of no config", map[string]string{"tekken.json": `{"vocab": []}`}, "expected the number of special tokens, found none"},
		{"tekken is a list", map[string]string{"tekken.json": `[]`}, "is not a tekken.json"},
		{"tekken with too few", map[string]string{"tekken.json": tekkenText(t, 9, 10, nil)}, "expected at least the 10 special tokens, found 9"},
		{"tekken without rank", map[string]string{"tekken.json": tekkenText(t, 300, 1, map[string]any{"vocab": []map[string]any{{"token_bytes": "YQ=="}}})}, "vocab[0]: expected rank"},
		{"tekken with an odd special", map[string]string{"tekken.json": tekkenText(t, 300, 1, map[string]any{"special_tokens": []map[string]any{{"rank": 1}}})}, "special_tokens[0]: expected a rank below 1, found 1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := inDirectory(t, test.files)
			_, err := Read(dir)
			checkFault(t, err, dir, test.want)
		})
	}
}

// A token of 50 MB is refused before anything works on it, whatever file it is in.
func TestHugeToken(t *testing.T) {
	huge, large := strings.Repeat("ab", 25_000_000), strings.Repeat("ab", 500_000)
	for name, content := range map[string]string{
		"tokenizer.json": `{"model": {"vocab": {"a": 0, "` + huge + `": 1}}, "decoder": {"type": "WordPiece"}}`,
		"added.json":     `{"model": {"vocab": {"a": 0}}, "added_tokens": [{"id": 1, "content": "` + large + `"}]}`,
		"vocab.txt":      "a\n" + large,
		"qwen.tiktoken":  "YQ== 0\n" + strings.Repeat("YQYQ", 250_000) + " 1\n",
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(inDirectory(t, map[string]string{name: content}), name)
			begun := time.Now()
			_, err := Read(file)
			checkFault(t, err, file, "expected at most 65536 bytes, found ")
			if took := time.Since(begun); took > 20*time.Second || len(err.Error()) > 2000 {
				t.Errorf("took %v; an error of %d bytes", took, len(err.Error()))
			}
		})
	}
}

func FuzzTiktoken(f *testing.F) {
	f.Add([]byte(tiktokenFile()[:200]))
	f.Add([]byte(`{"config": {"default_num_special_tokens": 2}, "vocab": [{"rank": 0, "token_bytes": "YQ=="}], "special_tokens": null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if tokens, err := parseTiktoken(data); err == nil && len(tokens) > len(data) {
			t.Errorf("%d tokens of %d bytes", len(tokens), len(data))
		}
		parseTekken(data)
	})
}
