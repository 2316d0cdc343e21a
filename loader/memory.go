package loader

import (
	"context"
	"database/sql"
	"time"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/model"
	"github.com/saedb/saedb/loader/sae"
	"github.com/saedb/saedb/loader/vocab"
	schema "github.com/saedb/saedb/sql"
)

// Memory is where something came from that was handed over and not read from a file.
type Memory struct {
	Source string // what it was: the class of an object
	Bytes  int64  // of the tensors, with their names and shapes
	SHA256 string // of the same
}

func (m Memory) load(kind, name, format, conventions string) *load {
	return &load{
		kind: kind, name: name, source: m.Source, format: format, conventions: conventions,
		files: []file{{name: "in memory", bytes: m.Bytes, sha256: m.SHA256}}, begun: time.Now(),
	}
}

// ModelFromMemory loads a model that is open already. r.Path is not used, and r.Name
// must be given.
func (ld *Loader) ModelFromMemory(ctx context.Context, r ModelRequest, m Memory, u *model.Unembedding, v *vocab.Vocabulary) (Outcome, error) {
	if r.Name == "" {
		return Outcome{}, &fault.Error{Op: loadModel, Subject: m.Source, Problem: "the model has no name", Hint: "give it one"}
	}
	return ld.addModel(ctx, m.load("model", r.Name, model.FormatMemory, u.Info().Processing.String()), r.Replace, u, v)
}

// SAEFromMemory loads an SAE that is open already. r.Path is not used.
func (ld *Loader) SAEFromMemory(ctx context.Context, r SAERequest, m Memory, opened sae.SAE) (Outcome, error) {
	if r.Release == "" {
		r.Release = DefaultRelease
	}
	if err := schema.CheckRelease(r.Release); err != nil {
		return Outcome{}, err
	}
	info := opened.Info()
	if r.Name == "" {
		r.Name = info.Name
	}
	if r.Name == "" {
		return Outcome{}, &fault.Error{Op: loadSAE, Subject: m.Source, Problem: "the SAE has no name", Hint: "give it one"}
	}
	scaled, err := sae.Rescaled(opened, r.Decoder)
	if err != nil {
		return Outcome{}, fault.At(loadSAE, m.Source, err)
	}
	if err := checkSpace(scaled.Info()); err != nil {
		return Outcome{}, err
	}
	l := m.load("sae", r.Name, info.Format, "")
	l.release = sql.NullString{String: r.Release, Valid: true}
	return ld.addSAE(ctx, l, r, scaled)
}
