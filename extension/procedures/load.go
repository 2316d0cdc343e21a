package procedures

import (
	"context"

	"github.com/saedb/saedb/internal/operations"
	"github.com/saedb/saedb/loader"
	"github.com/saedb/saedb/loader/model"
	"github.com/saedb/saedb/loader/sae"
	"github.com/saedb/saedb/udf/capi"
)

// loadModel is saedb load model.
var loadModel = procedure{
	name: "saedb_load_model", takes: []parameter{
		{"path", text}, {"name", text}, {"processing", text}, {"unembedding", text}, {"norm", text}, {"norm_kind", text}, {"norm_offset", number},
		{"tokenizer", text}, {"soft_cap", number}, {"embedding", flag}, {"attention", text}, {"mlp", text}, {"replace", flag}, {"database", text},
	},
	first: 1, columns: loadedColumns,
	run: func(ctx context.Context, h *Host, a arguments, row func(...any) error) error {
		kind, err := model.NormKind(a.text("norm_kind"))
		if err != nil {
			return err
		}
		r, err := h.hub(a).ModelRequest(ctx, a.text("path"), loader.ModelRequest{
			Name: a.text("name"), Replace: a.flag("replace"), Tokenizer: a.text("tokenizer"),
			Options: model.Options{
				Processing: a.text("processing"), Unembedding: a.text("unembedding"), Norm: a.text("norm"), NormKind: kind,
				NormOffset: a.number("norm_offset"), SoftCap: a.number("soft_cap"), Embedding: a.flag("embedding"),
				Attention: a.text("attention"), MLP: a.text("mlp"),
			},
		})
		if err != nil {
			return err
		}
		return h.within(ctx, a, func(db *operations.Database) error {
			outcome, err := db.Loader().Model(ctx, r)
			if err != nil {
				return err
			}
			return row(loadedRow(outcome)...)
		})
	},
}

// ofSAEs is what loads of SAEs take besides where they are.
var ofSAEs = []parameter{
	{"name", text}, {"model", text}, {"neuronpedia_id", text}, {"decoder", text}, {"hook", text}, {"encoder", flag}, {"in_place", flag}, {"replace", flag}, {"copy", flag},
	{"database", text},
}

// loadSAE is saedb load sae: the SAEs at a path, or in the directories below it.
var loadSAE = procedure{
	name: "saedb_load_sae", takes: append([]parameter{{"path", text}, {"release", text}}, ofSAEs...), first: 1, columns: loadedColumns,
	run: func(ctx context.Context, h *Host, a arguments, row func(...any) error) error {
		return h.loadSAEs(ctx, a, operations.SAEsWanted{Paths: []string{a.text("path")}}, row)
	},
}

// loadRelease is saedb load sae --release: SAEs of a published release, downloaded from the Hub.
var loadRelease = procedure{
	name: "saedb_load_release", takes: append([]parameter{{"release", text}, {"id", text}, {"layer", integer}}, ofSAEs...), first: 1, columns: loadedColumns,
	run: func(ctx context.Context, h *Host, a arguments, row func(...any) error) error {
		return h.loadSAEs(ctx, a, operations.SAEsWanted{Release: a.text("release"), ID: a.text("id"), Layer: a.integer("layer", -1)}, row)
	},
}

func (h *Host) loadSAEs(ctx context.Context, a arguments, wanted operations.SAEsWanted, row func(...any) error) error {
	if err := operations.CheckDecoder(a.text("decoder")); err != nil {
		return err
	}
	if id := a.text("neuronpedia_id"); id != "" && !operations.IsNeuronpediaID(id) {
		return unknown("neuronpedia_id", id, "MODEL/SOURCE, such as gpt2-small/8-res-jb")
	}
	found, err := h.hub(a).SAERequests(ctx, wanted)
	if err != nil {
		return h.open(a, func(db *operations.Database) error { return db.Loader().Explain(ctx, err) })
	}
	of := a.text("release")
	if len(wanted.Paths) > 0 {
		of = wanted.Paths[0]
	}
	requests, err := operations.ForEach(of, found, loader.SAERequest{
		Name: a.text("name"), Model: a.text("model"), Release: a.text("release"), Decoder: a.text("decoder"), Hook: a.text("hook"),
		Known: sae.Published{NeuronpediaID: a.text("neuronpedia_id")}, Encoder: a.flag("encoder"), InPlace: a.flag("in_place"), Replace: a.flag("replace"), Copy: a.flag("copy"),
	})
	if err != nil {
		return err
	}
	return h.within(ctx, a, func(db *operations.Database) error {
		return db.LoadSAEs(ctx, requests, func(o loader.Outcome) error { return row(loadedRow(o)...) })
	})
}

