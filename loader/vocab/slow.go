package vocab

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/files"
	"github.com/saedb/saedb/internal/plaintext"
	"github.com/saedb/saedb/internal/pyjson"
)

// Files beside a tokenizer without tokenizer.json that say more of its tokens.
const (
	tokenizerConfig  = "tokenizer_config.json"
	specialTokensMap = "special_tokens_map.json"
	addedTokensFile  = "added_tokens.json"
)

// slowKinds are the kinds of file that Python's tokenizers without tokenizer.json read.
// Decode makes the texts of added tokens. A kind that is whole says all in the one file.
var slowKinds = map[string]struct {
	parse  func([]byte) ([]Token, error)
	decode func(string) string
	whole  bool
}{
	KindSentencePiece: {parse: parseSentencePiece, decode: unmark},
	KindVocabJSON:     {parse: parseVocabJSON, decode: decodeByteLevel},
	KindVocabTxt:      {parse: parseVocabTxt, decode: decodeWordPiece},
	KindTiktoken:      {parse: parseTiktoken, decode: func(content string) string { return content }},
	KindTekken:        {parse: parseTekken, whole: true},
}

// slowNames are the names that files of slowKinds have, in the order in which a directory
// is searched for them.
var slowNames = []string{KindSentencePiece, KindVocabJSON, KindVocabTxt, "*.tiktoken", "tiktoken.model", "tekken*.json", "tokenizer.model.v*"}

// FileNames returns the patterns, as path.Match takes them, of the names of the files that
// a vocabulary may be in where there is no tokenizer.json.
func FileNames() []string { return slices.Clone(slowNames) }

// readSlow reads a vocabulary that is not in a tokenizer.json: file is the path of
// one of slowKinds. Added and special tokens come from the files beside it.
func readSlow(file string) (*Vocabulary, error) {
	data, err := readFile(file)
	if err != nil {
		return nil, err
	}
	name := kindOf(file)
	if name == KindSentencePiece && isTiktoken(data) {
		name = KindTiktoken
	}
	kind := slowKinds[name]
	tokens, err := kind.parse(data)
	if err != nil {
		return nil, fault.At(opRead, file, err)
	}
	more := &additions{}
	if !kind.whole {
		if more, err = readAdditions(filepath.Dir(file)); err != nil {
			return nil, err
		}
	}
	switch name {
	case KindSentencePiece:
		if err := more.checkOffset(file); err != nil {
			return nil, err
		}
	case KindTiktoken:
		more.addSpecials(file, tokens)
	}
	v, err := collect(more.lay(tokens, kind.decode), file, name)
	if err == nil {
		v.Files = append(v.Files, more.files...)
	}
	return v, err
}

// slowFile is the file of slowNames in dir, or "". Several of one name are an error, as
// nothing says which is the model's.
func slowFile(dir string) (string, error) {
	names := filesIn(dir)
	for _, pattern := range slowNames {
		var found []string
		for _, name := range names {
			if matches, _ := path.Match(pattern, name); matches {
				found = append(found, name)
			}
		}
		switch len(found) {
		case 0:
		case 1:
			return filepath.Join(dir, found[0]), nil
		default:
			return "", &fault.Error{Op: opRead, Subject: dir, Expected: "one " + pattern, Found: plaintext.Shortened(found), Hint: tokenizerHint}
		}
	}
	return "", nil
}

// filesIn are the names of the files in dir, sorted.
func filesIn(dir string) []string {
	entries, _ := os.ReadDir(dir) // none in what is no directory
	var names []string
	for _, entry := range entries {
		if files.IsRegular(filepath.Join(dir, entry.Name())) {
			names = append(names, entry.Name())
		}
	}
	return names
}

// kindOf is which of slowKinds a file is, by its name, or "". A SentencePiece model may
// turn out to be tiktoken's.
func kindOf(file string) string {
	base := filepath.Base(file)
	versioned, _ := path.Match("tokenizer.model.v*", base)
	tekken, _ := path.Match("tekken*.json", base)
	switch {
	case strings.HasSuffix(base, ".tiktoken"), base == "tiktoken.model":
		return KindTiktoken
	case strings.HasSuffix(base, ".model"), versioned:
		return KindSentencePiece
	case tekken:
		return KindTekken
	case base == KindVocabJSON, base == KindVocabTxt:
		return base
	default:
		return ""
	}
}

// unmark turns SentencePiece's marks into spaces.
func unmark(token string) string { return strings.ReplaceAll(token, metaspace, " ") }

// parseVocabJSON reads the vocab.json of a byte-level BPE, as GPT-2's: tokens to ids.
// Other tokenizers have files of that name too: one that lacks a character of the byte
// alphabet is an error.
func parseVocabJSON(data []byte) ([]Token, error) {
	var ids map[string]int64
	if !utf8.Valid(data) {
		return nil, &fault.Error{Expected: "JSON in UTF-8", Found: "bytes that are no UTF-8"}
	}
	if err := pyjson.Unmarshal(data, &ids); err != nil {
		return nil, &fault.Error{Expected: "tokens and their ids", Err: err}
	}
	for char := range byteOf {
		if _, there := ids[string(char)]; !there {
			return nil, &fault.Error{
				Problem: fmt.Sprintf("has no token %q", char), Expected: "the 256 characters of a byte-level BPE", Hint: saveHint,
			}
		}
	}
	tokens := make([]Token, 0, len(ids))
	for token, id := range ids {
		// The one special token that GPT-2's class has without being told.
		tokens = append(tokens, Token{ID: int(id), Token: token, Text: decodeByteLevel(token), Special: token == "<|endoftext|>"})
	}
	return tokens, nil
}

