//go:build tokenizers

package loader

import (
	"fmt"

	"github.com/saedb/saedb/loader/vocab"
	"github.com/saedb/saedb/loader/vocab/tokenizer"
)

// checkTexts compares the texts of a tokenizer.json with what the tokenizer
// library decodes its tokens to, and says where they differ. Both are kept out
// of figures; a person who searches by text should know.
func checkTexts(v *vocab.Vocabulary) string {
	if v.Kind != vocab.KindTokenizerJSON {
		return ""
	}
	library, err := tokenizer.Open(v.Path)
	if err != nil {
		return fmt.Sprintf("texts of tokens are not checked: %v", err)
	}
	defer library.Close()
	differ := library.Disagreements(v)
	if len(differ) == 0 {
		return ""
	}
	return fmt.Sprintf("texts of %d tokens are not what the tokenizer library decodes them to, the first %q (id %d)",
		len(differ), differ[0].Token, differ[0].ID)
}

// openTokenizer opens a tokenizer.json to encode with.
func openTokenizer(path string) (encoder, error) { return tokenizer.Open(path) }
