package loader

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/sae"
	schema "github.com/saedb/saedb/sql"
)

const importResults = "import"

// ResultsRequest asks for results that were computed elsewhere: a directory of
// Parquet files, as saedb export or a cluster job writes it (docs/export.md).
type ResultsRequest struct {
	Dir     string
	Replace bool               // figures that are there already, and SAEs of other content
	Done    func(features int) // is told of features that are read; may be nil
}

// ResultsOutcome is what an import did.
type ResultsOutcome struct {
	SAEs    []Outcome
	Scores  int64 // of enrichment
	Without int   // SAEs that came without weights, since they were not loaded
	Through int   // SAEs whose figures through a lens came, once for each lens
	Took    time.Duration
}

// Results imports results, all of them or none. An SAE that is loaded, of the same files,
// gets its figures; another is made without its weights, and so is its model.
func (ld *Loader) Results(ctx context.Context, r ResultsRequest) (ResultsOutcome, error) {
	begun := time.Now()
	var outcome ResultsOutcome
	err := ld.transact(ctx, func(tx *sql.Tx) (changed bool, err error) {
		i := &resultsImport{Loader: ld, ResultsRequest: r, ctx: ctx, tx: tx, begun: begun, models: map[string]*resultsModel{}}
		if err := i.open(); err != nil {
			return false, err
		}
		saes, err := i.readSAEs()
		if err != nil {
			return false, err
		}
		for _, s := range saes {
			one, err := i.sae(s)
			if err != nil {
				return false, fault.At(importResults, s.release+"/"+s.name, err)
			}
			outcome.SAEs = append(outcome.SAEs, one)
			changed = changed || !one.Unchanged
			if r.Done != nil {
				r.Done(s.dSAE)
			}
		}
		outcome.Through, err = i.lenses(saes)
		if err != nil {
			return false, err
		}
		pairs, err := i.pairs()
		outcome.Scores, outcome.Without = i.scores, i.without
		return changed || outcome.Through > 0 || pairs, err
	})
	outcome.Took = time.Since(begun)
	return outcome, fault.At(importResults, r.Dir, err)
}

// resultsImport is one import at work.
type resultsImport struct {
	*Loader
	ResultsRequest
	ctx   context.Context
	tx    *sql.Tx
	begun time.Time

	features, saes, stored, tokens *resultsTable // stored is the table models
	sets, chance                   *resultsTable // token_sets and baseline_statistics; nil when there are none
	output, input                  resultsSide
	models                         map[string]*resultsModel
	scores                         int64
	without                        int
}

// resultsSide is the tables of one side of features, nil when there are none.
type resultsSide struct {
	enrichment, nulls *resultsTable // enrichment and baseline_enrichment
}

// of is the tables of a side.
func (i *resultsImport) of(side schema.Side) resultsSide {
	if side.Name == schema.Input.Name {
		return i.input
	}
	return i.output
}

// resultsModel is a model of the results, and its number in this database.
type resultsModel struct {
	name               string
	id, dModel, dVocab int
	sha256             string
}

// resultsSAE is an SAE of the results.
type resultsSAE struct {
	release, name, model, hook, sha256, source, conventions string
	revision                                                sql.NullString
	layer                                                   sql.NullInt32 // of its partition
	id                                                      int           // its number in this database, once it is there
	lens                                                    string        // that its rows are of; empty for what it writes directly
	dModel, dSAE                                            int
	against, inputAgainst                                   resultsBaseline // of its figures, and of those of its input side
	input                                                   computed        // the latter, but for whether there are any
}

// resultsBaseline is the baseline that p-values are against.
type resultsBaseline struct {
	seed, directions sql.NullInt64
	like             bool // whether it is like the SAE
}

// baseline is that of a side.
func (s *resultsSAE) baseline(side schema.Side) resultsBaseline {
	if side.Name == schema.Input.Name {
		return s.inputAgainst
	}
	return s.against
}

// call names the load of an SAE. Results of an older saedb, or of a cluster job, have the
// SAE's name without its release.
func (s *resultsSAE) call(l *load) error {
	return l.call(s.release, strings.TrimPrefix(s.name, s.release+"/"))
}

