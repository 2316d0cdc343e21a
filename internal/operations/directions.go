package operations

import (
	"context"
	"fmt"
	"os"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader"
	"github.com/saedb/saedb/loader/model"
	"github.com/saedb/saedb/loader/sae"
)

// DirectionsWanted says which directions that are no SAE's are loaded, from where: from one of
// Path, Neurons, Heads and SQL; Heads may go with the path of a model.
type DirectionsWanted struct {
	Path       string // a file with a tensor, or a model, whose MLP neurons are meant, or its heads
	Neurons    bool   // those of the loaded model
	Heads      bool   // singular directions of its heads, or of those of the model at Path
	SQL        string // a query that gives them
	Tensor     string
	Transposed bool
	Hook       string
	Layer      int // -1 for none: of neurons the only one, of others that of the hook point
	// As in loader.SAERequest.
	Model, Release, Name, Decoder string
	Replace, Copy                 bool
}

func (w DirectionsWanted) ofModel() bool {
	return w.Neurons || w.Heads || w.SQL == "" && isModel(w.Path)
}

// hook is the hook point that is asked for, "" for none.
func (w DirectionsWanted) hook() string {
	if w.Layer >= 0 {
		return fmt.Sprintf("blocks.%d.hook_resid_post", w.Layer)
	}
	return w.Hook
}

// Check makes sure that what is asked for goes together.
func (w DirectionsWanted) Check() error {
	sources := 0
	for _, given := range []bool{w.Path != "", w.SQL != "", w.Neurons, w.Heads && !(isModel(w.Path) && !w.Neurons)} {
		if given {
			sources++
		}
	}
	wrong := func(problem string) error { return &fault.Error{Op: "load directions", Problem: problem} }
	switch {
	case sources != 1:
		return wrong(fmt.Sprintf("expected one PATH, --neurons, --heads or --sql, found %d of them", sources))
	case w.SQL != "" && w.Name == "":
		return wrong("--sql needs --name")
	case w.SQL != "" && (w.Tensor != "" || w.Transposed || w.Decoder != "" && w.Decoder != sae.AsStored):
		return wrong("--tensor, --transposed and --decoder go with a PATH")
	case w.Hook != "" && w.Layer >= 0:
		return wrong("--hook names the layer: leave out --layer")
	case w.ofModel() && (w.Tensor != "" || w.Transposed || w.Hook != "" || w.Name != ""):
		return wrong("--tensor, --transposed, --hook and --name do not go with a model")
	}
	return CheckDecoder(w.Decoder)
}

// isModel reports whether a path is a model and no file of directions.
func isModel(path string) bool {
	info, err := os.Stat(path)
	return err == nil && (info.IsDir() || model.IsGGUF(path))
}

// LoadDirections loads them, and tells done of each load: neurons and heads are one a layer.
func (d *Database) LoadDirections(ctx context.Context, w DirectionsWanted, done func(loader.Outcome) error) error {
	if err := w.Check(); err != nil {
		return err
	}
	ld := d.Loader()
	load := func(o loader.Outcome, err error) error {
		if err != nil {
			return err
		}
		return done(o)
	}
	switch {
	case w.SQL != "":
		return load(ld.Query(ctx, loader.QueryRequest{
			SQL: w.SQL, Name: w.Name, Model: w.Model, Release: w.Release, Hook: w.hook(), Replace: w.Replace, Copy: w.Copy,
		}))
	case !w.ofModel():
		return load(ld.Directions(ctx, loader.DirectionsRequest{
			Directions: sae.Directions{Path: w.Path, Tensor: w.Tensor, Transposed: w.Transposed, Hook: w.hook()},
			Name:       w.Name, Model: w.Model, Release: w.Release, Decoder: w.Decoder, Replace: w.Replace, Copy: w.Copy,
		}))
	}
	first, layers := w.Layer, w.Layer+1
	if w.Layer < 0 {
		var err error
		count := ld.NeuronLayers
		if w.Heads {
			count = ld.HeadLayers
		}
		if layers, err = count(ctx, w.Path, w.Model); err != nil {
			return err
		}
		first = 0
	}
	for layer := first; layer < layers; layer++ {
		of := loader.NeuronsRequest{
			Path: w.Path, Layer: layer, Model: w.Model, Release: w.Release, Decoder: w.Decoder, Replace: w.Replace, Copy: w.Copy,
		}
		var err error
		if w.Heads {
			err = load(ld.Heads(ctx, loader.HeadsRequest(of)))
		} else {
			err = load(ld.Neurons(ctx, of))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
