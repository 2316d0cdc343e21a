package figures

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"strings"

	"github.com/saedb/saedb/internal/plaintext"
)

var foundByLayer = DataTable{
	ID: "found", Title: "Beyond chance, by layer", Sort: -1,
	Note: "Features that write some token set beyond chance (q < 0.05), and at most how many of as many random directions are expected to score as much.",
	Columns: []DataColumn{
		{Name: "SAE", Kind: "text"}, {Name: "layer", Kind: "number"}, {Name: "features", Kind: "number"},
		{Name: "beyond chance", Kind: "number"}, {Name: "expected by chance", Kind: "number"},
	},
	Query: `SELECT sae, layer, features, beyond_chance, round(expected_by_chance, 1) FROM layers WHERE beyond_chance IS NOT NULL ORDER BY release, layer, sae`,
}

// found adds how many features write something beyond chance, where a baseline tells.
func (r *Report) found(ctx context.Context, db *sql.DB) error {
	if err := r.table(ctx, db, foundByLayer); err != nil {
		return err
	}
	last := len(r.Tables) - 1
	rows := r.Tables[last].Rows
	if len(rows) == 0 {
		r.Tables = r.Tables[:last]
		return nil
	}
	var features, beyond int64
	var expected float64
	err := db.QueryRowContext(ctx, `SELECT CAST(sum(features) AS BIGINT), CAST(sum(beyond_chance) AS BIGINT), sum(expected_by_chance) FROM layers WHERE beyond_chance IS NOT NULL`).
		Scan(&features, &beyond, &expected)
	if err != nil {
		return err
	}
	r.Summary = strings.TrimSpace(r.Summary + fmt.Sprintf(" %s of %s write some token set beyond chance (q < %g); of as many random directions, at most %s would.",
		plaintext.Thousands(beyond), plaintext.Thousands(features), chance, plaintext.Thousands(int(math.Ceil(expected)))))
	return nil
}
