package udf

import (
	"math"
	"slices"

	"github.com/saedb/saedb/internal/enrichment"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf/capi"
)

var enrichFamily = family{
	register: registerEnrich,
	docs: []schema.Function{
		{
			Name:      "enrichment_score",
			Signature: "enrichment_score(w_dec, model, token_set [, tokens]) → DOUBLE",
			Description: "Enrichment score of one token set in the ranking of the vocabulary by the direction's logit weights: the largest distance, " +
				"up or down, of the running sum (+1/m at a member, -1/(V-m) elsewhere). NULL for a set that is empty or holds every token, and where all logit weights are equal. " +
				"tokens is 'all' (the default) or 'real', as of saedb compute.",
			Example: "SELECT feature, enrichment_score(w_dec, model, 'all_digits') AS es FROM decoder_directions WHERE layer = 29 ORDER BY es DESC LIMIT 5",
		},
		{
			Name:      "enrich",
			Signature: "enrich(w_dec, model [, token_sets] [, tokens]) → STRUCT(token_set VARCHAR, size INTEGER, es DOUBLE, direction VARCHAR, p_value DOUBLE, auc DOUBLE, log10_p DOUBLE)[]",
			Description: "Enrichment of the direction in each of the named token sets (VARCHAR[]), or in all of the model, from one ranking. " +
				"The p-value is the two-sided Kolmogorov-Smirnov one, exact for small sets and for es above 1/2, and log10_p its logarithm, which keeps what is below the range of DOUBLE; " +
				"auc is Mann-Whitney's. Equal logit weights are one place in the ranking. " +
				"tokens is 'all' (the default) or 'real'; size counts the members among them.",
			Example: "SELECT feature, unnest(enrich(w_dec, model, ['all_digits', 'all_caps']), recursive := true) FROM decoder_directions WHERE layer = 29 LIMIT 4",
		},
		{
			Name:      "ks_log10_p",
			Signature: "ks_log10_p(members, tokens, es) → DOUBLE",
			Description: "log10 of the two-sided Kolmogorov-Smirnov p-value of an enrichment score of so many members among so many tokens (INTEGER), " +
				"were tokens ranked at random. NULL where there is no score.",
			Example: "SELECT round(ks_log10_p(17, 49152, 1.0), 2) AS log10_p",
		},
		{
			Name:        "enrichment_values",
			Signature:   "enrichment_values(w_dec, model, set_ids, tokens) → STRUCT(set_id INTEGER, es FLOAT, promoted BOOLEAN, auc FLOAT)[]",
			Description: "The scores that saedb compute stores, in the sets with these ids (INTEGER[]), over 'all' tokens or 'real' ones.",
			Example: "SELECT unnest(enrichment_values(w_dec, model, (SELECT list(set_id) FROM stored_token_sets), 'real')) " +
				"FROM decoder_directions WHERE layer = 29 AND feature = 0 LIMIT 3",
		},
	},
}

var enrichFields = []capi.Field{
	{Name: "token_set", Type: capi.Varchar}, {Name: "size", Type: capi.Integer}, {Name: "es", Type: capi.Double},
	{Name: "direction", Type: capi.Varchar}, {Name: "p_value", Type: capi.Double}, {Name: "auc", Type: capi.Double},
	{Name: "log10_p", Type: capi.Double},
}

var enrichmentValueFields = []capi.Field{
	{Name: "set_id", Type: capi.Integer}, {Name: "es", Type: capi.Float}, {Name: "promoted", Type: capi.Boolean},
	{Name: "auc", Type: capi.Float},
}

