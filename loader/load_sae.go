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

const loadSAE = "load sae"

// DefaultRelease is the release of SAEs that are loaded without one.
const DefaultRelease = "local"

// SAERequest asks for one SAE.
type SAERequest struct {
	Path    string
	Name    string // the directory's own when empty
	Model   string // the only one loaded, or the one that the SAE names, when empty
	Release string // DefaultRelease when empty
	Decoder string // scale of the decoder, one of sae.Decoders; sae.AsStored when empty
	Replace bool   // a different SAE of that name
}

// SAE loads an SAE.
func (ld *Loader) SAE(ctx context.Context, r SAERequest) (Outcome, error) {
	if r.Release == "" {
		r.Release = DefaultRelease
	}
	if err := schema.CheckRelease(r.Release); err != nil {
		return Outcome{}, err
	}
	opened, err := openSAE(absolute(r.Path), r.Decoder)
	if err != nil {
		return Outcome{}, fault.At(loadSAE, r.Path, err)
	}
	defer opened.Close()
	info := opened.Info()
	if err := checkSpace(info); err != nil {
		return Outcome{}, err
	}
	l := &load{
		kind: "sae", name: r.Name, release: sql.NullString{String: r.Release, Valid: true}, source: absolute(r.Path),
		format: info.Format, begun: time.Now(),
	}
	if l.name == "" {
		l.name = info.Name
	}
	if l.files, err = hashFiles(ctx, loadSAE, l.source, info.Files); err != nil {
		return Outcome{}, err
	}
	return ld.addSAE(ctx, l, r, opened)
}

// addSAE writes an SAE that is open.
func (ld *Loader) addSAE(ctx context.Context, l *load, r SAERequest, opened sae.SAE) (Outcome, error) {
	info := opened.Info()
	outcome := Outcome{Name: l.name, Rows: info.DSAE, Source: l.source}
	err := ld.transact(ctx, func(tx *sql.Tx) (bool, error) {
		m, err := chooseModel(ctx, tx, r.Model, info)
		if err != nil {
			return false, err
		}
		l.conventions = fmt.Sprintf("decoder %s; model %s", info.Scale, m.name)
		old, unchanged, err := ld.supersedes(ctx, tx, l, r.Replace, &outcome)
		if err != nil || unchanged {
			return false, err
		}
		if err := ld.record(ctx, tx, l); err != nil {
			return false, err
		}
		if err := ld.writeSAE(ctx, tx, l, opened, m.id); err != nil {
			return false, err
		}
		for _, table := range []string{"stored_saes", "stored_decoders", "stored_statistics", "stored_computations", "stored_enrichment"} {
			if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE sae_id = ?`, old); err != nil {
				return false, err
			}
		}
		return true, finish(ctx, tx, l, old)
	})
	if err != nil {
		return Outcome{}, fault.At(loadSAE, l.source, err)
	}
	outcome.Took = time.Since(l.begun)
	return outcome, nil
}

// openSAE opens an SAE at a scale of its decoder.
func openSAE(path, decoder string) (sae.SAE, error) {
	opened, err := sae.Open(path)
	if err != nil {
		return nil, err
	}
	scaled, err := sae.Rescaled(opened, decoder)
	if err != nil {
		opened.Close()
		return nil, err
	}
	return scaled, nil
}

// checkSpace refuses decoders that do not write to the residual stream: their
// product with the unembedding would be a number without meaning.
func checkSpace(info sae.Info) error {
	if info.Space == sae.ResidualStream {
		return nil
	}
	return &fault.Error{
		Op: loadSAE, Subject: info.Path, Expected: "a decoder that writes to the residual stream",
		Found: fmt.Sprintf("%s, at hook point %s", info.Space, info.Hook),
		Hint:  "it would first have to be mapped by the model's W_O or W_out, which saedb does not do yet",
	}
}

type loadedModel struct {
	id     int
	name   string
	dModel int
}

// chooseModel finds the model of an SAE: the one named, else the only one, else
// the one whose name the SAE's configuration gives.
func chooseModel(ctx context.Context, tx *sql.Tx, name string, info sae.Info) (loadedModel, error) {
	rows, err := tx.QueryContext(ctx, `SELECT model_id, model, d_model FROM stored_models ORDER BY model`)
	if err != nil {
		return loadedModel{}, err
	}
	defer rows.Close()
	var loaded []loadedModel
	var names []string
	for rows.Next() {
		var m loadedModel
		if err := rows.Scan(&m.id, &m.name, &m.dModel); err != nil {
			return loadedModel{}, err
		}
		loaded, names = append(loaded, m), append(names, m.name)
	}
	if err := rows.Err(); err != nil {
		return loadedModel{}, err
	}
	listed := "loaded: " + strings.Join(names, ", ")
	if len(loaded) == 0 {
		return loadedModel{}, &fault.Error{
			Op: loadSAE, Subject: info.Path, Problem: "no model is loaded that it could belong to",
			Hint: "load its model first, with saedb load model",
		}
	}
	for _, m := range loaded {
		if m.name == name || name == "" && (len(loaded) == 1 || m.name == info.ModelName) {
			return m, fitsModel(m, info)
		}
	}
	if name != "" {
		return loadedModel{}, &fault.Error{Op: loadSAE, Subject: fmt.Sprintf("model %q", name), Problem: "no such model in this database", Hint: listed}
	}
	return loadedModel{}, &fault.Error{
		Op: loadSAE, Subject: info.Path, Problem: fmt.Sprintf("several models are loaded, and none has the name that it gives, %q", info.ModelName),
		Hint: "choose one with --model; " + listed,
	}
}

func fitsModel(m loadedModel, info sae.Info) error {
	if m.dModel == info.DModel {
		return nil
	}
	return &fault.Error{
		Op: loadSAE, Subject: info.Path, Expected: fmt.Sprintf("d_model %d, that of model %s", m.dModel, m.name),
		Found: fmt.Sprint(info.DModel), Hint: "is it an SAE of another model?",
	}
}

func (ld *Loader) writeSAE(ctx context.Context, tx *sql.Tx, l *load, opened sae.SAE, model int) error {
	info := opened.Info()
	optional := func(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }
	_, err := tx.ExecContext(ctx, `INSERT INTO stored_saes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		l.id, l.name, l.release, model, info.Format, info.Architecture, info.DModel, info.DSAE, optional(info.Hook),
		sql.NullInt64{Int64: int64(info.Layer), Valid: info.Layer >= 0}, info.DType, info.Scale, optional(info.NeuronpediaID),
		sql.NullFloat64{Float64: info.L0, Valid: info.L0 > 0})
	if err != nil {
		return err
	}
	rows, withdraw := ld.Opened.OfferSAE(opened)
	defer withdraw()
	return ld.fill(ctx, tx, "decoder of "+l.name, info.DSAE, fmt.Sprintf(`INSERT INTO stored_decoders
		SELECT %d, feature, w_dec, log_sparsity FROM %s`, l.id, rows))
}
