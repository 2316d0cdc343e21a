package model

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/files"
	"github.com/saedb/saedb/loader/safetensors"
	"github.com/saedb/saedb/loader/tensor"
)

const (
	weightsFile = safetensors.WeightsFile
	indexFile   = safetensors.IndexFile
)

// checkpoint is the tensors of a Hugging Face model, in one file or in shards.
type checkpoint struct {
	dir    string
	index  string            // path of the index, empty for one file
	holder map[string]string // tensor name to the path of the file that holds it
	opened map[string]*tensor.File
}

// openCheckpoint finds the weights of the directory path, or of the *.safetensors
// file path beside its config.json. The caller closes it.
func openCheckpoint(path string) (*checkpoint, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, &fault.Error{Subject: path, Err: errors.Unwrap(err)}
	}
	c := &checkpoint{dir: path, holder: map[string]string{}, opened: map[string]*tensor.File{}}
	if !info.IsDir() {
		c.dir = filepath.Dir(path)
		return c, c.readFile(path)
	}
	weights, index := filepath.Join(path, weightsFile), filepath.Join(path, indexFile)
	switch {
	case files.IsRegular(weights): // as transformers do, before the index
		return c, c.readSingle(weights)
	case files.IsRegular(index):
		return c, c.readIndex(index)
	default:
		return nil, noModel(path, "a directory without "+weightsFile+" and "+indexFile)
	}
}

// readFile reads the tensors of the one file given. A shard stands for the whole
// model; another file beside an index stands for itself.
func (c *checkpoint) readFile(path string) error {
	if filepath.Ext(path) != ".safetensors" {
		return noModel(path, "a file that is neither *.safetensors nor *.gguf")
	}
	if index := filepath.Join(c.dir, indexFile); files.IsRegular(index) {
		if err := c.readIndex(index); err != nil {
			return err
		}
		if c.holds(path) {
			return nil
		}
		c.index = ""
		clear(c.holder)
	}
	return c.readSingle(path)
}

// noModel is the error of a path without weights, with a hint by what else is there.
func noModel(path, found string) error {
	e := &fault.Error{
		Subject: path, Expected: "a directory with " + weightsFile + ", or a *.safetensors or *.gguf file", Found: found, Err: errNoWeights,
	}
	entries, _ := os.ReadDir(path) // none for a file
	for _, entry := range entries {
		switch filepath.Ext(entry.Name()) {
		case ".gguf":
			e.Hint = "there is a .gguf file in it: give that file"
			return e
		case ".bin":
			e.Hint = "weights in PyTorch's *.bin files are not read: convert them to safetensors"
		}
	}
	return e
}

func (c *checkpoint) readSingle(path string) error {
	file, err := safetensors.Open(path)
	if err != nil {
		return err
	}
	c.opened[path] = file
	for _, name := range file.Names() {
		c.holder[name] = path
	}
	return nil
}

// readIndex reads which shard holds which tensor. Shards are files of the
// directory: a name that leads out of it is an error.
func (c *checkpoint) readIndex(path string) error {
	var stored struct {
		WeightMap map[string]string `json:"weight_map"`
	}
	if err := readJSON(path, &stored); err != nil {
		return err
	}
	if len(stored.WeightMap) == 0 {
		return &fault.Error{Subject: path, Problem: "has no weight_map"}
	}
	c.index = path
	for name, shard := range stored.WeightMap {
		if !filepath.IsLocal(shard) {
			return &fault.Error{
				Subject: path, Problem: "tensor " + name, Expected: "a file of the same directory", Found: fmt.Sprintf("%q", shard),
			}
		}
		c.holder[name] = filepath.Join(c.dir, shard)
	}
	return nil
}

// holds reports whether path is a file of the checkpoint.
func (c *checkpoint) holds(path string) bool {
	clean := filepath.Clean(path)
	for _, holder := range c.holder {
		if holder == clean {
			return true
		}
	}
	return false
}

// tensor opens a tensor by its full name, and the file that holds it if need be.
func (c *checkpoint) tensor(name string) (*tensor.Tensor, error) {
	path := c.holder[name]
	if c.opened[path] == nil {
		file, err := safetensors.Open(path)
		if err != nil {
			return nil, err
		}
		c.opened[path] = file
	}
	return c.opened[path].Tensor(name)
}

// Close closes all files.
func (c *checkpoint) Close() error {
	c.close()
	return nil
}

// close closes all files but those at the paths given.
func (c *checkpoint) close(except ...string) {
	for path, file := range c.opened {
		if !slices.Contains(except, path) {
			file.Close()
		}
	}
}

// amended is err with a change to what it says; one that is no fault.Error stays as it is.
func amended(err error, change func(*fault.Error)) error {
	var e *fault.Error
	if !errors.As(err, &e) {
		return err
	}
	changed := *e
	change(&changed)
	return &changed
}

// closers closes several files.
type closers []io.Closer

func (files closers) Close() error {
	var errs []error
	for _, file := range files {
		errs = append(errs, file.Close())
	}
	return errors.Join(errs...)
}

// prefixes are the parts of tensor names that may come before those of a family:
// they depend on the class that a checkpoint was saved from.
var prefixes = []string{"transformer", "model", "language_model", "text_model", "base_model", "gpt_neox", "decoder", "language", "llm", "thinker"}

// resolve returns the full name of a tensor that a family calls name, or "" when
// there is none. Of several, the one with the fewest prefixes counts; several with
// as many are an error.
func (c *checkpoint) resolve(name string) (string, error) {
	var found []string
	for full := range c.holder {
		prefix, ok := strings.CutSuffix("."+full, "."+name)
		if !ok {
			continue
		}
		if !onlyPrefixes(prefix) {
			continue
		}
		found = append(found, full)
	}
	if len(found) == 0 {
		return "", nil
	}
	depth := func(full string) int { return strings.Count(full, ".") }
	slices.SortFunc(found, func(a, b string) int { return depth(a) - depth(b) })
	if len(found) > 1 && depth(found[0]) == depth(found[1]) {
		slices.Sort(found)
		return "", &fault.Error{
			Subject: c.dir, Expected: "one tensor " + name, Found: strings.Join(found, ", "),
		}
	}
	return found[0], nil
}

// onlyPrefixes reports whether the names with dots between them are prefixes.
func onlyPrefixes(names string) bool {
	parts := strings.FieldsFunc(names, func(r rune) bool { return r == '.' })
	return !slices.ContainsFunc(parts, func(part string) bool { return !slices.Contains(prefixes, part) })
}

// missing is the error of a tensor that a family must have.
func (c *checkpoint) missing(name, hint string) error {
	return &fault.Error{
		Subject: c.dir + ": tensor " + name, Problem: "is missing",
		Found: tensor.Shortened(tensor.OutsideBlocks(slices.Sorted(maps.Keys(c.holder)))), Hint: hint,
	}
}
