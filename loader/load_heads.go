package loader

import (
	"context"
	"fmt"
	"strconv"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/hub"
	"github.com/saedb/saedb/loader/model"
	"github.com/saedb/saedb/loader/sae"
)

// HeadsRequest asks for the singular directions of a model's heads.
type HeadsRequest NeuronsRequest

// Heads loads the singular directions of what the heads of one block write: those of head h of
// width d_head are rows h·d_head on, the largest singular value first, each row as long as its
// singular value.
func (ld *Loader) Heads(ctx context.Context, r HeadsRequest) (Outcome, error) {
	path, origin, processing, err := ld.filesOfModel(ctx, r.Path, r.Model, needHeads(r.Layer))
	if err != nil {
		return Outcome{}, fault.At(loadDirections, "model "+r.Model, err)
	}
	opened, err := model.OpenAttention(path, r.Layer, model.Options{Processing: processing})
	if err != nil {
		return Outcome{}, fault.At(loadDirections, path, err)
	}
	defer opened.Close()
	about := opened.Info()
	rows, err := ld.singular(ctx, opened)
	if err != nil {
		return Outcome{}, fault.At(loadDirections, path, err)
	}
	scaled, err := atScale(sae.FromMatrix(sae.Info{
		Path: path, Name: fmt.Sprintf("blocks.%d.attn.heads", r.Layer), Format: model.FormatOf(path), Architecture: sae.ArchitectureHeads,
		Hook: fmt.Sprintf("blocks.%d.hook_attn_out", r.Layer), Layer: r.Layer, Space: sae.ResidualStream,
		Scale: fmt.Sprintf("%s; right singular vectors of W_V·W_O times their singular values, %d of each of %d heads", sae.AsStored, about.DHead, about.Heads),
		Files: about.Files,
	}, &sae.Made{Values: rows, Width: about.DModel}, about.DType, func() error { return nil }), r.Decoder)
	if err != nil {
		return Outcome{}, fault.At(loadDirections, path, err)
	}
	outcome, err := ld.loadRows(ctx, loadDirections, scaled, SAERequest{
		Path: path, Model: r.Model, Release: r.Release, Replace: r.Replace, Copy: r.Copy, Origin: origin,
	})
	if err == nil && about.PostNorm {
		outcome.Note = fmt.Sprintf("block %d normalises what its attention writes, which logit weights leave out: they are approximate", r.Layer)
	}
	return outcome, err
}

// needHeads asks for the heads of a block.
func needHeads(layer int) hub.Need {
	return func(config []byte, names []string) ([]string, error) {
		return model.NeededHeads(config, names, strconv.Itoa(layer))
	}
}

// singular computes the singular directions of all heads of a block [n_heads·d_head, d_model].
func (ld *Loader) singular(ctx context.Context, a *model.Attention) ([]float32, error) {
	about := a.Info()
	if ld.Begin != nil {
		_, end := ld.Begin(ctx, fmt.Sprintf("singular directions of layer %d", about.Layer), 0)
		defer end()
	}
	size := about.DHead * about.DModel
	values, out := make([]float32, size), make([]float32, size)
	var all []float32
	for head := range about.Heads {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := a.ReadRows(model.Values, head/(about.Heads/about.KVHeads)*about.DHead, values); err != nil {
			return nil, err
		}
		if err := a.ReadRows(model.Outputs, head*about.DHead, out); err != nil {
			return nil, err
		}
		directions, err := sae.SingularDirections(values, out, about.DModel)
		if err != nil {
			return nil, err
		}
		all = append(all, directions...)
	}
	return all, nil
}