// open finds the tables.
func (i *resultsImport) open() (err error) {
	statistics := append([]string{"sae", "model", "feature", "log_sparsity", "tokens", "saedb_version"}, schema.StatisticsColumns...)
	for _, t := range []struct {
		to                    **resultsTable
		name                  string
		partitioned, required bool
		needed                []string
	}{
		{&i.features, "features", true, true, statistics},
		{&i.saes, "saes", false, true, []string{"release", "sae", "model", "hook", "architecture", "d_model", "d_sae", "format", "dtype", "scale", "source", "sha256"}},
		{&i.stored, "models", false, true, append([]string{"source", "sha256", "conventions"}, modelColumns...)},
		{&i.tokens, "tokens", false, true, []string{"model", "token_id", "token", "text", "is_special", "is_padding"}},
		{&i.output.enrichment, schema.Output.Prefix + "enrichment", true, false, scoreColumns},
		{&i.input.enrichment, schema.Input.Prefix + "enrichment", true, false, scoreColumns},
		{&i.chance, "baseline_statistics", false, false, chanceColumns},
		{&i.output.nulls, schema.Output.Prefix + "baseline_enrichment", false, false, nullColumns},
		{&i.input.nulls, schema.Input.Prefix + "baseline_enrichment", false, false, nullColumns},
	} {
		if *t.to, err = openResults(i.ctx, i.tx, i.Dir, t.name, t.partitioned, t.required, t.needed...); err != nil {
			return err
		}
	}
	i.sets, err = openResults(i.ctx, i.tx, i.Dir, "token_sets", false, i.output.enrichment != nil || i.input.enrichment != nil, "model", "token_set", "family", "tokens")
	return err
}

// scoreColumns, nullColumns and chanceColumns are those that enrichment, baseline_enrichment and
// baseline_statistics must have.
var (
	chanceColumns = []string{"model", "tokens", "seed", "directions", "statistic", "sorted_values", "direction_rows", "saedb_version"}
	scoreColumns  = []string{"sae", "model", "feature", "token_set", "es", "direction", "log10_p", "auc"}
	nullColumns   = []string{
		"model", "tokens", "seed", "baseline_directions", "token_set", "directions", "expected_es", "es_q99", "es_location", "es_scale", "auc_scale", "scores", "counts", "resolution",
	}
)

// modelColumns are those of the view models that stored_models has too, but its load_id.
var modelColumns = []string{
	"model", "architecture", "format", "dtype", "d_model", "d_vocab", "unembedding_tensor", "tied", "processing", "norm", "norm_tensor", "norm_offset",
	"norm_folded", "norm_bias_folded", "centered_over_d_model", "centered_over_vocabulary", "soft_cap",
}

// readSAEs lists the SAEs that have features.
func (i *resultsImport) readSAEs() ([]*resultsSAE, error) {
	t := i.saes
	type row struct {
		resultsSAE
		model, sha256, conventions, source sql.NullString
		dModel, dSAE, described            sql.NullInt64
	}
	columns := func(s *row) []any {
		return []any{
			&s.release, &s.name, &s.layer, &s.model, &s.hook, &s.sha256, &s.conventions, &s.source, &s.revision, &s.dModel, &s.dSAE, &s.described, &s.against.seed, &s.against.directions, &s.against.like,
			&s.inputAgainst.seed, &s.inputAgainst.directions, &s.inputAgainst.like, &s.input.tokens, &s.input.kernel, &s.input.version, &s.input.at,
		}
	}
	rows, err := schema.Rows(i.ctx, i.tx, columns, fmt.Sprintf(`SELECT f.release, f.sae, f.layer, s.model, coalesce(s.hook, ''), s.sha256, s.conventions, s.source, s.revision, s.d_model, s.d_sae, s.described,
			s.baseline_seed, s.baseline_directions, coalesce(s.baseline_kind = '`+schema.LikeSAE+`', false),
			s.input_side_baseline_seed, s.input_side_baseline_directions, coalesce(s.input_side_baseline_kind = '`+schema.LikeSAE+`', false),
			coalesce(s.input_side_tokens, ''), coalesce(s.input_side_kernel, 'unknown'), coalesce(s.input_side_saedb_version, 'unknown'), coalesce(s.input_side_computed_at, `+i.now()+`)
		FROM (SELECT DISTINCT release, sae, layer FROM %s) f
		LEFT JOIN (SELECT release, sae, any_value(model) AS model, any_value(hook) AS hook, any_value(sha256) AS sha256,
				any_value(coalesce(%s, 'decoder ' || scale || '; model ' || model)) AS conventions, any_value(source) AS source, any_value(%s) AS revision,
				any_value(%s) AS baseline_seed, any_value(%s) AS baseline_directions, any_value(%s) AS baseline_kind, `+inputSide(t)+`, any_value(CAST(d_model AS INTEGER)) AS d_model, any_value(CAST(d_sae AS INTEGER)) AS d_sae, count(*) AS described
			FROM %s GROUP BY release, sae) s USING (release, sae)
		ORDER BY f.release, f.layer, f.sae`, i.features.from, t.as("conventions", "VARCHAR"), t.as("revision", "VARCHAR"),
		t.as("baseline_seed", "BIGINT"), t.as("baseline_directions", "BIGINT"), t.as("baseline_kind", "VARCHAR"), t.from))
	if err != nil {
		return nil, err
	}
	var all []*resultsSAE
	for _, r := range rows {
		s := &r.resultsSAE
		if r.described.Int64 != 1 || !r.model.Valid || !r.sha256.Valid || !r.conventions.Valid || !r.dModel.Valid || !r.dSAE.Valid {
			return nil, &fault.Error{
				Subject: s.release + "/" + s.name, Expected: "one whole row of it in " + t.name, Found: fmt.Sprint(r.described.Int64),
			}
		}
		s.model, s.sha256, s.source, s.dModel, s.dSAE = r.model.String, r.sha256.String, r.source.String, int(r.dModel.Int64), int(r.dSAE.Int64)
		s.conventions = strings.TrimSuffix(r.conventions.String, schema.WithoutWeights)
		all = append(all, s)
	}
	return all, nil
}

