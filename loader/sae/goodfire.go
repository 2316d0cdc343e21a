package sae

import (
	"regexp"

	"github.com/saedb/saedb/loader/torch"
)

// goodfire is Goodfire's SAEs: MODEL-SAE-lN.pt or .pth, of the residual stream
// after block N. Source: sae_lens/loading/pretrained_sae_loaders.py,
// get_goodfire_huggingface_loader.
var goodfire = checkpoint{
	name: "goodfire",
	has: func(_ string, file *torch.File) bool {
		return hasMatrices(file.At(), "encoder_linear.weight", "decoder_linear.weight")
	},
	take: func(s *stored, path string, file *torch.File) error {
		s.takeNameOfModel(path)
		tensors := file.At()
		sizes := biasSizes(tensors, []string{"encoder_linear.bias"}, []string{"decoder_linear.bias"})
		return s.takeDecoder(tensors, "decoder_linear.weight", transposed, sizes)
	},
}

var modelAndLayer = regexp.MustCompile(`^(.+)-SAE-l\d+$`)

// takeNameOfModel takes layer and model from a name as MODEL-SAE-l19.
func (s *stored) takeNameOfModel(path string) {
	s.setLayer(layerIn(path))
	if match := modelAndLayer.FindStringSubmatch(s.info.Name); match != nil {
		s.info.ModelName = match[1]
	}
}
