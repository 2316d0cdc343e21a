package loader

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/model"
	"github.com/saedb/saedb/loader/sae"
)

// toResidualStream maps a decoder of another space by the matrix with which the
// model's block writes to the residual stream: W_O for hook_z and hook_v, W_out for MLP
// activations. The matrix is read from the files that the model was loaded from. A decoder
// from which no way to the residual stream is known is an error. The note says what
// else there is to know of it, as where the product is not all that the block does.
//
// Where every head has values of its own, a head's output is its values, weighted by
// attention: W_O maps both. Where several heads read the same values, W_O is wider than
// they are, and the load fails.
func (ld *Loader) toResidualStream(ctx context.Context, tx *sql.Tx, opened sae.SAE, m loadedModel) (mapped sae.SAE, note string, err error) {
	info := opened.Info()
	notes := sae.Notes(info)
	kind, matrix := model.AttentionOut, "W_O"
	switch info.Space {
	case sae.ResidualStream:
		return opened, strings.Join(notes, "; "), nil
	case sae.UnknownSpace:
		return opened, "", sae.CheckHook(info)
	case sae.MLPActivations:
		kind, matrix = model.MLPOut, "W_out"
	}
	needs := &fault.Error{
		Subject: info.Path, Expected: "a decoder that writes to the residual stream",
		Found: fmt.Sprintf("%s, at hook point %s", info.Space, info.Hook),
	}
	if info.Layer < 0 {
		needs.Hint = "it would have to be mapped by " + matrix + " of a block, and the hook point names none"
		return opened, "", needs
	}
	block, err := ld.openBlock(ctx, tx, m, kind, info.Layer)
	if err != nil {
		needs.Err, needs.Hint = err, fmt.Sprintf("it has to be mapped by %s, read from the files of model %s", matrix, m.name)
		return opened, "", needs
	}
	defer block.Close()
	about := block.Info()
	if about.PostNorm {
		notes = append(notes, fmt.Sprintf("block %d of model %s normalises what it writes, which logit weights leave out: they are approximate", info.Layer, m.name))
	}
	mapped, err = sae.Mapped(opened, sae.Map{Matrix: block, Name: fmt.Sprintf("%s (%s)", matrix, about.Tensor), Files: about.Files})
	if err != nil {
		return opened, "", err
	}
	return mapped, strings.Join(notes, "; "), nil
}

// openBlock opens a matrix of a block from the files that a model was loaded from.
func (ld *Loader) openBlock(ctx context.Context, tx *sql.Tx, m loadedModel, kind model.BlockKind, layer int) (*model.Block, error) {
	path, err := ld.modelPath(ctx, tx, m, needBlock(kind, layer))
	if err != nil {
		return nil, err
	}
	return model.OpenBlock(path, kind, layer)
}
