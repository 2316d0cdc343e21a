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

// storedSAE is an SAE in the tables of a database that is open or attached.
type storedSAE struct {
	database      string // as it is attached
	id            int32
	content       string // stands for the decoder: its SHA-256 and what was done to it
	dModel, count int    // count is how many features it has
}

// findSAE looks for an SAE by its name in every database that is open or attached and has
// saedb's tables. That several have one of the name is an error.
func (d *database) findSAE(name string) (*storedSAE, error) {
	var databases []string
	err := d.query(`SELECT database_name FROM duckdb_tables() WHERE schema_name = 'main' AND table_name = 'stored_saes'
		ORDER BY database_name <> current_database(), database_oid`, func(chunk capi.Chunk) error {
		for i := range chunk.Rows() {
			databases = append(databases, chunk.Column(0).Text(i))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var found []*storedSAE
	for _, in := range databases {
		err := d.query(fmt.Sprintf(`SELECT sae_id, d_model, d_sae, coalesce(sha256 || ' ' || conventions, '')
			FROM %[1]s.main.stored_saes LEFT JOIN %[1]s.main.stored_loads ON load_id = sae_id WHERE sae = %[2]s`, schema.Identifier(in), schema.Literal(name)), func(chunk capi.Chunk) error {
			n := chunk.Rows()
			ids, widths, counts := capi.Values[int32](chunk.Column(0), n), capi.Values[int32](chunk.Column(1), n), capi.Values[int32](chunk.Column(2), n)
			for i := range n {
				found = append(found, &storedSAE{in, ids[i], chunk.Column(3).Text(i), int(widths[i]), int(counts[i])})
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	switch len(found) {
	case 0:
		return nil, &fault.Error{Problem: "no SAE of that name is in this database", Hint: "SELECT sae FROM saes lists them"}
	case 1:
		return found[0], nil
	}
	return nil, &fault.Error{Problem: fmt.Sprintf("%d databases that are open have one of that name", len(found)), Hint: "detach all but one"}
}

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
	s, err := d.findSAE(name)
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
		query := fmt.Sprintf(`SELECT w_dec FROM %s.main.stored_decoders WHERE sae_id = %d AND feature >= %d AND feature < %d AND w_dec IS NOT NULL ORDER BY feature`,
			schema.Identifier(s.database), s.id, from, from+part)
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
