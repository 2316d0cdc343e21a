package tokenset

import (
	"strings"

	"github.com/saedb/saedb/loader/vocab"
)

// The marks of a space before a word, and of a token that goes on with one.
const (
	byteLevelSpace = "Ġ" // GPT-2's byte alphabet: the character that stands for byte 0x20
	metaspace      = "▁" // SentencePiece
	wordPieceMark  = "##"
)

// vocabulary finds tokens by id, stored form and text.
type vocabulary struct {
	tokens []vocab.Token
	ids    map[int]bool
	stored map[string]int32 // stored form to id; the lowest id where several share one
	text   map[string]int32 // text to id, of tokens that are not special where there is one

	// mark is how forms show a space: byteLevelSpace or metaspace.
	mark string

	// forms has for each token the form that built-in rules look at: the stored
	// one where the vocabulary marks spaces in it, else the text with its spaces
	// as metaspace.
	forms []string

	// spaced says that words have a space before them in their text. Without
	// one, as in BPE with a suffix at the ends of words, a word is its token's whole text.
	spaced bool
}

func newVocabulary(tokens []vocab.Token) *vocabulary {
	v := &vocabulary{
		tokens: tokens,
		ids:    make(map[int]bool, len(tokens)),
		stored: make(map[string]int32, len(tokens)),
		text:   make(map[string]int32, len(tokens)),
		forms:  make([]string, len(tokens)),
	}
	for _, t := range tokens {
		v.ids[t.ID] = true
		lowest(v.stored, t.Token, t.ID)
		if !t.Special {
			lowest(v.text, t.Text, t.ID)
		}
	}
	for _, t := range tokens {
		if _, known := v.text[t.Text]; !known {
			v.text[t.Text] = int32(t.ID)
		}
	}
	byteLevel, marked, wordPiece := countMarks(tokens)
	v.mark = metaspace
	v.spaced = byteLevel+marked+wordPiece > 0
	stored := marked > wordPiece
	if byteLevel > max(marked, wordPiece) {
		v.mark, stored = byteLevelSpace, true
	}
	for i, t := range tokens {
		v.forms[i] = t.Token
		if !stored {
			v.forms[i] = strings.ReplaceAll(vocab.Replaced(t.Text), " ", metaspace)
		}
	}
	return v
}

func lowest(ids map[string]int32, key string, id int) {
	if known, ok := ids[key]; !ok || int32(id) < known {
		ids[key] = int32(id)
	}
}

// countMarks counts the tokens that show each kind of mark: those whose text has
// a space, or has lost a "##", exactly where the stored form has the mark. Code in a
// vocabulary's text has "##" too, and any character can be a token of its own.
func countMarks(tokens []vocab.Token) (byteLevel, marked, wordPiece int) {
	for _, t := range tokens {
		if rest, found := strings.CutPrefix(t.Text, " "); found && !t.Special {
			switch t.Token {
			case byteLevelSpace + rest:
				byteLevel++
			case metaspace + rest:
				marked++
			}
		}
		if t.Text != "" && t.Token == wordPieceMark+t.Text {
			wordPiece++
		}
	}
	return byteLevel, marked, wordPiece
}

// stripped is the form of the i-th token without the marks at its ends.
func (v *vocabulary) stripped(i int) string {
	return strings.Trim(v.forms[i], v.mark)
}

// member returns the token that a person means by text: the one with that
// stored form or, failing that, with that text.
func (v *vocabulary) member(text string) (id int32, found bool) {
	if id, found = v.stored[text]; found {
		return id, true
	}
	id, found = v.text[text]
	return id, found
}
