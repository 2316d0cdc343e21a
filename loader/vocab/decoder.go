package vocab

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/saedb/saedb/internal/fault"
)

// maxDecoderSteps bounds a decoder's length and nesting. Published ones have up to five steps.
const maxDecoderSteps = 64

// decoder turns the stored form of one token into the text that it adds after
// other tokens. The zero decoder returns the stored form.
type decoder struct {
	steps     []func(string) string
	byteLevel bool // one of the steps maps the byte alphabet back to bytes
	fused     bool // tokens are joined before what follows
}

func (d decoder) text(token string) string {
	for _, step := range d.steps {
		token = step(token)
	}
	return token
}

// decoderConfig is the union of the fields of all types of decoder.
type decoderConfig struct {
	Type        string            `json:"type"`
	Decoders    []json.RawMessage `json:"decoders"`    // Sequence
	Replacement string            `json:"replacement"` // Metaspace
	StrRep      string            `json:"str_rep"`     // Metaspace, before tokenizers 0.15
	Prefix      *string           `json:"prefix"`      // WordPiece
	Cleanup     *bool             `json:"cleanup"`     // WordPiece
	Suffix      *string           `json:"suffix"`      // BPEDecoder
	Content     string            `json:"content"`     // Replace, Strip
	Start       int               `json:"start"`       // Strip
	Stop        int               `json:"stop"`        // Strip
	Pattern     struct {          // Replace
		String *string `json:"String"`
		Regex  *string `json:"Regex"`
	} `json:"pattern"`
}

// parseDecoder reads the decoder of a tokenizer.json. None or null is the zero decoder.
func parseDecoder(config json.RawMessage) (decoder, error) {
	var d decoder
	if len(config) == 0 {
		return d, nil
	}
	var c *decoderConfig
	if err := json.Unmarshal(config, &c); err != nil {
		return d, &fault.Error{Problem: "decoder", Err: err}
	}
	if c == nil {
		return d, nil
	}
	return d, d.add(*c, 0)
}

// add appends the steps of c.
func (d *decoder) add(c decoderConfig, depth int) error {
	if depth > maxDecoderSteps || len(d.steps) > maxDecoderSteps {
		return &fault.Error{Problem: "decoder", Expected: fmt.Sprintf("at most %d steps", maxDecoderSteps), Found: "more"}
	}
	var step func(string) string
	switch c.Type {
	case "Sequence":
		return d.addSequence(c.Decoders, depth)
	case "Fuse":
		d.fused = true
		return nil
	case "ByteLevel":
		step = decodeByteLevel
		d.byteLevel = true
	case "ByteFallback":
		step = decodeByteFallback
	case "Metaspace":
		mark := cmp.Or(c.Replacement, c.StrRep, metaspace)
		step = func(token string) string { return strings.ReplaceAll(token, mark, " ") }
	case "WordPiece":
		step = wordPiece(valueOr(c.Prefix, "##"), c.Cleanup == nil || *c.Cleanup)
	case "BPEDecoder":
		suffix := valueOr(c.Suffix, "</w>")
		step = func(token string) string { return strings.ReplaceAll(token, suffix, "") }
	case "Replace":
		replace, err := replacer(c)
		if err != nil {
			return err
		}
		step = replace
	case "Strip":
		if d.fused {
			return nil // works on the ends of the whole text, where this token is not
		}
		step = func(token string) string { return strip(token, c.Content, c.Start, c.Stop) }
	default:
		return &fault.Error{
			Problem: "decoder", Found: fmt.Sprintf("type %q", c.Type),
			Expected: "ByteLevel, Metaspace, ByteFallback, WordPiece, BPEDecoder, Replace, Strip, Fuse or a Sequence of them",
		}
	}
	d.steps = append(d.steps, step)
	return nil
}

func (d *decoder) addSequence(configs []json.RawMessage, depth int) error {
	for _, config := range configs {
		var c decoderConfig
		if err := json.Unmarshal(config, &c); err != nil {
			return &fault.Error{Problem: "decoder", Err: err}
		}
		if err := d.add(c, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// replacer is the step of a Replace decoder: every match of a string or a
// regular expression becomes Content, taken literally.
func replacer(c decoderConfig) (func(string) string, error) {
	switch {
	case c.Pattern.String != nil && *c.Pattern.String != "":
		old := *c.Pattern.String
		return func(token string) string { return strings.ReplaceAll(token, old, c.Content) }, nil
	case c.Pattern.Regex != nil:
		pattern, err := regexp.Compile(*c.Pattern.Regex)
		if err != nil {
			return nil, &fault.Error{Problem: "decoder Replace: pattern is not one that Go's regexp knows", Err: err}
		}
		return func(token string) string { return pattern.ReplaceAllLiteralString(token, c.Content) }, nil
	default:
		return nil, &fault.Error{Problem: "decoder Replace", Expected: "a pattern with String or Regex"}
	}
}

// wordPiece is the step of a WordPiece decoder: a token with the prefix goes on
// with a word, any other begins one after a space.
func wordPiece(prefix string, cleanup bool) func(string) string {
	return func(token string) string {
		text, continues := strings.CutPrefix(token, prefix)
		if !continues {
			text = " " + token
		}
		if cleanup {
			text = punctuationSpacing.Replace(text)
		}
		return text
	}
}

// punctuationSpacing takes back the spaces that WordPiece puts before English
// punctuation and contractions. One token can hold no more of them than one.
var punctuationSpacing = strings.NewReplacer(
	" .", ".", " ?", "?", " !", "!", " ,", ",",
	" n't", "n't", " 'm", "'m", " 's", "'s", " 've", "'ve", " 're", "'re",
)

// strip takes up to start characters equal to content off the front of token and up to stop off its end.
func strip(token, content string, start, stop int) string {
	if content == "" {
		return token
	}
	for range min(start, len(token)) {
		token = strings.TrimPrefix(token, content)
	}
	for range min(stop, len(token)) {
		token = strings.TrimSuffix(token, content)
	}
	return token
}

func valueOr(value *string, otherwise string) string {
	if value == nil {
		return otherwise
	}
	return *value
}
