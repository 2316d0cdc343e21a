package check

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	schema "github.com/saedb/saedb/sql"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
)

// weightsAtOnce bounds the float64 logit weights in memory, 128 MB of them, as twice
// as many are held: plain, and those of token columns of unit length.
const weightsAtOnce = 8 << 20

// sample is the features of s whose figures are computed again: evenly spread, with
// the first and the last.
func (r *run) sample(s *storedSAE) []int { return r.sampleOf(s.dSAE) }

// sampleOf is those of so many that are computed again.
func (r *run) sampleOf(all int) []int {
	n := r.Sample
	if n == AllFeatures || n > all {
		n = all
	}
	features := make([]int, n)
	for i := range features {
		features[i] = i * (all - 1) / max(n-1, 1)
	}
	return features
}

// stored is the figures of one feature, as they are stored.
type stored struct {
	sae     *storedSAE
	feature int
	w       []float64 // its direction
	moments [2][4]float64
	ids     [2][]int32 // top, bottom
	weights [2][]float64
}

// figures computes the figures of the sample again: products and sums in float64, by
// gonum, with none of the code that made them, and scores from their definition.
func (r *run) figures() error {
	total := 0
	for _, saes := range [][]storedSAE{r.saes, r.inputs, r.lensed} {
		for i := range saes {
			if saes[i].tokens != "" {
				total += len(r.sample(&saes[i]))
			}
		}
	}
	add, end := r.begin("figures again", int64(total), "features")
	defer end()
	for i := range r.models {
		m := &r.models[i]
		for _, tokens := range []string{"all", "real"} {
			for _, saes := range [][]storedSAE{r.saes, r.inputs, r.lensed} {
				if err := r.figuresOf(m, saes, tokens, add); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// figuresOf does so for one side of those SAEs that are of one model and whose figures count the
// same tokens.
func (r *run) figuresOf(m *storedModel, saes []storedSAE, tokens string, add func(int64)) error {
	atOnce := max(1, weightsAtOnce/max(1, m.dVocab))
	var batch []stored
	c := &unembedding{model: m}
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		c.sae = batch[0].sae
		err := r.compare(c, batch)
		add(int64(len(batch)))
		batch = batch[:0]
		return err
	}
	for i := range saes {
		s := &saes[i]
		if s.model != m || s.tokens != tokens {
			continue
		}
		for features := range slices.Chunk(r.sample(s), atOnce) {
			if len(batch)+len(features) > atOnce {
				if err := flush(); err != nil {
					return err
				}
			}
			read, err := r.readStored(s, features)
			if err != nil {
				return err
			}
			batch = append(batch, read...)
		}
	}
	return flush()
}

// readStored reads those of the features that have statistics, and a direction of
// the right length; others are reported already.
func (r *run) readStored(s *storedSAE, features []int) ([]stored, error) {
	const columns = `mean, std, coalesce(skewness, 'nan'), coalesce(kurtosis, 'nan'), cos_mean, cos_std, coalesce(cos_skewness, 'nan'), coalesce(cos_kurtosis, 'nan')`
	type row struct {
		stored
		w           schema.ListOf[float32]
		ids         [2]schema.ListOf[int32]
		highs, lows schema.ListOf[float64]
	}
	directions, there := r.directions(s.side, s.id)
	if !there {
		return nil, nil
	}
	rows, err := read(r, s.side.SQL("stored_statistics"), func(f *row) []any {
		p, c := &f.moments[0], &f.moments[1]
		return []any{&f.feature, &f.w, &p[0], &p[1], &p[2], &p[3], &c[0], &c[1], &c[2], &c[3], &f.ids[0], &f.highs, &f.ids[1], &f.lows}
	}, strings.Replace(s.side.SQL(fmt.Sprintf(`SELECT feature, w_dec, %s, top_token_ids, top_logit_weights, bottom_token_ids, bottom_logit_weights
		FROM stored_statistics JOIN $directions d USING (sae_id, feature)
		WHERE sae_id = %d AND list_contains(%s, feature) AND len(w_dec) = %d AND list_count(w_dec) = len(w_dec) AND mean + std + cos_mean + cos_std IS NOT NULL
		  AND len(top_token_ids) = list_count(top_token_ids) AND len(top_token_ids) = list_count(top_logit_weights)
		  AND len(bottom_token_ids) = list_count(bottom_token_ids) AND len(bottom_token_ids) = list_count(bottom_logit_weights)
		ORDER BY feature`, columns, s.id, schema.List(features), s.model.dModel)), "$directions", directions, 1))
	all := make([]stored, len(rows))
	for i, f := range rows {
		all[i] = f.stored
		all[i].sae, all[i].w = s, doubles(f.w)
		all[i].ids, all[i].weights = [2][]int32{f.ids[0], f.ids[1]}, [2][]float64{f.highs, f.lows}
	}
	return all, err
}

// doubles are numbers in float64.
func doubles(numbers []float32) []float64 {
	out := make([]float64, len(numbers))
	for i, n := range numbers {
		out[i] = float64(n)
	}
	return out
}

// logits is the logit weights of a batch: a row a feature, a column a token.
type logits struct {
	ids           []int32
	plain, cosine [][]float64
	length        float64 // root mean square length of the tokens' columns
}

// compare computes the figures of a batch and compares.
func (r *run) compare(c *unembedding, batch []stored) error {
	l, err := r.project(c, batch)
	if err != nil || l == nil {
		return err
	}
	if err := c.sets.read(r, c.model, l.ids); err != nil {
		return err
	}
	found := r.several(c.sae.side.SQL("stored_statistics"))
	for i := range batch {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		f := &batch[i]
		subject := fmt.Sprintf("SAE %s, feature %d", f.sae.name, f.feature)
		length := norm(f.w)
		for j, x := range [][]float64{l.plain[i], l.cosine[i]} {
			scale := length
			if j == 0 {
				scale *= l.length
			}
			if wrong := differs(f.moments[j], x, scale); wrong != "" {
				found.add(subject, []string{"", "cos_"}[j]+wrong)
			}
		}
		for end, name := range []string{"top", "bottom"} {
			if wrong := misranked(name, l, l.plain[i], f.ids[end], f.weights[end], []float64{1, -1}[end], length*l.length); wrong != "" {
				found.add(subject, wrong)
			}
		}
		r.result.Recomputed++
	}
	found.end()
	return r.compareScores(c, batch, l)
}

// norm is the Euclidean length of a vector.
func norm(v []float64) float64 { return blas64.Nrm2(blas64.Vector{N: len(v), Data: v, Inc: 1}) }

// project reads the unembedding, or the embedding, in parts and multiplies. One that is
// damaged, which is reported already, gives nil.
func (r *run) project(c *unembedding, batch []stored) (*logits, error) {
	m := c.model
	l := &logits{plain: make([][]float64, len(batch)), cosine: make([][]float64, len(batch))}
	directions := blas64.General{Rows: len(batch), Cols: m.dModel, Stride: m.dModel}
	for _, f := range batch {
		directions.Data = append(directions.Data, f.w...)
	}
	for i := range batch {
		l.plain[i], l.cosine[i] = make([]float64, 0, m.dVocab), make([]float64, 0, m.dVocab)
	}
	var squares float64
	whole, err := r.parts(c, func(ids []int32, columns []float32) {
		rows := blas64.General{Rows: len(ids), Cols: m.dModel, Stride: m.dModel, Data: make([]float64, len(columns))}
		for i, w := range columns {
			rows.Data[i] = float64(w)
		}
		product := blas64.General{Rows: len(batch), Cols: len(ids), Stride: len(ids), Data: make([]float64, len(batch)*len(ids))}
		blas64.Gemm(blas.NoTrans, blas.Trans, 1, directions, rows, 0, product)
		l.ids = append(l.ids, ids...)
		inverse := make([]float64, len(ids))
		for j := range ids {
			length := norm(rows.Data[j*m.dModel : (j+1)*m.dModel])
			squares += length * length
			if length > 0 {
				inverse[j] = 1 / length
			}
		}
		for i := range batch {
			row := product.Data[i*len(ids) : (i+1)*len(ids)]
			l.plain[i] = append(l.plain[i], row...)
			for j, weight := range row {
				l.cosine[i] = append(l.cosine[i], weight*inverse[j])
			}
		}
	})
	if err != nil || !whole {
		return nil, err
	}
	l.length = math.Sqrt(squares / float64(len(l.ids)))
	return l, nil
}

// tolerance is what saedb promises of statistics, against float64.
const tolerance = 1e-5

// differs compares mean, std, skewness and kurtosis with those of x, and says where
// they differ. Where the spread is no more than the rounding of products of that
// scale, weights that are equal by design may show one, and the shape is not compared.
func differs(stored [4]float64, x []float64, scale float64) string {
	mean, std := meanAndStd(x)
	rounding := 1e-13 * scale * math.Sqrt(float64(len(x)))
	expected := [4]float64{mean, std, math.NaN(), math.NaN()}
	allowed := [4]float64{tolerance*std + rounding, tolerance*std + rounding, math.Inf(1), math.Inf(1)}
	if std > 1e6*rounding {
		var third, fourth float64
		for _, v := range x {
			z := (v - mean) / std
			third += z * z * z
			fourth += z * z * z * z
		}
		expected[2], expected[3] = third/float64(len(x)), fourth/float64(len(x))
		allowed[2], allowed[3] = tolerance*max(1, math.Abs(expected[2])), tolerance*expected[3]
	}
	for i, name := range []string{"mean", "std", "skewness", "kurtosis"} {
		if math.IsInf(allowed[i], 1) || math.Abs(stored[i]-expected[i]) <= allowed[i] {
			continue
		}
		return fmt.Sprintf("%s: expected %.9g, computed again in float64, found %.9g", name, expected[i], stored[i])
	}
	return ""
}

// meanAndStd returns the mean and the standard deviation of x as a population, in two passes, the
// second of which corrects the first's rounding.
// Source: Chan, Golub and LeVeque, Algorithms for Computing the Sample Variance, 1983, (1.7).
func meanAndStd(x []float64) (mean, std float64) {
	n := float64(len(x))
	for _, v := range x {
		mean += v
	}
	mean /= n
	var squares, left float64
	for _, v := range x {
		squares += (v - mean) * (v - mean)
		left += v - mean
	}
	return mean, math.Sqrt((squares - left*left/n) / n)
}

// misranked compares the tokens at one end with those of weights, which are of
// l.ids: each has its logit weight, and the weight that belongs at its rank. sign is -1
// for the lowest.
func misranked(end string, l *logits, weights []float64, ids []int32, stored []float64, sign, scale float64) string {
	rounding := 1e-12 * scale * math.Sqrt(float64(len(weights)))
	best := outermost(weights, len(ids), sign)
	for i, id := range ids {
		at := sort.Search(len(l.ids), func(j int) bool { return l.ids[j] >= id })
		switch {
		case i >= len(best) || at == len(l.ids) || l.ids[at] != id:
			return "" // reported already
		case !(math.Abs(stored[i]-weights[at]) <= rounding):
			return fmt.Sprintf("%s_logit_weights: expected %.9g of token %d, computed again in float64, found %.9g", end, weights[at], id, stored[i])
		case !(math.Abs(weights[at]-weights[best[i]]) <= rounding):
			return fmt.Sprintf("%s_token_ids: expected token %d at rank %d, found %d", end, l.ids[best[i]], i+1, id)
		}
	}
	return ""
}

// outermost is the indices of the n highest weights, times sign, highest first.
func outermost(weights []float64, n int, sign float64) []int {
	var best []int
	for j := range weights {
		if len(best) == n && (n == 0 || sign*weights[j] <= sign*weights[best[n-1]]) {
			continue
		}
		at := sort.Search(len(best), func(i int) bool { return sign*weights[best[i]] < sign*weights[j] })
		best = slices.Insert(best, at, j)
		best = best[:min(len(best), n)]
	}
	return best
}
