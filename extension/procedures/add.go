package procedures

import (
	"context"
	"encoding/json"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/operations"
	"github.com/saedb/saedb/loader"
	"github.com/saedb/saedb/loader/model"
	"github.com/saedb/saedb/loader/sae"
	"github.com/saedb/saedb/loader/tensor"
	"github.com/saedb/saedb/loader/vocab"
	"github.com/saedb/saedb/udf/capi"
)

// wantedTensors says which tensors of a transformers model are to be handed over,
// given the text of its config.json and the names of all, as a JSON list.
var wantedTensors = procedure{
	name: "saedb_wanted_tensors", takes: []parameter{{"config", text}, {"names", text}}, first: 2, columns: []capi.Field{{Name: "name", Type: capi.Varchar}},
	run: func(_ context.Context, _ *Host, a arguments, row func(...any) error) error {
		var names []string
		if err := json.Unmarshal([]byte(a.text("names")), &names); err != nil {
			return &fault.Error{Subject: "names", Expected: "a JSON list of names", Err: err}
		}
		wanted, err := model.Wanted([]byte(a.text("config")), names)
		if err != nil {
			return err
		}
		return each(row, wanted, itself)
	},
}

// modelDescription is what a client says of a model that it has handed over.
type modelDescription struct {
	Name, Source, Database string
	Replace                bool
	Config                 string   // text of a transformers model's config.json
	Processing             string   // of such a model, one of model.Processings
	AsIs                   *asIs    `json:"as_is"` // of an unembedding that is processed
	Tokenizer              string   // text of a tokenizer.json
	Tokens                 []string // by id, in place of a tokenizer
	Special                []int    // ids of those that are special
}

type asIs struct {
	Architecture, Tensor, Norm string
	Transposed                 bool
	NormFolded                 bool `json:"norm_folded"`
}

// addModel loads a model that was handed over: (handle, description in JSON).
var addModel = procedure{
	name: "saedb_add_model", takes: []parameter{{"handle", text}, {"description", text}}, first: 2, columns: loadedColumns,
	run: func(ctx context.Context, h *Host, a arguments, row func(...any) error) error {
		var d modelDescription
		if err := json.Unmarshal([]byte(a.text("description")), &d); err != nil {
			return &fault.Error{Subject: "description", Problem: "is not JSON", Err: err}
		}
		file, memory, err := h.received.take(a.text("handle"), d.Source)
		if err != nil {
			return err
		}
		unembedding, err := d.open(file)
		if err != nil {
			return err
		}
		defer unembedding.Close()
		vocabulary, err := d.vocabulary(unembedding.Info().DVocab)
		if err != nil {
			return err
		}
		return h.within(ctx, arguments{map[string]string{"database": d.Database}, a.tell}, func(db *operations.Database) error {
			r := loader.ModelRequest{Name: d.Name, Replace: d.Replace}
			outcome, err := db.Loader().ModelFromMemory(ctx, r, memory, unembedding, vocabulary)
			if err != nil {
				return err
			}
			return row(loadedRow(outcome)...)
		})
	},
}

func (d *modelDescription) open(file *tensor.File) (*model.Unembedding, error) {
	if d.AsIs == nil {
		return model.FromTensors([]byte(d.Config), file, d.Processing)
	}
	return model.Processed(file, model.AsIs{
		Architecture: d.AsIs.Architecture, Tensor: d.AsIs.Tensor, Transposed: d.AsIs.Transposed,
		Norm: d.AsIs.Norm, NormFolded: d.AsIs.NormFolded,
	})
}

// vocabulary is that of the tokenizer, or the tokens as they were given.
func (d *modelDescription) vocabulary(columns int) (*vocab.Vocabulary, error) {
	const path = "the tokenizer"
	if d.Tokenizer != "" {
		return vocab.Parse(path, []byte(d.Tokenizer))
	}
	if len(d.Tokens) > columns {
		return nil, &fault.Error{
			Subject: "tokens", Expected: "at most one for each column of the unembedding", Found: "more",
			Hint: "is W_U [d_model, d_vocab]?",
		}
	}
	v := &vocab.Vocabulary{Path: path, Tokens: make([]vocab.Token, len(d.Tokens))}
	for id, token := range d.Tokens {
		v.Tokens[id] = vocab.Token{ID: id, Token: token, Text: token}
	}
	for _, id := range d.Special {
		if id < 0 || id >= len(v.Tokens) {
			return nil, &fault.Error{Subject: "special", Problem: "an id is not one of the tokens"}
		}
		v.Tokens[id].Special = true
	}
	return v, nil
}

// saeDescription is what a client says of an SAE that it has handed over.
type saeDescription struct {
	Name, Source, Database, Release, Model, Decoder string
	Replace, Copy                                   bool
	Config                                          json.RawMessage // as SAELens writes it
}

// addSAE loads an SAE that was handed over: (handle, description in JSON).
var addSAE = procedure{
	name: "saedb_add_sae", takes: []parameter{{"handle", text}, {"description", text}}, first: 2, columns: loadedColumns,
	run: func(ctx context.Context, h *Host, a arguments, row func(...any) error) error {
		var d saeDescription
		if err := json.Unmarshal([]byte(a.text("description")), &d); err != nil {
			return &fault.Error{Subject: "description", Problem: "is not JSON", Err: err}
		}
		if err := operations.CheckDecoder(d.Decoder); err != nil {
			return err
		}
		file, memory, err := h.received.take(a.text("handle"), d.Source)
		if err != nil {
			return err
		}
		opened, err := sae.FromTensors(d.Name, d.Config, file)
		if err != nil {
			return err
		}
		defer opened.Close()
		return h.within(ctx, arguments{map[string]string{"database": d.Database}, a.tell}, func(db *operations.Database) error {
			r := loader.SAERequest{Name: d.Name, Model: d.Model, Release: d.Release, Decoder: d.Decoder, Replace: d.Replace, Copy: d.Copy}
			outcome, err := db.Loader().SAEFromMemory(ctx, r, memory, opened)
			if err != nil {
				return err
			}
			return row(loadedRow(outcome)...)
		})
	},
}
