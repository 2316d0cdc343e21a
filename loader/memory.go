package loader

import (
	"context"
	"database/sql"
	"time"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/model"
	"github.com/saedb/saedb/loader/sae"
	"github.com/saedb/saedb/loader/vocab"
)

// Memory is where something came from that was handed over and not read from a file.
type Memory struct {
	Source string // what it was: the class of an object
	Bytes  int64  // of the tensors, with their names and shapes
	SHA256 string // of the same
}

// file is what stands for it among the files of a load.
func (m Memory) file() file { return file{name: "in memory", bytes: m.Bytes, sha256: m.SHA256} }

// recorded is where an SAE comes from, as its load records it.
func (r SAERequest) recorded() (source string, revision sql.NullString) {
	if r.memory != nil {
		return r.memory.Source, revision
	}
	return r.Origin.recorded(absolute(r.Path))
}

// ModelFromMemory loads a model that is open already. r.Path is not used, and r.Name
// must be given.
func (ld *Loader) ModelFromMemory(ctx context.Context, r ModelRequest, m Memory, u *model.Unembedding, v *vocab.Vocabulary) (Outcome, error) {
	if r.Name == "" {
		return Outcome{}, &fault.Error{Op: loadModel, Subject: m.Source, Problem: "the model has no name", Hint: "give it one"}
	}
	if r.Options.Embedding {
		return Outcome{}, &fault.Error{Op: loadModel, Subject: m.Source, Problem: "the embedding of a model in memory is not read", Hint: "load the model from its files"}
	}
	if r.Options.Attention != "" {
		return Outcome{}, &fault.Error{Op: loadModel, Subject: m.Source, Problem: "the heads of a model in memory are not read", Hint: "load the model from its files"}
	}
	l := &load{
		kind: "model", name: r.Name, source: m.Source, format: model.FormatMemory, conventions: u.Info().Processing.String(),
		files: []file{m.file()}, begun: time.Now(),
	}
	return ld.addModel(ctx, l, r.Replace, u, besides{}, v)
}

// SAEFromMemory loads an SAE that is open already, which it closes. r.Path is not used.
func (ld *Loader) SAEFromMemory(ctx context.Context, r SAERequest, m Memory, opened sae.SAE) (Outcome, error) {
	if r.Name == "" && opened.Info().Name == "" {
		opened.Close()
		return Outcome{}, &fault.Error{Op: loadSAE, Subject: m.Source, Problem: "the SAE has no name", Hint: "give it one"}
	}
	scaled, err := atScale(opened, r.Decoder)
	if err != nil {
		return Outcome{}, fault.At(loadSAE, m.Source, err)
	}
	r.Path, r.memory = m.Source, &m
	return ld.loadRows(ctx, loadSAE, scaled, r)
}