// now is the SQL of when the import was begun.
func (i *resultsImport) now() string {
	return "TIMESTAMP " + schema.Literal(i.begun.UTC().Format("2006-01-02 15:04:05.999999"))
}

// inputSide is the SQL of what saes says of how the figures of the input side were computed.
func inputSide(t *resultsTable) string {
	var all []string
	for _, c := range [][2]string{
		{"tokens", "VARCHAR"}, {"kernel", "VARCHAR"}, {"saedb_version", "VARCHAR"}, {"computed_at", "TIMESTAMP"},
		{"baseline_seed", "BIGINT"}, {"baseline_directions", "BIGINT"}, {"baseline_kind", "VARCHAR"},
	} {
		name := "input_side_" + c[0]
		all = append(all, "any_value("+t.as(name, c[1])+") AS "+name)
	}
	return strings.Join(all, ", ")
}

// sae imports one SAE.
func (i *resultsImport) sae(s *resultsSAE) (Outcome, error) {
	outcome := Outcome{Name: s.name, Rows: s.dSAE, Source: s.source}
	m, err := i.model(s.model)
	if err != nil {
		return outcome, err
	}
	figures, err := i.checkFeatures(s, m)
	if err != nil {
		return outcome, err
	}
	input, err := i.checkInputSide(s)
	if err != nil {
		return outcome, err
	}
	l := &load{kind: "sae", source: s.source, begun: i.begun}
	if err := s.call(l); err != nil {
		return outcome, err
	}
	outcome.Name = l.name
	earlier, err := current(i.ctx, i.tx, l)
	if err != nil {
		return outcome, err
	}
	same := earlier.digest == s.sha256 && strings.TrimSuffix(earlier.conventions, schema.WithoutWeights) == s.conventions
	id := earlier.id
	switch {
	case id != 0 && !same && !i.Replace:
		return outcome, &fault.Error{
			Problem: "it is loaded already, with other content", Expected: fmt.Sprintf("sha256 %s (%s)", earlier.digest, earlier.conventions),
			Found: fmt.Sprintf("%s (%s)", s.sha256, s.conventions), Hint: "replace it with --replace, or import into a new database",
		}
	case id == 0 || !same:
		if id, err = i.newSAE(s, m, earlier.id); err != nil {
			return outcome, err
		}
	}
	s.id = id
	outcome.Unchanged = true
	for _, side := range []struct {
		schema.Side
		computed
	}{{schema.Output, figures}, {schema.Input, input}} {
		has, err := i.hasFigures(side.Side, id)
		if err != nil {
			return outcome, err
		}
		// Results without the input side say nothing of it.
		if side.Name == schema.Input.Name && !side.any || has && !i.Replace {
			continue
		}
		outcome.Unchanged = false
		if err := i.figures(side.Side, id, s, m, side.computed); err != nil {
			return outcome, err
		}
	}
	return outcome, nil
}

// hasFigures tells whether an SAE has statistics of a side.
func (i *resultsImport) hasFigures(side schema.Side, id int) (has bool, err error) {
	err = i.tx.QueryRowContext(i.ctx, side.SQL(`SELECT count(*) > 0 FROM stored_statistics WHERE sae_id = ?`), id).Scan(&has)
	return has, err
}

// computed is how the figures of an SAE were computed.
type computed struct {
	any                     bool
	tokens, kernel, version string
	at                      time.Time
}

