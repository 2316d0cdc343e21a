// Package lens reads lenses: for each block of a model a matrix that leads from the residual
// stream behind it to the one behind the last block, where the unembedding reads it. A decoder
// direction times that matrix is what the feature comes to write, later blocks included.
//
// Read are Jacobian lenses, tuned lenses, and matrices by layer of any other origin. Nothing in
// a file is run.
package lens

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/files"
	"github.com/saedb/saedb/loader/npy"
	"github.com/saedb/saedb/loader/safetensors"
	"github.com/saedb/saedb/loader/tensor"
	"github.com/saedb/saedb/loader/torch"
)

const opRead = "read lens"

// Kinds of lenses.
const (
	Jacobian = "jacobian" // the mean derivative of what the last block writes
	Tuned    = "tuned"    // trained to give the model's own output; of a direction, without its bias
	Matrices = "matrices" // of which the files say nothing more
)

// Info describes a lens.
type Info struct {
	Path   string
	Name   string // of the file, or the directory, without its ending
	Format string // "pt", "npy", "npz", "safetensors"
	Kind   string // Jacobian, Tuned or Matrices
	DType  string // of the stored numbers, several of them separated by commas
	DModel int    // rows and columns of each matrix
	// Layers has for each matrix, ascending, the block behind which it begins; -1 stands for the
	// embedding's output, before the first block.
	Layers []int
	// Residual says that a direction w becomes w + M w, and not M w.
	Residual bool
	Blocks   int // of the model; 0 where the files do not say
	// Target is the block behind which the matrices end, where the files give it; -1 otherwise,
	// which stands for the last.
	Target  int
	Model   string   // that it was fitted on, as the files name it, or empty
	Corpus  string   // that it was fitted on, or empty
	Prompts int      // how many texts it was fitted on; 0 where the files do not say
	About   string   // what else the files say of how it was fitted, or empty
	Files   []string // that were read
}

// Lens is an open lens. Reads may run at the same time.
type Lens struct {
	info     Info
	matrices []tensor.Matrix // of info.Layers
	subjects []string        // their files and tensors, in errors
	close    []func() error
}

// Options says how matrices are to be read of which the files say nothing.
type Options struct {
	// Transposed says that rows are multiplied by the matrices, h·M; otherwise columns are, M·h.
	// Jacobian and tuned lenses are known to be as they are.
	Transposed bool
}

// Open opens the lens at path: a file, or a directory with one. The caller closes it.
func Open(path string, o Options) (*Lens, error) {
	l := &Lens{info: Info{Path: path, Target: -1}}
	err := l.open(path, o)
	if err == nil {
		err = l.check()
	}
	if err != nil {
		l.Close()
		return nil, fault.At(opRead, path, err)
	}
	return l, nil
}

// Info returns what the files say.
func (l *Lens) Info() Info {
	info := l.info
	info.Layers, info.Files = slices.Clone(info.Layers), slices.Clone(info.Files)
	return info
}

// Close closes the files.
func (l *Lens) Close() error {
	var first error
	for _, close := range l.close {
		first = cmp.Or(first, close())
	}
	return first
}

// ReadRows fills dst, which holds whole rows, from row from on of all matrices, one below the
// other in the order of Info.Layers, as float32. Row i of a matrix M gives value i of what a
// direction w [d_model] becomes, Σⱼ M[i, j]·w[j]. Binary16 and bfloat16 are exact in float32;
// binary64 is rounded once. A value that is not finite is an error.
func (l *Lens) ReadRows(from int, dst []float32) error {
	d := l.info.DModel
	if err := tensor.CheckRows(l.info.Path, from, len(dst), d*len(l.matrices), d); err != nil {
		return fault.At(opRead, "", err)
	}
	for len(dst) > 0 {
		at, row := from/d, from%d
		rows := min(len(dst)/d, d-row)
		part := dst[:rows*d]
		if err := l.matrices[at].ReadRows(row, part); err != nil {
			return fault.At(opRead, l.subjects[at], err)
		}
		if i := tensor.FirstNonFinite(part); i >= 0 {
			return &fault.Error{
				Op: opRead, Subject: l.subjects[at], Problem: fmt.Sprintf("row %d, column %d", row+i/d, i%d), Expected: "a finite weight", Found: fmt.Sprint(part[i]),
			}
		}
		from, dst = from+rows, dst[rows*d:]
	}
	return nil
}

// Endings are those of the files that lenses are in.
var Endings = []string{".pt", ".pth", ".bin", ".safetensors", ".npz", ".npy"}

// IsLens tells by its name whether a file may hold a lens.
func IsLens(name string) bool {
	return slices.Contains(Endings, strings.ToLower(filepath.Ext(name)))
}

func (l *Lens) open(path string, o Options) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if filepath.Base(path) == tunedConfig && !info.IsDir() {
		return l.open(filepath.Dir(path), o)
	}
	l.info.Name = strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	if info.IsDir() {
		l.info.Name = filepath.Base(path)
		return l.openDirectory(path, o)
	}
	return l.openFile(path, o)
}

