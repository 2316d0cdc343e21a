package statistics

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/saedb/saedb/internal/fault"
	schema "github.com/saedb/saedb/sql"
)

// PlanCorrelations lists the SAEs that words mean, in a side that goes through a lens, and that
// have features with statistics but without the rank correlation of their logit weights with those
// through it. An SAE without its weights counts as it is.
func PlanCorrelations(ctx context.Context, db *sql.DB, side schema.Side, words string) ([]Pending, error) {
	names, err := schema.MatchSAEs(ctx, db, words)
	if err != nil {
		return nil, fault.At("compute", "", err)
	}
	type row struct {
		Pending
		weights int64
		layer   int
	}
	rows, err := schema.Rows(ctx, db, func(r *row) []any {
		return []any{&r.id, &r.own, &r.SAE, &r.Model, &r.weights, &r.Tokens, &r.Features, &r.layer}
	}, side.SQL(`SELECT s.sae_id, s.`+side.Own()+`, s.sae, m.model, s.d_model * CAST(m.d_vocab AS BIGINT), c.tokens,
			c.features - (SELECT count(*) FROM stored_lens_correlations t WHERE t.sae_id = s.sae_id) AS lacking, `+side.LensLayer()+`
		FROM stored_saes s JOIN stored_models m USING (model_id) JOIN stored_loads l ON l.load_id = s.`+side.Own()+`
		JOIN stored_computations c USING (sae_id)
		WHERE lacking > 0 AND NOT `+side.LacksDirections()+` AND `)+schema.InSAEs("s.sae", names)+`
		ORDER BY s.release, s.layer, s.sae`)
	pending := make([]Pending, len(rows))
	for i, r := range rows {
		pending[i] = r.Pending
		pending[i].side, pending[i].block = side.At(r.layer), blockOf(r.weights)
	}
	return pending, err
}

// RunCorrelations computes the rank correlations that p lacks, in blocks that are each committed.
// A block takes two products of each feature with the unembedding, and ranks both.
func (j *Job) RunCorrelations(ctx context.Context, p Pending) error {
	var features int
	if err := j.DB.QueryRowContext(ctx, `SELECT d_sae FROM stored_saes WHERE sae_id = ?`, p.own).Scan(&features); err != nil {
		return fault.At("compute", p.SAE, err)
	}
	return fault.At("compute", p.SAE, j.inBlocks(ctx, features, p.block, func(conn *sql.Conn, from, to int) ([]string, error) {
		between := fmt.Sprintf("feature >= %d AND feature < %d", from, to)
		rows, err := schema.Output.DirectionRows(ctx, conn, p.SAE, p.own, p.own)
		if err != nil {
			return nil, err
		}
		_, err = conn.ExecContext(ctx, fmt.Sprintf(`CREATE OR REPLACE TEMP TABLE computed_block AS
			SELECT feature, rank_correlation(w_dec, ?, %s, ?) AS rank_correlation FROM %[5]s WHERE sae_id = %[2]d AND %[3]s
				AND feature IN (SELECT feature FROM stored_statistics WHERE sae_id = %[4]d AND %[3]s)
				AND feature NOT IN (SELECT feature FROM stored_lens_correlations WHERE sae_id = %[4]d AND %[3]s)`,
			p.side.Transported("w_dec"), p.own, between, p.id, rows), schema.ReaderName(p.Model, p.side.Reader), p.Tokens)
		return []string{
			fmt.Sprintf(`INSERT INTO stored_lens_correlations SELECT %d, feature, rank_correlation FROM computed_block ORDER BY feature`, p.id),
			fmt.Sprintf(`UPDATE stored_computations SET kernel = kernel || %[1]s || %[2]s WHERE sae_id = %[3]d AND NOT list_contains(string_split(kernel, %[1]s), %[2]s)`,
				schema.Literal(kernelsApart), schema.Literal(j.Kernel), p.id),
		}, err
	}))
}
