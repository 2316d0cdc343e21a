package vocab

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
)

// ggufFile writes a GGUF file of version 3 that holds a tokenizer and no
// tensors. Nil tokens or types are left out.
func ggufFile(t *testing.T, model string, tokens []string, types []int32) string {
	t.Helper()
	const (
		typeInt32  = 5
		typeString = 8
		typeArray  = 9
	)
	var metadata bytes.Buffer
	count := uint64(0)
	put := func(w *bytes.Buffer, values ...any) {
		for _, value := range values {
			if s, ok := value.(string); ok {
				binary.Write(w, binary.LittleEndian, uint64(len(s)))
				w.WriteString(s)
				continue
			}
			binary.Write(w, binary.LittleEndian, value)
		}
	}
	if model != "" {
		put(&metadata, keyModel, uint32(typeString), model)
		count++
	}
	if tokens != nil {
		put(&metadata, keyTokens, uint32(typeArray), uint32(typeString), uint64(len(tokens)))
		for _, token := range tokens {
			put(&metadata, token)
		}
		count++
	}
	if types != nil {
		put(&metadata, keyTypes, uint32(typeArray), uint32(typeInt32), uint64(len(types)), types)
		count++
	}
	var file bytes.Buffer
	file.WriteString("GGUF")
	put(&file, uint32(3), uint64(0), count)
	file.Write(metadata.Bytes())
	file.Write(make([]byte, -file.Len()&31))
	path := filepath.Join(t.TempDir(), "model.gguf")
	if err := os.WriteFile(path, file.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReadGGUF(t *testing.T) {
	tests := []struct {
		model, token string
		kind         tokenType
		text         string
		special      bool
	}{
		{"gpt2", "Ġthe", typeNormal, " the", false},
		{"gpt2", "<|im_start|>", typeControl, "<|im_start|>", true},
		{"gpt2", "é  ", typeUserDefined, "é  ", false},
		{"gpt2", "[PAD7]", typeUnused, "[PAD7]", false},
		{"llama", "▁the", typeNormal, " the", false},
		{"llama", "<0x0A>", typeByte, "\n", false},
		{"llama", "<0xE2>", typeByte, "<0xE2>", false},
		{"llama", "<0x0A>", typeNormal, "<0x0A>", false},
		{"llama", "<unk>", typeUnknown, "<unk>", true},
		{"t5", "▁a", typeNormal, " a", false},
		{"bert", "▁the", typeNormal, " the", false},
		{"bert", "ing", typeNormal, "ing", false},
		{"bert", "▁.", typeNormal, ".", false},
	}
	for _, test := range tests {
		v := read(t, ggufFile(t, test.model, []string{"x", test.token}, []int32{1, int32(test.kind)}))
		want := Token{ID: 1, Token: test.token, Text: test.text, Special: test.special}
		if len(v.Tokens) != 2 || v.Tokens[1] != want || v.Kind != KindGGUF {
			t.Errorf("%s: %s %+v, want %+v", test.model, v.Kind, v.Tokens, want)
		}
	}
}

func TestReadGGUFWithoutTypes(t *testing.T) {
	v := read(t, ggufFile(t, "gpt2", []string{"a", "Ġb"}, nil))
	if len(v.Tokens) != 2 || v.Tokens[1] != (Token{ID: 1, Token: "Ġb", Text: " b"}) {
		t.Errorf("%+v", v.Tokens)
	}
}

func TestReadGGUFErrors(t *testing.T) {
	tests := []struct {
		name, model string
		tokens      []string
		types       []int32
		want        string
	}{
		{"no tokenizer", "gpt2", nil, nil, "has no tokenizer.ggml.tokens"},
		{"no model", "", []string{"a"}, nil, `found ""`},
		{"unknown model", "rwkv", []string{"a"}, nil, `found "rwkv"`},
		{"too few types", "gpt2", []string{"a", "b"}, []int32{1}, "expected 2 elements"},
		{"no tokens", "gpt2", []string{}, []int32{}, "vocabulary is empty"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := ggufFile(t, test.model, test.tokens, test.types)
			_, err := Read(path)
			checkFault(t, err, path, test.want)
		})
	}
}

// The two files of one model agree in everything but their kind.
func TestGGUFEqualsTokenizerJSON(t *testing.T) {
	fromGGUF := filepath.Join(shared, "demo", "SmolLM2-135M-Instruct.unembedding.gguf")
	fromJSON := filepath.Join(shared, "smollm2-135m")
	skipWithout(t, fromGGUF)
	skipWithout(t, fromJSON)
	a, b := read(t, fromGGUF), read(t, fromJSON)
	if len(a.Tokens) != 49152 || len(b.Tokens) != 49152 {
		t.Fatalf("%d and %d tokens, want 49152", len(a.Tokens), len(b.Tokens))
	}
	special := 0
	for i := range a.Tokens {
		if a.Tokens[i] != b.Tokens[i] {
			t.Errorf("GGUF %+v, tokenizer.json %+v", a.Tokens[i], b.Tokens[i])
		}
		if a.Tokens[i].Special {
			special++
		}
	}
	if special != 17 {
		t.Errorf("%d special tokens, want 17", special)
	}
}