// openDirectory opens the lens in a directory: a tuned lens, the only file of tensors, or .npy
// files with a matrix each.
func (l *Lens) openDirectory(dir string, o Options) error {
	if files.IsRegular(filepath.Join(dir, tunedConfig)) && files.IsRegular(filepath.Join(dir, tunedParams)) {
		return l.openFile(filepath.Join(dir, tunedParams), o)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var names []string
	arrays := true
	for _, e := range entries {
		if IsLens(e.Name()) && !e.IsDir() {
			names = append(names, e.Name())
			arrays = arrays && strings.EqualFold(filepath.Ext(e.Name()), ".npy")
		}
	}
	switch {
	case len(names) == 1:
		return l.openFile(filepath.Join(dir, names[0]), o)
	case len(names) > 1 && arrays:
		return l.openArrays(dir, names, o)
	case len(names) == 0:
		return &fault.Error{Expected: "a lens: a file that ends in " + strings.Join(Endings, ", "), Found: "none in the directory"}
	}
	return &fault.Error{
		Expected: "one lens", Found: tensor.Shortened(names, 0), Hint: "name the file",
	}
}

// openFile opens a file by its ending, and a file of torch.save by what is in it.
func (l *Lens) openFile(path string, o Options) error {
	l.info.Format = strings.TrimPrefix(strings.ToLower(filepath.Ext(path)), ".")
	l.info.Files = append(l.info.Files, path)
	var file *tensor.File
	var err error
	switch l.info.Format {
	case "safetensors":
		file, err = safetensors.Open(path)
	case "npy", "npz":
		file, err = npy.Open(path)
	case "pt", "pth", "bin":
		return l.openTorch(path, o)
	default:
		return &fault.Error{Expected: "a file that ends in " + strings.Join(Endings, ", "), Found: fmt.Sprintf("%q", filepath.Ext(path))}
	}
	if err != nil {
		return err
	}
	l.close = append(l.close, file.Close)
	return l.takeByName(file, o)
}

func (l *Lens) openTorch(path string, o Options) error {
	file, err := torch.Open(path)
	if err != nil {
		return err
	}
	l.close = append(l.close, file.Close)
	l.info.Format = "pt"
	switch {
	case file.Keys("J") != nil:
		return l.takeJacobian(path, file)
	case file.Keys("jacobian_sum") != nil:
		return &fault.Error{
			Expected: "a Jacobian lens, with matrices J", Found: "the checkpoint of a fit, with sums over " + said(file, "n_done") + " prompts",
			Hint: "JacobianLens.load(path).save(other) of TransformerLens makes a lens of it",
		}
	case filepath.Base(path) == tunedParams:
		return l.takeTuned(filepath.Dir(path), file.File)
	}
	return l.takeByName(file.File, o)
}

// said is a plain value of a file as text, "an unknown number of" where there is none.
func said(file *torch.File, keys ...string) string {
	if v, ok := file.Value(keys...); ok && v != nil {
		return fmt.Sprint(v)
	}
	return "an unknown number of"
}

// take adds a matrix that begins behind a block.
func (l *Lens) take(layer int, t *tensor.Tensor, transposed bool) error {
	read := t.Matrix
	if transposed {
		read = t.Transposed
	}
	m, err := read()
	if err != nil {
		return err
	}
	return l.takeMatrix(layer, m, t.Subject, t.DType)
}

func (l *Lens) takeMatrix(layer int, m tensor.Matrix, subject, dtype string) error {
	if l.info.DModel == 0 {
		l.info.DModel = m.Rows()
	}
	if d := l.info.DModel; m.Rows() != d || m.Cols() != d {
		return &fault.Error{
			Op: opRead, Subject: subject, Expected: fmt.Sprintf("a matrix [%d, %d]", d, d), Found: fmt.Sprintf("[%d, %d]", m.Rows(), m.Cols()),
		}
	}
	l.info.Layers, l.matrices, l.subjects = append(l.info.Layers, layer), append(l.matrices, m), append(l.subjects, subject)
	if !slices.Contains(strings.Split(l.info.DType, ", "), dtype) {
		l.info.DType = strings.TrimPrefix(l.info.DType+", "+dtype, ", ")
	}
	return nil
}

// check orders the matrices by their layers, each of which must be there once.
func (l *Lens) check() error {
	if len(l.matrices) == 0 {
		return &fault.Error{Expected: "a matrix for each layer", Found: "none"}
	}
	order := make([]int, len(l.matrices))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(l.info.Layers[a], l.info.Layers[b]) })
	matrices, subjects, layers := l.matrices, l.subjects, l.info.Layers
	l.matrices, l.subjects, l.info.Layers = nil, nil, nil
	for place, i := range order {
		if place > 0 && layers[i] == l.info.Layers[place-1] {
			return &fault.Error{Problem: fmt.Sprintf("two matrices of layer %d", layers[i]), Found: subjects[i] + " and " + l.subjects[place-1]}
		}
		l.matrices, l.subjects, l.info.Layers = append(l.matrices, matrices[i]), append(l.subjects, subjects[i]), append(l.info.Layers, layers[i])
	}
	return nil
}
