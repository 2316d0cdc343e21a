package vocab

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/pyjson"
)

// tokenizerFile is the part of a tokenizer.json that makes a vocabulary.
type tokenizerFile struct {
	Model struct {
		Vocab json.RawMessage `json:"vocab"`
	} `json:"model"`
	AddedTokens []addedToken    `json:"added_tokens"`
	Decoder     json.RawMessage `json:"decoder"`
}

type addedToken struct {
	ID      *int64 `json:"id"`
	Content string `json:"content"`
	Special bool   `json:"special"`
}

// Parse returns the vocabulary in the bytes of a tokenizer.json.
// Path is what the vocabulary and errors say of where they come from.
//
// The tokens are those of Python's get_vocab: model.vocab with added_tokens over it.
func Parse(path string, data []byte) (*Vocabulary, error) {
	// encoding/json would replace such bytes without a word.
	if !utf8.Valid(data) {
		return nil, &fault.Error{Op: opRead, Subject: path, Expected: "JSON in UTF-8", Found: "bytes that are no UTF-8"}
	}
	var file tokenizerFile
	if err := pyjson.Unmarshal(data, &file); err != nil {
		return nil, &fault.Error{Op: opRead, Subject: path, Problem: "is not a tokenizer.json", Err: err}
	}
	decode, err := parseDecoder(file.Decoder)
	if err != nil {
		return nil, fault.At(opRead, path, err)
	}
	tokens, err := modelTokens(file.Model.Vocab)
	if err != nil {
		return nil, fault.At(opRead, path, err)
	}
	for i := range tokens {
		tokens[i].Text = decode.text(tokens[i].Token)
	}
	tokens, err = overlay(tokens, file.AddedTokens, decode)
	if err != nil {
		return nil, fault.At(opRead, path, err)
	}
	return collect(tokens, path, KindTokenizerJSON)
}

// modelTokens reads model.vocab by its own shape and not by model.type, which
// older files leave out: an object maps tokens to ids (BPE, WordPiece,
// WordLevel), an array holds [token, score] with the index as id (Unigram).
func modelTokens(vocab json.RawMessage) ([]Token, error) {
	trimmed := bytes.TrimLeft(vocab, " \t\r\n")
	switch {
	case len(trimmed) > 0 && trimmed[0] == '{':
		var ids map[string]int64
		if err := json.Unmarshal(vocab, &ids); err != nil {
			return nil, &fault.Error{Problem: "model.vocab: ids have to be whole numbers", Err: err}
		}
		tokens := make([]Token, 0, len(ids))
		for token, id := range ids {
			tokens = append(tokens, Token{ID: int(id), Token: token})
		}
		return tokens, nil
	case len(trimmed) > 0 && trimmed[0] == '[':
		var pieces []unigramPiece
		if err := json.Unmarshal(vocab, &pieces); err != nil {
			return nil, &fault.Error{Problem: "model.vocab", Err: err}
		}
		tokens := make([]Token, len(pieces))
		for id, piece := range pieces {
			tokens[id] = Token{ID: id, Token: string(piece)}
		}
		return tokens, nil
	case len(trimmed) == 0:
		return nil, &fault.Error{Problem: "has no model.vocab", Hint: "is this a tokenizer.json of Hugging Face's tokenizers?"}
	default:
		return nil, &fault.Error{Problem: "model.vocab", Expected: "an object or an array", Found: fmt.Sprintf("%.20q", trimmed)}
	}
}

// unigramPiece is the token of a [token, score] pair.
type unigramPiece string

func (p *unigramPiece) UnmarshalJSON(data []byte) error {
	var pair []json.RawMessage
	if err := json.Unmarshal(data, &pair); err != nil {
		return err
	}
	if len(pair) != 2 {
		return fmt.Errorf("expected [token, score], found %.40q", data)
	}
	return json.Unmarshal(pair[0], (*string)(p))
}

// overlay lays added tokens over a model's. One whose content the model has
// keeps the model's id, whatever its own says, as the tokenizer library does it.
func overlay(tokens []Token, added []addedToken, decode decoder) ([]Token, error) {
	index := make(map[string]int, len(tokens)+len(added))
	for i, t := range tokens {
		index[t.Token] = i
	}
	for i, a := range added {
		if a.Content == "" {
			continue // the library ignores these too
		}
		at, known := index[a.Content]
		if !known {
			if a.ID == nil {
				return nil, &fault.Error{Problem: fmt.Sprintf("added_tokens[%d] %q has no id", i, a.Content)}
			}
			at = len(tokens)
			index[a.Content] = at
			tokens = append(tokens, Token{ID: int(*a.ID), Token: a.Content})
		}
		tokens[at].Special = a.Special
		tokens[at].Text = addedText(a, decode)
	}
	return tokens, nil
}

// addedText is the text of an added token. Its content is matched in the text
// before the model sees it, so it is that text already, and the byte alphabet
// does not apply. Marks for spaces do apply where the token is text: Gemma's
// added "▁▁" is two spaces.
func addedText(a addedToken, decode decoder) string {
	if a.Special || decode.byteLevel {
		return a.Content
	}
	return decode.text(a.Content)
}
