package loader

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	schema "github.com/saedb/saedb/sql"
)

// lensColumns are those of the view lenses that stored_lenses has too, but its numbers.
const lensColumns = "lens, kind, format, dtype, d_model, layers, residual, blocks, fitted_on, corpus, prompts"

// lensImport is the import of what SAEs write through lenses.
type lensImport struct {
	resultsImport                // whose tables of the output side are those of what goes through lenses
	direct        *resultsImport // which has the others
	stored        *resultsTable  // the table lenses
}

// resultsThrough is an SAE of the results as it is read through a lens.
type resultsThrough struct {
	resultsSAE
	at int // block behind which it begins in the lens
}

// lenses imports the figures of SAEs that are here by now through the lenses of the results, and
// says of how many. A lens that is not loaded comes without its matrices. Figures that are there
// already stay, unless they are to be replaced.
func (i *resultsImport) lenses(saes []*resultsSAE) (imported int, err error) {
	t, err := i.openLenses()
	if err != nil || t == nil {
		return 0, err
	}
	rows, err := schema.Rows(i.ctx, i.tx, func(s *resultsThrough) []any {
		return []any{&s.release, &s.name, &s.lens, &s.at, &s.against.seed, &s.against.directions, &s.against.like}
	}, fmt.Sprintf(`SELECT DISTINCT release, sae, lens, coalesce(CAST(lens_layer AS INTEGER), -2), baseline_seed, baseline_directions, coalesce(baseline_kind = '%s', false)
		FROM %s ORDER BY ALL`, schema.LikeSAE, t.features.from))
	if err != nil {
		return 0, err
	}
	for n, s := range rows {
		subject := s.release + "/" + s.name + ", lens " + s.lens
		if n > 0 && s.release == rows[n-1].release && s.name == rows[n-1].name && s.lens == rows[n-1].lens {
			return 0, fault.At("", subject, &fault.Error{Problem: "its rows are of different layers of the lens, or against different baselines", Hint: "was the job that wrote it interrupted?"})
		}
		known := slices.IndexFunc(saes, func(o *resultsSAE) bool { return o.release == s.release && o.name == s.name })
		if known < 0 {
			return 0, fault.At("", subject, &fault.Error{Expected: "the SAE in features", Found: "none of that name"})
		}
		whole := *saes[known]
		whole.lens, whole.against = s.lens, s.against
		one, err := t.sae(&whole, s.at)
		if err != nil {
			return 0, fault.At("", subject, err)
		}
		if one {
			imported++
		}
	}
	i.scores = t.scores
	return imported, nil
}

// openLenses finds the tables of what goes through lenses, nil where there are none.
func (i *resultsImport) openLenses() (*lensImport, error) {
	t := &lensImport{resultsImport: *i, direct: i}
	t.input = resultsSide{}
	var err error
	for _, of := range []struct {
		to                    **resultsTable
		name                  string
		partitioned, required bool
		needed                []string
	}{
		{&t.features, "features", true, false, append([]string{"sae", "model", "feature", "tokens", "saedb_version", "baseline_seed", "baseline_directions", "baseline_kind"}, schema.StatisticsColumns...)},
		{&t.output.enrichment, "enrichment", true, false, scoreColumns},
		{&t.chance, "baseline_statistics", false, false, chanceColumns},
		{&t.output.nulls, "baseline_enrichment", false, false, nullColumns},
	} {
		if *of.to, err = openResults(i.ctx, i.tx, i.Dir, of.name+"_through", of.partitioned, of.required, append(of.needed[:len(of.needed):len(of.needed)], "lens", "lens_layer")...); err != nil {
			return nil, err
		}
		if t.features == nil {
			return nil, nil
		}
	}
	t.stored, err = openResults(i.ctx, i.tx, i.Dir, "lenses", false, true, append(strings.Split(lensColumns, ", "), "model", "source", "sha256", "conventions")...)
	return t, err
}

// sae imports the figures of an SAE through its lens, in which it begins behind a block.
func (t *lensImport) sae(s *resultsSAE, layer int) (changed bool, err error) {
	m, err := t.model(s.model)
	if err != nil {
		return false, err
	}
	lens, err := t.lens(s.lens, m)
	if err != nil {
		return false, err
	}
	c, err := t.checkFeatures(s, m)
	if err != nil {
		return false, err
	}
	lens.Layer = layer
	side := schema.Through(lens)
	id, err := t.place(s, lens)
	if err != nil {
		return false, err
	}
	if has, err := t.hasFigures(side, id); err != nil || has && !t.Replace {
		return false, err
	}
	of := t.resultsImport
	if !slices.Contains(lens.Layers, layer) { // behind the last block, where the baseline is the direct one
		of.chance, of.output.nulls = t.direct.chance, t.direct.output.nulls
	}
	if err := of.baselines(side, m, nil); err != nil {
		return false, err
	}
	if err := of.figures(side, id, s, m, c); err != nil {
		return false, err
	}
	t.scores = of.scores
	correlation := t.features.as("rank_correlation", "DOUBLE")
	return true, execute(t.ctx, t.tx, fmt.Sprintf(`DELETE FROM stored_lens_correlations WHERE sae_id = %d`, id),
		fmt.Sprintf(`INSERT INTO stored_lens_correlations SELECT %d, feature, %[2]s FROM %[3]s WHERE %[4]s AND %[2]s IS NOT NULL ORDER BY feature`,
			id, correlation, t.features.from, s.where()))
}

