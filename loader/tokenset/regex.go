package tokenset

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/vocab"
)

// rule is a built-in set by pattern.
type rule struct {
	name, description string

	// byteLevel is SAELens's pattern for the stored forms of byte-level
	// vocabularies. There Ġ is a letter to Unicode, so that a space counts as a
	// character of length_k, or not, and keeps punctuation from being that.
	// Source: the tutorial logits_lens_with_features of SAELens.
	byteLevel string

	// metaspace says the same of forms with ▁, which is no letter: a space counts
	// as no character, and punctuation after one is punctuation.
	metaspace string
}

// rules is in the order of SAELens's tutorial.
var rules = append([]rule{
	{"starts_with_space", "a space in front", `Ġ.*`, `▁.*`},
	{"starts_with_capital", "a capital A–Z first", `^Ġ*[A-Z].*`, `^▁*[A-Z].*`},
	{"starts_with_lower", "a small letter a–z first", `^Ġ*[a-z].*`, `^▁*[a-z].*`},
	{"all_digits", "digits alone", `^Ġ*\d+$`, `^▁*\d+$`},
	{"is_punctuation", "neither letters nor digits", `^[^\w\s]+$`, `^▁*[^\w\s▁]+$`},
	{"contains_close_bracket", "a closing round bracket inside", `.*\).*`, `.*\).*`},
	{"contains_open_bracket", "an opening round bracket inside", `.*\(.*`, `.*\(.*`},
	{"all_caps", "capitals A–Z alone", `Ġ*[A-Z]+$`, `▁*[A-Z]+$`},
}, append(digitRules(4), lengthRules(5)...)...)

// digitRules returns "1 digit", "2 digits" and so on.
func digitRules(most int) []rule {
	var rules []rule
	for n := 1; n <= most; n++ {
		name := fmt.Sprintf("%d digits", n)
		if n == 1 {
			name = "1 digit"
		}
		pattern := fmt.Sprintf(`*\d{%d}$`, n)
		rules = append(rules, rule{name, "a number of " + name, byteLevelSpace + pattern, metaspace + pattern})
	}
	return rules
}

// lengthRules returns length_1, length_2 and so on.
func lengthRules(most int) []rule {
	var rules []rule
	for n := 1; n <= most; n++ {
		pattern := fmt.Sprintf(`*\w{%d}$`, n)
		rules = append(rules, rule{
			fmt.Sprintf("length_%d", n), fmt.Sprintf("%d letters, digits or underscores", n),
			"^" + byteLevelSpace + pattern, "^" + metaspace + pattern,
		})
	}
	return rules
}

// regexSets returns the built-in sets by pattern.
func regexSets(v *vocabulary) ([]Set, error) {
	sets := make([]Set, len(rules))
	for i, r := range rules {
		pattern := r.byteLevel
		if v.mark == metaspace {
			pattern = r.metaspace
		}
		match, err := compilePattern(pattern)
		if err != nil {
			return nil, err
		}
		sets[i] = Set{Name: r.name, Description: r.description, IDs: matching(match, v.tokens, v.forms)}
	}
	return sets, nil
}

// FromRegex returns the set of tokens whose stored form a pattern matches, as
// Python's re.match does: at the start of the form, and not to its end unless the
// pattern says so. The pattern is in Python's syntax, and \w, \d and \s are
// Unicode's. What has no counterpart in Go's regexp is an error that names it:
// look-around, back-references, conditionals, atomic groups and \b. A set without
// a token is an error.
func FromRegex(name, pattern string, tokens []vocab.Token) (Set, error) {
	set, err := setOfPattern(name, pattern, tokens)
	if err == nil && len(set.IDs) == 0 {
		set, err = Set{}, &fault.Error{
			Problem: fmt.Sprintf("pattern %q matches no token", pattern),
			Hint:    "patterns match the stored forms of tokens, where a space is Ġ or ▁",
		}
	}
	return set, fault.At("token set by pattern", name, err)
}

// setOfPattern is FromRegex, where a pattern may match no token.
func setOfPattern(name, pattern string, tokens []vocab.Token) (Set, error) {
	if err := CheckName(name); err != nil {
		return Set{}, err
	}
	match, err := compilePattern(pattern)
	if err != nil {
		return Set{}, err
	}
	set := Set{Name: name, Family: FamilyUser, Description: pattern}
	// A description is one line, wherever it is shown.
	if strings.ContainsFunc(pattern, unicode.IsControl) {
		set.Description = strconv.Quote(pattern)
	}
	stored := make([]string, len(tokens))
	for i, t := range tokens {
		stored[i] = t.Token
	}
	set.IDs = matching(match, tokens, stored)
	return set, nil
}

// matching returns the ids of the tokens whose form, the one at the token's own index, matches.
func matching(match *regexp.Regexp, tokens []vocab.Token, forms []string) []int32 {
	var ids []int32
	for i, t := range tokens {
		if match.MatchString(forms[i]) {
			ids = append(ids, int32(t.ID))
		}
	}
	return ascending(ids)
}
