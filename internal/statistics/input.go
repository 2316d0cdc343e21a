package statistics

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/saedb/saedb/internal/fault"
	schema "github.com/saedb/saedb/sql"
)

// Sides of a feature: what it writes to the vocabulary, and which tokens excite it.
const (
	OutputSide = "output"
	InputSide  = "input"
	BothSides  = "both"
)

// CheckSide refuses a name that is none of a side, nor empty.
func CheckSide(side string) error {
	if side == "" || side == OutputSide || side == InputSide || side == BothSides {
		return nil
	}
	return &fault.Error{Op: "compute", Subject: "side", Expected: OutputSide + ", " + InputSide + " or " + BothSides, Found: side}
}

// PendingInput is an SAE some of whose features lack statistics of their input side, or the p-
// and q-values of those.
type PendingInput struct {
	SAE, Model string
	Features   int // that lack statistics
	Tokens     string
	Restart    bool // its statistics are for other tokens and will be dropped

	id, block, all int
}

// PlanInput lists the SAEs that words mean, were loaded with their encoders, and lack figures of
// their input side, and counts those with encoders. Tokens is [AllTokens] or [RealTokens]; empty
// for what the input side, or else the output side, was computed for before, or all. That none
// has its encoder, or the model of one not its embedding, is an error.
func (j *Job) PlanInput(ctx context.Context, words, tokens string) (pending []PendingInput, matched int, err error) {
	if err := checkTokens(tokens); err != nil {
		return nil, 0, err
	}
	names, err := schema.MatchSAEs(ctx, j.DB, words)
	if err != nil {
		return nil, 0, fault.At("compute", "", err)
	}
	type row struct {
		PendingInput
		weights                  int64
		used, output             string
		done, directions         int
		encoder, embedding, gone bool
		held                     bool
	}
	rows, err := schema.Rows(ctx, j.DB, func(r *row) []any {
		return []any{
			&r.id, &r.SAE, &r.Model, &r.all, &r.weights, &r.used, &r.output,
			&r.done, &r.encoder, &r.embedding, &r.gone, &r.held, &r.directions,
		}
	}, `SELECT s.sae_id, s.sae, m.model, s.d_sae, s.d_model * CAST(m.d_vocab AS BIGINT), coalesce(i.tokens, ''), coalesce(c.tokens, ''),
			(SELECT count(*) FROM stored_input_statistics t WHERE t.sae_id = s.sae_id),
			s.encoder_hook IS NOT NULL, m.embedding_in IS NOT NULL, contains(l.conventions, ?) OR contains(ml.conventions, ?),
			b.baseline_id IS NOT NULL, coalesce(b.directions, 0)
		FROM stored_saes s JOIN stored_models m USING (model_id)
		JOIN stored_loads l ON l.load_id = s.sae_id JOIN stored_loads ml ON ml.load_id = s.model_id
		LEFT JOIN stored_computations c USING (sae_id) LEFT JOIN stored_input_computations i USING (sae_id)
		LEFT JOIN stored_baselines b ON b.baseline_id = i.baseline_id
		WHERE `+schema.InSAEs("s.sae", names)+`
		ORDER BY s.release, s.layer, s.sae`, schema.WithoutWeights, schema.WithoutWeights)
	if err != nil {
		return nil, 0, err
	}
	for _, r := range rows {
		if !r.encoder {
			continue
		}
		if !r.embedding {
			return nil, 0, &fault.Error{
				Op: "compute", Subject: r.SAE,
				Problem: "the input side of its features needs the embedding of model " + r.Model + ", which was loaded without",
				Hint:    "saedb load model … --embedding adds it",
			}
		}
		matched++
		p := r.PendingInput
		p.Tokens = cmp.Or(tokens, r.used, r.output, AllTokens)
		p.Restart = r.used != "" && r.used != p.Tokens
		if p.Features = p.all - r.done; p.Restart {
			p.Features = p.all
		}
		rejudge := j.Baseline == 0 && r.held || j.Baseline != 0 && !r.held || j.Baseline > 0 && r.directions != j.Baseline
		if !r.gone && (p.Features > 0 || rejudge) {
			p.block = blockOf(r.weights)
			pending = append(pending, p)
		}
	}
	if matched == 0 {
		return nil, 0, &fault.Error{
			Op: "compute", Subject: "input side",
			Expected: "SAEs that were loaded with their encoders", Found: fmt.Sprintf("none of %d", len(rows)),
			Hint: "saedb load sae … --encoder adds them",
		}
	}
	return pending, matched, nil
}

func checkTokens(tokens string) error {
	if tokens == "" || tokens == AllTokens || tokens == RealTokens {
		return nil
	}
	return &fault.Error{Op: "compute", Subject: "tokens", Expected: AllTokens + " or " + RealTokens, Found: tokens}
}

// RunInput computes the statistics of the input side that are lacking, and holds them against
// the isotropic baseline of the model, after [Job.EnsureBaseline] of that. Each block is
// committed as it is done.
func (j *Job) RunInput(ctx context.Context, p PendingInput) error {
	return fault.At("compute", p.SAE, j.runInput(ctx, p))
}

