package loader

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/sae"
	schema "github.com/saedb/saedb/sql"
)

const loadSAE = "load sae"

// SAERequest asks for one SAE.
type SAERequest struct {
	Path    string
	Origin  Origin        // of files that were downloaded to Path
	Known   sae.Published // what a registry says of it that its files may not
	Name    string        // the directory's own when empty
	Model   string        // the only one loaded, or the one that the SAE names, when empty
	Release string        // that it was published in; may be empty
	Decoder string        // scale of the decoder, one of sae.Decoders; sae.AsStored when empty
	Hook    string        // hook point of the decoder, in place of what the files say; theirs when empty
	Encoder bool          // also its encoder, which must read the residual stream
	Replace bool          // a different SAE of that name
	Copy    bool          // also what is loaded already under another name
	// InPlace leaves the weights in their files, which they are read from ever after.
	InPlace bool

	memory *Memory // of an SAE that was handed over, in place of Path
}

// SAE loads an SAE.
func (ld *Loader) SAE(ctx context.Context, r SAERequest) (Outcome, error) {
	opened, err := openSAE(absolute(r.Path), r.Decoder, r.Known)
	if err != nil {
		return Outcome{}, fault.At(loadSAE, r.Path, err)
	}
	return ld.loadRows(ctx, loadSAE, opened, r)
}

// openSAE opens an SAE at a scale of its decoder.
func openSAE(path, decoder string, known sae.Published) (sae.SAE, error) {
	opened, err := sae.Open(path)
	if err != nil {
		return nil, err
	}
	return atScale(sae.Described(opened, known), decoder)
}

// atScale takes over opened, which it closes on an error.
func atScale(opened sae.SAE, decoder string) (sae.SAE, error) {
	scaled, err := sae.Rescaled(opened, decoder)
	if err != nil {
		opened.Close()
		return nil, err
	}
	return scaled, nil
}

// loadRows loads the rows of what is opened, which it closes. The request's path is
// what people called it.
func (ld *Loader) loadRows(ctx context.Context, op string, opened sae.SAE, r SAERequest) (Outcome, error) {
	opened = sae.AtHook(opened, r.Hook)
	defer func() { opened.Close() }()
	info := opened.Info()
	l := &load{kind: "sae", format: info.Format, begun: time.Now()}
	if err := l.call(r.Release, cmp.Or(r.Name, info.Name)); err != nil {
		return Outcome{}, err
	}
	l.source, l.revision = r.recorded()
	outcome := Outcome{Name: l.name, Rows: info.DSAE, Source: l.source}
	err := ld.transactWeights(ctx, func(tx *sql.Tx) (changed bool, err error) {
		m, err := chooseModel(ctx, tx, op, r.Model, info)
		if err != nil {
			return false, err
		}
		if opened, outcome.Note, err = ld.toResidualStream(ctx, tx, opened, m); err != nil {
			return false, err
		}
		info = opened.Info()
		if err := fitsModel(op, m, info); err != nil {
			return false, err
		}
		stays, err := r.stay(op, opened)
		if err != nil {
			return false, err
		}
		hashing, end := hashMeanwhile(ctx, op, absolute(r.Path), r.Origin, info.Files)
		defer end()
		l.hashing = func() ([]file, error) {
			hashed, err := hashing()
			if r.memory != nil {
				hashed = append(hashed, r.memory.file())
			}
			return hashed, err
		}
		l.conventions = fmt.Sprintf("decoder %s; model %s", info.Scale, m.name)
		old, unchanged, err := ld.supersedes(ctx, tx, l, r.Replace, &outcome)
		if err != nil {
			return false, err
		}
		if unchanged {
			settled, err := ld.settle(ctx, tx, l, old, r, opened, stays, &outcome)
			if err != nil {
				return false, err
			}
			added := false
			if r.Encoder {
				if added, err = ld.addEncoder(ctx, tx, l.name, old, opened, &outcome); err != nil {
					return false, err
				}
			}
			named, err := nameOnNeuronpedia(ctx, tx, l, r.Known.NeuronpediaID, &outcome)
			return settled || added || named, err
		}
		return true, ld.replaceSAE(ctx, tx, l, old, r.Copy, func() error {
			if err := describeSAE(ctx, tx, l, info, m.id, layerOf(info, r.Known)); err != nil {
				return err
			}
			if err := ld.writeWeights(ctx, tx, l, opened, r.Encoder, stays != nil); err != nil {
				return err
			}
			if err := l.hashed(&outcome); err != nil || stays == nil {
				return err
			}
			return stays.write(ctx, tx, l.id, l.files)
		})
	})
	if err != nil {
		return Outcome{}, fault.At(op, r.Path, err)
	}
	outcome.Took = time.Since(l.begun)
	return outcome, nil
}

