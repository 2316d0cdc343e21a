package hub

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// maxConfigBytes bounds the configurations that are downloaded beside an SAE of
// one file; training runs wrote a few kB.
const maxConfigBytes = 4 << 20

// SAE downloads the SAE at r, or all below it: of a directory the files that SAEs
// are kept in, of a file it alone, of both the configurations in the directory that
// they are in.
// Optimizer states and what else training leaves stay where they are. It returns
// the reference at its commit, and the local path.
func (c *Client) SAE(ctx context.Context, r Reference) (Reference, string, error) {
	at, local, taken, err := c.Snapshot(ctx, r, func(file string) bool { return file == r.Path || isOfSAE(r.Path, file) })
	if err != nil {
		return at, "", err
	}
	if r.Path != "" && len(taken) > 0 {
		if err := c.configurations(ctx, at); err != nil {
			return at, "", err
		}
	}
	return at, local, nil
}

// RepositoryRoot is the local directory that stands for the root of r's repository
// at its commit.
func (c *Client) RepositoryRoot(r Reference) string { return c.repository(r.Repo).snapshot(r.Revision) }

// isOfSAE tells which files below root readers of SAEs look at. Checkpoints that
// training left are not among them, but for the last, which one format keeps there.
func isOfSAE(root, file string) bool {
	name := strings.ToLower(path.Base(file))
	if strings.HasPrefix(name, "w_enc") {
		return false // encoders that lie apart
	}
	if !slices.Contains([]string{".safetensors", ".npz", ".pt", ".pth", ".json", ".yaml", ".yml"}, path.Ext(name)) {
		return false
	}
	for _, training := range []string{"optimizer", "trainer_state", "activations_store_state", "activation_whitening", "scheduler", "rng_state"} {
		if strings.Contains(name, training) {
			return false
		}
	}
	below := strings.Split(strings.TrimPrefix(strings.TrimPrefix(file, root), "/"), "/")
	if len(below) > 1 && slices.Contains(below[:len(below)-1], "checkpoints") {
		return strings.HasPrefix(name, "final.") || strings.HasPrefix(name, "pruned.")
	}
	return true
}

func isConfiguration(name string) bool {
	return slices.Contains([]string{".json", ".yaml", ".yml"}, path.Ext(name))
}

// configurations downloads the configurations in the directory that r is in.
func (c *Client) configurations(ctx context.Context, r Reference) error {
	directory := r.At(path.Dir(r.Path))
	if directory.Path == "." {
		directory.Path = ""
	}
	entries, err := c.List(ctx, directory, false)
	if errors.Is(err, errUnreachable) {
		return nil // what is cached must do
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Directory || !isConfiguration(e.Path) || e.Size > maxConfigBytes {
			continue
		}
		if _, err := c.File(ctx, r.At(e.Path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Origin names a local path below the root of r's repository as a reference
// without a revision: org/name/path.
func (c *Client) Origin(r Reference, local string) (Reference, error) {
	below, err := filepath.Rel(c.RepositoryRoot(r), local)
	if err != nil || !filepath.IsLocal(below) {
		return r, fmt.Errorf("%s is not in the cache of %s", local, r.Repo)
	}
	if below == "." {
		return r.At(""), nil
	}
	return r.At(filepath.ToSlash(below)), nil
}