func registerEnrich(f *Functions, c capi.Connection) error {
	err := c.RegisterScalar("enrichment_score",
		withTokens("enrichment_score", []capi.Type{capi.Any, capi.Varchar, capi.Varchar}, capi.Double, f, (*execution).enrichmentScore)...)
	if err != nil {
		return err
	}
	result := capi.List(capi.Struct(enrichFields...))
	err = c.RegisterScalar("enrich", slices.Concat(
		withTokens("enrich", []capi.Type{capi.Any, capi.Varchar}, result, f, (*execution).enrichAll),
		withTokens("enrich", []capi.Type{capi.Any, capi.Varchar, capi.List(capi.Varchar)}, result, f, (*execution).enrich))...)
	if err != nil {
		return err
	}
	err = c.RegisterScalar("ks_log10_p", capi.Scalar{
		Parameters: []capi.Type{capi.Integer, capi.Integer, capi.Double}, Returns: capi.Double, Run: f.of((*execution).ksLog10P),
	})
	if err != nil {
		return err
	}
	return c.RegisterScalar("enrichment_values", capi.Scalar{
		Parameters: []capi.Type{capi.Any, capi.Varchar, capi.List(capi.Integer), capi.Varchar},
		Returns:    capi.List(capi.Struct(enrichmentValueFields...)), Run: f.of((*execution).enrichmentValues),
	})
}

// A p-value may take milliseconds, so whoever makes many looks before each whether to stop.
func (f *execution) ksLog10P(input capi.Chunk, output capi.Vector) error {
	rows := input.Rows()
	members, tokens := capi.Values[int32](input.Column(0), rows), capi.Values[int32](input.Column(1), rows)
	scores, out := capi.Values[float64](input.Column(2), rows), capi.Values[float64](output, rows)
	valid := [3]capi.Validity{input.Column(0).Validity(), input.Column(1).Validity(), input.Column(2).Validity()}
	for i := range rows {
		m, n, es := int(members[i]), int(tokens[i]), scores[i]
		if !valid[0].Valid(i) || !valid[1].Valid(i) || !valid[2].Valid(i) || m <= 0 || m >= n || !(es >= 0 && es <= 1) {
			output.SetNull(i, 0)
			continue
		}
		if err := f.ctx.Err(); err != nil {
			return err
		}
		out[i] = enrichment.LogKolmogorovSmirnov(m, n, es) / math.Ln10
	}
	return nil
}

// setScores is the scores of a batch in sets: [rows, sets].
type setScores struct {
	*tokenSets
	scores []enrichment.Score
}

// scoresOf returns room for the scores of a batch's sets, which must include those of
// names.
func (f *execution) scoresOf(function string, b *batch, names []string) (*setScores, error) {
	sets, err := f.setsOf(function, b, names)
	if err != nil {
		return nil, err
	}
	return &setScores{sets, make([]enrichment.Score, len(b.rows)*sets.index.Len())}, nil
}

// score scores a batch's sets.
func (f *execution) score(function string, b *batch, names []string) (*setScores, error) {
	s, err := f.scoresOf(function, b, names)
	if err != nil {
		return nil, err
	}
	return s, s.index.Features(f.ctx, b.reader.matrix, b.directions, f.finished, s.scores)
}

func (f *execution) enrichmentScore(input capi.Chunk, output capi.Vector, tokens tokensArgument) error {
	const name = "enrichment_score"
	ask, names := askOneSet(input)
	all, null, err := f.batches(name, input, tokens.in(ask))
	if err != nil {
		return err
	}
	for _, i := range null {
		output.SetNull(i, 0)
	}
	out := capi.Values[float64](output, input.Rows())
	for _, b := range all {
		scored, err := f.score(name, b, names[b.sets])
		if err != nil {
			return err
		}
		for i, row := range b.rows {
			if out[row] = scored.scores[i].ES; math.IsNaN(out[row]) {
				output.SetNull(row, 0)
			}
		}
	}
	return nil
}

// askOneSet reads the arguments (w_dec, model, token_set). names maps a call's
// condition to the name that it stands for, as it is asked.
func askOneSet(input capi.Chunk) (ask func(row int) (call, bool, error), names map[string][]string) {
	models, wanted := newTexts(input.Column(1)), newTexts(input.Column(2))
	names = map[string][]string{}
	return func(row int) (call, bool, error) {
		if !models.valid(row) || !wanted.valid(row) {
			return call{}, false, nil
		}
		one := []string{wanted.at(row)}
		condition := named(one)
		names[condition] = one
		return call{reader: models.at(row), scope: scopeAll, sets: condition}, true, nil
	}, names
}

func (f *execution) enrichAll(input capi.Chunk, output capi.Vector, tokens tokensArgument) error {
	models := newTexts(input.Column(1))
	return f.writeEnrich(input, output, nil, tokens.in(func(row int) (call, bool, error) {
		return call{reader: models.at(row), scope: scopeAll, sets: "true"}, models.valid(row), nil
	}))
}

