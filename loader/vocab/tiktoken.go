package vocab

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/saedb/saedb/internal/fault"
)

// tiktokenLine is a line of a tiktoken file: a token's bytes in base64, and its id.
var tiktokenLine = regexp.MustCompile(`^[A-Za-z0-9+/]+={0,2}[ \t]+[0-9]+[ \t\r]*$`)

// isTiktoken reports whether a file begins as one of tiktoken does. Published names do not
// tell: the tokenizer.model of GLM 4 and of Llama 3 is one, that of others SentencePiece's.
func isTiktoken(data []byte) bool {
	line, _, _ := bytes.Cut(data, []byte("\n"))
	return len(line) <= 2*maxTokenBytes && tiktokenLine.Match(line)
}

// parseTiktoken reads the tokens of a tiktoken file, a line each. Their stored form is in
// GPT-2's byte alphabet, as that of a byte-level tokenizer.json. Source:
// load_tiktoken_bpe in openai/tiktoken, tiktoken/load.py.
func parseTiktoken(data []byte) ([]Token, error) {
	var tokens []Token
	number := 0
	for line := range bytes.Lines(data) {
		number++
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		token, err := parseTiktokenLine(line)
		if err != nil {
			err.Problem = fmt.Sprintf("line %d", number)
			return nil, err
		}
		tokens = append(tokens, token)
	}
	return tokens, nil
}

func parseTiktokenLine(line []byte) (Token, *fault.Error) {
	fields := bytes.Fields(line)
	if len(fields) != 2 {
		return Token{}, &fault.Error{Expected: "a token in base64 and its id", Found: fmt.Sprintf("%.40q", line)}
	}
	decoded, err := base64.StdEncoding.DecodeString(string(fields[0]))
	if err != nil {
		return Token{}, &fault.Error{Expected: "a token in base64", Found: fmt.Sprintf("%.40q", fields[0])}
	}
	id, err := strconv.Atoi(string(fields[1]))
	if err != nil {
		return Token{}, &fault.Error{Expected: "a token's id", Found: fmt.Sprintf("%.20q", fields[1])}
	}
	return bytesToken(id, decoded), nil
}

// bytesToken is the token of some bytes.
func bytesToken(id int, b []byte) Token { return Token{ID: id, Token: spell(b), Text: showBytes(b)} }

// tiktokenSpecials are the special tokens of a tokenizer class of Python whose code, and no
// file, has them. They follow the file's tokens in the order of names.
type tiktokenSpecials struct {
	file  string // the name that the class gives its file
	class string
	names []string
	// reserved more ids follow the file's tokens, for which names has none.
	reserved int
}

// Sources: tokenization_qwen.py of Qwen 1, tokenization_hy.py of Hunyuan and
// tokenization_kimi.py of Moonlight and Kimi, in their repositories.
var tiktokenClasses = []tiktokenSpecials{
	{file: "qwen.tiktoken", class: "QWenTokenizer", names: append(
		[]string{"<|endoftext|>", "<|im_start|>", "<|im_end|>"}, numbered("<|extra_%d|>", 205)...)},
	{file: "hy.tiktoken", class: "HYTokenizer", names: append(
		[]string{"<|endoftext|>", "<|startoftext|>", "<|bos|>", "<|eos|>", "<|pad|>"}, numbered("<|extra_%d|>", 204)...)},
	{class: "TikTokenTokenizer", reserved: 258},
}

func numbered(format string, n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf(format, i)
	}
	return names
}

// addSpecials adds the special tokens that the class of a tiktoken file has without being
// told: all of them where tokenizer_config.json lists no added tokens, and else the
// reserved ones between those.
func (a *additions) addSpecials(file string, tokens []Token) {
	first := 0
	for _, t := range tokens {
		first = max(first, t.ID+1)
	}
	for _, c := range tiktokenClasses {
		if a.class != c.class && (a.class != "" || c.file == "" || filepath.Base(file) != c.file) {
			continue
		}
		if len(a.added) == 0 {
			for i, name := range c.names {
				a.added[first+i] = addedToken{Content: name, Special: true}
			}
		}
		for id := first; id < first+c.reserved; id++ {
			if _, named := a.added[id]; !named {
				a.added[id] = addedToken{Content: fmt.Sprintf("<|reserved_token_%d|>", id), Special: true}
			}
		}
	}
}