// checkFeatures makes sure that the rows of an SAE are whole, and of its files.
func (i *resultsImport) checkFeatures(s *resultsSAE, m *resultsModel) (computed, error) {
	t := i.features
	var rows, features, other, torn, scopes, counted int
	var tokens, kernel, version sql.NullString
	var at sql.NullTime
	err := i.tx.QueryRowContext(i.ctx, fmt.Sprintf(`SELECT count(*), count(DISTINCT feature) FILTER (feature >= 0 AND feature < %d),
			count(*) FILTER (%s <> %s OR %s <> %s OR model <> %s),
			count(*) FILTER ((mean IS NULL) <> (std IS NULL) OR (mean IS NULL) <> (top_token_ids IS NULL) OR (mean IS NULL) <> (top_logit_weights IS NULL)
				OR (mean IS NULL) <> (bottom_token_ids IS NULL) OR (mean IS NULL) <> (bottom_logit_weights IS NULL)),
			count(DISTINCT tokens) FILTER (mean IS NOT NULL), count(mean),
			any_value(tokens) FILTER (mean IS NOT NULL), any_value(%s), any_value(saedb_version), min(%s)
		FROM %s WHERE %s`, s.dSAE, t.as("sae_sha256", "VARCHAR"), schema.Literal(s.sha256), t.as("model_sha256", "VARCHAR"), schema.Literal(m.sha256),
		schema.Literal(s.model), t.as("kernel", "VARCHAR"), t.as("computed_at", "TIMESTAMP"), t.from, s.where())).Scan(
		&rows, &features, &other, &torn, &scopes, &counted, &tokens, &kernel, &version, &at)
	if err != nil {
		return computed{}, err
	}
	problem := &fault.Error{Hint: "was the job that wrote it interrupted?"}
	switch {
	case rows != s.dSAE || features != s.dSAE:
		problem.Expected, problem.Found = fmt.Sprintf("%d features, one row each", s.dSAE), fmt.Sprintf("%d rows of %d features", rows, features)
	case other > 0:
		problem.Problem, problem.Hint = fmt.Sprintf("%d rows are of other files than %s and %s say", other, i.saes.name, i.stored.name), "compute it again"
	case torn > 0:
		problem.Problem = fmt.Sprintf("%d rows lack some of their figures", torn)
	case counted > 0 && (scopes != 1 || tokens.String != "all" && tokens.String != "real"):
		problem.Expected, problem.Found, problem.Hint = "figures for all or for real tokens", fmt.Sprintf("%d kinds, %s", scopes, tokens.String), ""
	default:
		if !at.Valid {
			at.Time = i.begun
		}
		if !kernel.Valid {
			kernel.String = "unknown"
		}
		return computed{counted > 0, tokens.String, kernel.String, version.String, at.Time.UTC()}, nil
	}
	return computed{}, problem
}

// newSAE records an SAE and its features, without weights, in place of an old load's, 0
// for none.
func (i *resultsImport) newSAE(s *resultsSAE, m *resultsModel, old int) (id int, err error) {
	if s.dModel != m.dModel {
		return 0, &fault.Error{Expected: fmt.Sprintf("d_model %d, that of model %s", m.dModel, s.model), Found: fmt.Sprint(s.dModel)}
	}
	l := &load{kind: "sae", conventions: s.conventions, source: s.source, revision: s.revision, begun: i.begun}
	if err := s.call(l); err != nil {
		return 0, err
	}
	if err := i.recordImport(l, s.sha256, i.saes, s.named()); err != nil {
		return 0, err
	}
	i.without++
	t := i.saes
	info := sae.Info{DModel: s.dModel, DSAE: s.dSAE, Hook: s.hook, Layer: sae.HookLayer(s.hook)}
	err = i.tx.QueryRowContext(i.ctx, fmt.Sprintf(`SELECT format, architecture, dtype, scale, coalesce(%s, ''), coalesce(%s, 0)
		FROM %s WHERE %s`, t.as("neuronpedia_id", "VARCHAR"), t.as("l0", "DOUBLE"), t.from, s.named())).
		Scan(&info.Format, &info.Architecture, &info.DType, &info.Scale, &info.NeuronpediaID, &info.L0)
	if err != nil {
		return 0, err
	}
	layer := -1
	if s.layer.Valid {
		layer = int(s.layer.Int32)
	}
	if err := describeSAE(i.ctx, i.tx, l, info, m.id, layer); err != nil {
		return 0, err
	}
	write := func() error {
		_, err := i.tx.ExecContext(i.ctx, fmt.Sprintf(`INSERT INTO stored_decoders SELECT %d, CAST(feature AS INTEGER), NULL, CAST(log_sparsity AS FLOAT) FROM %s WHERE %s ORDER BY feature`,
			l.id, i.features.from, s.where()))
		return err
	}
	return l.id, takePlace(i.ctx, i.tx, l, old, write)
}

// recordImport writes l into stored_loads and gives it its number. Of its files only
// the hash is known.
func (i *resultsImport) recordImport(l *load, sha256 string, t *resultsTable, where string) error {
	var bytes int64
	var version string
	err := i.tx.QueryRowContext(i.ctx, fmt.Sprintf(`SELECT format, coalesce(%s, 0), coalesce(%s, ?) FROM %s WHERE %s`,
		t.as("bytes", "BIGINT"), t.as("saedb_version", "VARCHAR"), t.from, where), i.Version).Scan(&l.format, &bytes, &version)
	if err != nil {
		return err
	}
	l.conventions += schema.WithoutWeights
	return l.insert(i.ctx, i.tx, sha256, bytes, version)
}
