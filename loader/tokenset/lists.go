package tokenset

import (
	"embed"
	"path"
	"strings"

	"github.com/saedb/saedb/internal/fault"
)

// lists has a folder for each family of word lists.
//
//go:embed lists
var lists embed.FS

// wordList is a word list as its file has it.
type wordList struct {
	name, description string
	words             []string
}

// parseWordList reads one word a line. Space around a word, empty lines and lines
// that begin with # are no words; the first of the latter is the description.
func parseWordList(name string, data []byte) (wordList, error) {
	list := wordList{name: name}
	for number, line := range lines(string(data)) {
		word := strings.TrimSpace(line)
		comment, isComment := strings.CutPrefix(word, "#")
		switch {
		case isComment && list.description == "":
			list.description = strings.TrimSpace(comment)
		case isComment || word == "":
		case strings.Contains(word, "\t"):
			return list, &fault.Error{
				Problem: atLine(number), Expected: "one word", Found: "a tab",
				Hint: "name the file .gmt or .csv if it has columns",
			}
		default:
			list.words = append(list.words, word)
		}
	}
	return list, nil
}

// nameSets returns boy_names and girl_names. A name of both is in both sets;
// SAELens leaves it out of the second. Names count only as one token whatever
// the options, as there.
// Source: get_baby_name_sets in SAELens, sae_lens/tutorial/tsea.py.
func nameSets(words *wordFinder) ([]Set, error) {
	return listSets("lists/names", words.singleToken)
}

// wordSets returns a set for each word list, in the order of their names.
func wordSets(words *wordFinder) ([]Set, error) {
	return listSets("lists/words", words.tokensOf)
}

// listSets makes sets of the word lists in a folder, with the tokens that find
// gives for a word.
func listSets(folder string, find func(word string) []int32) ([]Set, error) {
	entries, err := lists.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var sets []Set
	for _, entry := range entries {
		data, err := lists.ReadFile(path.Join(folder, entry.Name()))
		if err != nil {
			return nil, err
		}
		list, err := parseWordList(strings.TrimSuffix(entry.Name(), ".txt"), data)
		if err != nil {
			return nil, fault.At("", entry.Name(), err)
		}
		set := Set{Name: list.name, Description: list.description}
		for _, word := range list.words {
			set.IDs = append(set.IDs, find(word)...)
		}
		set.IDs = ascending(set.IDs)
		sets = append(sets, set)
	}
	return sets, nil
}
