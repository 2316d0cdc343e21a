package statistics

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/saedb/saedb/internal/baseline"
	"github.com/saedb/saedb/internal/fault"
	schema "github.com/saedb/saedb/sql"
)

// DefaultBaseline is how many random directions a baseline has.
const DefaultBaseline = 4096

// KeepBaseline leaves a baseline as it is, and makes one of DefaultBaseline directions where
// there is none.
const KeepBaseline = -1

// baselineSeed is the seed of random directions.
const baselineSeed = 1

// Kinds of baselines: what the covariance of their random directions is.
const (
	Isotropic = schema.Isotropic
	LikeSAE   = schema.LikeSAE
)

// CheckBaseline refuses a number of random directions that says nothing.
func CheckBaseline(directions int) error {
	if directions == 0 || directions == KeepBaseline || directions >= baseline.LeastDirections {
		return nil
	}
	return &fault.Error{
		Op: "compute", Subject: "baseline", Expected: fmt.Sprintf("0, for none, or at least %d random directions", baseline.LeastDirections),
		Found: fmt.Sprint(directions),
	}
}

// CheckBaselineKind refuses a kind that there is not, and one of no baseline. Empty is that
// of the baseline that there is.
func CheckBaselineKind(kind string, directions int) error {
	if kind != "" && kind != Isotropic && kind != LikeSAE {
		return &fault.Error{Op: "compute", Subject: "baseline-like", Expected: Isotropic + " or " + LikeSAE, Found: kind}
	}
	if kind != "" && directions == 0 {
		return &fault.Error{Op: "compute", Subject: "baseline-like", Problem: "a baseline of 0 random directions is like nothing"}
	}
	return nil
}

// ComputedBaseline is what of a baseline was computed; nothing where Directions is 0.
type ComputedBaseline struct {
	Directions int
	Statistics bool // of the directions, which the baseline lacked
	Sets       int  // whose nulls it lacked
	Like       bool // whether it is like the SAE
}

// setsAtOnce is how many sets' scores of all random directions are kept until their nulls are
// stored: of the default number of directions 100 MB.
const setsAtOnce = 2048

// EnsureBaseline makes sure that the baseline of a side of a model and a choice of tokens is there
// that an SAE is to be held against, with a null for each of the model's token sets, and computes
// what is lacking. Without a name of an SAE it is the isotropic one. An interrupted computation
// leaves the nulls of the sets that it was done with, and is gone on with.
func (j *Job) EnsureBaseline(ctx context.Context, side schema.Side, model, tokens, sae string) (done ComputedBaseline, err error) {
	if j.Baseline == 0 {
		return done, nil
	}
	b := &baselineRun{Job: j, ctx: ctx, side: side, model: model, tokens: tokens}
	if b.like, err = j.like(ctx, side, sae); err != nil {
		return done, fault.At("compute baseline", sae, err)
	}
	if b.like != 0 {
		b.sae = sae
	}
	if err := b.find(); err != nil {
		return done, fault.At("compute baseline", model, err)
	}
	if b.absent || b.id != 0 && len(b.sets) == 0 {
		return done, nil
	}
	done = ComputedBaseline{b.directions, b.id == 0, len(b.sets), b.like != 0}
	for lacking := b.sets; ; {
		b.sets = lacking[:min(setsAtOnce, len(lacking))]
		if err := b.compute(); err != nil {
			return done, fault.At("compute baseline", model, err)
		}
		if lacking = lacking[len(b.sets):]; len(lacking) == 0 {
			return done, nil
		}
	}
}

// Baseline is one that is there.
type Baseline struct {
	ID, Seed, Directions int
}

// BaselineOf is the job's baseline of a side of a model and a choice of tokens, as [Job.EnsureBaseline] makes it;
// its ID is 0 where it is not there, or the job has none.
func (j *Job) BaselineOf(ctx context.Context, side schema.Side, model, tokens, sae string) (b Baseline, err error) {
	if j.Baseline == 0 {
		return b, nil
	}
	var modelID int
	if err := j.DB.QueryRowContext(ctx, `SELECT model_id FROM stored_models WHERE model = ?`, model).Scan(&modelID); err != nil {
		return b, fault.At("baseline", model, err)
	}
	like, err := j.like(ctx, side, sae)
	if err != nil {
		return b, fault.At("baseline", sae, err)
	}
	if b.ID, b.Directions, err = j.findBaseline(ctx, side, modelID, tokens, like); err != nil || b.ID == 0 {
		return Baseline{}, fault.At("baseline", model, err)
	}
	err = j.DB.QueryRowContext(ctx, `SELECT seed FROM stored_baselines WHERE baseline_id = ?`, b.ID).Scan(&b.Seed)
	return b, fault.At("baseline", model, err)
}

