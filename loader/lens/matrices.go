package lens

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/npy"
	"github.com/saedb/saedb/loader/tensor"
)

// takeByName takes matrices of which the file says no more than their names: one for each layer,
// with its number, or one tensor [layers, d_model, d_model] of layers 0, 1, ….
func (l *Lens) takeByName(file *tensor.File, o Options) error {
	l.info.Kind = Matrices
	names := file.Names()
	if len(names) == 1 {
		t, err := file.Tensor(names[0])
		if err != nil {
			return err
		}
		switch len(t.Shape) {
		case 3:
			return l.takeStack(t, o)
		case 2:
			return l.takeNamed(t, []string{l.info.Name + "." + names[0], l.info.Name, names[0]}, o)
		}
	}
	parts := ""
	for _, name := range names {
		t, err := file.Tensor(name)
		if err != nil {
			return err
		}
		layer, rest, err := layerOf(name)
		if err != nil {
			return err
		}
		if parts == "" {
			parts = rest
		}
		if rest != parts {
			return &fault.Error{Expected: "tensors whose names differ in the number of the layer alone", Found: tensor.Shortened(names, 0)}
		}
		if err := l.take(layer, t, o.Transposed); err != nil {
			return err
		}
	}
	return nil
}

// takeStack takes one tensor [layers, d_model, d_model].
func (l *Lens) takeStack(t *tensor.Tensor, o Options) error {
	for layer := range t.Shape[0] {
		m, err := t.Slice(0, layer)
		if err != nil {
			return err
		}
		if o.Transposed {
			return &fault.Error{
				Expected: "a tensor for each layer", Found: fmt.Sprintf("one of shape %v", t.Shape), Hint: "only matrices by themselves can be read transposed: save it transposed",
			}
		}
		if err := l.takeMatrix(layer, m, fmt.Sprintf("%s, layer %d", t.Subject, layer), t.DType); err != nil {
			return err
		}
	}
	return nil
}

// takeNamed takes the only matrix of a file, whose layer is in the first of names that has one.
func (l *Lens) takeNamed(t *tensor.Tensor, names []string, o Options) error {
	var first error
	for _, name := range names {
		layer, _, err := layerOf(name)
		if err == nil {
			return l.take(layer, t, o.Transposed)
		}
		if first == nil {
			first = err
		}
	}
	return first
}

// openArrays takes the .npy files of a directory, which have a matrix each.
func (l *Lens) openArrays(dir string, names []string, o Options) error {
	l.info.Kind, l.info.Format = Matrices, "npy"
	for _, name := range names {
		path := filepath.Join(dir, name)
		file, err := npy.Open(path)
		if err != nil {
			return err
		}
		l.close, l.info.Files = append(l.close, file.Close), append(l.info.Files, path)
		t, err := file.Tensor(file.Names()[0])
		if err != nil {
			return err
		}
		if err := l.takeNamed(t, []string{strings.TrimSuffix(name, filepath.Ext(name))}, o); err != nil {
			return err
		}
	}
	return nil
}

var (
	wholeNumber = regexp.MustCompile(`\d+`)
	otherPoint  = regexp.MustCompile(`resid_mid|attn|mlp|ln[12]|hook_z`)
)

// layerOf is the block behind which a matrix of a name begins, and what else is in the name. A
// name with resid_pre means what enters the block; one of another point of it is refused, and so
// is one with no number or several.
func layerOf(name string) (layer int, rest string, err error) {
	if point := otherPoint.FindString(name); point != "" {
		return 0, "", &fault.Error{Subject: name, Expected: "a matrix that begins behind a block, or before it (resid_pre)", Found: "one at " + point}
	}
	numbers := wholeNumber.FindAllString(name, -1)
	if len(numbers) == 1 {
		layer, err = strconv.Atoi(numbers[0])
	}
	if len(numbers) != 1 || err != nil {
		return 0, "", &fault.Error{
			Subject: fmt.Sprintf("%.80q", name), Expected: "a name with the number of the layer, and no other", Found: fmt.Sprintf("%d numbers", len(numbers)),
			Hint: "name the tensors layer_0, layer_1, …: each leads from behind that block",
		}
	}
	if strings.Contains(name, "resid_pre") {
		layer--
	}
	return layer, wholeNumber.ReplaceAllString(name, "N"), nil
}
