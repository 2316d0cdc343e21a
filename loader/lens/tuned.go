package lens

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/files"
	"github.com/saedb/saedb/internal/pyjson"
	"github.com/saedb/saedb/loader/tensor"
)

// The files of a tuned lens.
const (
	tunedConfig = "config.json"
	tunedParams = "params.pt"
)

// tunedType is the only kind of tuned lens that was ever published.
const tunedType = "linear_tuned_lens"

var tunedTensor = regexp.MustCompile(`^(\d+)\.(weight|bias)$`)

// takeTuned takes a tuned lens: translator l turns hidden state l, which is what enters block l,
// into h + W h + b. Of a direction the bias drops out. Source: TunedLens and TunedLensConfig of
// tuned_lens/nn/lenses.py of AlignmentResearch/tuned-lens.
func (l *Lens) takeTuned(dir string, file *tensor.File) error {
	path := filepath.Join(dir, tunedConfig)
	data, err := files.Read(path, maxConfigBytes)
	if err != nil {
		return &fault.Error{Subject: path, Problem: "cannot be read", Err: err, Hint: "a tuned lens is " + tunedParams + " and " + tunedConfig + " in one directory"}
	}
	var c struct {
		Model    string `json:"base_model_name_or_path"`
		Revision string `json:"base_model_revision"`
		DModel   int    `json:"d_model"`
		Layers   int    `json:"num_hidden_layers"`
		Type     string `json:"lens_type"`
	}
	if err := pyjson.Unmarshal(data, &c); err != nil {
		return &fault.Error{Subject: path, Problem: "is no JSON object of a tuned lens", Err: err}
	}
	if c.Type != "" && c.Type != tunedType {
		return &fault.Error{Subject: path, Expected: "lens_type " + tunedType, Found: c.Type}
	}
	l.info.Name = filepath.Base(dir)
	l.info.Kind, l.info.Residual, l.info.Model, l.info.Blocks, l.info.DModel = Tuned, true, c.Model, c.Layers, max(c.DModel, 0)
	l.info.Files = append(l.info.Files, path)
	if c.Revision != "" {
		l.info.About = "model revision " + c.Revision
	}
	for _, name := range file.Names() {
		parts := tunedTensor.FindStringSubmatch(name)
		if parts == nil {
			return &fault.Error{Expected: "tensors N.weight and N.bias", Found: name, Hint: "lenses of tuned-lens before 0.0.5 have others"}
		}
		if parts[2] == "bias" {
			continue
		}
		layer, err := strconv.Atoi(parts[1])
		if err != nil || c.Layers > 0 && layer >= c.Layers {
			return &fault.Error{Expected: fmt.Sprintf("layers below %d, num_hidden_layers of %s", c.Layers, tunedConfig), Found: name}
		}
		t, err := file.Tensor(name)
		if err != nil {
			return err
		}
		// What enters block l is what leaves block l - 1.
		if err := l.take(layer-1, t, false); err != nil {
			return err
		}
	}
	if c.Layers > 0 && len(l.info.Layers) != c.Layers {
		return &fault.Error{
			Expected: fmt.Sprintf("a weight for each of the %d layers that %s gives", c.Layers, tunedConfig), Found: fmt.Sprint(len(l.info.Layers)),
		}
	}
	return nil
}
