package tokenset

import (
	"fmt"

	"github.com/saedb/saedb/internal/fault"
)

// wordFinder turns words to tokens of one vocabulary.
type wordFinder struct {
	vocabulary *vocabulary
	encoder    Encoder // nil without a tokenizer
	all        bool    // all tokens of a word, not only words that are one
	special    map[int]bool
}

func newWordFinder(v *vocabulary, o Options) (*wordFinder, error) {
	switch o.MultiToken {
	case "", MultiTokenSingle, MultiTokenAll:
	default:
		return nil, &fault.Error{
			Problem: "words of several tokens", Found: fmt.Sprintf("%q", o.MultiToken),
			Expected: fmt.Sprintf("%q or %q", MultiTokenSingle, MultiTokenAll),
		}
	}
	f := &wordFinder{vocabulary: v, encoder: o.Encoder, all: o.MultiToken == MultiTokenAll, special: make(map[int]bool)}
	if f.all && f.encoder == nil {
		return nil, &fault.Error{
			Problem: "all tokens of a word need a tokenizer, and this model was loaded without one",
			Hint:    "load the model from a directory with tokenizer.json, or take only words that are one token",
		}
	}
	for _, t := range v.tokens {
		if t.Special {
			f.special[t.ID] = true
		}
	}
	return f, nil
}

// tokensOf returns the tokens of a word inside a text, that is after a space.
// It returns none for a word that the vocabulary does not know, or that is more
// than one token where only single ones count.
func (f *wordFinder) tokensOf(word string) []int32 {
	if f.all {
		return f.known(f.encoder.Encode(" " + word))
	}
	return f.singleToken(word)
}

// singleToken returns the one token of a word, or none.
func (f *wordFinder) singleToken(word string) []int32 {
	if f.encoder != nil {
		if encoded := f.encoder.Encode(" " + word); len(encoded) == 1 {
			return f.known(encoded)
		}
		// Tokenizers that put a space of their own before a text make two tokens
		// of " word", where a text's inside would have one: go on with the text.
	}
	text := word
	if f.vocabulary.spaced {
		text = " " + word
	}
	id, found := f.vocabulary.text[text]
	if !found || f.special[int(id)] {
		return nil
	}
	return []int32{id}
}

// known leaves out what stands for an unknown word, and ids that the vocabulary lacks.
func (f *wordFinder) known(encoded []int) []int32 {
	var ids []int32
	for _, id := range encoded {
		if f.vocabulary.ids[id] && !f.special[id] {
			ids = append(ids, int32(id))
		}
	}
	return ids
}
