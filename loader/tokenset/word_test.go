package tokenset

import (
	"slices"
	"testing"

	"github.com/saedb/saedb/loader/vocab"
)

// encoder is a table of texts and their tokens.
type encoder map[string][]int

func (e encoder) Encode(text string) []int { return e[text] }

func TestTokensOfWord(t *testing.T) {
	byteLevel := append(tokensOf("Ġred", " red", "red", "red", "Ġpur", " pur", "ple", "ple"),
		vocab.Token{ID: 4, Token: "[UNK]", Text: "[UNK]", Special: true})
	wordPiece := tokensOf("red", " red", "##ple", "ple", "pur", " pur")
	suffixed := tokensOf("red</w>", "red", "pur", "pur")
	encodes := encoder{" red": {0}, " purple": {2, 3}, " xyzzy": {4}, " far": {77}, " rd": {4, 2}}
	tests := []struct {
		name, word string
		tokens     []vocab.Token
		options    Options
		want       []int32
	}{
		{"by text", "red", byteLevel, Options{}, []int32{0}},
		{"by text, several tokens", "purple", byteLevel, Options{}, nil},
		{"by text, unknown", "blue", byteLevel, Options{}, nil},
		{"WordPiece", "red", wordPiece, Options{}, []int32{0}},
		{"WordPiece, not a start", "ple", wordPiece, Options{}, nil},
		{"no mark of spaces", "red", suffixed, Options{}, []int32{0}},
		{"encoded", "red", byteLevel, Options{Encoder: encodes}, []int32{0}},
		{"encoded to several", "purple", byteLevel, Options{Encoder: encodes, MultiToken: MultiTokenSingle}, nil},
		{"all of several", "purple", byteLevel, Options{Encoder: encodes, MultiToken: MultiTokenAll}, []int32{2, 3}},
		{"encoded as unknown", "xyzzy", byteLevel, Options{Encoder: encodes}, nil},
		{"partly unknown", "rd", byteLevel, Options{Encoder: encodes, MultiToken: MultiTokenAll}, []int32{2}},
		{"id outside the vocabulary", "far", byteLevel, Options{Encoder: encodes}, nil},
		{"tokenizer with a space of its own", "red", byteLevel, Options{Encoder: encoder{" red": {2, 0}}}, []int32{0}},
		{"special token of that text", "[UNK]", byteLevel, Options{}, nil},
	}
	for _, test := range tests {
		words, err := newWordFinder(newVocabulary(test.tokens), test.options)
		if err != nil {
			t.Fatal(err)
		}
		if got := words.tokensOf(test.word); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
	}
}

// A text that a special token has too is the ordinary token's.
func TestSpecialTokensYield(t *testing.T) {
	tokens := []vocab.Token{
		{ID: 0, Token: "<a>", Text: "a", Special: true},
		{ID: 1, Token: "b", Text: "a"},
		{ID: 2, Token: "<s>", Text: "<s>", Special: true},
	}
	v := newVocabulary(tokens)
	for text, want := range map[string]int32{"a": 1, "<s>": 2, "<a>": 0} {
		if id, found := v.member(text); !found || id != want {
			t.Errorf("%q: got %d, %v, want %d", text, id, found, want)
		}
	}
}

// Rules that look at texts, in a vocabulary whose spelling has no marks of spaces, see no
// digits and letters in a token that is shown as the number of its byte.
func TestBytesHaveNoCharacters(t *testing.T) {
	v := newVocabulary([]vocab.Token{{ID: 0, Token: "a", Text: "a"}, {ID: 1, Token: "»", Text: "<0xBB>"}, {ID: 2, Token: "1x", Text: "1 x"}})
	if want := []string{"a", "\uFFFD", "1▁x"}; !slices.Equal(v.forms, want) {
		t.Errorf("forms %q, want %q", v.forms, want)
	}
}