// decodeWordPiece is the decoder of BERT's class.
var decodeWordPiece = wordPiece("##", true)

// parseVocabTxt reads BERT's vocab.txt: a token a line, its id the number of the line
// from 0 on.
func parseVocabTxt(data []byte) ([]Token, error) {
	if !utf8.Valid(data) {
		return nil, &fault.Error{Expected: "UTF-8", Found: "bytes that are no UTF-8"}
	}
	var tokens []Token
	for line := range bytes.Lines(data) {
		token := strings.TrimRight(string(line), "\r\n")
		// Those that BERT's class has without being told.
		special := slices.Contains([]string{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}, token)
		text := token
		if !special {
			text = decodeWordPiece(token)
		}
		tokens = append(tokens, Token{ID: len(tokens), Token: token, Text: text, Special: special})
	}
	return tokens, nil
}

// additions are what the files beside a vocabulary say of added and special tokens.
type additions struct {
	class   string
	added   map[int]addedToken
	special map[string]bool
	files   []string
}

func readAdditions(dir string) (*additions, error) {
	a := &additions{added: map[int]addedToken{}, special: map[string]bool{}}
	for _, read := range []struct {
		name string
		into func([]byte) error
	}{{addedTokensFile, a.readAdded}, {specialTokensMap, a.readSpecial}, {tokenizerConfig, a.readConfig}} {
		file := filepath.Join(dir, read.name)
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		data, err := readFile(file)
		if err != nil {
			return nil, err
		}
		if err := read.into(data); err != nil {
			return nil, fault.At(opRead, file, err)
		}
		a.files = append(a.files, file)
	}
	return a, nil
}

// readAdded reads added_tokens.json: contents to ids.
func (a *additions) readAdded(data []byte) error {
	var ids map[string]int
	if err := pyjson.Unmarshal(data, &ids); err != nil {
		return err
	}
	for content, id := range ids {
		a.added[id] = addedToken{Content: content}
	}
	return nil
}

// readSpecial reads special_tokens_map.json: roles to tokens, each a text, or an
// object with content, or a list of those.
func (a *additions) readSpecial(data []byte) error {
	var roles map[string]json.RawMessage
	if err := pyjson.Unmarshal(data, &roles); err != nil {
		return err
	}
	for role, value := range roles {
		if strings.HasSuffix(role, "_token") || role == "additional_special_tokens" {
			a.addSpecial(value)
		}
	}
	return nil
}

func (a *additions) addSpecial(value json.RawMessage) {
	var content string
	var object addedToken
	var list []json.RawMessage
	switch {
	case json.Unmarshal(value, &content) == nil:
		a.special[content] = true
	case json.Unmarshal(value, &object) == nil:
		a.special[object.Content] = true
	case json.Unmarshal(value, &list) == nil:
		for _, element := range list {
			a.addSpecial(element)
		}
	}
}

// readConfig reads tokenizer_config.json, which has the roles too, and since
// transformers 4.34 all added tokens by id.
func (a *additions) readConfig(data []byte) error {
	var config struct {
		Class string                `json:"tokenizer_class"`
		Added map[string]addedToken `json:"added_tokens_decoder"`
	}
	if err := pyjson.Unmarshal(data, &config); err != nil {
		return err
	}
	a.class = config.Class
	for key, token := range config.Added {
		id, err := strconv.Atoi(key)
		if err != nil {
			return &fault.Error{Problem: "added_tokens_decoder", Expected: "ids as keys", Found: fmt.Sprintf("%.20q", key)}
		}
		a.added[id] = token
	}
	return a.readSpecial(data)
}

// shiftedClasses are tokenizers whose ids are not the places of pieces: they put the
// special tokens of fairseq before them.
var shiftedClasses = []string{
	"XGLM", "XLMRoberta", "Camembert", "MBart", "MBart50", "Nllb", "PLBart", "Barthez", "SeamlessM4T", "M2M100", "Speech2Text", "Pegasus",
}

// checkOffset refuses a SentencePiece model of a class whose ids are others.
func (a *additions) checkOffset(file string) error {
	class := strings.TrimSuffix(strings.TrimSuffix(a.class, "Fast"), "Tokenizer")
	if !slices.Contains(shiftedClasses, class) {
		return nil
	}
	return &fault.Error{Op: opRead, Subject: file, Problem: "the ids of a " + a.class + " are not those of its pieces", Hint: saveHint}
}

// lay lays the added tokens over those of a vocabulary. The id of one that the
// vocabulary has under another id stays the vocabulary's.
func (a *additions) lay(tokens []Token, decode func(string) string) []Token {
	at, known := make(map[int]int, len(tokens)), make(map[string]bool, len(tokens))
	for i, t := range tokens {
		at[t.ID], known[t.Token] = i, true
	}
	for id, added := range a.added {
		i, there := at[id]
		switch {
		case added.Content == "" || !there && known[added.Content]:
			continue
		case !there:
			i = len(tokens)
			tokens = append(tokens, Token{ID: id})
		}
		t := &tokens[i]
		if t.Token != added.Content {
			t.Token, t.Text, t.Special = added.Content, decode(added.Content), false
		}
		t.Special = t.Special || added.Special
	}
	for i := range tokens {
		t := &tokens[i]
		t.Special = t.Special || a.special[t.Token]
		if t.Special {
			t.Text = t.Token
		}
	}
	return tokens
}
