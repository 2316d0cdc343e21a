package tokenset

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/vocab"
)

// stored returns the stored forms of a set's tokens.
func stored(set Set, tokens []vocab.Token) []string {
	byID := make(map[int32]string)
	for _, t := range tokens {
		byID[int32(t.ID)] = t.Token
	}
	var forms []string
	for _, id := range set.IDs {
		forms = append(forms, byID[id])
	}
	return forms
}

func find(t *testing.T, sets []Set, name string) Set {
	t.Helper()
	for _, set := range sets {
		if set.Name == name {
			return set
		}
	}
	t.Fatalf("no set %q", name)
	return Set{}
}

func builtin(t *testing.T, tokens []vocab.Token, families ...string) []Set {
	t.Helper()
	sets, err := Builtin(tokens, families, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return sets
}

// tokensOf makes a vocabulary of pairs of stored form and text.
func tokensOf(pairs ...string) []vocab.Token {
	var tokens []vocab.Token
	for i := 0; i < len(pairs); i += 2 {
		tokens = append(tokens, vocab.Token{ID: i / 2, Token: pairs[i], Text: pairs[i+1]})
	}
	return tokens
}

func TestRulesOfMetaspaceVocabulary(t *testing.T) {
	tokens := tokensOf("▁the", " the", "the", "the", "▁The", " The", "▁(", " (", "(", "(", "▁", " ", "▁▁", "  ",
		"▁12", " 12", "é", "é", "<0x41>", "A", ")\n", ")\n", "▁NASA", " NASA", "Ġ", "Ġ", "##x", "##x")
	sets := builtin(t, tokens, FamilyRegex, FamilyLetters)
	for name, want := range map[string][]string{
		"starts_with_space":     {"▁the", "▁The", "▁(", "▁", "▁▁", "▁12", "▁NASA"},
		"starts_with_capital":   {"▁The", "▁NASA"},
		"starts_with_lower":     {"▁the", "the"},
		"all_digits":            {"▁12"},
		"2 digits":              {"▁12"},
		"is_punctuation":        {"▁(", "(", ")\n"}, // as $ in Python is before a last newline too
		"contains_open_bracket": {"▁(", "("},
		"all_caps":              {"▁NASA"},
		"length_3":              {"▁the", "the", "▁The"},
		"length_1":              {"é", "Ġ"},
		"letter_t":              {"▁the", "the", "▁The"},
		"letter_n":              {"▁NASA"},
	} {
		if got := stored(find(t, sets, name), tokens); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestRulesOfSmallTokenizers(t *testing.T) {
	tests := []struct {
		dir  string
		want map[string][]string
	}{
		{"wordpiece", map[string][]string{
			"starts_with_space": {"the", "sing", "é", "'"}, // not "." whose space its decoder takes back
			"starts_with_lower": {"the", "sing", "##ing", "##s"},
			"is_punctuation":    {".", "'"},
			"length_3":          {"the", "##ing"},
			"letter_s":          {"sing", "##s"},
		}},
		{"byte-fallback", map[string][]string{
			"starts_with_space": {"▁▁", "▁", "▁the"},
			"length_3":          {"the", "▁the"},
			"letter_t":          {"t", "th", "the", "▁the"},
		}},
		{"bpe-suffix", map[string][]string{
			"length_1": {"a", "b", "b</w>", "a</w>"},
			"letter_a": {"a", "ab</w>", "a</w>"},
		}},
	}
	for _, test := range tests {
		tokens := readVocabulary(t, "../vocab/testdata/"+test.dir)
		sets := builtin(t, tokens, FamilyRegex, FamilyLetters)
		for name, want := range test.want {
			got := stored(find(t, sets, name), tokens)
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("%s: %s: got %q, want %q", test.dir, name, got, want)
			}
		}
	}
}

// A rule says the same of the same texts, however a vocabulary stores them, but
// for those in which the mark itself counts as a letter.
func TestRulesAgreeAcrossMarks(t *testing.T) {
	texts := []string{" the", "the", " The", " 12", "3", "(", " foo(", "NASA", " NASA", "a_b", "!", "  x"}
	var byteLevel, metaspaced, wordPiece []vocab.Token
	for i, text := range texts {
		byteLevel = append(byteLevel, vocab.Token{ID: i, Token: strings.ReplaceAll(text, " ", "Ġ"), Text: text})
		metaspaced = append(metaspaced, vocab.Token{ID: i, Token: strings.ReplaceAll(text, " ", "▁"), Text: text})
		raw, spaced := strings.CutPrefix(text, " ")
		if !spaced {
			raw = "##" + text
		}
		wordPiece = append(wordPiece, vocab.Token{ID: i, Token: raw, Text: text})
	}
	want := builtin(t, metaspaced, FamilyRegex, FamilyLetters)
	for _, set := range builtin(t, wordPiece, FamilyRegex, FamilyLetters) {
		if !slices.Equal(set.IDs, find(t, want, set.Name).IDs) {
			t.Errorf("WordPiece: %s: got %v", set.Name, set.IDs)
		}
	}
	for _, set := range builtin(t, byteLevel, FamilyRegex, FamilyLetters) {
		if strings.HasPrefix(set.Name, "length_") || set.Name == "is_punctuation" {
			continue
		}
		if !slices.Equal(set.IDs, find(t, want, set.Name).IDs) {
			t.Errorf("byte level: %s: got %v", set.Name, set.IDs)
		}
	}
}

func TestBuiltinInvariants(t *testing.T) {
	tokens := readVocabulary(t, smolLM2)
	sets := builtin(t, tokens)
	names := make(map[string]bool)
	family := 0
	for _, set := range sets {
		if names[set.Name] || len(set.IDs) == 0 || set.Description == "" {
			t.Errorf("set %q: twice, empty or without description", set.Name)
		}
		names[set.Name] = true
		if !slices.IsSorted(set.IDs) || len(slices.Compact(slices.Clone(set.IDs))) != len(set.IDs) {
			t.Errorf("set %q is not ascending", set.Name)
		}
		at := slices.Index(Families(), set.Family)
		if at < family {
			t.Errorf("set %q of %q is out of order", set.Name, set.Family)
		}
		family = at
	}
	reversed := slices.Clone(tokens)
	slices.Reverse(reversed)
	for i, set := range builtin(t, reversed, "words", "names", "letters", "parts of speech", "regex") {
		if set.Name != sets[i].Name || !slices.Equal(set.IDs, sets[i].IDs) {
			t.Errorf("set %q depends on the order of tokens or families", set.Name)
		}
	}
	// Every token is one part of speech.
	total := 0
	for _, set := range sets {
		if set.Family == FamilyPartsOfSpeech {
			total += len(set.IDs)
		}
	}
	if total != len(tokens) {
		t.Errorf("%d tokens have a part of speech, of %d", total, len(tokens))
	}
}

func TestWordListsFindTokens(t *testing.T) {
	tokens := readVocabulary(t, smolLM2)
	sets := builtin(t, tokens, FamilyNames, FamilyWords)
	for name, member := range map[string]string{
		"boy_names": "ĠJohn", "girl_names": "ĠMary", "months": "ĠJanuary", "countries": "ĠFrance", "colours": "Ġred",
	} {
		if !slices.Contains(stored(find(t, sets, name), tokens), member) {
			t.Errorf("%s has no %q", name, member)
		}
	}
	if got := len(sets); got < 50 {
		t.Errorf("only %d word lists have a token", got)
	}
}

// The lists themselves: described, without spaces around words or words twice.
func TestListsAreWellFormed(t *testing.T) {
	for _, folder := range []string{"lists/names", "lists/words"} {
		entries, err := lists.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			data, err := lists.ReadFile(folder + "/" + entry.Name())
			if err != nil {
				t.Fatal(err)
			}
			list, err := parseWordList(entry.Name(), data)
			if err != nil || list.description == "" || len(list.words) < 10 {
				t.Errorf("%s: description %q, %d words, %v", entry.Name(), list.description, len(list.words), err)
			}
			seen := make(map[string]bool)
			for _, word := range list.words {
				if seen[word] || strings.ContainsFunc(word, unicode.IsControl) {
					t.Errorf("%s: %q occurs twice or has control characters", entry.Name(), word)
				}
				seen[word] = true
			}
		}
	}
}

func TestBuiltinErrors(t *testing.T) {
	tokens := tokensOf("Ġa", " a")
	for want, call := range map[string]func() error{
		`unknown family: expected regex`: func() error { _, err := Builtin(tokens, []string{"verbs"}, Options{}); return err },
		`expected "single" or "all"`:     func() error { _, err := Builtin(tokens, nil, Options{MultiToken: "some"}); return err },
		`need a tokenizer`:               func() error { _, err := Builtin(tokens, nil, Options{MultiToken: "all"}); return err },
	} {
		err := call()
		var e *fault.Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if sets, err := Builtin(nil, nil, Options{}); err != nil || len(sets) != 0 {
		t.Errorf("an empty vocabulary has %d sets, %v", len(sets), err)
	}
}
