package statistics

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"

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

// PlanOf is [Plan] or [PlanInput].
func PlanOf(ctx context.Context, db *sql.DB, side schema.Side, words, tokens string) (pending []Pending, matched int, err error) {
	if side.Name == InputSide {
		return PlanInput(ctx, db, words, tokens)
	}
	return Plan(ctx, db, side, words, tokens)
}

// PlanInput lists the SAEs that words mean, were loaded with their encoders, and have features
// without statistics of their input side, and counts those with encoders. Tokens is [AllTokens] or
// [RealTokens]; empty for what the input side, or else the output side, was computed for before,
// or all. That none has its encoder, or the model of one not its embedding, is an error.
func PlanInput(ctx context.Context, db *sql.DB, words, tokens string) (pending []Pending, matched int, err error) {
	if err := checkTokens(tokens); err != nil {
		return nil, 0, err
	}
	names, err := schema.MatchSAEs(ctx, db, words)
	if err != nil {
		return nil, 0, fault.At("compute", "", err)
	}
	type row struct {
		Pending
		all, done                int
		weights                  int64
		used, output             string
		encoder, embedding, gone bool
	}
	rows, err := schema.Rows(ctx, db, func(r *row) []any {
		return []any{&r.id, &r.SAE, &r.Model, &r.all, &r.weights, &r.used, &r.output, &r.done, &r.Sets, &r.encoder, &r.embedding, &r.gone}
	}, `SELECT s.sae_id, s.sae, m.model, s.d_sae, s.d_model * CAST(m.d_vocab AS BIGINT), coalesce(i.tokens, ''), coalesce(c.tokens, ''),
			(SELECT count(*) FROM stored_input_statistics t WHERE t.sae_id = s.sae_id),
			(SELECT count(*) FROM stored_token_sets t WHERE t.model_id = s.model_id),
			s.encoder_hook IS NOT NULL, m.embedding_in IS NOT NULL, `+schema.Input.LacksDirections()+` OR `+schema.Input.LacksReader()+`
		FROM stored_saes s JOIN stored_models m USING (model_id)
		JOIN stored_loads l ON l.load_id = s.sae_id JOIN stored_loads ml ON ml.load_id = s.model_id
		LEFT JOIN stored_computations c USING (sae_id) LEFT JOIN stored_input_computations i USING (sae_id)
		WHERE `+schema.InSAEs("s.sae", names)+`
		ORDER BY s.release, s.layer, s.sae`)
	if err != nil {
		return nil, 0, err
	}
	for _, r := range rows {
		if !r.encoder && r.done == 0 {
			continue
		}
		if !r.embedding && r.done == 0 {
			return nil, 0, &fault.Error{
				Op: "compute", Subject: r.SAE,
				Problem: "the input side of its features needs the embedding of model " + r.Model + ", which was loaded without",
				Hint:    "saedb load model … --embedding adds it",
			}
		}
		matched++
		p := r.Pending
		p.own, p.side, p.Tokens = p.id, schema.Input, cmp.Or(tokens, r.used, r.output, AllTokens)
		if p.Restart = r.used != "" && r.used != p.Tokens; p.Restart {
			r.done = 0
		}
		if r.gone {
			if p.Restart {
				return nil, 0, &fault.Error{
					Op: "compute", Subject: p.SAE,
					Problem: "its encoder or its model's embedding is not in this database, which has the figures of its input side for " + r.used + " tokens alone",
					Hint:    "load them with --encoder and --embedding, or leave it out with --sae",
				}
			}
			continue
		}
		if p.Features = r.all - r.done; p.Features > 0 {
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
