package statistics

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/saedb/saedb/internal/fault"
	schema "github.com/saedb/saedb/sql"
)

// PendingEnrichment is an SAE with features that lack scores of token sets.
type PendingEnrichment struct {
	SAE, Model string
	Features   int
	Sets       int // that lack scores, of some features at least; 0 where only p- and q-values are
	Tokens     string
	Counted    bool // that what its scores come to by set is all that is lacking

	side    schema.Side
	id, own int // as in Pending
	block   int
	sets    []int
}

// PlanEnrichment lists the SAEs that words mean on a side, as [schema.MatchSAEs] has it, and that lack
// scores of sets of their model, or are not held against the job's baseline; or are held
// against one and the job has none; or whose scores are not counted by set. Their statistics
// must have been computed, since the tokens that count are those of the statistics. Without
// its weights, an SAE has the scores that it has; where its model has none, or its baseline is
// like the SAE, p-values are against the baseline that it has.
func (j *Job) PlanEnrichment(ctx context.Context, side schema.Side, words string) ([]PendingEnrichment, error) {
	names, err := schema.MatchSAEs(ctx, j.DB, words)
	if err != nil {
		return nil, fault.At("compute enrichment", "", err)
	}
	rows, err := j.DB.QueryContext(ctx, side.SQL(`
		WITH scored AS (SELECT sae_id, set_id, count(*) AS features, count(*) FILTER (log10_ks_p IS NOT NULL AND log10_q IS NULL) AS unadjusted, count(promoted) AS directed FROM stored_enrichment GROUP BY ALL)
		SELECT s.sae_id, s.`+side.Own()+`, s.sae, m.model, s.d_sae, c.tokens, t.set_id,
		       t.set_id IS NOT NULL AND coalesce(e.features, 0) < s.d_sae AND NOT `+side.LacksDirections()+` AS lacks,
		       coalesce($1 = 0 AND c.baseline_id IS NOT NULL OR $1 <> 0 AND CASE
		       WHEN `+side.LacksReader()+` OR `+side.LacksDirections()+` AND b.sae_id IS NOT NULL AND $2 <> '`+schema.Isotropic+`'
		       THEN ($1 < 0 OR b.directions = $1) AND e.unadjusted > 0 AND n.scores IS NOT NULL
		       ELSE b.baseline_id IS NULL OR $2 <> '' AND ($2 = '`+schema.LikeSAE+`') <> (b.sae_id IS NOT NULL) OR $1 > 0 AND b.directions <> $1 OR e.unadjusted > 0 AND (n.set_id IS NULL OR n.scores IS NOT NULL) END, false) AS due,
		       s.d_model * CAST(m.d_vocab AS BIGINT), `+side.LensLayer()+`
		FROM stored_saes s
		JOIN stored_models m USING (model_id)
		JOIN stored_loads l ON l.load_id = s.`+side.Own()+`
		JOIN stored_loads ml ON ml.load_id = s.model_id
		JOIN stored_computations c USING (sae_id)
		LEFT JOIN stored_token_sets t USING (model_id)
		LEFT JOIN scored e ON e.sae_id = s.sae_id AND e.set_id = t.set_id
		LEFT JOIN stored_baselines b ON b.baseline_id = c.baseline_id
		LEFT JOIN stored_baseline_enrichment n ON n.baseline_id = c.baseline_id AND n.set_id = t.set_id
		WHERE `)+schema.InSAEs("s.sae", names)+side.SQL(`
		  AND (lacks OR due OR e.directed > 0 AND NOT EXISTS (FROM stored_set_enrichment k WHERE k.sae_id = s.sae_id AND k.set_id = t.set_id))
		ORDER BY s.release, s.layer, s.sae, t.set_id`), j.Baseline, j.BaselineLike)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []PendingEnrichment
	for rows.Next() {
		var p PendingEnrichment
		var layer int
		var set sql.NullInt64
		var lacks, due bool
		var weights int64
		if err := rows.Scan(&p.id, &p.own, &p.SAE, &p.Model, &p.Features, &p.Tokens, &set, &lacks, &due, &weights, &layer); err != nil {
			return nil, err
		}
		p.side = side.At(layer)
		if len(all) == 0 || all[len(all)-1].id != p.id {
			p.block, p.Counted = blockOf(weights), true
			all = append(all, p)
		}
		last := &all[len(all)-1]
		last.Counted = last.Counted && !lacks && !due
		if lacks {
			last.sets = append(last.sets, int(set.Int64))
			last.Sets++
		}
	}
	return all, rows.Err()
}

