package vocab

import (
	"encoding/base64"
	"fmt"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/pyjson"
)

// tekkenFile is the part of Mistral's tekken.json that makes a vocabulary.
type tekkenFile struct {
	Config struct {
		VocabSize *int `json:"default_vocab_size"` // special tokens included
		Specials  *int `json:"default_num_special_tokens"`
	} `json:"config"`
	Vocab []struct {
		Rank  *int   `json:"rank"`
		Bytes string `json:"token_bytes"`
	} `json:"vocab"`
	Specials []struct {
		Rank *int   `json:"rank"`
		Text string `json:"token_str"`
	} `json:"special_tokens"`
}

// tekkenSpecials are the special tokens of a tekken.json that lists none, as those before
// version 7 do. Source: Tekkenizer.DEPRECATED_SPECIAL_TOKENS of mistral-common 1.13.
var tekkenSpecials = []string{
	"<unk>", "<s>", "</s>", "[INST]", "[/INST]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]", "[TOOL_RESULTS]", "[/TOOL_RESULTS]",
	"[TOOL_CALLS]", "[IMG]", "<pad>", "[IMG_BREAK]", "[IMG_END]", "[PREFIX]", "[MIDDLE]", "[SUFFIX]", "[SYSTEM_PROMPT]",
	"[/SYSTEM_PROMPT]", "[TOOL_CONTENT]",
}

// parseTekken reads a tekken.json: the special tokens come first, and the id of another
// is its rank plus their number. Of the ranks, those below the size of the vocabulary
// count. Source: Tekkenizer in mistral-common 1.13, tokens/tokenizers/tekken.py.
func parseTekken(data []byte) ([]Token, error) {
	var file tekkenFile
	if err := pyjson.Unmarshal(data, &file); err != nil {
		return nil, &fault.Error{Problem: "is not a tekken.json", Err: err}
	}
	specials := file.Config.Specials
	if specials == nil || *specials < 0 || *specials >= maxID {
		return nil, &fault.Error{Problem: "config.default_num_special_tokens", Expected: "the number of special tokens", Found: found(specials)}
	}
	ranks := len(file.Vocab)
	if size := file.Config.VocabSize; size != nil {
		if *size < *specials {
			return nil, &fault.Error{
				Problem: "config.default_vocab_size", Expected: fmt.Sprintf("at least the %d special tokens", *specials), Found: found(size),
			}
		}
		ranks = min(ranks, *size-*specials)
	}
	tokens, err := file.specials(*specials)
	if err != nil {
		return nil, err
	}
	for i, entry := range file.Vocab {
		decoded, err := base64.StdEncoding.DecodeString(entry.Bytes)
		if err != nil || entry.Rank == nil || *entry.Rank < 0 || *entry.Rank >= maxID {
			return nil, &fault.Error{
				Problem: fmt.Sprintf("vocab[%d]", i), Expected: "rank, from 0 on, and token_bytes in base64",
				Found: fmt.Sprintf("rank %s and %.40q", found(entry.Rank), entry.Bytes),
			}
		}
		if *entry.Rank < ranks {
			tokens = append(tokens, bytesToken(*entry.Rank+*specials, decoded))
		}
	}
	return tokens, nil
}

// specials are the first n tokens. Those without a name are fillers.
func (f *tekkenFile) specials(n int) ([]Token, error) {
	names := make(map[int]string)
	for i, s := range f.Specials {
		if s.Rank == nil || *s.Rank < 0 || *s.Rank >= n {
			return nil, &fault.Error{Problem: fmt.Sprintf("special_tokens[%d]", i), Expected: fmt.Sprintf("a rank below %d", n), Found: found(s.Rank)}
		}
		names[*s.Rank] = s.Text
	}
	if len(f.Specials) == 0 {
		for rank, name := range tekkenSpecials[:min(n, len(tekkenSpecials))] {
			names[rank] = name
		}
	}
	tokens := make([]Token, n)
	for id := range tokens {
		name := names[id]
		if name == "" {
			name = fmt.Sprintf("<SPECIAL_%d>", id)
		}
		tokens[id] = Token{ID: id, Token: name, Text: name, Special: true}
	}
	return tokens, nil
}

func found(n *int) string {
	if n == nil {
		return "none"
	}
	return fmt.Sprint(*n)
}
