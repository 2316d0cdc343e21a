// Command tagger makes loader/tokenset/perceptron/weights.txt of NLTK's part-of-speech tagger
// averaged_perceptron_tagger_eng, as github.com/jdkato/prose carries it:
//
//	directory=$(go mod download -json github.com/jdkato/prose/v2@v2.0.0 | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
//	go run ./scripts/tagger $directory/model/AveragedPerceptron > loader/tokenset/perceptron/weights.txt
//
// Of 75,447 features it writes the 16,236 that a word alone can have, since tokens are tagged
// alone: 0.8 MB instead of 4.2. The form of the output is told in its first lines.
package main

import (
	"bufio"
	"encoding/gob"
	"fmt"
	"log"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// alone begins the features whose neighbours are the start and the end of a sentence, or that
// have none: those of loneWordFeatures in loader/tokenset/pos.go.
var alone = []string{
	"i suffix ", "i pref1 ", "i word ", "i-1 tag+i word -START- ",
	"bias", "i-1 tag -START-", "i-2 tag -START2-", "i tag+i-2 tag -START- -START2-", "i-1 word -START2-",
	"i-1 suffix T2-", "i-2 word -START-", "i+1 word -END-", "i+1 suffix ND-", "i+2 word -END2-",
}

const head = `# NLTK's part-of-speech tagger averaged_perceptron_tagger_eng, made by scripts/tagger: see LICENSE.prose.
# classes, each after a tab
# word, its class nearly always
# weights, a feature, and for each class that it speaks for or against: the class, a space, the weight
`

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: tagger DIRECTORY, with classes.gob, tags.gob and weights.gob")
	}
	var classes []string
	var words map[string]string
	var weights map[string]map[string]float64
	for name, value := range map[string]any{"classes": &classes, "tags": &words, "weights": &weights} {
		if err := decode(filepath.Join(os.Args[1], name+".gob"), value); err != nil {
			log.Fatal(err)
		}
	}
	out := bufio.NewWriter(os.Stdout)
	fmt.Fprint(out, head)
	slices.Sort(classes)
	fmt.Fprintln(out, "classes\t"+strings.Join(classes, "\t"))
	for _, word := range slices.Sorted(maps.Keys(words)) {
		fmt.Fprintln(out, "word\t"+word+"\t"+words[word])
	}
	for _, feature := range slices.Sorted(maps.Keys(weights)) {
		isAlone := slices.ContainsFunc(alone, func(start string) bool { return strings.HasPrefix(feature, start) })
		if !isAlone || len(weights[feature]) == 0 {
			continue
		}
		fmt.Fprint(out, "weights\t"+feature)
		for _, class := range slices.Sorted(maps.Keys(weights[feature])) {
			fmt.Fprint(out, "\t", class, " ", strconv.FormatFloat(weights[feature][class], 'g', -1, 64))
		}
		fmt.Fprintln(out)
	}
	if err := out.Flush(); err != nil {
		log.Fatal(err)
	}
}

func decode(path string, value any) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := gob.NewDecoder(file).Decode(value); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
