// Package statistics fills stored_statistics and stored_enrichment: which features
// still lack their figures, and their computation in blocks, each committed as it
// is done, so that what an interrupted run finished is not done again.
package statistics

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/saedb/saedb/internal/fault"
	schema "github.com/saedb/saedb/sql"
)

// The tokens whose columns of the unembedding count.
const (
	AllTokens  = "all"
	RealTokens = "real" // without padding and special tokens
)

// Pending is an SAE with features that lack statistics.
type Pending struct {
	SAE, Model string
	Features   int // that lack statistics
	Sets       int // token sets of the model, which are scored in the same pass
	Tokens     string
	Restart    bool // its statistics are for other tokens and will be dropped

	side      schema.Side
	id, block int
	own       int // the number of the SAE itself, another one where it is read through a lens
}

// Plan lists the SAEs that words mean, as [schema.MatchSAEs] has it, and
// that have features without statistics for these tokens of what they write, or come to write
// through the side's lens: then those that are in stored_lens_saes. tokens may be empty:
// then an SAE's statistics count as they are, and missing ones use what the
// others of that SAE used, or, through a lens, those without, or AllTokens. An SAE without its
// weights counts as it is.
func Plan(ctx context.Context, db *sql.DB, side schema.Side, words, tokens string) (pending []Pending, matched int, err error) {
	if err := checkTokens(tokens); err != nil {
		return nil, 0, err
	}
	names, err := schema.MatchSAEs(ctx, db, words)
	if err != nil {
		return nil, 0, fault.At("compute", "", err)
	}
	rows, err := db.QueryContext(ctx, side.SQL(`SELECT s.sae_id, s.`+side.Own()+`, s.sae, m.model, s.d_sae, s.d_model * CAST(m.d_vocab AS BIGINT),
			coalesce(c.tokens, ''), coalesce(o.tokens, ''), (SELECT count(*) FROM stored_statistics t WHERE t.sae_id = s.sae_id),
			(SELECT count(*) FROM stored_token_sets t WHERE t.model_id = s.model_id), `+side.LacksDirections()+`, `+side.LensLayer()+`
		FROM stored_saes s JOIN stored_models m USING (model_id) JOIN stored_loads l ON l.load_id = s.`+side.Own()+`
		LEFT JOIN stored_computations c USING (sae_id) LEFT JOIN stored_computations o ON o.sae_id = s.`+side.Own()+`
		WHERE `)+schema.InSAEs("s.sae", names)+`
		ORDER BY s.release, s.layer, s.sae`)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var p Pending
		var features, done, layer int
		var weights int64
		var used, direct string
		var absent bool
		if err := rows.Scan(&p.id, &p.own, &p.SAE, &p.Model, &features, &weights, &used, &direct, &done, &p.Sets, &absent, &layer); err != nil {
			return nil, 0, err
		}
		p.side = side.At(layer)
		matched++
		if p.Tokens = tokens; p.Tokens == "" {
			p.Tokens = cmp.Or(used, direct, AllTokens)
		}
		if p.Restart = used != "" && used != p.Tokens; p.Restart {
			done = 0
		}
		if absent {
			if p.Restart {
				return nil, 0, &fault.Error{
					Op: "compute", Subject: p.SAE, Problem: "its weights are not in this database, which has its figures for " + used + " tokens alone",
					Hint: "load it with --replace, or leave it out with --sae",
				}
			}
			continue
		}
		if p.Features = features - done; p.Features > 0 {
			p.block = blockOf(weights)
			pending = append(pending, p)
		}
	}
	return pending, matched, rows.Err()
}

// blockOf is how many features are computed and committed at once, given the
// size of the unembedding: seconds of work, not minutes. Large blocks are whole
// vectors of DuckDB's, so that functions get full batches.
func blockOf(weights int64) int {
	const flop = 1e12
	return wholeVectors(int(min(max(flop/float64(2*weights), 256), 65536)))
}

func wholeVectors(features int) int {
	const vector = 2048
	if features > vector {
		features -= features % vector
	}
	return features
}

// scoredBlock is a block whose features are scored in so many token sets: each has a row
// in every set, and functions return the rows of a vector of features at once.
func scoredBlock(block, sets int) int {
	const features, rows = 4096, 1 << 20
	return wholeVectors(min(block, features, max(1, rows/max(1, sets))))
}

// Side is what of the SAE is to be computed, with the layer of its lens.
func (p Pending) Side() schema.Side { return p.side }

