package loader

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/hub"
	"github.com/saedb/saedb/loader/lens"
	"github.com/saedb/saedb/loader/model"
	"github.com/saedb/saedb/loader/sae"
	schema "github.com/saedb/saedb/sql"
)

const loadLens = "load lens"

// LensRequest asks for a lens.
type LensRequest struct {
	Path   string
	Origin Origin // of files that were downloaded to Path
	Name   string // the file's or directory's own when empty
	// Model is the only one loaded, or the one that the lens names, when empty. With it, the lens
	// may name another: a base model's lens reads a tuned one's SAEs.
	Model string
	// Transposed says that rows are multiplied by the matrices; see lens.Options.
	Transposed bool
	Replace    bool // a different lens of that name
}

// maxLensLayer bounds the numbers of layers, which row hashes hold.
const maxLensLayer = 1 << 10

// Lens loads a lens.
func (ld *Loader) Lens(ctx context.Context, r LensRequest) (Outcome, error) {
	path := absolute(r.Path)
	opened, err := lens.Open(path, lens.Options{Transposed: r.Transposed})
	if err != nil {
		return Outcome{}, fault.At(loadLens, r.Path, err)
	}
	defer opened.Close()
	info := opened.Info()
	l := &load{kind: "lens", name: cmp.Or(r.Name, info.Name), format: info.Format, begun: time.Now()}
	l.source, l.revision = r.Origin.recorded(path)
	outcome := Outcome{Name: l.name, Rows: len(info.Layers), Source: l.source}
	err = ld.transactWeights(ctx, func(tx *sql.Tx) (changed bool, err error) {
		m, err := lensModel(ctx, tx, r.Model, info)
		if err != nil {
			return false, err
		}
		blocks, err := ld.blocksOf(ctx, tx, m, info)
		if err != nil {
			return false, err
		}
		if l.files, err = hashFiles(ctx, loadLens, path, r.Origin, info.Files); err != nil {
			return false, err
		}
		if l.conventions = lensConventions(info, m, r); info.Model != "" && !m.called(info.Model) {
			outcome.Note = fmt.Sprintf("it was fitted on %s, and is loaded for model %s", info.Model, m.name)
		}
		old, unchanged, err := ld.supersedes(ctx, tx, l, r.Replace, &outcome)
		if err != nil || unchanged {
			return false, err
		}
		if err := ld.record(ctx, tx, l); err != nil {
			return false, err
		}
		if err := ld.writeLens(ctx, tx, l, opened, m.id, blocks); err != nil {
			return false, err
		}
		if err := dropLens(ctx, tx, old); err != nil {
			return false, err
		}
		return true, finish(ctx, tx, l, old)
	})
	if err != nil {
		return Outcome{}, fault.At(loadLens, r.Path, err)
	}
	outcome.Took = time.Since(l.begun)
	return outcome, nil
}

// lensConventions is what was done to the matrices, for the record of the load.
func lensConventions(info lens.Info, m sourcedModel, r LensRequest) string {
	parts := []string{info.Kind + " lens; model " + m.name}
	if r.Transposed && info.Kind == lens.Matrices {
		parts = append(parts, "transposed")
	}
	if info.Residual {
		parts = append(parts, "the direction is added")
	}
	if info.Model != "" {
		parts = append(parts, "fitted on "+info.Model)
	}
	if info.About != "" {
		parts = append(parts, info.About)
	}
	return strings.Join(parts, "; ")
}