// loadDirections is saedb load directions.
var loadDirections = procedure{
	name: "saedb_load_directions", takes: []parameter{
		{"path", text}, {"sql", text}, {"neurons", flag}, {"heads", flag}, {"tensor", text}, {"transposed", flag}, {"hook", text}, {"layer", integer},
		{"name", text}, {"model", text}, {"release", text}, {"decoder", text}, {"replace", flag}, {"copy", flag}, {"database", text},
	},
	columns: loadedColumns,
	run: func(ctx context.Context, h *Host, a arguments, row func(...any) error) error {
		wanted := operations.DirectionsWanted{
			Path: a.text("path"), SQL: a.text("sql"), Neurons: a.flag("neurons"), Heads: a.flag("heads"), Tensor: a.text("tensor"), Transposed: a.flag("transposed"),
			Hook: a.text("hook"), Layer: a.integer("layer", -1), Name: a.text("name"), Model: a.text("model"), Release: a.text("release"),
			Decoder: a.text("decoder"), Replace: a.flag("replace"), Copy: a.flag("copy"),
		}
		if err := wanted.Check(); err != nil {
			return err
		}
		return h.within(ctx, a, func(db *operations.Database) error {
			return db.LoadDirections(ctx, wanted, func(o loader.Outcome) error { return row(loadedRow(o)...) })
		})
	},
}

// loadLens is saedb load lens.
var loadLens = procedure{
	name: "saedb_load_lens", takes: []parameter{{"path", text}, {"name", text}, {"model", text}, {"transposed", flag}, {"replace", flag}, {"database", text}},
	first: 1, columns: loadedColumns,
	run: func(ctx context.Context, h *Host, a arguments, row func(...any) error) error {
		r, err := h.hub(a).LensRequest(ctx, a.text("path"), loader.LensRequest{
			Name: a.text("name"), Model: a.text("model"), Transposed: a.flag("transposed"), Replace: a.flag("replace"),
		})
		if err != nil {
			return err
		}
		return h.within(ctx, a, func(db *operations.Database) error {
			outcome, err := db.Loader().Lens(ctx, r)
			if err != nil {
				return err
			}
			return row(loadedRow(outcome)...)
		})
	},
}

// loadExplanations is saedb load explanations.
var loadExplanations = procedure{
	name: "saedb_load_explanations", takes: []parameter{{"files", lines}, {"replace", flag}, {"database", text}}, first: 1,
	columns: []capi.Field{
		{Name: "neuronpedia_id", Type: capi.Varchar}, {Name: "explanations", Type: capi.Bigint}, {Name: "features", Type: capi.Bigint}, {Name: "saes", Type: capi.Bigint},
	},
	run: func(ctx context.Context, h *Host, a arguments, row func(...any) error) error {
		files := a.lines("files")
		if len(files) == 0 {
			return unknown("files", "", "at least one")
		}
		return h.within(ctx, a, func(db *operations.Database) error {
			end := a.tell.begin("explanations", int64(len(files)), "files")
			defer end()
			o, err := db.Loader().Explanations(ctx, loader.ExplanationsRequest{
				Files: files, Replace: a.flag("replace"), Done: func(n int) { a.tell.add(int64(n)) },
			})
			if err != nil {
				return err
			}
			return each(row, o.Sources, func(s loader.ExplainedSource) []any {
				return []any{s.NeuronpediaID, int64(s.Explanations), int64(s.Features), int64(s.SAEs)}
			})
		})
	},
}
