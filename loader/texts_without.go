//go:build !tokenizers

package loader

import (
	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/vocab"
)

// Without the tokenizer library, which the extension never has, there is nothing to
// compare texts with: they are the same, and nothing is said of them.
func checkTexts(*vocab.Vocabulary) string { return "" }

func openTokenizer(path string) (encoder, error) {
	return nil, &fault.Error{
		Op: loadSets, Subject: path, Problem: "words of several tokens need the tokenizer library, which this saedb is built without",
		Hint: "load them with a program that has it: make build, or scripts/libtokenizers.sh and go build -tags tokenizers ./cmd/saedb, then saedb load sets --multi-token all",
	}
}
