package check

import (
	"cmp"
	"database/sql"
	"fmt"
	"math"
	"slices"

	schema "github.com/saedb/saedb/sql"
)

// correlationRules are what the rank correlations of an SAE that is read through a lens must obey.
func correlationRules() []rule {
	return append(numbered("stored_lens_correlations", "sae_id", "feature", "feature", "$d_sae")[1:], // NULL where all are equal
		rule{"stored_lens_correlations", `SELECT '$subject, feature ' || feature, 'expected a rank correlation from -1 to 1, found ' || rank_correlation
			FROM stored_lens_correlations WHERE sae_id = $id AND NOT coalesce(abs(rank_correlation) <= 1 + 1e-12, true) ORDER BY feature`},
		rule{"stored_lens_correlations", `SELECT '$subject, feature ' || feature, 'it has no statistics through the lens'
			FROM stored_lens_correlations ANTI JOIN (SELECT feature FROM stored_statistics WHERE sae_id = $id) USING (feature) WHERE sae_id = $id ORDER BY feature`})
}

// correlations computes the rank correlations of the sample again, where they were computed: from
// products in float64, and from what Spearman's is by definition.
func (r *run) correlations() error {
	for i := range r.models {
		for _, tokens := range []string{"all", "real"} {
			c := &unembedding{model: &r.models[i]}
			for j := range r.lensed {
				s := &r.lensed[j]
				if s.model != c.model || s.tokens != tokens {
					continue
				}
				c.sae = s
				for features := range slices.Chunk(r.sample(s), max(1, weightsAtOnce/max(1, 2*c.model.dVocab))) {
					if err := r.correlationsOf(c, features); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

// correlationsOf does so for some features of c.sae.
func (r *run) correlationsOf(c *unembedding, features []int) error {
	type row struct {
		feature         int
		stored          sql.NullFloat64
		direct, through schema.ListOf[float32]
	}
	side, d := c.sae.side, c.model.dModel
	through, there := r.directions(side, c.sae.id)
	direct := "(SELECT lens_sae_id AS sae_id, feature, w_dec FROM stored_decoders JOIN stored_lens_saes USING (sae_id))"
	if p, stays := r.placed[c.sae.id]; stays {
		direct = fmt.Sprintf("(SELECT %d AS sae_id, feature, w_dec FROM %s)", c.sae.id, schema.Output.RowsInPlace(p.name, p.id))
	}
	if !there {
		return nil
	}
	rows, err := read(r, "stored_lens_correlations", func(f *row) []any { return []any{&f.feature, &f.stored, &f.direct, &f.through} },
		fmt.Sprintf(`SELECT feature, rank_correlation, direct, through FROM stored_lens_correlations k
		JOIN (SELECT sae_id, feature, w_dec AS through FROM `+through+`) t USING (sae_id, feature)
		JOIN (SELECT sae_id, feature, w_dec AS direct FROM `+direct+`) e USING (sae_id, feature)
		WHERE sae_id = %d AND list_contains(%s, feature) AND len(direct) = %[3]d AND list_count(direct) = %[3]d AND len(through) = %[3]d ORDER BY feature`,
			c.sae.id, schema.List(features), d))
	if err != nil || len(rows) == 0 {
		return err
	}
	batch := make([]stored, 0, 2*len(rows))
	for _, f := range rows {
		batch = append(batch, stored{w: doubles(f.direct)}, stored{w: doubles(f.through)})
	}
	l, err := r.project(c, batch)
	if err != nil || l == nil {
		return err
	}
	found := r.several("stored_lens_correlations")
	defer found.end()
	for i, f := range rows {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		direct := rankedAgain(l.plain[2*i], d, norm(batch[2*i].w)*l.length)
		through := rankedAgain(l.plain[2*i+1], d, norm(batch[2*i+1].w)*l.length)
		expected, allowed, known := spearman(direct, through)
		if known && !(f.stored.Valid && math.Abs(f.stored.Float64-expected) <= allowed) {
			said := "NULL"
			if f.stored.Valid {
				said = fmt.Sprintf("%.9g", f.stored.Float64)
			}
			found.add(fmt.Sprintf("SAE %s, feature %d", c.sae.name, f.feature),
				fmt.Sprintf("rank_correlation: expected %.9g, computed again in float64, to within %.2g, found %s", expected, allowed, said))
		}
	}
	return nil
}

// ranking is the ranks of tokens by weights in float64, less their mean, where tokens whose weights
// do not differ by more than rounding share the mean of theirs; and how many ranks each token may
// be away in a kernel's ranking, whose rounding is more.
type ranking struct {
	ranks, off []float64
	flat       bool // whether the weights differ at all by more than their rounding
}

// rankedAgain ranks weights, products of d_model terms whose lengths together are scale.
func rankedAgain(weights []float64, dModel int, scale float64) ranking {
	n := len(weights)
	_, std := meanAndStd(weights)
	rounding, unsure := doubt(n, dModel, std, scale)
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(weights[a], weights[b]) })
	at := func(rank int) float64 { return weights[order[rank]] }
	g := ranking{ranks: make([]float64, n), off: make([]float64, n), flat: std <= 4*rounding}
	below, above := 0, 0 // the ranks that a token's may be taken for
	for first := 0; first < n; {
		last := first
		for last+1 < n && at(last+1)-at(last) <= 2*rounding {
			last++
		}
		for ; at(below) < at(first)-unsure; below++ {
		}
		for above = max(above, last); above+1 < n && at(above+1) <= at(last)+unsure; above++ {
		}
		for rank := first; rank <= last; rank++ {
			g.ranks[order[rank]] = float64(first+last)/2 - float64(n-1)/2
			g.off[order[rank]] = float64(max(first-below, above-last))
		}
		first = last + 1
	}
	return g
}

// spearman is the correlation of two rankings, and how far it may be from that of a kernel's.
// It is not known where all weights of one are equal up to rounding.
func spearman(a, b ranking) (correlation, allowed float64, known bool) {
	var ab, aa, bb, off float64
	for i, x := range a.ranks {
		y := b.ranks[i]
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
		off += math.Abs(x)*b.off[i] + math.Abs(y)*a.off[i] + a.off[i]*b.off[i]
	}
	if a.flat || b.flat || aa == 0 || bb == 0 {
		return 0, 0, false
	}
	length := math.Sqrt(aa * bb)
	return ab / length, off/length + 1e-9, true
}
