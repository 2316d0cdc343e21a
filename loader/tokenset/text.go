package tokenset

import (
	"strings"

	"github.com/saedb/saedb/internal/fault"
)

// readText reads a word list: one set with the name of the file.
func readText(name string, data []byte, words *wordFinder) (*collection, error) {
	list, err := parseWordList(name, data)
	if err != nil {
		return nil, err
	}
	sets := &collection{hint: words.hint()}
	if err := sets.begin(list.name, list.description, listing{}); err != nil {
		return nil, err
	}
	for _, word := range list.words {
		sets.addText(list.name, word, words.tokensOf)
	}
	return sets, nil
}

// readRegex reads a name, a tab and a pattern from each line. Empty lines and
// lines that begin with # are left out.
func readRegex(_ string, data []byte, words *wordFinder) (*collection, error) {
	sets := &collection{}
	for number, line := range lines(string(data)) {
		if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, pattern, found := strings.Cut(line, "\t")
		if !found {
			return nil, &fault.Error{Subject: atLine(number), Expected: "a name, a tab and a pattern", Found: "no tab"}
		}
		// Spreadsheets fill all lines up to the longest.
		if before := strings.TrimRight(pattern, "\t"); before != "" {
			pattern = before
		}
		set, err := setOfPattern(name, pattern, words.vocabulary.tokens)
		if err == nil {
			err = sets.begin(set.Name, set.Description, listing{where: atLine(number), without: "its pattern matches no token"})
		}
		if err != nil {
			return nil, fault.At("", atLine(number), err)
		}
		sets.sets[len(sets.sets)-1].IDs = set.IDs
	}
	return sets, nil
}