func (f *execution) enrich(input capi.Chunk, output capi.Vector, tokens tokensArgument) error {
	models, lists := newTexts(input.Column(1)), newTextLists(input.Column(2), input.Rows())
	names := map[string][]string{}
	return f.writeEnrich(input, output, names, tokens.in(func(row int) (call, bool, error) {
		if !models.valid(row) || !lists.valid(row) {
			return call{}, false, nil
		}
		wanted := lists.at(row)
		condition := "false"
		if len(wanted) > 0 {
			condition = named(wanted)
		}
		names[condition] = wanted
		return call{reader: models.at(row), scope: scopeAll, sets: condition}, true, nil
	}))
}

func (f *execution) writeEnrich(input capi.Chunk, output capi.Vector, names map[string][]string, ask func(int) (call, bool, error)) error {
	all, null, err := f.batches("enrich", input, ask)
	if err != nil {
		return err
	}
	out := newListWriter(output, input.Rows(), null)
	for _, b := range all {
		scored, err := f.score("enrich", b, names[b.sets])
		if err != nil {
			return err
		}
		n := scored.index.Len()
		fields, at, err := out.grow(b.rows, n)
		if err != nil {
			return err
		}
		total := at + len(b.rows)*n
		sizes, es := capi.Values[int32](fields(1), total), capi.Values[float64](fields(2), total)
		p, auc := capi.Values[float64](fields(4), total), capi.Values[float64](fields(5), total)
		log10P := capi.Values[float64](fields(6), total)
		for j, score := range scored.scores {
			set, i := j%n, at+j
			fields(0).SetText(i, scored.names[set])
			sizes[i] = int32(scored.index.Size(set))
			es[i], auc[i] = score.ES, score.AUC
			if math.IsNaN(score.ES) {
				for _, undefined := range []int{2, 3, 4, 5, 6} {
					fields(undefined).SetNull(i, 0)
				}
				continue
			}
			if err := f.ctx.Err(); err != nil {
				return err
			}
			logP := scored.index.LogPValue(set, score)
			p[i], log10P[i] = math.Exp(logP), logP/math.Ln10
			fields(3).SetText(i, direction(score))
		}
	}
	return nil
}

func direction(s enrichment.Score) string {
	if s.Promoted {
		return "promoted"
	}
	return "suppressed"
}

func (f *execution) enrichmentValues(input capi.Chunk, output capi.Vector) error {
	const name = "enrichment_values"
	models, lists, scopes := newTexts(input.Column(1)), newIntegerLists(input.Column(2), input.Rows()), newTexts(input.Column(3))
	all, null, err := f.batches(name, input, func(row int) (call, bool, error) {
		if !models.valid(row) || !lists.valid(row) || !scopes.valid(row) {
			return call{}, false, nil
		}
		scope := scopes.at(row)
		return call{reader: models.at(row), scope: scope, sets: numbered(lists.at(row))}, true, checkScope(name, scope)
	})
	if err != nil {
		return err
	}
	out := newListWriter(output, input.Rows(), null)
	for _, b := range all {
		scored, err := f.score(name, b, nil)
		if err != nil {
			return err
		}
		if err := out.writeValues(b.rows, scored); err != nil {
			return err
		}
	}
	return nil
}

// writeValues appends the lists of enrichment_values.
func (w *listWriter) writeValues(rows []int, s *setScores) error {
	n := s.index.Len()
	fields, at, err := w.grow(rows, n)
	if err != nil {
		return err
	}
	total := at + len(rows)*n
	ids, es := capi.Values[int32](fields(0), total), capi.Values[float32](fields(1), total)
	promoted := capi.Values[bool](fields(2), total)
	auc := capi.Values[float32](fields(3), total)
	for j, score := range s.scores {
		i := at + j
		ids[i] = s.ids[j%n]
		es[i], auc[i] = float32(score.ES), float32(score.AUC)
		if math.IsNaN(score.ES) {
			for _, undefined := range []int{1, 2, 3} {
				fields(undefined).SetNull(i, 0)
			}
			continue
		}
		promoted[i] = score.Promoted
	}
	return nil
}
