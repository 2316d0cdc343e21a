package saedb

import (
	"context"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/operations"
	"github.com/saedb/saedb/internal/statistics"
	"github.com/saedb/saedb/loader"
)

// What operations are asked for, and what they answer. The packages that have them say what
// the fields mean.
type (
	ModelRequest        = loader.ModelRequest
	SAERequest          = loader.SAERequest
	SetsRequest         = loader.SetsRequest
	DirectionsRequest   = loader.DirectionsRequest
	QueryRequest        = loader.QueryRequest
	NeuronsRequest      = loader.NeuronsRequest
	HeadsRequest        = loader.HeadsRequest
	ExplanationsRequest = loader.ExplanationsRequest
	LensRequest         = loader.LensRequest
	ResultsRequest      = loader.ResultsRequest
	UnloadRequest       = loader.UnloadRequest
	ComputeRequest      = operations.ComputeRequest
	PairsRequest        = operations.PairsRequest
	MatchRequest        = operations.MatchRequest
	Matching            = operations.Matching
	DirectionsWanted    = operations.DirectionsWanted

	Outcome             = loader.Outcome
	SetsOutcome         = loader.SetsOutcome
	ExplanationsOutcome = loader.ExplanationsOutcome
	ResultsOutcome      = loader.ResultsOutcome
	Unloaded            = loader.Unloaded
	Computed            = operations.Computed
	ComputeOutcome      = operations.ComputeOutcome
	ComputedPair        = operations.ComputedPair
	PairsOutcome        = operations.PairsOutcome
)

// For ComputeRequest.Baseline: the baselines that there are, or the usual number of random
// directions where there is none.
const KeepBaseline = statistics.KeepBaseline

// Error is an error about a person's input or machine: the operation, what it failed on,
// what was expected and found, and what to do.
type Error = fault.Error

// Returned is the error of a statement as the function of saedb's that failed in it made
// it, often an *Error. DuckDB itself gives back the text alone.
func Returned(err error) error { return fault.Returned(err) }

// LoadModel loads a model's unembedding and vocabulary from files.
func (db *DB) LoadModel(ctx context.Context, r ModelRequest) (Outcome, error) {
	return db.operations.Loader().Model(ctx, r)
}

// LoadSAE loads one SAE.
func (db *DB) LoadSAE(ctx context.Context, r SAERequest) (Outcome, error) {
	return db.operations.Loader().SAE(ctx, r)
}

// LoadSAEs loads the SAEs at a path, or in the directories below it, each as r says, and
// tells done of each.
func (db *DB) LoadSAEs(ctx context.Context, path string, r SAERequest, done func(Outcome) error) error {
	requests, err := operations.SAEsAt(path, r)
	if err != nil {
		return db.Explain(ctx, err)
	}
	return db.operations.LoadSAEs(ctx, requests, done)
}

// Explain adds to the error of a path without SAEs what is there and could be one.
func (db *DB) Explain(ctx context.Context, err error) error {
	return db.operations.Loader().Explain(ctx, err)
}

// LoadSets loads token sets: from files, built-in families, a pattern or a query.
func (db *DB) LoadSets(ctx context.Context, r SetsRequest) ([]SetsOutcome, error) {
	return db.operations.LoadSets(ctx, r)
}

// LoadDirections loads directions that are no SAE's from a file.
func (db *DB) LoadDirections(ctx context.Context, r DirectionsRequest) (Outcome, error) {
	return db.operations.Loader().Directions(ctx, r)
}

// LoadAllDirections loads the directions of a file, a query, or a model's neurons or heads, a load
// a layer, and tells done of each.
func (db *DB) LoadAllDirections(ctx context.Context, w DirectionsWanted, done func(Outcome) error) error {
	return db.operations.LoadDirections(ctx, w, done)
}

// LoadQuery loads the directions that a query gives.
func (db *DB) LoadQuery(ctx context.Context, r QueryRequest) (Outcome, error) {
	return db.operations.Loader().Query(ctx, r)
}

// LoadNeurons loads the output weights of the MLP neurons of one layer.
func (db *DB) LoadNeurons(ctx context.Context, r NeuronsRequest) (Outcome, error) {
	return db.operations.Loader().Neurons(ctx, r)
}

// LoadHeads loads the singular directions of what the heads of one layer write.
func (db *DB) LoadHeads(ctx context.Context, r HeadsRequest) (Outcome, error) {
	return db.operations.Loader().Heads(ctx, r)
}

// NeuronLayers is the number of layers of the model at a path, or of a loaded one by name,
// or of the only one.
func (db *DB) NeuronLayers(ctx context.Context, path, name string) (int, error) {
	return db.operations.Loader().NeuronLayers(ctx, path, name)
}

// LoadLens loads a lens from files.
func (db *DB) LoadLens(ctx context.Context, r LensRequest) (Outcome, error) {
	return db.operations.Loader().Lens(ctx, r)
}

// LoadExplanations loads files of Neuronpedia's export.
func (db *DB) LoadExplanations(ctx context.Context, r ExplanationsRequest) (ExplanationsOutcome, error) {
	return db.operations.Loader().Explanations(ctx, r)
}

// Import takes in results that were computed elsewhere.
func (db *DB) Import(ctx context.Context, r ResultsRequest) (ResultsOutcome, error) {
	return db.operations.Loader().Results(ctx, r)
}

// Unload takes out what was loaded, with what was computed of it: all that is named, or
// nothing.
func (db *DB) Unload(ctx context.Context, r UnloadRequest) ([]Unloaded, error) {
	return db.operations.Unload(ctx, r)
}

// Compute computes the figures of every feature that lacks them, in blocks that are each
// committed: a computation that was interrupted goes on where it was.
func (db *DB) Compute(ctx context.Context, r ComputeRequest) (ComputeOutcome, error) {
	return db.operations.Compute(ctx, r)
}

// ComputeLinks computes the direct weights from the features of some SAEs to those of others,
// in blocks as Compute does.
func (db *DB) ComputeLinks(ctx context.Context, r PairsRequest) (PairsOutcome, error) {
	return db.operations.ComputeLinks(ctx, r)
}

// ComputeNeighbours computes which decoder directions are nearest to those of some SAEs.
func (db *DB) ComputeNeighbours(ctx context.Context, r PairsRequest) (PairsOutcome, error) {
	return db.operations.ComputeNeighbours(ctx, r)
}

// Match matches the features of two SAEs one to one, and writes what comes of it as JSON where a
// file is named.
func (db *DB) Match(ctx context.Context, r MatchRequest) (Matching, error) {
	return db.operations.Match(ctx, r)
}

// Require makes sure that something is loaded.
func (db *DB) Require(ctx context.Context) error { return db.operations.Require(ctx) }