func (j *Job) runInput(ctx context.Context, p PendingInput) error {
	baseline, err := j.inputBaseline(ctx, p.Model, p.Tokens)
	if err != nil {
		return err
	}
	if err := j.beginInput(ctx, p); err != nil {
		return err
	}
	err = j.inBlocks(ctx, p.all, p.block, func(conn *sql.Conn, from, to int) ([]string, error) {
		return j.inputBlock(ctx, conn, p, from, to)
	})
	if err != nil {
		return err
	}
	return j.inputSignificance(ctx, p.id, baseline)
}

// beginInput records the computation, which goes on where an earlier one of the same tokens ended.
func (j *Job) beginInput(ctx context.Context, p PendingInput) error {
	tx, err := j.DB.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	of := fmt.Sprintf(" WHERE sae_id = %d", p.id)
	kernel := j.Kernel
	if p.Restart {
		for _, table := range []string{"stored_input_statistics", "stored_input_significance"} {
			if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+of); err != nil {
				return err
			}
		}
	} else if kernel, err = j.kernels(ctx, tx, "stored_input_computations"+of+" AND features > 0"); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM stored_input_computations"+of); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO stored_input_computations
			(sae_id, tokens, kernel, saedb_version, computed_at, counted_tokens, features)
		SELECT $1, $2, $3, $4, $5, `+schema.CountedTokens("(SELECT model_id FROM stored_saes WHERE sae_id = $1)", "$2")+`,
			(SELECT count(*) FROM stored_input_statistics WHERE sae_id = $1)`, p.id, p.Tokens, kernel, j.Version, time.Now().UTC())
	if err != nil {
		return err
	}
	return tx.Commit()
}

// inputBlock computes the statistics that the features in [from, to) lack, of the products of
// their encoder with the embedding.
func (j *Job) inputBlock(ctx context.Context, conn *sql.Conn, p PendingInput, from, to int) (store []string, err error) {
	_, err = conn.ExecContext(ctx, fmt.Sprintf(`CREATE OR REPLACE TEMP TABLE computed_block AS
		SELECT feature, feature_statistics(w_enc, ?, ?) AS s FROM stored_encoders e
		WHERE sae_id = %[1]d AND feature >= %[2]d AND feature < %[3]d AND NOT EXISTS (
			SELECT 1 FROM stored_input_statistics t
			WHERE t.sae_id = %[1]d AND t.feature = e.feature AND t.feature >= %[2]d AND t.feature < %[3]d)`,
		p.id, from, to), schema.ReaderName(p.Model, schema.EmbeddingReader), p.Tokens)
	if err != nil {
		return nil, err
	}
	fields := make([]string, len(schema.StatisticsColumns))
	for i, c := range schema.StatisticsColumns {
		fields[i] = "s." + c
	}
	return []string{
		fmt.Sprintf("INSERT INTO stored_input_statistics (sae_id, feature, %s) SELECT %d, feature, %s FROM computed_block ORDER BY feature",
			strings.Join(schema.StatisticsColumns, ", "), p.id, strings.Join(fields, ", ")),
		// In the transaction that stores them, so that an interrupted computation has what it recorded.
		fmt.Sprintf(`UPDATE stored_input_computations SET features = features + (SELECT count(*) FROM computed_block)
			WHERE sae_id = %d`, p.id),
	}, nil
}

// inputBaseline is the number of the isotropic baseline of a model and a choice of tokens, with
// the statistics of its directions multiplied with the embedding; 0 where none is asked for.
func (j *Job) inputBaseline(ctx context.Context, model, tokens string) (id int, err error) {
	if j.Baseline == 0 {
		return 0, nil
	}
	b := &baselineRun{Job: j, ctx: ctx, model: model, tokens: tokens}
	if err := b.find(); err != nil {
		return 0, err
	}
	var there bool
	err = j.DB.QueryRowContext(ctx, `SELECT count(*) > 0 FROM stored_baseline_statistics WHERE baseline_id = ? AND statistic = ?`,
		b.id, schema.InputPrefix+"std").Scan(&there)
	if err != nil || there {
		return b.id, err
	}
	return b.id, b.computeInput()
}

// inputSignificance holds the statistics of the input side against a baseline, 0 for none.
func (j *Job) inputSignificance(ctx context.Context, sae, baseline int) error {
	statements := []string{
		`DELETE FROM stored_input_significance WHERE sae_id = $sae`,
		`UPDATE stored_input_computations SET baseline_id = nullif($baseline, 0) WHERE sae_id = $sae`,
	}
	if baseline != 0 {
		statements = append(statements, featureSignificance("stored_input_significance", schema.InputPValues("$sae", "$baseline")))
	}
	values := strings.NewReplacer("$sae", fmt.Sprint(sae), "$baseline", fmt.Sprint(baseline))
	tx, err := j.DB.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, statement := range append(statements, unusedBaselines...) {
		if _, err := tx.ExecContext(ctx, values.Replace(statement)); err != nil {
			return err
		}
	}
	return tx.Commit()
}
