//go:build tokenizers

package tokenizer

// #cgo LDFLAGS: -L${SRCDIR}/../../../build/lib
import "C"

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/daulet/tokenizers"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/pyjson"
	"github.com/saedb/saedb/loader/vocab"
)

const opOpen = "open tokenizer"

// Tokenizer encodes and decodes with one tokenizer.json. Its methods may be
// called at the same time.
type Tokenizer struct {
	// mu lets Close wait for calls under way, under which the library would
	// otherwise lose its memory.
	mu      sync.RWMutex
	library *tokenizers.Tokenizer // nil after Close

	// The library passes text as C strings, which end at a NUL. These are the
	// ways around it: the token of NUL, -1 when there is none, and every
	// token with a NUL in its text.
	nul     int
	withNUL map[int]string

	// The library drops the mark of a space at the start of a text. A letter in
	// front shows what a token adds to a text that has begun.
	letter     []uint32 // the token of a letter or more, empty when there is none
	letterText string
}

// Open returns the tokenizer of path, a tokenizer.json or its directory.
// Truncation and padding that the file asks for are left out: texts keep their
// own lengths. The caller closes the tokenizer.
func Open(path string) (*Tokenizer, error) {
	file, data, err := vocab.ReadTokenizerJSON(path)
	if err != nil {
		return nil, fault.At(opOpen, path, err)
	}
	v, err := vocab.Parse(file, data)
	if err != nil {
		return nil, fault.At(opOpen, file, err)
	}
	data, err = withoutLengths(data)
	if err != nil {
		return nil, fault.At(opOpen, file, err)
	}
	library, err := tokenizers.FromBytes(data)
	if err != nil {
		return nil, fault.At(opOpen, file, err)
	}
	t := &Tokenizer{library: library, nul: -1, withNUL: make(map[int]string)}
	t.learn(v)
	return t, nil
}

// learn finds the tokens that get round the library's limits.
func (t *Tokenizer) learn(v *vocab.Vocabulary) {
	for _, token := range v.Tokens {
		if token.Text == "\x00" && t.nul < 0 {
			t.nul = token.ID
		}
		if strings.Contains(token.Text, "\x00") {
			t.withNUL[token.ID] = vocab.Replaced(token.Text)
		}
		if len(t.letter) == 0 && !token.Special && isLetters(strings.TrimPrefix(token.Text, " ")) {
			t.letter = []uint32{uint32(token.ID)}
			t.letterText = t.library.Decode(t.letter, false)
		}
	}
}

func isLetters(text string) bool {
	return text != "" && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz") == ""
}

// withoutLengths sets truncation and padding of a tokenizer.json to null.
func withoutLengths(data []byte) ([]byte, error) {
	var fields map[string]json.RawMessage
	if err := pyjson.Unmarshal(data, &fields); err != nil {
		return nil, err
	}
	fields["truncation"] = json.RawMessage("null")
	fields["padding"] = json.RawMessage("null")
	return json.Marshal(fields)
}

// Close frees the tokenizer when all calls under way are done. After it, Encode
// and Disagreements return nil, and Decode "". Closing again does nothing.
func (t *Tokenizer) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.library == nil {
		return
	}
	t.library.Close()
	t.library = nil
}

// Encode returns the tokens of text, without those that a model expects around
// a text. What is no UTF-8 counts as U+FFFD.
//
// A NUL is its own token, where the vocabulary has one, and is left out otherwise;
// the texts between NULs are encoded each alone, so around one the
// tokens may differ from what the model was trained on.
func (t *Tokenizer) Encode(text string) []int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if t.library == nil {
		return nil
	}
	var ids []int
	for i, part := range strings.Split(text, "\x00") {
		if i > 0 && t.nul >= 0 {
			ids = append(ids, t.nul)
		}
		if part == "" {
			continue
		}
		encoded, _ := t.library.Encode(part, false)
		for _, id := range encoded {
			ids = append(ids, int(id))
		}
	}
	return ids
}

// Decode returns the text of ids, special tokens included. Ids that the
// tokenizer does not have are left out.
func (t *Tokenizer) Decode(ids []int) string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if t.library == nil {
		return ""
	}
	hasNUL := func(id int) bool { _, found := t.withNUL[id]; return found }
	next := slices.IndexFunc(ids, hasNUL)
	if next < 0 {
		return t.decode(ids)
	}
	var text strings.Builder
	text.WriteString(t.decode(ids[:next]))
	for next >= 0 {
		text.WriteString(t.withNUL[ids[next]])
		ids = ids[next+1:]
		next = slices.IndexFunc(ids, hasNUL)
		run := ids
		if next >= 0 {
			run = ids[:next]
		}
		text.WriteString(t.decodeAfterOthers(run))
	}
	return text.String()
}

// decode returns the library's text of ids, none of which has a NUL.
func (t *Tokenizer) decode(ids []int) string {
	return t.library.Decode(knownIDs(nil, ids), false)
}

// decodeAfterOthers returns what ids, none of which has a NUL, add to a text that has begun.
func (t *Tokenizer) decodeAfterOthers(ids []int) string {
	text := t.library.Decode(knownIDs(t.letter, ids), false)
	return strings.TrimPrefix(text, t.letterText)
}

// knownIDs returns before and, after it, the ids that the library's type can hold.
func knownIDs(before []uint32, ids []int) []uint32 {
	known := append(make([]uint32, 0, len(before)+len(ids)), before...)
	for _, id := range ids {
		if id >= 0 && id <= math.MaxUint32 {
			known = append(known, uint32(id))
		}
	}
	return known
}

// Disagreements returns the tokens of v whose Text is not what the library
// decodes their ids to, neither alone, apart from a space at the start, nor
// after another token. Nil means that v and the tokenizer agree.
func (t *Tokenizer) Disagreements(v *vocab.Vocabulary) []vocab.Token {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if t.library == nil {
		return nil
	}
	var differ []vocab.Token
	for _, token := range v.Tokens {
		if !t.agrees(token) {
			differ = append(differ, token)
		}
	}
	return differ
}

func (t *Tokenizer) agrees(token vocab.Token) bool {
	if text, found := t.withNUL[token.ID]; found {
		return vocab.Replaced(token.Text) == text
	}
	id := []int{token.ID}
	alone, after := t.decode(id), t.decodeAfterOthers(id)
	for _, text := range []string{token.Text, vocab.Replaced(token.Text)} {
		if alone == text || " "+alone == text || after == text {
			return true
		}
	}
	return false
}