// baselineRun is the computation of a baseline.
type baselineRun struct {
	*Job
	ctx           context.Context
	side          schema.Side
	model, tokens string
	sae           string // that the directions are like, and its number; none where they are isotropic
	like          int

	modelID, dModel, block int
	counted                int // columns of the unembedding that count
	id                     int // 0 where it is not there yet
	directions             int
	sets                   []int // that have no null
	absent                 bool  // the reader is not in this database, or the directions that they are like
}

// reader is what the directions are multiplied with, as functions take it.
func (b *baselineRun) reader() string { return schema.ReaderName(b.model, b.side.Reader) }

// like is the number of an SAE that is to be held against a baseline like itself, by what the
// job says or else by the baseline that it has; 0 where that is to be isotropic.
func (j *Job) like(ctx context.Context, side schema.Side, sae string) (id int, err error) {
	if sae == "" || j.Baseline == 0 || j.BaselineLike == Isotropic {
		return 0, nil
	}
	var has bool
	err = j.DB.QueryRowContext(ctx, side.SQL(`SELECT s.`+side.Own()+`, b.sae_id IS NOT NULL FROM stored_saes s LEFT JOIN stored_computations c USING (sae_id)
		LEFT JOIN stored_baselines b ON b.baseline_id = c.baseline_id WHERE s.sae = ?`), sae).Scan(&id, &has)
	if errors.Is(err, sql.ErrNoRows) {
		problem := "no SAE of that name is in this database"
		if side.Lens.ID != 0 {
			problem += ", or it has no place in the lens"
		}
		return 0, &fault.Error{Problem: problem}
	}
	if err != nil {
		return 0, err
	}
	if j.BaselineLike == LikeSAE || has {
		return id, nil
	}
	return 0, nil
}

// find reads what there is.
func (b *baselineRun) find() error {
	var weights int64
	err := b.DB.QueryRowContext(b.ctx, `SELECT model_id, d_model, d_model * CAST(d_vocab AS BIGINT), `+b.side.LacksReader()+`, `+
		schema.CountedTokens("m.model_id", "$1")+`
		FROM stored_models m JOIN stored_loads ml ON ml.load_id = m.model_id WHERE model = $2`, b.tokens, b.model).
		Scan(&b.modelID, &b.dModel, &weights, &b.absent, &b.counted)
	if errors.Is(err, sql.ErrNoRows) {
		return &fault.Error{Problem: "no model of that name is in this database"}
	}
	if err != nil {
		return err
	}
	if b.id, b.directions, err = b.findBaseline(b.ctx, b.side, b.modelID, b.tokens, b.like); err != nil {
		return err
	}
	if b.like != 0 && !b.absent {
		err := b.DB.QueryRowContext(b.ctx, `SELECT `+b.side.LacksDirections()+` FROM stored_saes s JOIN stored_loads l ON l.load_id = s.sae_id WHERE s.sae_id = ?`, b.like).Scan(&b.absent)
		if err != nil {
			return err
		}
		if b.absent && b.id == 0 {
			return &fault.Error{
				Subject: b.sae, Problem: "its " + cmp.Or(b.side.Directions, schema.DecoderReader) + ", which the random directions are to be like, is not in this database",
				Hint: "load it with --replace, or compute with --baseline-like " + Isotropic,
			}
		}
	}
	rows, err := b.DB.QueryContext(b.ctx, `SELECT set_id FROM stored_token_sets WHERE model_id = ?
		AND set_id NOT IN (SELECT set_id FROM stored_baseline_enrichment WHERE baseline_id = ?) ORDER BY set_id`, b.modelID, b.id)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var set int
		if err := rows.Scan(&set); err != nil {
			return err
		}
		b.sets = append(b.sets, set)
	}
	b.block = blockOf(weights)
	return rows.Err()
}

