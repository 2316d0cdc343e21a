package udf

import (
	"context"
	"fmt"
	"sync"

	"github.com/saedb/saedb/internal/baseline"
	"github.com/saedb/saedb/internal/fault"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf/capi"
)

// factorCache keeps the factor of the SAE that was used last.
type factorCache struct {
	mutex  sync.Mutex
	of     storedSAE
	kind   *readerKind // the decoder or the encoder
	factor *baseline.Factor
}

// get returns the factor of the covariance of an SAE's unit decoder, or of its unit encoder where
// the name is that reader's.
func (c *factorCache) get(ctx context.Context, d *database, name string) (*baseline.Factor, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	of, kind := splitReader(name)
	hint := "load it with --replace"
	switch kind {
	case nil:
		kind = decoder
	case decoder:
	case encoder:
		hint = "load it with --encoder"
	default:
		return nil, &fault.Error{Expected: "an SAE, or SAE#" + schema.EncoderReader, Found: name}
	}
	saes, err := d.saes()
	if err != nil {
		return nil, err
	}
	s, err := oneSAE(of, saes)
	if err != nil {
		return nil, err
	}
	if c.factor != nil && c.of == *s && c.kind == kind {
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
		if s.place.path != "" {
			read, err := d.readSome(ctx, s.reader(kind), from, min(part, s.count-from), directions)
			if err != nil {
				return nil, err
			}
			if err := covariance.Add(read); err != nil {
				return nil, err
			}
			continue
		}
		directions = directions[:0]
		query := fmt.Sprintf(`SELECT %[1]s FROM %[2]s WHERE sae_id = %[3]d AND feature >= %[4]d AND feature < %[5]d AND %[1]s IS NOT NULL ORDER BY feature`,
			kind.weights, s.in.table(kind.table), s.id, from, from+part)
		err := d.query(query, func(chunk capi.Chunk) error {
			n, values := chunk.Rows(), chunk.Column(0)
			flat := capi.Values[float32](values.Elements(), values.ElementCount())
			for _, entry := range capi.Values[capi.Entry](values, n) {
				if int(entry.Length) != s.dModel {
					return &fault.Error{Problem: "its " + kind.matrix() + " is damaged", Expected: fmt.Sprintf("directions of %d values", s.dModel), Found: fmt.Sprint(entry.Length)}
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
				Problem: "its " + kind.matrix() + " is not in this database, or not whole", Expected: fmt.Sprintf("%d directions from feature %d", want, from), Found: fmt.Sprint(rows),
				Hint: hint,
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
	c.of, c.kind, c.factor = *s, kind, factor
	return factor, nil
}
