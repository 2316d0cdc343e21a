package udf

import (
	"math"
	"slices"

	"github.com/saedb/saedb/internal/compute"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf/capi"
)

var logitStatsFamily = family{
	register: registerLogitStats,
	docs: []schema.Function{{
		Name:      "logit_stats",
		Signature: "logit_stats(w_dec, reader [, cosine] [, tokens]) → STRUCT(mean, std, skewness, kurtosis DOUBLE)",
		Description: "Distribution of the direction's logit weights over the vocabulary, or over 'real' tokens, or of its products with the rows of another reader: mean, population standard deviation, " +
			"skewness and Pearson kurtosis. With cosine, token columns have unit length. " +
			"Skewness and kurtosis are NULL when the standard deviation is 0.",
		Example: "SELECT feature, (logit_stats(w_dec, 'smollm2-135m')).skewness FROM decoder_directions WHERE layer = 29 LIMIT 5",
	}},
}

// moments are the fields of logit_stats, in order.
var moments = []capi.Field{
	{Name: "mean", Type: capi.Double}, {Name: "std", Type: capi.Double},
	{Name: "skewness", Type: capi.Double}, {Name: "kurtosis", Type: capi.Double},
}

func registerLogitStats(f *Functions, c capi.Connection) error {
	result := capi.Struct(moments...)
	return c.RegisterScalar("logit_stats", slices.Concat(
		withTokens("logit_stats", []capi.Type{capi.Any, capi.Varchar}, result, f, (*execution).logitStats),
		withTokens("logit_stats", []capi.Type{capi.Any, capi.Varchar, capi.Boolean}, result, f, (*execution).logitStatsCosine))...)
}

func (f *execution) logitStats(input capi.Chunk, output capi.Vector, tokens tokensArgument) error {
	models := newTexts(input.Column(1))
	return f.writeLogitStats(input, output, tokens.in(func(row int) (call, bool, error) {
		return call{reader: models.at(row), scope: scopeAll}, models.valid(row), nil
	}))
}

func (f *execution) logitStatsCosine(input capi.Chunk, output capi.Vector, tokens tokensArgument) error {
	models := newTexts(input.Column(1))
	cosine, given := capi.Values[bool](input.Column(2), input.Rows()), input.Column(2).Validity()
	return f.writeLogitStats(input, output, tokens.in(func(row int) (call, bool, error) {
		if !models.valid(row) || !given.Valid(row) {
			return call{}, false, nil
		}
		return call{reader: models.at(row), scope: scopeAll, cosine: cosine[row]}, true, nil
	}))
}

func (f *execution) writeLogitStats(input capi.Chunk, output capi.Vector, ask func(int) (call, bool, error)) error {
	all, null, err := f.batches("logit_stats", input, ask)
	if err != nil {
		return err
	}
	for _, i := range null {
		output.SetNull(i, len(moments))
	}
	out := newMomentsWriter(output, 0, input.Rows())
	for _, b := range all {
		s, err := f.summarize(b, compute.Options{Cosine: b.cosine})
		if err != nil {
			return err
		}
		computed := &s.Plain
		if b.cosine {
			computed = &s.Cosine
		}
		for i, row := range b.rows {
			out.write(row, computed, i)
		}
	}
	return nil
}

// momentsWriter writes four fields of a struct vector: moments, from field first.
type momentsWriter struct {
	fields [4]capi.Vector
	values [4][]float64
}

func newMomentsWriter(output capi.Vector, first, rows int) *momentsWriter {
	w := &momentsWriter{}
	for i := range w.fields {
		w.fields[i] = output.Field(first + i)
		w.values[i] = capi.Values[float64](w.fields[i], rows)
	}
	return w
}

// write puts entry i of computed into row; what is undefined becomes NULL.
func (w *momentsWriter) write(row int, computed *compute.Moments, i int) {
	for field, value := range [4]float64{computed.Mean[i], computed.Std[i], computed.Skewness[i], computed.Kurtosis[i]} {
		w.values[field][row] = value
		if math.IsNaN(value) {
			w.fields[field].SetNull(row, 0)
		}
	}
}

// texts reads a VARCHAR column whose value rarely changes: one copy a change.
type texts struct {
	vector   capi.Vector
	validity capi.Validity
	last     string
	lastRow  int
}

func newTexts(v capi.Vector) *texts { return &texts{vector: v, validity: v.Validity(), lastRow: -1} }

func (t *texts) valid(row int) bool { return t.validity.Valid(row) }

// at is the text of row, "" when it is NULL.
func (t *texts) at(row int) string {
	if !t.valid(row) {
		return ""
	}
	if t.lastRow < 0 || !t.vector.EqualText(t.lastRow, row) {
		t.last = t.vector.Text(row)
	}
	t.lastRow = row
	return t.last
}
