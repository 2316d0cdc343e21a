package vocab

import (
	"fmt"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/gguf"
)

// Metadata keys of a tokenizer in GGUF.
const (
	keyModel  = "tokenizer.ggml.model"
	keyTokens = "tokenizer.ggml.tokens"
	keyTypes  = "tokenizer.ggml.token_type"
)

// tokenType is an element of tokenizer.ggml.token_type.
// Source: gguf-py/gguf/constants.py of llama.cpp, class TokenType.
type tokenType int64

const (
	typeNormal      tokenType = 1
	typeUnknown     tokenType = 2
	typeControl     tokenType = 3
	typeUserDefined tokenType = 4
	typeUnused      tokenType = 5
	typeByte        tokenType = 6
)

// readGGUF reads the vocabulary from a GGUF file's metadata.
func readGGUF(path string) (*Vocabulary, error) {
	f, err := gguf.Open(path)
	if err != nil {
		return nil, fault.At(opRead, path, err)
	}
	defer f.Close()

	raw, ok := f.Strings(keyTokens)
	if !ok {
		return nil, &fault.Error{
			Op: opRead, Subject: path, Problem: "has no " + keyTokens,
			Hint: "this GGUF file holds no tokenizer: give the model's tokenizer.json with --tokenizer",
		}
	}
	model, _ := f.String(keyModel)
	decode, err := ggufDecoder(model)
	if err != nil {
		return nil, fault.At(opRead, path, err)
	}
	types, ok := f.Ints(keyTypes)
	if ok && len(types) != len(raw) {
		return nil, &fault.Error{
			Op: opRead, Subject: path + ": " + keyTypes,
			Expected: fmt.Sprintf("%d elements, as many as tokens", len(raw)), Found: fmt.Sprint(len(types)),
		}
	}
	return collect(ggufTokens(raw, types, decode), path, KindGGUF)
}

// ggufTokens makes tokens of their stored forms and types. Without types, which
// files may leave out, all tokens are normal.
func ggufTokens(raw []string, types []int64, decode decoder) []Token {
	tokens := make([]Token, len(raw))
	for id, token := range raw {
		kind := typeNormal
		if types != nil {
			kind = tokenType(types[id])
		}
		tokens[id] = Token{
			ID: id, Token: token, Text: ggufText(token, kind, decode),
			// A tokenizer.json calls the unknown token special too, and the two
			// files of one model should agree.
			Special: kind == typeControl || kind == typeUnknown,
		}
	}
	return tokens
}

// ggufText is the text of one token. Added tokens, user-defined or control, and
// padding are stored as the text that they stand for.
func ggufText(token string, kind tokenType, decode decoder) string {
	switch kind {
	case typeControl, typeUnknown, typeUserDefined, typeUnused:
		return token
	case typeByte:
		return decodeByteFallback(token)
	default:
		return decode.text(token)
	}
}

// ggufDecoder is the decoder of normal tokens for a value of tokenizer.ggml.model.
func ggufDecoder(model string) (decoder, error) {
	switch model {
	case "gpt2":
		return decoder{steps: []func(string) string{decodeByteLevel}, byteLevel: true}, nil
	case "llama", "t5":
		return decoder{steps: []func(string) string{unmark}}, nil
	case "bert":
		// The conversion to GGUF takes "##" off and marks the starts of words instead.
		return decoder{steps: []func(string) string{unmark, punctuationSpacing.Replace}}, nil
	default:
		return decoder{}, &fault.Error{
			Problem: keyModel, Expected: `"gpt2", "llama", "t5" or "bert"`, Found: fmt.Sprintf("%q", model),
			Hint: "give the model's tokenizer.json with --tokenizer",
		}
	}
}
