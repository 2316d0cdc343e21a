package operations

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/statistics"
	"github.com/saedb/saedb/loader"
	"github.com/saedb/saedb/loader/hub"
	"github.com/saedb/saedb/loader/lens"
	"github.com/saedb/saedb/loader/sae"
	schema "github.com/saedb/saedb/sql"
)

// LensRequest is the load of the lens that an argument names, r otherwise: a path, or what is
// downloaded of one on the Hub. There an argument that names a directory must have one lens
// below it.
func (h Hub) LensRequest(ctx context.Context, argument string, r loader.LensRequest) (loader.LensRequest, error) {
	r.Path = argument
	at, remote := onHub(argument)
	if !remote {
		return r, nil
	}
	client, err := h()
	if err != nil {
		return r, err
	}
	if at, err = client.Resolve(ctx, at); err != nil {
		return r, fromHub(err)
	}
	if !lens.IsLens(at.Path) {
		entries, err := client.List(ctx, at, true)
		if err != nil {
			return r, fromHub(err)
		}
		if at, err = onlyLens(argument, at, entries); err != nil {
			return r, err
		}
	}
	if at, r.Path, err = client.SAE(ctx, at); err != nil { // with the configurations beside it
		return r, fromHub(err)
	}
	r.Origin = loader.Origin{Source: at.Source(), Revision: at.Revision, Root: client.RepositoryRoot(at)}
	return r, nil
}

// onlyLens is the reference to the only lens among the files below one.
func onlyLens(argument string, at hub.Reference, entries []hub.Entry) (hub.Reference, error) {
	var found []string
	for _, e := range entries {
		if !e.Directory && lens.IsLens(e.Path) {
			found = append(found, e.Path)
		}
	}
	if len(found) == 1 {
		return at.At(found[0]), nil
	}
	slices.Sort(found)
	e := &fault.Error{Op: "load lens", Subject: argument, Expected: "one lens", Found: fmt.Sprintf("%d files", len(found))}
	if len(found) > 0 {
		const most = 12
		e.Hint = "name one: " + path.Join(at.Repo, found[0])
		if more := found[1:min(most, len(found))]; len(more) > 0 {
			e.Hint += ", or " + strings.Join(more, ", ")
		}
		if len(found) > most {
			e.Hint += fmt.Sprintf(", … (%d in all)", len(found))
		}
	}
	return at, e
}

// through is the side that a request's lens shows, of the SAEs that it asks for, of which each has
// its place in the lens after that. An SAE that the lens is not of, or has no matrix for, is an
// error where it is named; those of other models are left out where none is.
func (d *Database) through(ctx context.Context, r ComputeRequest) (schema.Side, error) {
	if r.Side != "" && r.Side != statistics.OutputSide {
		return schema.Side{}, &fault.Error{Subject: "lens", Problem: "a lens is of what features write: it goes with side " + statistics.OutputSide}
	}
	tx, err := d.DB.BeginTx(ctx, nil)
	if err != nil {
		return schema.Side{}, err
	}
	defer tx.Rollback()
	l, err := findLens(ctx, tx, r.Lens)
	if err != nil {
		return schema.Side{}, err
	}
	if err := placeSAEs(ctx, tx, r, l); err != nil {
		return schema.Side{}, err
	}
	return schema.Through(l.Lens), tx.Commit()
}

// lensOf is a lens that is loaded, with what its layers are checked against.
type lensOf struct {
	schema.Lens
	layers []int32 // its Layers
	model  string
	blocks int // 0 where they are not known
}

