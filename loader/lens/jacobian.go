package lens

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/files"
	"github.com/saedb/saedb/loader/torch"
	"go.yaml.in/yaml/v3"
)

// jacobianConfig is the file that published Jacobian lenses have beside them.
const jacobianConfig = "config.yaml"

// maxConfigBytes bounds configurations; those that are known have a few kB.
const maxConfigBytes = 4 << 20

// takeJacobian takes a Jacobian lens: J has a matrix for each layer l, which leads from the output
// of block l to that of the last. Sources: JacobianLens of transformer_lens/tools/analysis/
// jacobian_lens.py of TransformerLens, whose files have more under "metadata", and
// convert-external-lens.py of hijohnnylin/neuronpedia, which adds "provenance".
func (l *Lens) takeJacobian(path string, file *torch.File) error {
	l.info.Kind = Jacobian
	if err := l.fitted(path, file); err != nil {
		return err
	}
	if d, ok := file.Value("d_model"); ok {
		if width, isInt := d.(int64); isInt && width > 0 && width < 1<<20 {
			l.info.DModel = int(width)
		}
	}
	matrices := file.At("J")
	for _, key := range file.Keys("J") {
		layer, err := strconv.Atoi(key)
		if err != nil || layer < -1 {
			return &fault.Error{Problem: "J", Expected: "matrices by the number of their layer", Found: fmt.Sprintf("%.40q", key)}
		}
		t, err := matrices.Tensor(key)
		if err != nil {
			return err
		}
		if err := l.take(layer, t, false); err != nil {
			return err
		}
	}
	listed := file.Keys("source_layers") // of a list there are none
	for i := 0; listed == nil; i++ {
		v, ok := file.Value("source_layers", strconv.Itoa(i))
		if !ok {
			if i > 0 && i != len(l.info.Layers) {
				return &fault.Error{Problem: "source_layers", Expected: fmt.Sprintf("the %d layers of J", len(l.info.Layers)), Found: fmt.Sprintf("%d", i)}
			}
			break
		}
		if file.Keys("J") == nil || !file.Has("J."+fmt.Sprint(v)) {
			return &fault.Error{Problem: fmt.Sprintf("layer %v of source_layers has no matrix in J", v), Hint: "the file is damaged"}
		}
	}
	return nil
}

// fit is what files say of how a lens was fitted.
type fit struct {
	model, corpus, capturePoint, streams, estimator string
	prompts, target                                 int64 // target is -1 where it is not said
}

// fitted reads how a Jacobian lens was fitted: from the file itself, or else from the
// configuration beside it.
func (l *Lens) fitted(path string, file *torch.File) error {
	f := fit{target: -1}
	text := func(to *string, keys ...string) {
		if v, ok := file.Value(keys...); ok && *to == "" {
			*to, _ = v.(string)
		}
	}
	number := func(to *int64, absent int64, keys ...string) {
		if v, ok := file.Value(keys...); ok && *to == absent {
			if n, isInt := v.(int64); isInt {
				*to = n
			}
		}
	}
	for _, in := range [][]string{nil, {"metadata"}, {"provenance"}} {
		at := func(key string) []string { return append(append([]string{}, in...), key) }
		text(&f.model, at("model_name")...)
		text(&f.model, at("model_id")...)
		text(&f.corpus, at("corpus")...)
		text(&f.corpus, at("dataset_id")...)
		text(&f.capturePoint, at("capture_point")...)
		text(&f.streams, at("stream_reduce")...)
		text(&f.estimator, at("estimator")...)
		number(&f.prompts, 0, at("n_prompts")...)
		number(&f.target, -1, at("target_layer")...)
	}
	if err := l.configured(&f, filepath.Join(filepath.Dir(path), jacobianConfig)); err != nil {
		return err
	}
	switch {
	case f.capturePoint != "" && f.capturePoint != "block_output":
		return &fault.Error{Expected: "a lens of the outputs of blocks", Found: "one of " + f.capturePoint + ", as its provenance says"}
	case f.streams != "" && f.streams != "none":
		return &fault.Error{Expected: "a lens of one residual stream", Found: "one of several, reduced by " + f.streams + ", as its provenance says"}
	case f.target < -1 || f.target > 1<<20 || f.prompts < 0 || f.prompts > 1<<40:
		return &fault.Error{Problem: "target_layer and n_prompts", Found: fmt.Sprintf("%d and %d", f.target, f.prompts)}
	}
	l.info.Model, l.info.Corpus, l.info.Prompts, l.info.Target = f.model, f.corpus, int(f.prompts), int(f.target)
	if f.estimator != "" && f.estimator != "jacobian_lens" {
		l.info.About = "estimator " + f.estimator
	}
	return nil
}

// configured reads what a config.yaml of Neuronpedia's says that the file does not.
func (l *Lens) configured(f *fit, path string) error {
	data, err := files.Read(path, maxConfigBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var c struct {
		Model   string `yaml:"hf_model_name"`
		Dataset struct {
			Name, Config string
		}
		Fit struct {
			Prompts *int64 `yaml:"n_prompts"`
			Target  *int64 `yaml:"target_layer"`
		}
		Lens struct {
			File         string
			CapturePoint string `yaml:"capture_point"`
			Streams      string `yaml:"stream_reduce"`
		}
	}
	if err := yaml.Unmarshal(data, &c); err != nil {
		return &fault.Error{Subject: path, Problem: "cannot be read", Err: err}
	}
	if c.Lens.File != "" && c.Lens.File != filepath.Base(l.info.Files[0]) {
		return nil // of another lens
	}
	l.info.Files = append(l.info.Files, path)
	f.model, f.corpus = cmp.Or(f.model, c.Model), cmp.Or(f.corpus, strings.TrimSpace(c.Dataset.Name+" "+c.Dataset.Config))
	f.capturePoint, f.streams = cmp.Or(f.capturePoint, c.Lens.CapturePoint), cmp.Or(f.streams, c.Lens.Streams)
	if c.Fit.Prompts != nil && f.prompts == 0 {
		f.prompts = *c.Fit.Prompts
	}
	if c.Fit.Target != nil && f.target == -1 {
		f.target = *c.Fit.Target
	}
	return nil
}
