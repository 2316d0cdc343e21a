package tokenset

import (
	"strings"

	"github.com/saedb/saedb/internal/fault"
)

// readText reads a word list: one set with the name of the file.
func readText(name string, data []byte, words *wordFinder) ([]Set, error) {
	list, err := parseWordList(name, data)
	if err != nil {
		return nil, err
	}
	var sets collection
	if err := sets.begin(list.name, list.description); err != nil {
		return nil, err
	}
	for _, word := range list.words {
		sets.add(list.name, words.tokensOf(word)...)
	}
	return sets.finish(words.hint())
}

// readRegex reads a name, a tab and a pattern from each line. Empty lines and
// lines that begin with # are left out.
func readRegex(_ string, data []byte, words *wordFinder) ([]Set, error) {
	var sets collection
	rest := string(data)
	for number := 1; rest != ""; number++ {
		var line string
		line, rest, _ = strings.Cut(rest, "\n")
		line = strings.TrimSuffix(line, "\r")
		if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, pattern, found := strings.Cut(line, "\t")
		if !found {
			return nil, &fault.Error{Subject: atLine(number), Expected: "a name, a tab and a pattern", Found: "no tab"}
		}
		set, err := setOfPattern(name, pattern, words.vocabulary.tokens)
		if err == nil {
			err = sets.begin(set.Name, set.Description)
		}
		if err != nil {
			return nil, fault.At("", atLine(number), err)
		}
		sets.add(name, set.IDs...)
	}
	return sets.finish("")
}
