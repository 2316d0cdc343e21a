package sae

import (
	"regexp"
	"slices"

	"github.com/saedb/saedb/loader/torch"
)

// Layouts of two linear layers in a file whose name gives the model and the layer.

// goodfire is Goodfire's SAEs: MODEL-SAE-lN.pt or .pth, of the residual stream
// after block N. Source: sae_lens/loading/pretrained_sae_loaders.py,
// get_goodfire_huggingface_loader.
var goodfire = checkpoint{
	name: "goodfire",
	has: func(_ string, file *torch.File) bool {
		return hasMatrices(file.At(), "encoder_linear.weight", "decoder_linear.weight")
	},
	take: func(s *stored, path string, file *torch.File) error { return s.takeLinear(path, file, "_linear") },
}

// deepSeek is the layout of qresearch's SAE of DeepSeek-R1-Distill-Llama-8B: two
// linear layers and nothing else in a file whose name gives the layer. Source:
// sae_lens/loading/pretrained_sae_loaders.py, deepseek_r1_sae_huggingface_loader.
//
// Other autoencoders have these four tensors too. An SAE has more features than
// the activations have dimensions, and a layer.
var deepSeek = checkpoint{
	name: "deepseek-r1",
	has: func(path string, file *torch.File) bool {
		tensors := file.At()
		encoder, decoder := shapeOf(tensors, "encoder.weight"), shapeOf(tensors, "decoder.weight")
		return layerIn(path) != "" && len(file.Keys()) == 4 &&
			hasMatrices(tensors, "encoder.weight", "decoder.weight") && hasVectors(tensors, "encoder.bias", "decoder.bias") &&
			encoder[0] > encoder[1] && slices.Equal(decoder, []int{encoder[1], encoder[0]})
	},
	take: func(s *stored, path string, file *torch.File) error { return s.takeLinear(path, file, "") },
}

var modelAndLayer = regexp.MustCompile(`^(.+)-SAE-l\d+$`)

// takeLinear takes layer and model from a name as MODEL-SAE-l19, and the decoder of layers whose
// names end in suffix.
func (s *stored) takeLinear(path string, file *torch.File, suffix string) error {
	s.setLayer(layerIn(path))
	if match := modelAndLayer.FindStringSubmatch(s.info.Name); match != nil {
		s.info.ModelName = match[1]
	}
	tensors := file.At()
	sizes := biasSizes(tensors, []string{"encoder" + suffix + ".bias"}, []string{"decoder" + suffix + ".bias"})
	return s.takeDecoder(tensors, "decoder"+suffix+".weight", transposed, sizes)
}
