package udf

import (
	"context"
	"fmt"
	"sync"

	"github.com/saedb/saedb/internal/baseline"
	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/udf/capi"
)

// factorCache keeps the factor of the SAE that was used last.
type factorCache struct {
	mutex  sync.Mutex
	of     storedSAE
	factor *baseline.Factor
}

// get returns the factor of the covariance of an SAE's unit decoder.
func (c *factorCache) get(ctx context.Context, d *database, name string) (*baseline.Factor, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	saes, err := d.saes()
	if err != nil {
		return nil, err
	}
	s, err := oneSAE(name, saes)
	if err != nil {
		return nil, err
	}
	if c.factor != nil && c.of == *s {
		return c.factor, nil
	}
	covariance := baseline.NewCovariance(s.dModel)
	// In parts and in order, which sums depend on.
	const part = 1024
	directions := make([]float32, 0, min(part, s.count)*s.dModel)
	for from := 0; from < s.count; from += part {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		directions = directions[:0]
		query := fmt.Sprintf(`SELECT w_dec FROM %s WHERE sae_id = %d AND feature >= %d AND feature < %d AND w_dec IS NOT NULL ORDER BY feature`,
			s.in.table("stored_decoders"), s.id, from, from+part)
		err := d.query(query, func(chunk capi.Chunk) error {
			n, values := chunk.Rows(), chunk.Column(0)
			flat := capi.Values[float32](values.Elements(), values.ElementCount())
			for _, entry := range capi.Values[capi.Entry](values, n) {
				if int(entry.Length) != s.dModel {
					return &fault.Error{Problem: "its decoder is damaged", Expected: fmt.Sprintf("directions of %d values", s.dModel), Found: fmt.Sprint(entry.Length)}
				}
				directions = append(directions, flat[entry.Offset:entry.Offset+entry.Length]...)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		if rows, want := len(directions)/s.dModel, min(part, s.count-from); rows != want {
			return nil, &fault.Error{
				Problem: "its decoder is not in this database, or not whole", Expected: fmt.Sprintf("%d directions from feature %d", want, from), Found: fmt.Sprint(rows),
				Hint: "load it with --replace",
			}
		}
		if err := covariance.Add(directions); err != nil {
			return nil, err
		}
	}
	factor, err := covariance.Factor()
	if err != nil {
		return nil, err
	}
	c.of, c.factor = *s, factor
	return factor, nil
}