// findBaseline is the number of the job's baseline of a side of a model, isotropic or like an SAE, 0 where
// it is not there, and how many random directions it has or is to have.
func (j *Job) findBaseline(ctx context.Context, side schema.Side, model int, tokens string, like int) (id, directions int, err error) {
	err = j.DB.QueryRowContext(ctx, `SELECT baseline_id, directions FROM stored_baselines
		WHERE model_id = $1 AND tokens = $2 AND ($3 < 0 OR seed = $4 AND directions = $3)
		AND sae_id IS NOT DISTINCT FROM nullif($5, 0) AND side = $6
		AND `+side.OfBaseline()+` ORDER BY baseline_id DESC LIMIT 1`,
		model, tokens, j.Baseline, baselineSeed, like, side.Name).Scan(&id, &directions)
	if errors.Is(err, sql.ErrNoRows) {
		directions = j.Baseline
		if directions < 0 {
			directions = DefaultBaseline
		}
		return 0, directions, nil
	}
	return id, directions, err
}

// compute computes what is lacking, and stores it in one transaction.
func (b *baselineRun) compute() error {
	release, err := b.oneThread(b.ctx)
	if err != nil {
		return err
	}
	defer release()
	conn, err := b.DB.Conn(b.ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	run := func(statement string, args ...any) error {
		_, err := conn.ExecContext(b.ctx, statement, args...)
		return err
	}
	defer conn.ExecContext(context.WithoutCancel(b.ctx), "DROP TABLE IF EXISTS computed_baseline; DROP TABLE IF EXISTS computed_scores")
	if err := run(`CREATE OR REPLACE TEMP TABLE computed_baseline (row INTEGER, s STRUCT(` + strings.Join(baselineStatistics, " DOUBLE, ") + ` DOUBLE));
		CREATE OR REPLACE TEMP TABLE computed_scores (set_id INTEGER, es FLOAT, auc FLOAT)`); err != nil {
		return err
	}
	block := scoredBlock(b.block, len(b.sets))
	for from := 0; from < b.directions; from += block {
		if err := b.computeBlock(run, from, min(from+block, b.directions)); err != nil {
			return err
		}
	}
	return b.store(conn)
}

// baselineStatistics are the statistics of features whose baseline is kept.
var baselineStatistics = []string{"std", "skewness", "kurtosis", "cos_mean", "cos_std", "cos_skewness", "cos_kurtosis"}

// computeBlock computes some of the random directions.
func (b *baselineRun) computeBlock(run func(string, ...any) error, from, to int) error {
	direction := fmt.Sprintf("random_direction(%d, range, %d)", baselineSeed, b.dModel)
	if b.like != 0 {
		direction = fmt.Sprintf("random_direction_like(%d, range, %s)", baselineSeed, schema.Literal(schema.ReaderName(b.sae, b.side.Directions)))
	}
	rows := fmt.Sprintf("(SELECT CAST(range AS INTEGER) AS row, %s AS w_dec FROM range(%d, %d))", b.side.Transported(direction), from, to)
	sets := schema.List(b.sets)
	if b.id != 0 {
		return run(`INSERT INTO computed_scores SELECT v.set_id, v.es, v.auc
			FROM (SELECT unnest(enrichment_values(w_dec, ?, CAST(? AS INTEGER[]), ?)) AS v FROM `+rows+`)`, b.reader(), sets, b.tokens)
	}
	fields := make([]string, len(baselineStatistics))
	for i, name := range baselineStatistics {
		fields[i] = name + " := s." + name
	}
	if len(b.sets) == 0 {
		return run(`INSERT INTO computed_baseline SELECT row, struct_pack(`+strings.Join(fields, ", ")+`)
			FROM (SELECT row, feature_statistics(w_dec, ?, ?) AS s FROM `+rows+`)`, b.reader(), b.tokens)
	}
	// One pass: the whole result is kept for as long as it takes to divide it.
	if err := run(`CREATE OR REPLACE TEMP TABLE computed_block AS
		SELECT row, feature_statistics(w_dec, ?, ?, CAST(? AS INTEGER[])) AS s FROM `+rows, b.reader(), b.tokens, sets); err != nil {
		return err
	}
	if err := run(`INSERT INTO computed_baseline SELECT row, struct_pack(` + strings.Join(fields, ", ") + `) FROM computed_block`); err != nil {
		return err
	}
	return run(`INSERT INTO computed_scores SELECT v.set_id, v.es, v.auc FROM (SELECT unnest(s.enrichment) AS v FROM computed_block);
		DROP TABLE computed_block`)
}

// store stores what is computed.
func (b *baselineRun) store(conn *sql.Conn) error {
	tx, err := conn.BeginTx(b.ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if b.id == 0 {
		if err := tx.QueryRowContext(b.ctx, `SELECT nextval('baseline_ids')`).Scan(&b.id); err != nil {
			return err
		}
		lens, layer := b.side.BaselineLens()
		err := schema.Insert(b.ctx, tx, "stored_baselines", schema.Row{
			{"baseline_id", b.id}, {"model_id", b.modelID}, {"tokens", b.tokens}, {"seed", baselineSeed}, {"directions", b.directions},
			{"kernel", b.Kernel}, {"saedb_version", b.Version}, {"computed_at", time.Now().UTC()},
			{"sae_id", sql.NullInt64{Int64: int64(b.like), Valid: b.like != 0}}, {"side", b.side.Name}, {"lens_id", lens}, {"lens_layer", layer},
		})
		if err != nil {
			return err
		}
		if err := b.storeStatistics(tx); err != nil {
			return err
		}
	}
	if err := b.storeNulls(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// storeStatistics stores the statistics under the names that they have in the view features.
func (b *baselineRun) storeStatistics(tx *sql.Tx) error {
	for _, name := range baselineStatistics {
		if _, err := tx.ExecContext(b.ctx, fmt.Sprintf(`INSERT INTO stored_baseline_statistics (baseline_id, statistic, sorted_values, direction_rows)
			SELECT ?, ?, list(s.%[1]s ORDER BY s.%[1]s, row), list(row ORDER BY s.%[1]s, row) FROM computed_baseline WHERE isfinite(s.%[1]s) HAVING count(*) > 0`, name), b.id, b.side.Prefix+name); err != nil {
			return err
		}
	}
	return nil
}

// storeNulls stores the nulls of the sets.
func (b *baselineRun) storeNulls(tx *sql.Tx) error {
	members, err := b.members(tx)
	if err != nil {
		return err
	}
	// In the types that database/sql takes as they are; of others it makes text first, and
	// there are millions.
	rows, err := tx.QueryContext(b.ctx, `SELECT CAST(set_id AS BIGINT), CAST(es AS DOUBLE), CAST(auc AS DOUBLE) FROM computed_scores
		WHERE es IS NOT NULL AND auc IS NOT NULL`)
	if err != nil {
		return err
	}
	defer rows.Close()
	scores, aucs := map[int][]float32{}, map[int][]float32{}
	for rows.Next() {
		var set int64
		var es, auc float64
		if err := rows.Scan(&set, &es, &auc); err != nil {
			return err
		}
		scores[int(set)], aucs[int(set)] = append(scores[int(set)], float32(es)), append(aucs[int(set)], float32(auc))
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, set := range b.sets {
		row := schema.Row{{"baseline_id", b.id}, {"set_id", set}, {"directions", len(scores[set])}}
		if null, ok := baseline.NewNull(members[set], b.counted, scores[set], aucs[set]); ok {
			row = schema.Row{
				{"baseline_id", b.id}, {"set_id", set}, {"directions", null.Directions}, {"scores", floats(null.Scores)}, {"counts", schema.List(null.Counts)},
				{"threshold", null.Threshold}, {"location", null.Location}, {"scale", null.Scale}, {"median", null.Median},
				{"auc_scale", null.AUCScale}, {"resolution", null.Resolution},
			}
		}
		if err := schema.Insert(b.ctx, tx, "stored_baseline_enrichment", row); err != nil {
			return err
		}
	}
	return nil
}

// floats is numbers as a SQL list that gives the same ones.
func floats(values []float32) string {
	var text strings.Builder
	text.WriteByte('[')
	for i, v := range values {
		if i > 0 {
			text.WriteByte(',')
		}
		fmt.Fprintf(&text, "%.9g", v)
	}
	text.WriteByte(']')
	return text.String()
}

// members are how many tokens of each set count.
func (b *baselineRun) members(tx *sql.Tx) (map[int]int, error) {
	type set struct{ id, members int }
	sets, err := schema.Rows(b.ctx, tx, func(s *set) []any { return []any{&s.id, &s.members} },
		`SELECT set_id, `+schema.Members("?")+` FROM stored_token_sets WHERE set_id IN (SELECT unnest(CAST(? AS INTEGER[])))`,
		b.tokens, schema.List(b.sets))
	counted := map[int]int{}
	for _, s := range sets {
		counted[s.id] = s.members
	}
	return counted, err
}
