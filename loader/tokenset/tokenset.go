// Package tokenset builds sets of tokens of a model's vocabulary: those that
// match a pattern, begin with a letter, are a part of speech, a name or a word
// of a list, and those that a person's own files name. Enrichment asks of each
// feature whether such a set sits at an end of its ranked logit weights.
//
// The package knows no database and no model: it reads a vocabulary and, where
// words are more than one token, an [Encoder].
//
// A family of built-in sets is one file here. A word list is a text file in
// lists/words; adding one there adds the set.
package tokenset

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/vocab"
)

const opBuild = "build token sets"

// Set is a named set of tokens of one vocabulary.
type Set struct {
	Name        string
	Family      string  // one of [Families], or [FamilyUser]
	Description string  // one line for people, which may be empty
	IDs         []int32 // ascending, each once
}

// The families of built-in sets, and the one of a person's own.
const (
	FamilyRegex         = "regex"
	FamilyLetters       = "letters"
	FamilyPartsOfSpeech = "parts of speech"
	FamilyNames         = "names"
	FamilyWords         = "words"
	FamilyUser          = "user"
)

// Values of [Options.MultiToken].
const (
	MultiTokenSingle = "single"
	MultiTokenAll    = "all"
)

// Encoder turns text to token ids, without the marks that a model expects
// around a text.
type Encoder interface {
	Encode(text string) []int
}

// Options says how words become tokens.
type Options struct {
	// Model is what the vocabulary is called in notes and errors; it may be empty.
	Model string

	// MultiToken is MultiTokenSingle, the default: a word counts only if it is
	// one token; or MultiTokenAll: all tokens of a word are members, as in
	// SAELens. Short fragments that many words share then are members too.
	MultiToken string

	// Encoder is nil for a model without a tokenizer.json. Then a word's token is
	// the one whose text is that word, and MultiTokenAll is an error.
	Encoder Encoder
}

// builder makes the sets of one family.
type builder struct {
	family string
	build  func(v *vocabulary, words *wordFinder) ([]Set, error)
}

// builders lists the families in the order in which [Builtin] returns them.
var builders = slices.Concat([]builder{
	{FamilyRegex, func(v *vocabulary, _ *wordFinder) ([]Set, error) { return regexSets(v) }},
	{FamilyLetters, func(v *vocabulary, _ *wordFinder) ([]Set, error) { return letterSets(v), nil }},
}, partsOfSpeech, []builder{
	{FamilyNames, func(_ *vocabulary, words *wordFinder) ([]Set, error) { return nameSets(words) }},
	{FamilyWords, func(_ *vocabulary, words *wordFinder) ([]Set, error) { return wordSets(words) }},
})

// Families returns the families of built-in sets.
func Families() []string {
	names := make([]string, len(builders))
	for i, b := range builders {
		names[i] = b.family
	}
	return names
}

// Builtin returns the built-in sets of some families, of all when families is
// empty, for a vocabulary. Their order is that of [Families], whatever the order
// asked for, and fixed within each. Sets without a token in this vocabulary are left out.
//
// Special tokens are members like any other, as in SAELens, where a set's rule
// covers them: a part of speech is given to every token.
func Builtin(tokens []vocab.Token, families []string, o Options) ([]Set, error) {
	for _, family := range families {
		if !slices.Contains(Families(), family) {
			return nil, &fault.Error{
				Op: opBuild, Problem: "unknown family", Found: fmt.Sprintf("%q", family),
				Expected: strings.Join(Families(), ", "),
			}
		}
	}
	v := newVocabulary(tokens)
	words, err := newWordFinder(v, o)
	if err != nil {
		return nil, fault.At(opBuild, "", err)
	}
	var sets []Set
	for _, b := range builders {
		if len(families) > 0 && !slices.Contains(families, b.family) {
			continue
		}
		built, err := b.build(v, words)
		if err != nil {
			return nil, fault.At(opBuild, b.family, err)
		}
		for _, set := range built {
			if len(set.IDs) == 0 {
				continue
			}
			set.Family = b.family
			sets = append(sets, set)
		}
	}
	return sets, nil
}

// ascending sorts ids and leaves each once.
func ascending[T cmp.Ordered](ids []T) []T {
	slices.Sort(ids)
	return slices.Compact(ids)
}