// Job computes statistics in a database.
type Job struct {
	DB      *sql.DB
	Version string // of saedb, recorded beside the figures
	Kernel  string // that computes, likewise
	// Baseline is how many random directions p-values are against: 0 for none, KeepBaseline
	// for those that there are, or DefaultBaseline of them.
	Baseline int
	// BaselineLike is their kind, Isotropic or LikeSAE; empty for that of the baseline which an
	// SAE has, or Isotropic.
	BaselineLike string
	// Alone says that nobody else uses the database in this process. DuckDB is held to
	// one thread then while functions work: they use every processor themselves, and a
	// second thread would take one from them, since DuckDB spins while it waits.
	Alone bool
	// Done is told after each block, which is committed then, how many features it
	// had. It may be nil.
	Done func(features int)
}

func (j *Job) done(features int) {
	if j.Done != nil {
		j.Done(features)
	}
}

// Run computes what p lacks, after [Job.EnsureBaseline].
func (j *Job) Run(ctx context.Context, p Pending) error {
	like, err := j.like(ctx, p.side, p.SAE) // before begin forgets which it has
	if err != nil {
		return fault.At("compute", p.SAE, err)
	}
	if err := j.begin(ctx, p); err != nil {
		return fault.At("compute", p.SAE, err)
	}
	var features, sets int // of the latter there may be more than at the time of the plan
	if err := j.DB.QueryRowContext(ctx, p.side.SQL(`SELECT d_sae, (SELECT count(*) FROM stored_token_sets t WHERE t.model_id = s.model_id)
		FROM stored_saes s WHERE sae_id = ?`), p.id).Scan(&features, &sets); err != nil {
		return fault.At("compute", p.SAE, err)
	}
	if p.Sets > 0 {
		p.block = scoredBlock(p.block, sets)
	}
	if err := j.blocks(ctx, p, features); err != nil {
		return err
	}
	return fault.At("compute", p.SAE, j.significance(ctx, p.side, p.id, like))
}

// blocks computes what p lacks of an SAE of so many features.
func (j *Job) blocks(ctx context.Context, p Pending, features int) error {
	return fault.At("compute", p.SAE, j.inBlocks(ctx, features, p.block, func(conn *sql.Conn, from, to int) ([]string, error) {
		return j.block(ctx, conn, p, from, to)
	}))
}

// kernelsApart stands between the kernels that made an SAE's figures, where runs had several.
const kernelsApart = ", "

// begin records how the statistics are computed, and drops those that were
// computed for other tokens.
func (j *Job) begin(ctx context.Context, p Pending) error {
	tx, err := j.DB.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	kernel := j.Kernel
	if p.Restart {
		for _, table := range []string{"stored_statistics", "stored_significance", "stored_labels", "stored_enrichment", "stored_set_enrichment", "stored_lens_correlations"} {
			if _, err := tx.ExecContext(ctx, p.side.SQL(`DELETE FROM `+table+` WHERE sae_id = ?`), p.id); err != nil {
				return err
			}
		}
	}
	if !p.Restart { // what is there already stays
		if kernel, err = j.kernels(ctx, tx, p.side.SQL(fmt.Sprintf("stored_computations WHERE sae_id = %d AND features + scores > 0", p.id))); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, p.side.SQL(`DELETE FROM stored_computations WHERE sae_id = ?`), p.id); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, p.side.SQL(`INSERT INTO stored_computations (sae_id, tokens, kernel, saedb_version, computed_at, counted_tokens, features, scores)
		SELECT $1, $2, $3, $4, $5, `+schema.CountedTokens("(SELECT model_id FROM stored_saes WHERE sae_id = $1)", "$2")+`, 0, 0`),
		p.id, p.Tokens, kernel, j.Version, time.Now().UTC())
	if err != nil {
		return err
	}
	if err := schema.RecordCounts(ctx, tx, fmt.Sprintf("sae_id = %d", p.id)); err != nil {
		return err
	}
	return tx.Commit()
}

// kernels are those of a computation that is there, in the rows after FROM, and this one's.
func (j *Job) kernels(ctx context.Context, tx *sql.Tx, rows string) (string, error) {
	var before sql.NullString
	if err := tx.QueryRowContext(ctx, "SELECT any_value(kernel) FROM "+rows).Scan(&before); err != nil {
		return "", err
	}
	switch {
	case !before.Valid:
		return j.Kernel, nil
	case slices.Contains(strings.Split(before.String, kernelsApart), j.Kernel):
		return before.String, nil
	}
	return before.String + kernelsApart + j.Kernel, nil
}