func (ld *Loader) writeLens(ctx context.Context, tx *sql.Tx, l *load, opened *lens.Lens, model, blocks int) error {
	info := opened.Info()
	number := func(n int) sql.NullInt64 { return sql.NullInt64{Int64: int64(n), Valid: n > 0} }
	err := schema.Insert(ctx, tx, "stored_lenses", schema.Row{
		{"lens_id", l.id}, {"lens", l.name}, {"model_id", model}, {"kind", info.Kind}, {"format", info.Format}, {"dtype", info.DType},
		{"d_model", info.DModel}, {"layers", schema.List(info.Layers)}, {"residual", info.Residual}, {"blocks", number(blocks)},
		{"fitted_on", optional(info.Model)}, {"corpus", optional(info.Corpus)}, {"prompts", number(info.Prompts)},
	})
	if err != nil {
		return err
	}
	rows, withdraw := ld.Opened.OfferLens(opened)
	defer withdraw()
	err = ld.fill(ctx, tx, "matrices of "+l.name, len(info.Layers)*info.DModel, fmt.Sprintf(`INSERT INTO stored_lens_matrices
		SELECT %d, layer, dimension, weights FROM %s`, l.id, rows))
	if err != nil {
		return err
	}
	return schema.RecordContents(ctx, tx, l.id, "stored_lens_matrices")
}

// sourcedModel is the model that a lens is loaded for, and where it came from.
type sourcedModel struct {
	loadedModel
	source string
}

// called tells whether it is the model that a lens names: by its name here, or by that of where it
// was loaded from, with or without the organisation's.
func (m sourcedModel) called(name string) bool {
	return sameModel(m.name, name) || sameModel(m.source[strings.LastIndexByte(m.source, '/')+1:], name)
}

// lensModel finds the model that a lens is for: the one asked for, else the one that the lens
// names, else the only one, unless the lens names another.
func lensModel(ctx context.Context, tx *sql.Tx, asked string, info lens.Info) (m sourcedModel, err error) {
	of := sae.Info{Path: info.Path, ModelName: info.Model}
	if m.loadedModel, err = chooseModel(ctx, tx, loadLens, asked, of); err != nil {
		return m, err
	}
	if err := tx.QueryRowContext(ctx, `SELECT source FROM stored_loads WHERE load_id = ?`, m.id).Scan(&m.source); err != nil {
		return m, err
	}
	if m.dModel != info.DModel {
		e := &fault.Error{
			Subject: info.Path, Expected: fmt.Sprintf("d_model %d, that of model %s", m.dModel, m.name), Found: fmt.Sprint(info.DModel),
			Hint: "is it a lens of another model?",
		}
		if info.Model != "" {
			e.Hint = "it is a lens of " + info.Model
		}
		return m, e
	}
	if asked == "" && info.Model != "" && !m.called(info.Model) {
		return m, &fault.Error{
			Subject: info.Path, Expected: "a lens of model " + m.name + ", which is loaded from " + m.source, Found: "one that was fitted on " + info.Model,
			Hint: "where it is meant all the same, --model " + m.name + " says so",
		}
	}
	return m, nil
}

// blocksOf is the number of the model's blocks, by the lens's files or else the model's own, 0
// where neither is known, with which the lens must agree.
func (ld *Loader) blocksOf(ctx context.Context, tx *sql.Tx, m sourcedModel, info lens.Info) (int, error) {
	blocks, err := ld.modelBlocks(ctx, tx, m)
	if err != nil {
		return 0, err
	}
	last := info.Layers[len(info.Layers)-1]
	if info.Blocks > 0 && blocks > 0 && info.Blocks != blocks {
		return 0, &fault.Error{
			Subject: info.Path, Expected: fmt.Sprintf("a lens of %d layers, as model %s has", blocks, m.name), Found: fmt.Sprint(info.Blocks), Hint: "is it a lens of another model?",
		}
	}
	if blocks = cmp.Or(blocks, info.Blocks); blocks == 0 && info.Target >= 0 {
		// A whole fit ends behind the last block.
		if info.Target != last && info.Target != last+1 {
			return 0, &fault.Error{
				Subject: info.Path, Expected: "matrices that lead behind the last block", Found: fmt.Sprintf("target_layer %d, and layers up to %d", info.Target, last),
				Hint: "how many blocks model " + m.name + " has is not known: its files are not where they were loaded from",
			}
		}
		blocks = info.Target + 1
	}
	switch {
	case last >= maxLensLayer:
		return 0, &fault.Error{Subject: info.Path, Expected: fmt.Sprintf("layers below %d", maxLensLayer), Found: fmt.Sprint(last)}
	case blocks > 0 && last >= blocks:
		return 0, &fault.Error{
			Subject: info.Path, Expected: fmt.Sprintf("layers below %d, the number of blocks of model %s", blocks, m.name), Found: fmt.Sprintf("layer %d", last),
			Hint: "is it a lens of another model?",
		}
	case blocks > 0 && info.Target >= 0 && info.Target != blocks-1:
		return 0, &fault.Error{
			Subject: info.Path, Expected: fmt.Sprintf("matrices that lead behind the last block of model %s, %d", m.name, blocks-1), Found: fmt.Sprintf("target_layer %d", info.Target),
		}
	}
	return blocks, nil
}