// place is the number that an SAE has in a lens, where it begins behind lens.Layer.
func (t *lensImport) place(s *resultsSAE, lens schema.Lens) (id int, err error) {
	var blocks sql.NullInt64
	if err := t.tx.QueryRowContext(t.ctx, `SELECT blocks FROM stored_lenses WHERE lens_id = ?`, lens.ID).Scan(&blocks); err != nil {
		return 0, err
	}
	if !slices.Contains(lens.Layers, lens.Layer) && !(blocks.Valid && int(blocks.Int64)-1 == lens.Layer) {
		return 0, &fault.Error{Expected: "a layer of the lens, " + schema.List(lens.Layers) + ", or the last block", Found: fmt.Sprint(lens.Layer)}
	}
	at := lens.Layer
	err = t.tx.QueryRowContext(t.ctx, `SELECT lens_sae_id, layer FROM stored_lens_saes WHERE sae_id = ? AND lens_id = ?`, s.id, lens.ID).Scan(&id, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return schema.PlaceInLens(t.ctx, t.tx, s.id, lens)
	}
	if err == nil && at != lens.Layer {
		err = &fault.Error{Expected: fmt.Sprintf("figures of layer %d of the lens, where it begins in this database", at), Found: fmt.Sprintf("layer %d", lens.Layer)}
	}
	return id, err
}

// lens finds a lens of the results in this database, where it must be of the same files, or makes
// it without its matrices.
func (t *lensImport) lens(name string, m *resultsModel) (found schema.Lens, err error) {
	where := "lens = " + schema.Literal(name)
	var rows, dModel int
	var model, sha256, source, conventions string
	var revision sql.NullString
	err = t.tx.QueryRowContext(t.ctx, fmt.Sprintf(`SELECT count(*), coalesce(any_value(model), ''), coalesce(any_value(sha256), ''), coalesce(any_value(source), ''),
			coalesce(any_value(conventions), ''), any_value(%s), coalesce(any_value(CAST(d_model AS INTEGER)), 0) FROM %s WHERE %s`, t.stored.as("revision", "VARCHAR"), t.stored.from, where)).Scan(
		&rows, &model, &sha256, &source, &conventions, &revision, &dModel)
	if err != nil {
		return found, err
	}
	if rows != 1 || sha256 == "" || model != m.name || dModel != m.dModel {
		return found, &fault.Error{
			Expected: fmt.Sprintf("one whole row in lenses of a lens of model %s, of d_model %d", m.name, m.dModel), Found: fmt.Sprintf("%d, of model %s, of d_model %d", rows, model, dModel),
		}
	}
	l := &load{kind: "lens", name: name, source: source, revision: revision, conventions: strings.TrimSuffix(conventions, schema.WithoutWeights), begun: t.begun}
	earlier, err := current(t.ctx, t.tx, l)
	if err != nil {
		return found, err
	}
	found = schema.Lens{ID: earlier.id, Name: name}
	switch same := earlier.digest == sha256 && strings.TrimSuffix(earlier.conventions, schema.WithoutWeights) == l.conventions; {
	case earlier.id != 0 && !same && !t.Replace:
		return found, &fault.Error{
			Problem: "a lens of that name is loaded already, with other content", Expected: fmt.Sprintf("sha256 %s (%s)", earlier.digest, earlier.conventions),
			Found: fmt.Sprintf("%s (%s)", sha256, l.conventions), Hint: "replace it with --replace, or import into a new database",
		}
	case !same:
		if err := t.newLens(l, m, sha256, where, earlier.id); err != nil {
			return found, err
		}
		found.ID = l.id
	}
	var layers schema.ListOf[int32]
	if err := t.tx.QueryRowContext(t.ctx, `SELECT layers FROM stored_lenses WHERE lens_id = ?`, found.ID).Scan(&layers); err != nil {
		return found, err
	}
	for _, layer := range layers {
		found.Layers = append(found.Layers, int(layer))
	}
	return found, nil
}

// newLens records a lens without its matrices, in place of an old load's, 0 for none.
func (t *lensImport) newLens(l *load, m *resultsModel, sha256, where string, old int) error {
	if err := t.recordImport(l, sha256, t.stored, where); err != nil {
		return err
	}
	err := execute(t.ctx, t.tx,
		fmt.Sprintf(`INSERT INTO stored_lenses (lens_id, model_id, %[3]s) SELECT %[1]d, %[2]d, %[3]s FROM %[4]s WHERE %[5]s`, l.id, m.id, lensColumns, t.stored.from, where),
		fmt.Sprintf(`INSERT INTO stored_lens_matrices SELECT lens_id, unnest(layers) AS layer, dimension, NULL
			FROM stored_lenses, (SELECT CAST(range AS INTEGER) AS dimension FROM range(%d)) WHERE lens_id = %d ORDER BY layer, dimension`, m.dModel, l.id))
	if err != nil {
		return err
	}
	if err := schema.RecordContents(t.ctx, t.tx, l.id, "stored_lens_matrices"); err != nil {
		return err
	}
	if err := dropLens(t.ctx, t.tx, old); err != nil {
		return err
	}
	return finish(t.ctx, t.tx, l, old)
}

// baselinesIn is the name of the table of baselines.
func (i *resultsImport) baselinesIn() string {
	if i.chance == nil {
		return "baseline_statistics"
	}
	return i.chance.name
}

// through is the condition for rows of baselines, after others, that they go the way of a side's.
func through(side schema.Side, t *resultsTable) string {
	if t.columns["lens"] == "" {
		return ""
	}
	return fmt.Sprintf(" AND lens = %s AND lens_layer = %d", schema.Literal(side.Lens.Name), side.Lens.Layer)
}
