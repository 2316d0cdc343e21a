//go:build saedb_extension

package loader

import (
	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/vocab"
)

// The extension has no tokenizer library to compare with: the texts are the same, and
// nothing is said of them.
func checkTexts(*vocab.Vocabulary) string { return "" }

func openTokenizer(path string) (encoder, error) {
	return nil, &fault.Error{
		Op: loadSets, Subject: path, Problem: "words of several tokens need the tokenizer library, which the extension does not have",
		Hint: "load them with the program: saedb load sets --multi-token all",
	}
}
