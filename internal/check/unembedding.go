package check

import (
	"context"
	"fmt"
	"math"

	"github.com/saedb/saedb/internal/compute"
	schema "github.com/saedb/saedb/sql"
)

// keptWeights bounds the unembedding that is kept in memory, 1 GiB. A larger one is read again
// for every batch of features.
const keptWeights = 1 << 28

// partTokens is how many columns of an unembedding are read at a time.
const partTokens = 2048

// unembedding is the columns of a model's unembedding that count for the statistics of some SAEs,
// or the rows of its embedding that count for those of their input side.
type unembedding struct {
	model   *storedModel
	sae     *storedSAE // one of them
	ids     []int32    // ascending, once they are read
	columns []float32  // [ids, dModel]; nil when they are not kept
	sets    tokenSets

	kernel string // that packed is for
	packed *compute.Unembedding
}

// parts calls use with a part of the columns after the other. It returns false when the
// unembedding is damaged, which is reported already.
func (r *run) parts(c *unembedding, use func(ids []int32, columns []float32)) (whole bool, err error) {
	d := c.model.dModel
	if c.columns != nil {
		for from := 0; from < len(c.ids); from += partTokens {
			to := min(from+partTokens, len(c.ids))
			use(c.ids[from:to], c.columns[from*d:to*d])
		}
		return true, nil
	}
	var all []int32
	var kept []float32
	keep := c.model.dVocab*d <= keptWeights
	for from := 0; from < c.model.dVocab; from += partTokens {
		ids, columns, err := r.readColumns(c, from, from+partTokens)
		if err != nil || columns == nil {
			return false, err
		}
		if len(ids) == 0 {
			continue
		}
		use(ids, columns)
		if all = append(all, ids...); keep {
			kept = append(kept, columns...)
		}
	}
	c.ids, c.columns = all, kept
	return len(all) > 0, nil
}

// readColumns reads those of the tokens in [from, to). Columns is nil when they cannot be used.
func (r *run) readColumns(c *unembedding, from, to int) (ids []int32, columns []float32, err error) {
	table, weights := "stored_unembeddings", "w_u"
	if c.sae.side.Name == schema.Input.Name {
		switch c.model.embeddingIn {
		case "stored_unembeddings": // it is the same matrix
		case "stored_embeddings":
			table, weights = c.model.embeddingIn, "w_e"
		default:
			return nil, nil, nil
		}
	}
	rows, err := r.DB.QueryContext(r.ctx, fmt.Sprintf(`SELECT token_id, %s FROM %s WHERE model_id = %d AND token_id >= %d AND token_id < %d
		AND token_id IN (SELECT token_id FROM stored_tokens WHERE %s) ORDER BY token_id`, weights, table, c.model.id, from, to, c.sae.counted()))
	if err != nil {
		return nil, nil, r.failed(table, err)
	}
	defer rows.Close()
	columns = make([]float32, 0, (to-from)*c.model.dModel)
	for rows.Next() {
		var id int32
		var column schema.ListOf[float32]
		if err := rows.Scan(&id, &column); err != nil {
			return nil, nil, r.failed(table, err)
		}
		if len(column) != c.model.dModel {
			return nil, nil, nil
		}
		ids, columns = append(ids, id), append(columns, column...)
	}
	if err := rows.Err(); err != nil {
		return nil, nil, r.failed(table, err)
	}
	return ids, columns, nil
}

// ranked is what the tokens were ranked by when a feature was scored.
type ranked struct {
	values []float64 // by position; nil where it cannot be known
	single bool      // whether the values are float32
	off    float64   // how far logit weights by them are from float64 ones, at most
}

// rankings computes with the kernel that scored the features of one SAE, where it gives the
// same here, what it ranked the tokens by, beside their float64 logit weights.
func (r *run) rankings(c *unembedding, batch []stored, weights [][]float64) ([]ranked, error) {
	all := make([]ranked, len(batch))
	sae := batch[0].sae
	if !sae.sameVersion || !compute.Repeats(sae.kernel) {
		return all, nil
	}
	if c.kernel != sae.kernel {
		if err := r.pack(c, sae.kernel); err != nil {
			return nil, err
		}
	}
	if c.packed == nil {
		return all, nil
	}
	directions := make([]float32, 0, len(batch)*c.model.dModel)
	for _, f := range batch {
		for _, w := range f.w {
			directions = append(directions, float32(w))
		}
	}
	err := c.packed.VisitLogitWeights(r.ctx, directions, func(_ context.Context, i int, by *compute.Rankable) error {
		values := make([]float64, len(weights[i]))
		by.LogitWeights(values)
		for j, weight := range weights[i] {
			all[i].off = max(all[i].off, math.Abs(values[j]-weight))
		}
		if by.Exact == nil { // without a common part, which might round differences away
			all[i].single = true
			for j, product := range by.Products {
				values[j] = float64(product)
			}
		}
		all[i].values = values
		return nil
	})
	if r.ctx.Err() != nil {
		return nil, r.ctx.Err()
	}
	if err != nil { // a direction that is not finite, which is reported already
		return make([]ranked, len(batch)), nil
	}
	return all, nil
}

// pack prepares the unembedding for a kernel.
func (r *run) pack(c *unembedding, kernel string) error {
	c.kernel, c.packed = kernel, nil
	builder, err := compute.NewBuilder(len(c.ids), c.model.dModel)
	if err != nil {
		return err
	}
	from := 0
	whole, err := r.parts(c, func(ids []int32, columns []float32) {
		builder.SetRows(from, columns)
		from += len(ids)
	})
	if err != nil || !whole {
		return err
	}
	if c.packed, err = builder.BuildFor(kernel); err != nil { // weights that are not finite
		c.packed = nil
	}
	return nil
}
