package udf

import (
	"fmt"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/compute"
	"github.com/saedb/saedb/internal/fault"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf/capi"
)

const (
	logitDifference    = "logit_difference"
	setLogitDifference = "set_logit_difference"
)

var logitDifferenceFamily = family{
	register: registerLogitDifference,
	docs: []schema.Function{
		{
			Name:      logitDifference,
			Signature: "logit_difference(w_dec, reader, token, other) → DOUBLE",
			Description: "The direction's logit weight for one token less that for another, each by its text or its spelling: what it does to the logit difference of the two. " +
				"Lists of tokens give the mean of the one less the mean of the other. A text that several tokens have is an error that lists them. float64's.",
			Example: "SELECT feature, logit_difference(w_dec, 'smollm2-135m', ' she', ' he') AS difference FROM decoder_directions WHERE layer = 29 ORDER BY difference DESC LIMIT 5",
		},
		{
			Name:        setLogitDifference,
			Signature:   "set_logit_difference(w_dec, model, token_set, other) → DOUBLE",
			Description: "The mean of the direction's logit weights for the tokens of one set less the mean for those of another. float64's.",
			Example:     "SELECT feature, set_logit_difference(w_dec, 'smollm2-135m', 'girl_names', 'boy_names') AS difference FROM decoder_directions WHERE layer = 29 ORDER BY difference DESC LIMIT 5",
		},
	},
}

// sides are the names of what is taken, and of what is taken from it.
type sides [2][]string

// finder finds the tokens of one name or of several.
type finder func(f *execution, function string, by *reader, names []string) ([]int32, error)

func registerLogitDifference(f *Functions, c capi.Connection) error {
	form := func(function string, kind capi.Type, find finder, read func(v capi.Vector, rows int) func(row int) ([]string, bool)) capi.Scalar {
		return capi.Scalar{
			Parameters: []capi.Type{capi.Any, capi.Varchar, kind, kind}, Returns: capi.Double,
			Run: f.of(func(f *execution, input capi.Chunk, output capi.Vector) error {
				rows := input.Rows()
				return f.differences(function, input, output, find, read(input.Column(2), rows), read(input.Column(3), rows))
			}),
		}
	}
	err := c.RegisterScalar(logitDifference,
		form(logitDifference, capi.Varchar, tokensNamed, oneName), form(logitDifference, capi.List(capi.Varchar), tokensNamed, severalNames))
	if err != nil {
		return err
	}
	return c.RegisterScalar(setLogitDifference, form(setLogitDifference, capi.Varchar, tokensOfSets, oneName))
}

func oneName(v capi.Vector, _ int) func(row int) ([]string, bool) {
	names := newTexts(v)
	return func(row int) ([]string, bool) { return []string{names.at(row)}, names.valid(row) }
}

func severalNames(v capi.Vector, rows int) func(row int) ([]string, bool) {
	names := newTextLists(v, rows)
	return func(row int) ([]string, bool) {
		if !names.valid(row) {
			return nil, false
		}
		return names.at(row), true
	}
}

// contrastKey is a reader, and the names of the tokens on both sides.
type contrastKey struct {
	by    *reader
	asked string
}

func (f *execution) differences(function string, input capi.Chunk, output capi.Vector, find finder, of, less func(row int) ([]string, bool)) error {
	readers := newTexts(input.Column(1))
	asked := map[string]sides{}
	all, null, err := f.batches(function, input, func(row int) (call, bool, error) {
		a, given := of(row)
		b, both := less(row)
		if !given || !both || !readers.valid(row) {
			return call{}, false, nil
		}
		key := fmt.Sprintf("%s %q %q", function, a, b)
		asked[key] = sides{a, b}
		return call{reader: readers.at(row), scope: scopeAll, contrast: key}, true, nil
	})
	if err != nil {
		return err
	}
	for _, row := range null {
		output.SetNull(row, 0)
	}
	out := capi.Values[float64](output, input.Rows())
	for _, b := range all {
		contrast, err := f.contrastOf(function, b, asked[b.contrast], find)
		if err != nil {
			return err
		}
		d := b.reader.matrix.DModel()
		for i, row := range b.rows {
			out[row] = contrast.Weight(b.directions[i*d : (i+1)*d])
		}
		f.finished(len(b.rows))
	}
	return nil
}

