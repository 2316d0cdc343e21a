// Package vocab reads the vocabulary of a language model: which token each id
// stands for, as the tokenizer stores it and as the text that it decodes to.
//
// It is pure Go, so that the loadable extension can use it without the
// tokenizer library. Encoding text needs that library; see the package
// tokenizer below this one.
package vocab

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/files"
	"github.com/saedb/saedb/internal/plaintext"
)

const (
	opRead = "read vocabulary"

	// maxID bounds the ids and the number of tokens. The largest published
	// vocabularies have about a quarter of a million entries.
	maxID = 10_000_000

	// maxTokenizerJSON bounds the file that is read whole. Gemma's is 34 MB.
	maxTokenizerJSON = 256 << 20

	// maxTokenBytes bounds a token's stored form. The longest published ones, runs of
	// spaces, have a few hundred bytes, and every later step copies and searches them.
	maxTokenBytes = 64 << 10
)

// Token is one entry of a vocabulary.
type Token struct {
	ID int

	// Token is the stored form, as Python's get_vocab shows it: "Ġthe", "▁the", "##ing", "<0x0A>".
	Token string

	// Text is what the token adds to the decoded text when other tokens come
	// before it: " the", "ing", "\n". Each byte that is no valid UTF-8 alone is shown
	// as "<0xBB>".
	Text string

	// Special says that the token is a mark of the model's format, like the end
	// of a text, or stands for what the vocabulary does not know, and is not text itself.
	Special bool
}

// Vocabulary is the set of tokens of one tokenizer.
type Vocabulary struct {
	Tokens []Token  // in the order of their ids, which may have gaps and occur once each
	Path   string   // the file that was read
	Kind   string   // the kind of that file, one of those below
	Files  []string // all files that decide the vocabulary, Path first
}

// The kinds of file that hold a vocabulary.
const (
	KindTokenizerJSON = "tokenizer.json"
	KindGGUF          = "gguf"
	KindSentencePiece = "tokenizer.model"
	KindVocabJSON     = "vocab.json"
	KindVocabTxt      = "vocab.txt"
	KindTiktoken      = "tiktoken" // under several names
	KindTekken        = "tekken.json"
)

const (
	readHint = "give a directory with tokenizer.json, tokenizer.model, vocab.json, vocab.txt, a *.tiktoken or tekken.json, that file itself, or a .gguf"
	saveHint = "in Python, AutoTokenizer.from_pretrained(DIR).save_pretrained(DIR) writes tokenizer.json"
	// tokenizerHint is of the option by which people name a tokenizer of another place.
	tokenizerHint = "name the tokenizer's file with --tokenizer"
)

// Read returns the vocabulary in path: a directory with a tokenizer.json, such
// a file under any name that ends in .json, or a GGUF file. In a directory without
// tokenizer.json it is that of a tokenizer.model (SentencePiece, or of tiktoken), of the
// vocab.json of a byte-level BPE, of BERT's vocab.txt, of a *.tiktoken or tiktoken.model, or
// of Mistral's tekken.json, each of which may also be path itself. A *.safetensors file
// stands for its directory.
func Read(path string) (*Vocabulary, error) {
	if strings.EqualFold(filepath.Ext(path), ".gguf") {
		return readGGUF(path)
	}
	if strings.EqualFold(filepath.Ext(path), ".safetensors") {
		path = filepath.Dir(path)
	}
	if kindOf(path) != "" && files.IsRegular(path) {
		return readSlow(path)
	}
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return readTokenizerJSON(path)
	}
	if _, err := os.Stat(filepath.Join(path, KindTokenizerJSON)); !errors.Is(err, fs.ErrNotExist) {
		v, err := readTokenizerJSON(path)
		return v, withNeighbours(err, path)
	}
	file, err := slowFile(path)
	if err != nil {
		return nil, err
	}
	if file == "" {
		return nil, &fault.Error{
			Op: opRead, Subject: path, Problem: "has no tokenizer's file", Expected: KindTokenizerJSON + ", " + strings.Join(slowNames, ", "),
			Found: cmp.Or(plaintext.Shortened(filesIn(path)), "no files"), Hint: tokenizerHint,
		}
	}
	v, err := readSlow(file)
	return v, withNeighbours(err, path)
}

