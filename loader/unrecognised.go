package loader

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/saedb/saedb/loader/sae"
)

// maxCandidates bounds how many commands an error gives.
const maxCandidates = 3

// Explain returns the error of a path without SAEs with what its tensors could be in this
// database: decoders of a loaded model, by their widths, each with the command that loads it.
// Any other error is returned as it is.
func (ld *Loader) Explain(ctx context.Context, err error) error {
	var u *sae.Unrecognised
	if !errors.As(err, &u) || len(u.Seen) == 0 {
		return err
	}
	models, failed := loadedModels(ctx, ld.DB)
	if failed != nil || len(models) == 0 {
		return err
	}
	var hints, widths []string
	for _, m := range models {
		widths = append(widths, fmt.Sprintf("%s has d_model %d", m.name, m.dModel))
		for _, c := range u.Candidates(m.dModel) {
			hints = append(hints, fmt.Sprintf("%s %v could be a decoder of model %s: %s --model %[3]s", c.Name, c.Shape, m.name, c.Command()))
		}
	}
	if len(hints) == 0 {
		hints = []string{"none of them could be a decoder of a loaded model: " + strings.Join(widths, ", ")}
	}
	explained := *u.Fault
	explained.Hint = strings.Join(hints[:min(len(hints), maxCandidates)], "; ")
	return &explained
}
