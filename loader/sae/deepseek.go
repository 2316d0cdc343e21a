package sae

import (
	"slices"

	"github.com/saedb/saedb/loader/torch"
)

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
	take: func(s *stored, path string, file *torch.File) error {
		s.takeNameOfModel(path)
		tensors := file.At()
		sizes := biasSizes(tensors, []string{"encoder.bias"}, []string{"decoder.bias"})
		return s.takeDecoder(tensors, "decoder.weight", transposed, sizes)
	},
}