// block computes the features in [from, to) that lack statistics. Where the model has
// token sets, the same pass over the logit weights scores them.
func (j *Job) block(ctx context.Context, conn *sql.Conn, p Pending, from, to int) (store []string, err error) {
	sets, norm := "", ""
	if p.side.Name == schema.Output.Name {
		norm = ", " + schema.DecoderNorm + " AS decoder_norm"
	}
	if p.Sets > 0 {
		sets = fmt.Sprintf(`, (SELECT list(set_id ORDER BY set_id) FROM stored_token_sets WHERE model_id = (SELECT model_id FROM stored_saes WHERE sae_id = %d))`, p.id)
	}
	rows, err := p.side.DirectionRows(ctx, conn, p.SAE, p.id, p.own)
	if err != nil {
		return nil, err
	}
	_, err = conn.ExecContext(ctx, strings.Replace(p.side.SQL(fmt.Sprintf(`CREATE OR REPLACE TEMP TABLE computed_block AS
		SELECT feature, feature_statistics(w_dec, ?, ?%[4]s) AS s%[5]s FROM $rows d
		WHERE sae_id = %[1]d AND feature >= %[2]d AND feature < %[3]d AND feature NOT IN (
			SELECT feature FROM stored_statistics t WHERE t.sae_id = %[1]d AND t.feature >= %[2]d AND t.feature < %[3]d)`,
		p.id, from, to, sets, norm)), "$rows", rows, 1), schema.ReaderName(p.Model, p.side.Reader), p.Tokens)
	if err != nil {
		return nil, err
	}
	store = []string{insertStatistics(p.side, p.id)}
	if p.Sets > 0 {
		store = append(store,
			// Scores without statistics may be of other tokens.
			fmt.Sprintf(`DELETE FROM stored_enrichment WHERE sae_id = %d AND feature >= %d AND feature < %d AND feature IN (SELECT feature FROM computed_block)`, p.id, from, to),
			insertEnrichment(p.id, `SELECT feature, unnest(s.enrichment) AS v FROM computed_block`))
	}
	return counting(p.side, p.id, from, to, store), nil
}

// counting adds to the statements that store figures of the features in [from, to) those
// that record how many more or fewer there are of the SAE, in the same transaction: so an
// interrupted computation has the figures that are recorded too. Only these features are
// counted, which lie side by side. All of them are those of the side.
func counting(side schema.Side, sae, from, to int, store []string) []string {
	count := func(sign string) string {
		return strings.NewReplacer("$sign", sign, "$of", fmt.Sprintf("WHERE sae_id = %d AND feature >= %d AND feature < %d", sae, from, to), "$id", fmt.Sprint(sae)).Replace(
			`UPDATE stored_computations SET features = features $sign (SELECT count(*) FROM stored_statistics $of), scores = scores $sign (SELECT count(*) FROM stored_enrichment $of) WHERE sae_id = $id`)
	}
	all := slices.Concat([]string{count("-")}, store, []string{count("+")})
	for i := range all {
		all[i] = side.SQL(all[i])
	}
	return all
}

// insertStatistics inserts the computed block: rows (feature, s), s being the result of
// feature_statistics, and of the output side decoder_norm.
func insertStatistics(side schema.Side, sae int) string {
	fields := make([]string, len(schema.StatisticsColumns))
	for i, c := range schema.StatisticsColumns {
		fields[i] = "s." + c + " AS " + c
	}
	rows := "SELECT * EXCLUDE s, " + strings.Join(fields, ", ") + " FROM computed_block"
	if side.Name == schema.Output.Name {
		counted := fmt.Sprintf("(SELECT counted_tokens FROM stored_computations WHERE sae_id = %d)", sae)
		rows = "SELECT *, " + schema.TopShare("counted_tokens") + " AS top_share FROM (SELECT *, " + counted + " AS counted_tokens FROM (" + rows + "))"
	}
	names := strings.Join(side.StatisticsColumns(), ", ")
	return fmt.Sprintf(`INSERT INTO stored_statistics (sae_id, feature, %[1]s) SELECT %[2]d, feature, %[1]s FROM (%[3]s) ORDER BY feature`, names, sae, rows)
}
