package procedures

import (
	"context"

	"github.com/saedb/saedb/internal/operations"
	"github.com/saedb/saedb/udf/capi"
)

// matchSAEs is saedb match: what came of it, in one row.
var matchSAEs = procedure{
	name: "saedb_match", takes: []parameter{{"a", text}, {"b", text}, {"cosine", number}, {"folded", flag}, {"to", text}, {"database", text}}, first: 2,
	columns: []capi.Field{
		{Name: "a", Type: capi.Varchar}, {Name: "b", Type: capi.Varchar}, {Name: "matched", Type: capi.Bigint},
		{Name: "pw_mcc", Type: capi.Double}, {Name: "mean_of_maxima", Type: capi.Double}, {Name: "sum_of_worth", Type: capi.Double}, {Name: "sum_at_most", Type: capi.Double},
		{Name: "only_in_a", Type: capi.Bigint}, {Name: "only_in_b", Type: capi.Bigint}, {Name: "split", Type: capi.Bigint},
	},
	run: func(ctx context.Context, h *Host, a arguments, row func(...any) error) error {
		return h.reading(ctx, a, func(db *operations.Database) error {
			r := operations.MatchRequest{A: a.text("a"), B: a.text("b"), Folded: a.flag("folded"), To: a.text("to")}
			if cosine := a.number("cosine"); cosine != nil {
				r.Cosine = *cosine
			}
			m, err := db.Match(ctx, r)
			if err != nil {
				return err
			}
			known := func(value *float64) any {
				if value == nil {
					return nil
				}
				return *value
			}
			return row(m.A.SAE, m.B.SAE, int64(m.Matched), known(m.PWMCC), known(m.MeanOfMaxima), m.Sum, m.SumAtMost,
				int64(len(m.OnlyA)), int64(len(m.OnlyB)), int64(len(m.SplitOfB)))
		})
	},
}
