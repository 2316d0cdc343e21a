package udf

import (
	"math"

	"github.com/saedb/saedb/internal/compute"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf/capi"
)

var linkedFeaturesFamily = family{
	register: registerLinkedFeatures,
	docs: []schema.Function{
		{
			Name:      "linked_features",
			Signature: "linked_features(w_dec, reader [, k]) → STRUCT(mean, std DOUBLE, top_features INTEGER[], top_weights DOUBLE[], bottom_features INTEGER[], bottom_weights DOUBLE[])",
			Description: "What saedb compute --links stores of a direction, from one pass over its products with the rows of a reader ('SAE#encoder', 'SAE#decoder'): " +
				"their mean and population standard deviation, and the k features (32 by default) at either end, outermost first; ties by lower feature. Products at the ends are float64's.",
			Example: "SELECT feature, unnest(linked_features(w_dec, 'layer_29#decoder', 3)) FROM decoder_directions WHERE layer = 14 LIMIT 3",
		},
		{
			Name:      "nearest_features",
			Signature: "nearest_features(w_dec, reader [, k]) → STRUCT(features INTEGER[], cosines DOUBLE[], mean_absolute_cosine DOUBLE)",
			Description: "What saedb compute --neighbours stores of a direction: the k features (32 by default) of a reader whose rows have the highest cosine with it, highest first; ties by lower feature. " +
				"And the mean magnitude of its cosines with all rows. Rows that are zero have no direction, and are left out; a zero direction has no features.",
			Example: "SELECT feature, unnest(nearest_features(w_dec, 'layer_29#decoder', 3)) FROM decoder_directions WHERE layer = 14 LIMIT 3",
		},
	},
}

// defaultLinks is how many features are kept of an end where nobody says.
const defaultLinks = 32

func registerLinkedFeatures(f *Functions, c capi.Connection) error {
	parameters := []capi.Type{capi.Any, capi.Varchar, capi.Integer}
	features, numbers := capi.List(capi.Integer), capi.List(capi.Double)
	linked := capi.Struct(
		capi.Field{Name: "mean", Type: capi.Double}, capi.Field{Name: "std", Type: capi.Double},
		capi.Field{Name: "top_features", Type: features}, capi.Field{Name: "top_weights", Type: numbers},
		capi.Field{Name: "bottom_features", Type: features}, capi.Field{Name: "bottom_weights", Type: numbers})
	nearest := capi.Struct(capi.Field{Name: "features", Type: features}, capi.Field{Name: "cosines", Type: numbers}, capi.Field{Name: "mean_absolute_cosine", Type: capi.Double})
	for _, function := range []struct {
		name    string
		returns capi.Type
		run     func(f *execution, input capi.Chunk, output capi.Vector, ks ksArgument) error
	}{{"linked_features", linked, (*execution).linkedFeatures}, {"nearest_features", nearest, (*execution).nearestFeatures}} {
		err := c.RegisterScalar(function.name,
			capi.Scalar{Parameters: parameters[:2], Returns: function.returns, Run: f.of(func(f *execution, input capi.Chunk, output capi.Vector) error {
				return function.run(f, input, output, constantK(defaultLinks))
			})},
			capi.Scalar{Parameters: parameters, Returns: function.returns, Run: f.of(func(f *execution, input capi.Chunk, output capi.Vector) error {
				return function.run(f, input, output, givenKs(input))
			})})
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *execution) linkedFeatures(input capi.Chunk, output capi.Vector, ks ksArgument) error {
	const name = "linked_features"
	all, null, err := f.batches(name, input, askEnd(name, input, ks))
	if err != nil {
		return err
	}
	rows := input.Rows()
	means, stds := capi.Values[float64](output.Field(0), rows), capi.Values[float64](output.Field(1), rows)
	top, bottom := newEndLists(output, 2, 2, rows), newEndLists(output, 4, 2, rows)
	for _, row := range null {
		output.SetNull(row, 6)
		top.empty(row)
		bottom.empty(row)
	}
	for _, b := range all {
		s, err := f.summarize(b, compute.Options{TopK: b.k})
		if err != nil {
			return err
		}
		for i, row := range b.rows {
			means[row], stds[row] = s.Plain.Mean[i], s.Plain.Std[i]
		}
		if err := top.write(b.rows, &s.Top); err != nil {
			return err
		}
		if err := bottom.write(b.rows, &s.Bottom); err != nil {
			return err
		}
	}
	return nil
}

func (f *execution) nearestFeatures(input capi.Chunk, output capi.Vector, ks ksArgument) error {
	const name = "nearest_features"
	ask := askEnd(name, input, ks)
	all, null, err := f.batches(name, input, func(row int) (call, bool, error) {
		asked, given, err := ask(row)
		asked.scope = scopeUnit
		return asked, given, err
	})
	if err != nil {
		return err
	}
	rows := input.Rows()
	mean := output.Field(2)
	means := capi.Values[float64](mean, rows)
	nearest := newEndLists(output, 0, 2, rows)
	for _, row := range null {
		output.SetNull(row, 3)
		nearest.empty(row)
	}
	for _, b := range all {
		s, err := f.summarize(b, compute.Options{TopK: b.k, Absolute: true})
		if err != nil {
			return err
		}
		k, d := s.Top.K, b.reader.matrix.DModel()
		lengths := make([]float64, len(b.rows))
		for i := range b.rows {
			lengths[i] = length(b.directions[i*d : (i+1)*d])
			for j := i * k; j < (i+1)*k; j++ {
				s.Top.Logits[j] = min(max(s.Top.Logits[j]/lengths[i], -1), 1) // but for rounding
			}
		}
		if err := nearest.write(b.rows, &s.Top); err != nil {
			return err
		}
		for i, row := range b.rows {
			means[row] = min(s.MeanAbsolute[i]/lengths[i], 1)
			if lengths[i] == 0 || b.reader.zero {
				nearest.empty(row)
				mean.SetNull(row, 0)
			}
		}
	}
	return nil
}

// length is the Euclidean length of a direction.
func length(direction []float32) float64 {
	var square float64
	for _, w := range direction {
		square += float64(w) * float64(w)
	}
	return math.Sqrt(square)
}