// nameOnNeuronpedia gives an SAE that is loaded already the Neuronpedia id that is
// known by now, "" for none: its weights need not be read again for that.
func nameOnNeuronpedia(ctx context.Context, tx *sql.Tx, l *load, id string, outcome *Outcome) (changed bool, err error) {
	if id == "" {
		return false, nil
	}
	result, err := tx.ExecContext(ctx, `UPDATE stored_saes SET neuronpedia_id = ? WHERE sae = ? AND neuronpedia_id IS DISTINCT FROM ?`,
		id, l.name, id)
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	if n > 0 {
		outcome.Now = "its Neuronpedia id is now " + id
	}
	return n > 0, err
}

// replaceSAE records a load and writes its rows, in place of an old load's, 0 for none.
// Rows that are loaded already under another name are an error, unless duplicate.
func (ld *Loader) replaceSAE(ctx context.Context, tx *sql.Tx, l *load, old int, duplicate bool, write func() error) error {
	if err := l.number(ctx, tx); err != nil {
		return err
	}
	if err := takePlace(ctx, tx, l, old, func() error {
		if err := write(); err != nil {
			return err
		}
		return ld.record(ctx, tx, l)
	}); err != nil || duplicate {
		return err
	}
	return notLoadedTwice(ctx, tx, l)
}

// notLoadedTwice returns an error where another SAE of the same model has the decoder
// directions of l, row by row.
func notLoadedTwice(ctx context.Context, tx *sql.Tx, l *load) error {
	var other string
	// Of weights that stay in their files there are no rows to compare, but files and the part of them.
	const part = `, '#[^/#]*$')`
	err := tx.QueryRowContext(ctx, `SELECT o.sae FROM stored_saes s JOIN stored_contents c ON c.load_id = s.sae_id AND c.stored_table = 'stored_decoders'
		JOIN stored_loads l ON l.load_id = s.sae_id JOIN stored_saes o ON o.sae_id <> s.sae_id AND o.model_id = s.model_id AND o.hook IS NOT DISTINCT FROM s.hook
		JOIN stored_contents d ON d.load_id = o.sae_id AND d.stored_table = c.stored_table JOIN stored_loads m ON m.load_id = o.sae_id
		WHERE s.sae_id = ? AND CASE WHEN s.sae_id IN (SELECT sae_id FROM stored_in_place) OR o.sae_id IN (SELECT sae_id FROM stored_in_place)
			THEN m.sha256 = l.sha256 AND m.conventions = l.conventions AND regexp_extract(m.source`+part+` = regexp_extract(l.source`+part+`
			ELSE d.row_count = c.row_count AND d.row_hash = c.row_hash END
		ORDER BY o.sae_id LIMIT 1`, l.id).Scan(&other)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return &fault.Error{
		Problem: fmt.Sprintf("the same SAE is loaded already, as %s, and would be listed twice", other),
		Hint:    "use that name, or load it as " + l.name + " all the same with --copy",
	}
}

// layerOf is the layer of an SAE: the index of its hook point's block, unless a published
// release numbers otherwise.
func layerOf(info sae.Info, known sae.Published) int {
	if known.Hook != "" && known.Hook == info.Hook {
		return known.Layer
	}
	return info.Layer
}

// takePlace writes the rows of an SAE that is recorded, in place of an old load's.
func takePlace(ctx context.Context, tx *sql.Tx, l *load, old int, write func() error) error {
	if err := write(); err != nil {
		return err
	}
	if err := l.recordContents(ctx, tx, "stored_decoders"); err != nil {
		return err
	}
	if err := dropSAE(ctx, tx, old); err != nil {
		return err
	}
	return finish(ctx, tx, l, old)
}

type loadedModel struct {
	id     int
	name   string
	dModel int
}

// loadedModels are those of the database, by name.
func loadedModels(ctx context.Context, db schema.Querier) ([]loadedModel, error) {
	return schema.Rows(ctx, db, func(m *loadedModel) []any { return []any{&m.id, &m.name, &m.dModel} },
		`SELECT model_id, model, d_model FROM stored_models ORDER BY model`)
}

