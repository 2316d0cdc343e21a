package operations

import (
	"context"
	"slices"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader"
)

// unchanged makes sure that the weights of SAEs that stay in their files are those that were
// loaded, by their hashes, of each once: known are the names of those that are known to be. What
// changes from then on is found as it is read. Names that are no SAE's are passed over.
func (d *Database) unchanged(ctx context.Context, op string, known map[string]bool, names ...string) error {
	names = slices.DeleteFunc(names, func(name string) bool { return known[name] })
	if len(names) == 0 {
		return nil
	}
	stay, err := loader.InPlace(ctx, d.DB, names)
	if err != nil {
		return err
	}
	for _, in := range stay {
		watched, end := d.watch(ctx, "files of "+in.Name, 0, "bytes")
		err := in.CheckContent(watched, nil)
		end()
		if err != nil {
			return fault.At(op, in.Name, err)
		}
	}
	for _, name := range names {
		known[name] = true
	}
	return nil
}