func (f *execution) contrastOf(function string, b *batch, names sides, find finder) (compute.Contrast, error) {
	key := contrastKey{b.reader, b.contrast}
	if known := f.contrasts[key]; known != nil {
		return known, nil
	}
	var tokens [2][]int32
	for i, side := range names {
		var err error
		if tokens[i], err = find(f, function, b.reader, side); err != nil {
			return nil, err
		}
		if len(tokens[i]) == 0 {
			return nil, &fault.Error{Op: function, Subject: b.reader.stored.String(), Expected: "at least one token on each side", Found: "none"}
		}
	}
	contrast := b.reader.matrix.Contrast(tokens[0], tokens[1])
	const most = 4096 // of so many, others are as likely to come again
	if len(f.contrasts) >= most {
		clear(f.contrasts)
	}
	f.contrasts[key] = contrast
	return contrast, nil
}

// tokensNamed finds one token for each name: the only one with that text, of several the one
// that is spelled so too, or the one that is spelled so.
func tokensNamed(_ *execution, function string, by *reader, names []string) ([]int32, error) {
	found := make([]int32, len(names))
	for i, name := range names {
		var texts, spelled, close []int32
		for id, t := range by.tokens {
			if t.text == name {
				texts = append(texts, int32(id))
			}
			if t.token == name {
				spelled = append(spelled, int32(id))
			}
			if name != "" && len(close) < 4 && strings.TrimSpace(t.text) != "" && strings.EqualFold(strings.TrimSpace(t.text), strings.TrimSpace(name)) {
				close = append(close, int32(id))
			}
		}
		candidates := texts
		if len(candidates) != 1 && len(spelled) == 1 && (len(texts) == 0 || slices.Contains(texts, spelled[0])) {
			candidates = spelled
		}
		if len(candidates) == 1 && name != "" {
			found[i] = candidates[0]
			continue
		}
		e := &fault.Error{Op: function, Subject: by.stored.String(), Problem: fmt.Sprintf("%d tokens are %s", len(candidates), schema.Literal(name))}
		if len(candidates) == 0 || name == "" {
			e.Problem, candidates = "no token is "+schema.Literal(name), close
		}
		for j, id := range candidates[:min(len(candidates), 8)] {
			if j > 0 {
				e.Hint += ", "
			}
			e.Hint += fmt.Sprintf("%s (token %d)", schema.Literal(by.tokens[id].token), id)
		}
		switch {
		case e.Hint != "" && len(texts) > 1:
			e.Hint = "give the spelling of one: " + e.Hint
		case e.Hint != "":
			e.Hint = "there is " + e.Hint
		default:
			e.Hint = "the view tokens has all texts and spellings"
		}
		return nil, e
	}
	return found, nil
}

// tokensOfSets finds the tokens of the sets of the reader's model that are named.
func tokensOfSets(f *execution, function string, by *reader, names []string) ([]int32, error) {
	sets, err := f.setsOf(function, &batch{call: call{sets: named(names)}, reader: by}, names)
	if err != nil {
		return nil, err
	}
	d := &f.readers.database
	var found []int32
	err = d.query(fmt.Sprintf("SELECT unnest(token_ids) FROM %s WHERE list_contains(CAST(%s AS INTEGER[]), set_id)",
		by.stored.in("stored_token_sets"), schema.Literal(schema.List(sets.ids))), func(chunk capi.Chunk) error {
		found = append(found, capi.Values[int32](chunk.Column(0), chunk.Rows())...)
		return nil
	})
	return found, fault.At(function, "token sets of model "+by.stored.of, err)
}
