package tokenset

import (
	"strings"
	"unicode"
)

// letterSets returns letter_a to letter_z: the tokens of letters alone, apart
// from spaces around them, by their first letter in either case. Letters are
// Unicode's, but a first letter outside a–z is in no set.
//
// On a byte-level vocabulary letters are those of the stored form, where text
// outside ASCII is in other characters, so that the sets are SAELens's.
// Source: get_letter_gene_sets in SAELens, sae_lens/tutorial/tsea.py.
func letterSets(v *vocabulary) []Set {
	sets := make([]Set, 26)
	for i := range sets {
		letter := string(rune('a' + i))
		sets[i] = Set{Name: "letter_" + letter, Description: "words and parts of words that begin with " + letter}
	}
	for i, t := range v.tokens {
		word := v.stripped(i)
		if word == "" || strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsLetter(r) }) {
			continue
		}
		first := []rune(word)[0]
		// The lower case of İ is an i with a dot above it, two characters, of which Go gives the first.
		if first == 'İ' {
			continue
		}
		if first = unicode.ToLower(first); first < 'a' || first > 'z' {
			continue
		}
		set := &sets[first-'a']
		set.IDs = append(set.IDs, int32(t.ID))
	}
	for i := range sets {
		sets[i].IDs = ascending(sets[i].IDs)
	}
	return sets
}