// Side is what of the SAE is to be computed, with the layer of its lens.
func (p PendingEnrichment) Side() schema.Side { return p.side }

// RunEnrichment computes what p lacks, after [Job.EnsureBaseline], and the q-values, which
// depend on all features and sets of the SAE.
func (j *Job) RunEnrichment(ctx context.Context, p PendingEnrichment) error {
	like, err := j.like(ctx, p.side, p.SAE)
	if err != nil {
		return fault.At("compute enrichment", p.SAE, err)
	}
	if len(p.sets) > 0 {
		_, err := j.DB.ExecContext(ctx, p.side.SQL(`UPDATE stored_computations SET kernel = kernel || $3 || $2 WHERE sae_id = $1 AND NOT list_contains(string_split(kernel, $3), $2)`),
			p.id, j.Kernel, kernelsApart)
		if err != nil {
			return fault.At("compute enrichment", p.SAE, err)
		}
		if err := j.enrichBlocks(ctx, p); err != nil {
			return fault.At("compute enrichment", p.SAE, err)
		}
	}
	return fault.At("compute enrichment", p.SAE, j.significance(ctx, p.side, p.id, like))
}

func (j *Job) enrichBlocks(ctx context.Context, p PendingEnrichment) error {
	return j.inBlocks(ctx, p.Features, scoredBlock(p.block, len(p.sets)), func(conn *sql.Conn, from, to int) ([]string, error) {
		return j.enrichBlock(ctx, conn, p, from, to)
	})
}

// enrichBlock scores the features in [from, to) for the sets that not all of them
// have.
func (j *Job) enrichBlock(ctx context.Context, conn *sql.Conn, p PendingEnrichment, from, to int) (store []string, err error) {
	var lacking sql.NullString
	err = conn.QueryRowContext(ctx, p.side.SQL(fmt.Sprintf(`SELECT CAST(list(set_id ORDER BY set_id) AS VARCHAR) FROM (SELECT unnest(CAST(? AS INTEGER[])) AS set_id)
		WHERE set_id NOT IN (SELECT set_id FROM stored_enrichment WHERE sae_id = %d AND feature >= %d AND feature < %d
		                     GROUP BY set_id HAVING count(*) = %d)`, p.id, from, to, to-from)), schema.List(p.sets)).Scan(&lacking)
	if err != nil || !lacking.Valid {
		return nil, err
	}
	rows, err := p.side.DirectionRows(ctx, conn, p.SAE, p.id, p.own)
	if err != nil {
		return nil, err
	}
	_, err = conn.ExecContext(ctx, fmt.Sprintf(`CREATE OR REPLACE TEMP TABLE computed_block AS SELECT feature, enrichment_values(%s, ?, CAST(? AS INTEGER[]), ?) AS v
		FROM %s WHERE sae_id = %d AND feature >= %d AND feature < %d`, p.side.SQL("w_dec"), rows, p.id, from, to), schema.ReaderName(p.Model, p.side.Reader), lacking.String, p.Tokens)
	if err != nil {
		return nil, err
	}
	return counting(p.side, p.id, from, to, []string{
		fmt.Sprintf(`DELETE FROM stored_enrichment WHERE sae_id = %d AND feature >= %d AND feature < %d AND set_id IN (SELECT unnest(CAST(%s AS INTEGER[])))`,
			p.id, from, to, schema.Literal(lacking.String)),
		insertEnrichment(p.id, `SELECT feature, unnest(v) AS v FROM computed_block`),
	}), nil
}

// insertEnrichment inserts the rows (feature, v) of a query, v being an element of
// what enrichment_values returns, with the closed-form p-value that follows from the score
// and the numbers of tokens that count.
func insertEnrichment(sae int, rows string) string {
	return fmt.Sprintf(`INSERT INTO stored_enrichment (sae_id, set_id, feature, es, promoted, log10_ks_p, auc)
		SELECT sae_id, v.set_id, feature, v.es, v.promoted,
		       ks_log10_p(members, counted_tokens, CAST(v.es AS DOUBLE)), v.auc
		FROM (%s) JOIN (SELECT sae_id, counted_tokens, set_id, %s AS members
			FROM stored_computations, stored_token_sets WHERE sae_id = %d) m ON m.set_id = v.set_id`, rows, schema.Members("tokens"), sae)
}