func readTokenizerJSON(path string) (*Vocabulary, error) {
	file, data, err := ReadTokenizerJSON(path)
	if err != nil {
		return nil, err
	}
	return Parse(file, data)
}

// withNeighbours adds to the error of a tokenizer's file, which was looked for in dir, what
// else is there.
func withNeighbours(err error, dir string) error {
	var e *fault.Error
	if !errors.As(err, &e) {
		return err
	}
	named := *e
	if named.Hint != "" {
		named.Hint += "; "
	}
	named.Hint += fmt.Sprintf("the directory has %s; for another one of them, %s", cmp.Or(plaintext.Shortened(filesIn(dir)), "no files"), tokenizerHint)
	return &named
}

// ReadTokenizerJSON returns the path and the bytes of the tokenizer.json that
// path names or, when path is a directory, holds.
func ReadTokenizerJSON(path string) (file string, data []byte, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", nil, missing(path, err)
	}
	file = path
	if info.IsDir() {
		file = filepath.Join(path, KindTokenizerJSON)
		if info, err = os.Stat(file); err != nil {
			return "", nil, missing(file, err)
		}
	}
	if !info.Mode().IsRegular() {
		return "", nil, &fault.Error{Op: opRead, Subject: file, Expected: "a regular file", Found: info.Mode().Type().String()}
	}
	data, err = readFile(file)
	return file, data, err
}

func readFile(path string) ([]byte, error) {
	data, err := files.Read(path, maxTokenizerJSON)
	return data, fault.At(opRead, path, err)
}

// missing explains a file that cannot be opened. Directories with another
// tokenizer's files are common, so the hint names what was found instead.
func missing(file string, err error) error {
	e := &fault.Error{Op: opRead, Subject: file, Err: err}
	if !errors.Is(err, fs.ErrNotExist) {
		return e
	}
	e.Hint = readHint
	if other, _ := slowFile(filepath.Dir(file)); other != "" {
		e.Hint = filepath.Base(other) + " alone is not enough: " + saveHint
	}
	return e
}

// collect orders tokens by id and refuses ids outside [0, maxID), those that occur twice,
// and tokens of more than maxTokenBytes.
func collect(tokens []Token, path, kind string) (*Vocabulary, error) {
	if len(tokens) == 0 {
		return nil, &fault.Error{Op: opRead, Subject: path, Problem: "vocabulary is empty"}
	}
	for _, t := range tokens {
		if longest := max(len(t.Token), len(t.Text)); longest > maxTokenBytes {
			return nil, &fault.Error{
				Op: opRead, Subject: path, Problem: fmt.Sprintf("token %d, %.20q…", t.ID, t.Token),
				Expected: fmt.Sprintf("at most %d bytes", maxTokenBytes), Found: fmt.Sprint(longest),
			}
		}
	}
	slices.SortFunc(tokens, func(a, b Token) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), strings.Compare(a.Token, b.Token))
	})
	for i, t := range tokens {
		if t.ID < 0 || t.ID >= maxID {
			return nil, &fault.Error{
				Op: opRead, Subject: path, Problem: fmt.Sprintf("token %q", t.Token),
				Expected: fmt.Sprintf("an id from 0 to %d", maxID-1), Found: fmt.Sprint(t.ID),
			}
		}
		if i > 0 && tokens[i-1].ID == t.ID {
			return nil, &fault.Error{
				Op: opRead, Subject: path,
				Problem: fmt.Sprintf("tokens %q and %q have the same id %d", tokens[i-1].Token, t.Token, t.ID),
			}
		}
	}
	return &Vocabulary{Tokens: tokens, Path: path, Kind: kind, Files: []string{path}}, nil
}