// modelBlocks is the number of blocks that the files have which a model was loaded from, 0 where
// they are gone or do not say. Nothing is downloaded for it.
func (ld *Loader) modelBlocks(ctx context.Context, tx *sql.Tx, m sourcedModel) (int, error) {
	var revision sql.NullString
	if err := tx.QueryRowContext(ctx, `SELECT revision FROM stored_loads WHERE load_id = ?`, m.id).Scan(&revision); err != nil {
		return 0, err
	}
	path := m.source
	if revision.Valid {
		at, err := hub.ParseReference(m.source + "@" + revision.String)
		if err != nil {
			return 0, err
		}
		client, err := ld.hubClient()
		if err != nil {
			return 0, nil // without a cache its files are not here
		}
		path = filepath.Join(client.RepositoryRoot(at), filepath.FromSlash(at.Path))
	}
	blocks, err := model.Layers(path)
	if err != nil {
		return 0, nil // files that are gone, or say nothing
	}
	return blocks, nil
}

// unloadLenses takes out lenses by their names.
func unloadLenses(ctx context.Context, tx *sql.Tx, r UnloadRequest) ([]Unloaded, error) {
	ids, names, err := named(ctx, tx, "lens", "SELECT lens_id AS id, lens AS name FROM stored_lenses", r.Names)
	if err != nil {
		return nil, err
	}
	var out []Unloaded
	for i, id := range ids {
		var layers int
		if err := tx.QueryRowContext(ctx, `SELECT len(layers) FROM stored_lenses WHERE lens_id = ?`, id).Scan(&layers); err != nil {
			return nil, err
		}
		out = append(out, Unloaded{Kind: UnloadLens, Name: names[i], With: listed(strings.Replace(count(layers, "matrix"), "matrixs", "matrices", 1))})
		if err := dropLens(ctx, tx, id); err != nil {
			return nil, err
		}
		if err := forgetLoad(ctx, tx, id); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// dropLens deletes the rows of a lens, and what was computed through it.
func dropLens(ctx context.Context, tx *sql.Tx, id int) error {
	of := fmt.Sprintf("lens_id = %d", id)
	if err := dropThrough(ctx, tx, of); err != nil {
		return err
	}
	if err := dropBaselines(ctx, tx, of); err != nil {
		return err
	}
	return deleteWhere(ctx, tx, of, "stored_lenses", "stored_lens_matrices")
}

// dropThrough deletes what was computed through lenses, of the rows of stored_lens_saes for which
// a condition holds.
func dropThrough(ctx context.Context, tx *sql.Tx, condition string) error {
	of := "sae_id IN (SELECT lens_sae_id FROM stored_lens_saes WHERE " + condition + ")"
	if err := deleteWhere(ctx, tx, of, append([]string{"stored_lens_correlations"}, figureTables...)...); err != nil {
		return err
	}
	return deleteWhere(ctx, tx, condition, "stored_lens_saes")
}
