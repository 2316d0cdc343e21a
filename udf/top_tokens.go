package udf

import (
	"fmt"
	"unicode/utf8"

	"github.com/saedb/saedb/internal/compute"
	"github.com/saedb/saedb/internal/fault"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf/capi"
)

var topTokensFamily = family{
	register: registerTopTokens,
	docs: []schema.Function{
		{
			Name:        "top_tokens",
			Signature:   "top_tokens(w_dec, model, k [, tokens]) → STRUCT(token_id INTEGER, token VARCHAR, text VARCHAR, logit_weight DOUBLE)[]",
			Description: "The k tokens with the highest logit weights, highest first; ties by lower token id. tokens is 'all' (the default) or 'real'.",
			Example:     "SELECT feature, top_tokens(w_dec, 'smollm2-135m', 3) FROM decoder_directions WHERE layer = 29 LIMIT 5",
		},
		{
			Name:        "bottom_tokens",
			Signature:   "bottom_tokens(w_dec, model, k [, tokens]) → STRUCT(token_id INTEGER, token VARCHAR, text VARCHAR, logit_weight DOUBLE)[]",
			Description: "The k tokens with the lowest logit weights, lowest first; ties by lower token id. tokens is 'all' (the default) or 'real'.",
			Example:     "SELECT feature, bottom_tokens(w_dec, 'smollm2-135m', 3) FROM decoder_directions WHERE layer = 29 LIMIT 5",
		},
	},
}

// maxK bounds k: a longer ranking is logit_weights' work.
const maxK = 1000

var tokenFields = []capi.Field{
	{Name: "token_id", Type: capi.Integer}, {Name: "token", Type: capi.Varchar},
	{Name: "text", Type: capi.Varchar}, {Name: "logit_weight", Type: capi.Double},
}

func top(s *compute.Summary) *compute.Tokens    { return &s.Top }
func bottom(s *compute.Summary) *compute.Tokens { return &s.Bottom }

func registerTopTokens(f *Functions, c capi.Connection) error {
	for name, end := range map[string]func(*compute.Summary) *compute.Tokens{"top_tokens": top, "bottom_tokens": bottom} {
		err := c.RegisterScalar(name, withTokens(name, []capi.Type{capi.Any, capi.Varchar, capi.Integer}, capi.List(capi.Struct(tokenFields...)), f,
			func(f *execution, input capi.Chunk, output capi.Vector, tokens tokensArgument) error {
				return f.endTokens(name, end, input, output, tokens)
			})...)
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *execution) endTokens(function string, end func(*compute.Summary) *compute.Tokens, input capi.Chunk, output capi.Vector, tokens tokensArgument) error {
	return f.writeEnd(function, end, input, output, givenKs(input), tokens, (*listWriter).writeTokens)
}

// ksArgument is the argument k of each row, and whether it has one.
type ksArgument func(row int) (k int32, given bool)

// givenKs reads k from the third argument.
func givenKs(input capi.Chunk) ksArgument {
	ks, given := capi.Values[int32](input.Column(2), input.Rows()), input.Column(2).Validity()
	return func(row int) (int32, bool) { return ks[row], given.Valid(row) }
}

// askEnd reads the arguments (direction, reader, k).
func askEnd(function string, input capi.Chunk, ks ksArgument) func(row int) (call, bool, error) {
	readers := newTexts(input.Column(1))
	return func(row int) (call, bool, error) {
		k, given := ks(row)
		if !readers.valid(row) || !given {
			return call{}, false, nil
		}
		if k < 1 || k > maxK {
			return call{}, false, &fault.Error{
				Op: function, Subject: "k", Expected: fmt.Sprintf("1 to %d", maxK), Found: fmt.Sprint(k),
				Hint: "logit_weights gives all of them",
			}
		}
		return call{reader: readers.at(row), scope: scopeAll, k: int(k)}, true, nil
	}
}

// writeEnd writes one end of the ranking of a reader's rows.
func (f *execution) writeEnd(function string, end func(*compute.Summary) *compute.Tokens, input capi.Chunk, output capi.Vector, ks ksArgument, tokens tokensArgument,
	write func(w *listWriter, rows []int, ranked *compute.Tokens, by *reader) error) error {
	all, null, err := f.batches(function, input, tokens.in(askEnd(function, input, ks)))
	if err != nil {
		return err
	}
	out := newListWriter(output, input.Rows(), null)
	for _, b := range all {
		s, err := f.summarize(b, compute.Options{TopK: b.k})
		if err != nil {
			return err
		}
		if err := write(out, b.rows, end(s), b.reader); err != nil {
			return err
		}
	}
	return nil
}

// writeTokens appends the lists of ranked's entries 0, 1, …, one for each of rows.
func (w *listWriter) writeTokens(rows []int, ranked *compute.Tokens, by *reader) error {
	fields, at, err := w.grow(rows, ranked.K)
	if err != nil {
		return err
	}
	total := at + len(rows)*ranked.K
	ids, weights := capi.Values[int32](fields(0), total), capi.Values[float64](fields(3), total)
	for i, id := range ranked.IDs {
		ids[at+i], weights[at+i] = id, ranked.Logits[i]
		fields(1).SetText(at+i, by.tokens[id].token)
		fields(2).SetText(at+i, by.tokens[id].text)
	}
	return nil
}

// shown is a token as people read it in a list: its text, or where it has none, or has
// U+FFFD, the token as the tokenizer spells it.
func (t token) shown() string {
	for _, r := range t.text {
		if r == utf8.RuneError {
			return t.token
		}
	}
	if t.text == "" {
		return t.token
	}
	return t.text
}
