package sae

import (
	"regexp"
	"strconv"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/tensor"
	"github.com/saedb/saedb/loader/torch"
)

// qwenScope is Qwen Scope: a TopK SAE a file, layerN.sae.pt, of the residual stream
// after block N. Source: sae_lens/loading/pretrained_sae_loaders.py,
// qwen_scope_sae_huggingface_loader.
var qwenScope = checkpoint{
	name:  "qwen-scope",
	named: func(path string) bool { return qwenScopeFile.MatchString(baseName(path)) },
	has:   func(string, *torch.File) bool { return false },
	take:  (*stored).takeQwenScope,
}

var (
	qwenScopeFile = regexp.MustCompile(`^layer(\d+)\.sae\.pt$`)
	// The repository is named after the model, the number of features in 1,024 and k.
	qwenScopeRepository = regexp.MustCompile(`SAE-Res-(.+)-W\d+K-L0_(\d+)`)
)

func (s *stored) takeQwenScope(path string, file *torch.File) error {
	layer := qwenScopeFile.FindStringSubmatch(baseName(path))[1]
	s.info.Name, s.info.Architecture = "layer"+layer, "topk"
	s.setLayer(layer)
	// In the Hub's cache two directories lie between, "snapshots" and the revision.
	for _, name := range above(path, 3) {
		if match := qwenScopeRepository.FindStringSubmatch(name); match != nil {
			s.info.ModelName = match[1]
			s.info.L0, _ = strconv.ParseFloat(match[2], 64)
			break
		}
	}
	tensors := file.At()
	sizes := biasSizes(tensors, []string{"b_enc"}, []string{"b_dec"})
	orientation, err := s.orientation(tensors, "W_dec", sizes)
	if err != nil {
		return err
	}
	return s.takeDecoder(tensors, "W_dec", orientation, sizes)
}

// orientation tells from the sizes that biases give how the matrix name lies:
// W_dec is [d_model, d_sae] in Qwen Scope and [d_sae, d_model] in SAELens, and the
// encoder beside it is turned the other way in both. A shape that fits both ways,
// or neither, is taken for the published one, which takeDecoder then checks.
func (s *stored) orientation(file *tensor.File, name string, sizes expected) (bool, error) {
	shape := shapeOf(file, name)
	if len(shape) != 2 || shape[0] == shape[1] {
		return transposed, nil
	}
	if sizes.features == 0 && sizes.dModel == 0 {
		return false, &fault.Error{
			Op: opRead, Subject: file.Subject(name), Problem: "which dimension is that of the features is not known",
			Expected: "b_enc [d_sae] or b_dec [d_model] beside it", Found: "neither",
		}
	}
	fits := func(features, dModel int) bool {
		return (sizes.features == 0 || sizes.features == features) && (sizes.dModel == 0 || sizes.dModel == dModel)
	}
	if fits(shape[0], shape[1]) {
		return asIs, nil
	}
	return transposed, nil
}