// findLens finds the lens of a name.
func findLens(ctx context.Context, db schema.Querier, name string) (l lensOf, err error) {
	l.Name = name
	type row struct {
		lensOf
		layers schema.ListOf[int32]
	}
	found, err := schema.Rows(ctx, db, func(r *row) []any { return []any{&r.ID, &r.model, &r.layers, &r.blocks} },
		`SELECT lens_id, model, layers, coalesce(blocks, 0) FROM stored_lenses JOIN stored_models USING (model_id) WHERE lens = ?`, name)
	if err != nil {
		return l, err
	}
	if len(found) == 0 {
		names, err := schema.Collect[string](ctx, db, `SELECT lens FROM stored_lenses ORDER BY lens`)
		if err != nil {
			return l, err
		}
		return l, schema.KnownLens(name, names)
	}
	l = found[0].lensOf
	l.Name, l.layers = name, found[0].layers
	for _, layer := range l.layers {
		l.Layers = append(l.Layers, int(layer))
	}
	return l, nil
}

// layerOf is the block behind which what is written at a hook point begins in the lens.
func (l lensOf) layerOf(hook string) (int, error) {
	layer, err := sae.LensLayer(hook)
	if err != nil || slices.Contains(l.Layers, layer) || l.blocks != 0 && layer == l.blocks-1 {
		return layer, err
	}
	e := &fault.Error{
		Problem: fmt.Sprintf("lens %s has no matrix of layer %d, behind which it writes", l.Name, layer), Found: "matrices of " + schema.Ranges(l.layers),
	}
	if l.blocks == 0 && layer > l.Layers[len(l.Layers)-1] {
		e.Hint = "whether that is the last block, whose figures are those without a lens, is not known: the model's files are not where they were loaded from"
	}
	return 0, e
}

// ThroughLens is what is written at a hook point of a model and goes through a lens of it.
func (d *Database) ThroughLens(ctx context.Context, lens, model, hook string) (side schema.Side, err error) {
	l, err := findLens(ctx, d.DB, lens)
	if err != nil {
		return side, err
	}
	if l.model != model {
		return side, &fault.Error{Subject: "lens " + lens, Expected: "a lens of model " + model, Found: "one of model " + l.model}
	}
	l.Layer, err = l.layerOf(hook)
	return schema.Through(l.Lens), err
}

// placeSAEs writes where the SAEs that a request asks for begin in a lens, of those that have no
// place in it yet.
func placeSAEs(ctx context.Context, tx *sql.Tx, r ComputeRequest, l lensOf) error {
	names, err := schema.MatchSAEs(ctx, tx, r.SAEs)
	if err != nil {
		return err
	}
	type found struct {
		id                int
		name, model, hook string
		there             bool
	}
	all, err := schema.Rows(ctx, tx, func(f *found) []any { return []any{&f.id, &f.name, &f.model, &f.hook, &f.there} },
		`SELECT s.sae_id, s.sae, m.model, coalesce(s.hook, ''), s.sae_id IN (SELECT sae_id FROM stored_lens_saes WHERE lens_id = ?)
		FROM stored_saes s JOIN stored_models m USING (model_id) WHERE `+schema.InSAEs("s.sae", names)+` ORDER BY s.sae_id`, l.ID)
	if err != nil {
		return err
	}
	matched := 0
	for _, s := range all {
		if s.model != l.model {
			if r.SAEs == "" {
				continue
			}
			return &fault.Error{Subject: "SAE " + s.name, Expected: "an SAE of model " + l.model + ", which lens " + l.Name + " is of", Found: "one of model " + s.model}
		}
		if matched++; s.there {
			continue
		}
		layer, err := l.layerOf(s.hook)
		if err != nil {
			return fault.At("", "SAE "+s.name, withOthers(err, r.SAEs))
		}
		l.Layer = layer
		if _, err := schema.PlaceInLens(ctx, tx, s.id, l.Lens); err != nil {
			return err
		}
	}
	if matched == 0 {
		return &fault.Error{Subject: "lens " + l.Name, Problem: "no SAE of its model " + l.model + " is loaded"}
	}
	return nil
}

// withOthers adds to an error what to do where no SAE was named.
func withOthers(err error, words string) error {
	var e *fault.Error
	if words != "" || !errors.As(err, &e) || e.Hint != "" {
		return err
	}
	with := *e
	with.Hint = "choose the others with --sae"
	return &with
}
