package udf

import (
	"github.com/saedb/saedb/internal/compute"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf/capi"
)

var featureStatisticsFamily = family{
	register: registerFeatureStatistics,
	docs: []schema.Function{{
		Name: "feature_statistics",
		Signature: "feature_statistics(w_dec, model [, tokens]) → STRUCT(mean, std, skewness, kurtosis, cos_mean, cos_std, cos_skewness, cos_kurtosis DOUBLE, " +
			"top_tokens VARCHAR[], top_token_ids INTEGER[], top_logit_weights DOUBLE[], bottom_tokens VARCHAR[], bottom_token_ids INTEGER[], bottom_logit_weights DOUBLE[])",
		Description: "Everything that saedb compute stores of a direction, from one pass over its logit weights. " +
			"tokens is 'all' (the default), or 'real' to leave out padding and special tokens.",
		Example: "SELECT feature, unnest(feature_statistics(w_dec, 'smollm2-135m', 'real')) FROM decoder_directions WHERE layer = 29 LIMIT 5",
	}},
}

// endTokenCount is how many tokens are kept of each end.
const endTokenCount = 10

func registerFeatureStatistics(f *Functions, c capi.Connection) error {
	fields := append([]capi.Field{}, moments...)
	for _, m := range moments {
		fields = append(fields, capi.Field{Name: "cos_" + m.Name, Type: m.Type})
	}
	for _, end := range []string{"top", "bottom"} {
		fields = append(fields,
			capi.Field{Name: end + "_tokens", Type: capi.List(capi.Varchar)},
			capi.Field{Name: end + "_token_ids", Type: capi.List(capi.Integer)},
			capi.Field{Name: end + "_logit_weights", Type: capi.List(capi.Double)})
	}
	result := capi.Struct(fields...)
	return c.RegisterScalar("feature_statistics",
		capi.Scalar{Parameters: []capi.Type{capi.Any, capi.Varchar}, Returns: result, Call: func(input capi.Chunk, output capi.Vector) error {
			return f.featureStatistics(input, output, len(fields), nil)
		}},
		capi.Scalar{Parameters: []capi.Type{capi.Any, capi.Varchar, capi.Varchar}, Returns: result, Call: func(input capi.Chunk, output capi.Vector) error {
			return f.featureStatistics(input, output, len(fields), newTexts(input.Column(2)))
		}})
}

func (f *Functions) featureStatistics(input capi.Chunk, output capi.Vector, fields int, scopes *texts) error {
	const name = "feature_statistics"
	models := newTexts(input.Column(1))
	all, null, err := f.batches(name, input, func(row int) (call, bool, error) {
		asked := call{model: models.at(row), scope: scopeAll}
		if scopes == nil {
			return asked, models.valid(row), nil
		}
		if !models.valid(row) || !scopes.valid(row) {
			return call{}, false, nil
		}
		asked.scope = scopes.at(row)
		return asked, true, checkScope(name, asked.scope)
	})
	if err != nil {
		return err
	}
	rows := input.Rows()
	plain, cosine := newMomentsWriter(output, 0, rows), newMomentsWriter(output, len(moments), rows)
	top, bottom := newEndWriter(output, 2*len(moments), rows), newEndWriter(output, 2*len(moments)+3, rows)
	for _, i := range null {
		output.SetNull(i, fields)
		top.empty(i)
		bottom.empty(i)
	}
	for _, b := range all {
		s, err := f.summarize(b, compute.Options{Cosine: true, TopK: endTokenCount})
		if err != nil {
			return err
		}
		for i, row := range b.rows {
			plain.write(row, &s.Plain, i)
			cosine.write(row, &s.Cosine, i)
		}
		if err := top.write(b.rows, &s.Top, b.model); err != nil {
			return err
		}
		if err := bottom.write(b.rows, &s.Bottom, b.model); err != nil {
			return err
		}
	}
	return nil
}

// endWriter writes one end of the ranking into three list fields of a struct:
// texts, ids and logit weights.
type endWriter struct {
	lists   [3]capi.Vector
	entries [3][]capi.Entry
	filled  int // elements so far, the same in each
}

func newEndWriter(output capi.Vector, first, rows int) *endWriter {
	w := &endWriter{}
	for i := range w.lists {
		w.lists[i] = output.Field(first + i)
		w.entries[i] = capi.Values[capi.Entry](w.lists[i], rows)
	}
	return w
}

// empty gives a NULL row lists that lie nowhere.
func (w *endWriter) empty(row int) {
	for _, entries := range w.entries {
		entries[row] = capi.Entry{}
	}
}

// write appends the lists of ranked's entries 0, 1, …, one for each of rows.
func (w *endWriter) write(rows []int, ranked *compute.Tokens, m *model) error {
	k := ranked.K
	total := w.filled + len(rows)*k
	for _, list := range w.lists {
		if err := list.Grow(total); err != nil {
			return err
		}
	}
	text := w.lists[0].Elements()
	ids := capi.Values[int32](w.lists[1].Elements(), total)
	weights := capi.Values[float64](w.lists[2].Elements(), total)
	for i, row := range rows {
		for _, entries := range w.entries {
			entries[row] = capi.Entry{Offset: uint64(w.filled), Length: uint64(k)}
		}
		for j := i * k; j < (i+1)*k; j++ {
			id := ranked.IDs[j]
			ids[w.filled], weights[w.filled] = id, ranked.Logits[j]
			text.SetText(w.filled, m.tokens[id].shown())
			w.filled++
		}
	}
	return nil
}
