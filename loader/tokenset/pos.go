package tokenset

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/saedb/saedb/internal/fault"
)

// partsOfSpeech is the family.
var partsOfSpeech = []builder{
	{FamilyPartsOfSpeech, func(v *vocabulary, _ *wordFinder) ([]Set, error) { return partOfSpeechSets(v) }},
}

// partOfSpeechSets returns a set for each Penn Treebank tag that some token gets,
// nltk_pos_NN and so on. A token is tagged alone, without its spaces and without
// context, so that "run" is what a lone "run" is to the tagger; special tokens and
// fragments of words get some tag too.
// Source: generate_pos_sets in SAELens, sae_lens/tutorial/tsea.py.
func partOfSpeechSets(v *vocabulary) ([]Set, error) {
	tagger, err := loadTagger()
	if err != nil {
		return nil, err
	}
	ids := make(map[string][]int32)
	for i, t := range v.tokens {
		tag := tagger.tag(v.stripped(i))
		ids[tag] = append(ids[tag], int32(t.ID))
	}
	var sets []Set
	for _, tag := range slices.Sorted(maps.Keys(ids)) {
		sets = append(sets, Set{
			Name:        "nltk_pos_" + tag,
			Description: "part of speech " + tag + ", of the token alone",
			IDs:         ascending(ids[tag]),
		})
	}
	return sets, nil
}

// perceptron is NLTK's tagger as text, what a word alone needs of it; its first lines say
// how, and scripts/tagger makes it.
//
//go:embed perceptron/weights.txt
var perceptron string

// tagger is an averaged perceptron for parts of speech.
type tagger struct {
	classes []string            // ascending
	tags    map[string]string   // words that have one tag nearly always
	weights map[string][]weight // by feature
}

// weight is a feature's weight for one class.
type weight struct {
	class int
	value float64
}

// loadTagger reads the weights once; it takes some hundredths of a second.
var loadTagger = sync.OnceValues(func() (*tagger, error) {
	t := &tagger{tags: make(map[string]string), weights: make(map[string][]weight)}
	for number, line := range lines(perceptron) {
		if err := t.learn(strings.Split(line, "\t")); err != nil {
			return nil, &fault.Error{Subject: "weights of the part-of-speech tagger", Problem: atLine(number), Err: err}
		}
	}
	return t, nil
})

// learn takes a line of the weights.
func (t *tagger) learn(columns []string) error {
	switch first := columns[0]; {
	case first == "classes":
		t.classes = columns[1:]
	case first == "word" && len(columns) == 3:
		t.tags[columns[1]] = columns[2]
	case first == "weights" && len(columns) > 2:
		weights := make([]weight, 0, len(columns)-2)
		for _, column := range columns[2:] {
			class, text, _ := strings.Cut(column, " ")
			index, found := slices.BinarySearch(t.classes, class)
			if !found {
				return fmt.Errorf("unknown class %q", class)
			}
			value, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return err
			}
			weights = append(weights, weight{index, value})
		}
		t.weights[columns[1]] = weights
	case first != "" && first[0] != '#':
		return fmt.Errorf("a line that begins with %q and has %d columns", first, len(columns))
	}
	return nil
}

// tag returns the tag of a word that is a whole sentence. A tie goes to the
// greater tag.
// Source: PerceptronTagger.tag and AveragedPerceptron.predict in NLTK, nltk/tag/perceptron.py.
func (t *tagger) tag(word string) string {
	if tag, found := t.tags[word]; found {
		return tag
	}
	scores := make([]float64, len(t.classes))
	// The features in NLTK's order: sums of float64 depend on it.
	for _, feature := range loneWordFeatures(word) {
		for _, w := range t.weights[feature] {
			scores[w.class] += w.value
		}
	}
	best := 0
	for class, score := range scores {
		if score >= scores[best] {
			best = class
		}
	}
	return t.classes[best]
}

// loneWordFeatures returns the features of a word with the starts and ends of a
// sentence as its neighbours, in the notation of the weights.
// Source: PerceptronTagger._get_features in NLTK, nltk/tag/perceptron.py.
func loneWordFeatures(word string) []string {
	chars := []rune(word)
	suffix := string(chars[max(0, len(chars)-3):])
	prefix := string(chars[:min(1, len(chars))])
	normal := normalForm(word, chars)
	return []string{
		"bias",
		"i suffix " + suffix,
		"i pref1 " + prefix,
		"i-1 tag -START-",
		"i-2 tag -START2-",
		"i tag+i-2 tag -START- -START2-",
		"i word " + normal,
		"i-1 tag+i word -START- " + normal,
		"i-1 word -START2-",
		"i-1 suffix T2-",
		"i-2 word -START-",
		"i+1 word -END-",
		"i+1 suffix ND-",
		"i+2 word -END2-",
	}
}