// chooseModel finds the model of an SAE: the one named, else the only one, else
// the one whose name the SAE's configuration gives. A database without tables has none.
func chooseModel(ctx context.Context, tx *sql.Tx, op, name string, info sae.Info) (loadedModel, error) {
	var loaded []loadedModel
	present, err := schema.Present(ctx, tx)
	if present {
		loaded, err = loadedModels(ctx, tx)
	}
	if err != nil {
		return loadedModel{}, err
	}
	var names []string
	for _, m := range loaded {
		names = append(names, m.name)
	}
	listed := "loaded: " + strings.Join(names, ", ")
	if len(loaded) == 0 {
		return loadedModel{}, &fault.Error{
			Op: op, Subject: info.Path, Problem: "no model is loaded that it could belong to",
			Hint: "load its model first, with saedb load model",
		}
	}
	for _, m := range loaded {
		if m.name == name || name == "" && (len(loaded) == 1 || sameModel(m.name, info.ModelName)) {
			return m, nil
		}
	}
	if name != "" {
		return loadedModel{}, &fault.Error{Op: op, Subject: fmt.Sprintf("model %q", name), Problem: "no such model in this database", Hint: listed}
	}
	return loadedModel{}, &fault.Error{
		Op: op, Subject: info.Path, Problem: fmt.Sprintf("several models are loaded, and none has the name that it gives, %q", info.ModelName),
		Hint: "choose one with --model; " + listed,
	}
}

// sameModel compares the name of a loaded model with that which an SAE gives: with
// or without the organisation's, "google/gemma-2-2b".
func sameModel(loaded, given string) bool {
	return given != "" && (loaded == given || loaded == given[strings.LastIndexByte(given, '/')+1:])
}

func fitsModel(op string, m loadedModel, info sae.Info) error {
	if m.dModel == info.DModel {
		return nil
	}
	e := &fault.Error{
		Op: op, Subject: info.Path, Expected: fmt.Sprintf("d_model %d, that of model %s", m.dModel, m.name),
		Found: fmt.Sprint(info.DModel), Hint: "is it an SAE of another model?",
	}
	if op == loadDirections && m.dModel == info.DSAE {
		e.Hint = "the other dimension is: --transposed reads [d_model, n]"
	}
	return e
}

// writeWeights writes the rows of a decoder, and of the encoder if asked for, without their weights
// where these stay in their files.
func (ld *Loader) writeWeights(ctx context.Context, tx *sql.Tx, l *load, opened sae.SAE, encoder, inPlace bool) error {
	write := ld.writeDecoder
	if inPlace {
		write = ld.writePlaced
	}
	if err := write(ctx, tx, l, opened); err != nil || !encoder {
		return err
	}
	return ld.writeEncoder(ctx, tx, l.name, l.id, opened, inPlace)
}

// writeDecoder writes the rows of a decoder.
func (ld *Loader) writeDecoder(ctx context.Context, tx *sql.Tx, l *load, opened sae.SAE) error {
	info := opened.Info()
	rows, hashed, withdraw, err := ld.Opened.OfferSAE(opened)
	if err != nil {
		return err
	}
	defer withdraw()
	if err := ld.fill(ctx, tx, "decoder of "+l.name, info.DSAE, fmt.Sprintf(`INSERT INTO stored_decoders
		SELECT %d, feature, w_dec, log_sparsity FROM %s`, l.id, rows)); err != nil {
		return err
	}
	return l.wrote("stored_decoders", info.DSAE, hashed)
}

// describeSAE writes the row of stored_saes.
func describeSAE(ctx context.Context, tx *sql.Tx, l *load, info sae.Info, model, layer int) error {
	index := func(i int) sql.NullInt64 { return sql.NullInt64{Int64: int64(i), Valid: i >= 0} }
	return schema.Insert(ctx, tx, "stored_saes", schema.Row{
		{"sae_id", l.id}, {"sae", l.name}, {"release", l.release}, {"short_name", l.shortName}, {"model_id", model},
		{"format", info.Format}, {"architecture", info.Architecture}, {"d_model", info.DModel}, {"d_sae", info.DSAE},
		{"hook", optional(info.Hook)}, {"block", index(info.Layer)}, {"layer", index(layer)}, {"dtype", info.DType}, {"scale", info.Scale},
		{"neuronpedia_id", optional(info.NeuronpediaID)}, {"l0", sql.NullFloat64{Float64: info.L0, Valid: info.L0 > 0}},
	})
}
