// Package operations is what saedb does to a database: loads, computation, taking out. The
// Go API at the root, which the program calls, and the procedures of the extension hand
// their database to it; so what an operation checks and does is here once.
package operations

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/version"
	"github.com/saedb/saedb/loader"
	"github.com/saedb/saedb/loader/sae"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf"
)

// Watch is told of work that takes time, and how many rows of what unit it will finish, 0
// where that is not known. It returns the context to work with, and what is called at the end.
type Watch func(ctx context.Context, what string, rows int64, unit string) (watched context.Context, end func())

// Database is one that operations work in.
type Database struct {
	DB        *sql.DB // whose connections have the functions
	Path      string  // of its file, for errors; may be empty
	Functions *udf.Functions
	Watch     Watch                             // may be nil
	Hub       func() (*loader.HubClient, error) // see loader.Loader
	Alone     bool                              // see loader.Loader
}

func (d *Database) watch(ctx context.Context, what string, rows int64, unit string) (context.Context, func()) {
	if d.Watch == nil {
		return ctx, func() {}
	}
	return d.Watch(ctx, what, rows, unit)
}

// Loader loads into the database.
func (d *Database) Loader() *loader.Loader {
	return &loader.Loader{
		DB: d.DB, Version: version.Number, Functions: udf.Documentation(), Opened: d.Functions, Hub: d.Hub, Alone: d.Alone,
		Begin: func(ctx context.Context, what string, rows int64) (context.Context, func()) {
			return d.watch(ctx, what, rows, "rows")
		},
	}
}

// Require makes sure that the database has saedb's tables.
func (d *Database) Require(ctx context.Context) error {
	tx, err := d.DB.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	present, err := schema.Present(ctx, tx)
	if err != nil || present {
		return err
	}
	return &fault.Error{
		Subject: d.Path, Problem: "nothing is loaded into this database",
		Hint: "load a model, with saedb load model or CALL saedb_load_model(path)",
	}
}

// SAEsAt returns a request for each SAE at a path, or in the directories below it, that is
// r otherwise. A name, a hook point and an id on Neuronpedia are of one SAE.
func SAEsAt(path string, r loader.SAERequest) ([]loader.SAERequest, error) {
	paths, err := sae.Find(path)
	if err != nil {
		return nil, err
	}
	requests := make([]loader.SAERequest, len(paths))
	for i, found := range paths {
		requests[i].Path = found
	}
	return ForEach(path, requests, r)
}

// ForEach is what r says for each of several SAEs, which were found at a path, and are told
// apart by their names where r gives none.
func ForEach(path string, found []loader.SAERequest, r loader.SAERequest) ([]loader.SAERequest, error) {
	if err := CheckDecoder(r.Decoder); err != nil {
		return nil, err
	}
	for what, given := range map[string]string{"name": r.Name, "hook": r.Hook, "neuronpedia-id": r.Known.NeuronpediaID} {
		if given != "" && len(found) != 1 {
			return nil, &fault.Error{Op: "load sae", Subject: path, Problem: fmt.Sprintf("%s is of one SAE, and there are %d", what, len(found))}
		}
	}
	loader.TellApart(found)
	for i := range found {
		to := &found[i]
		to.Model, to.Decoder, to.Encoder, to.Replace, to.Copy, to.InPlace = r.Model, r.Decoder, r.Encoder, r.Replace, r.Copy, r.InPlace
		for of, given := range map[*string]string{
			&to.Name: r.Name, &to.Hook: r.Hook, &to.Release: r.Release, &to.Known.NeuronpediaID: r.Known.NeuronpediaID,
		} {
			if given != "" {
				*of = given
			}
		}
	}
	return found, nil
}

// CheckDecoder makes sure that a scale of decoders is known, or empty.
func CheckDecoder(decoder string) error {
	if decoder == "" || slices.Contains(sae.Decoders(), decoder) {
		return nil
	}
	return &fault.Error{Subject: "decoder", Expected: "one of " + strings.Join(sae.Decoders(), ", "), Found: fmt.Sprintf("%q", decoder)}
}

// LoadSAEs loads one SAE after the other, and tells done of each.
func (d *Database) LoadSAEs(ctx context.Context, requests []loader.SAERequest, done func(loader.Outcome) error) error {
	ld := d.Loader()
	for _, r := range requests {
		outcome, err := ld.SAE(ctx, r)
		if err != nil {
			return err
		}
		if err := done(outcome); err != nil {
			return err
		}
	}
	return nil
}

// LoadSets loads token sets.
func (d *Database) LoadSets(ctx context.Context, r loader.SetsRequest) ([]loader.SetsOutcome, error) {
	if one := r.Pattern != "" || r.Query != ""; !one && r.Name != "" || r.Pattern != "" && r.Query != "" || one && len(r.Files) > 0 {
		return nil, &fault.Error{Op: "load sets", Problem: "name goes with either regex or sql, and with no file"}
	}
	if err := d.Require(ctx); err != nil {
		return nil, fault.At("load sets", "", err)
	}
	return d.Loader().Sets(ctx, r)
}

// Unload takes out what was loaded.
func (d *Database) Unload(ctx context.Context, r loader.UnloadRequest) ([]loader.Unloaded, error) {
	if err := d.Require(ctx); err != nil {
		return nil, fault.At("unload "+r.Kind, "", err)
	}
	return d.Loader().Unload(ctx, r)
}
