package sae

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/torch"
)

// crosscoder is a crosscoder of several models, as ckkissane's and Neel Nanda's code saves
// it: W_dec [d_sae, models, d_model] in cc_weights.pt beside cfg.json, or N.pt beside
// N_cfg.json. Each model's decoder is an SAE of its own, PATH#model_N in the order of training.
// Sources: crosscoder.py of ckkissane/crosscoder-model-diff-replication and of
// neelnanda-io/Crosscoders.
var crosscoder = checkpoint{
	name: "crosscoder",
	has: func(_ string, file *torch.File) bool {
		_, err := crosscoderModels(file)
		return err == nil
	},
	parts: func(_ string, file *torch.File) ([]string, error) {
		n, err := crosscoderModels(file)
		var parts []string
		for model := range n {
			parts = append(parts, crosscoderPart(model))
		}
		return parts, err
	},
	takePart: (*stored).takeCrosscoder,
}

const crosscoderWeights = "cc_weights.pt"

func crosscoderPart(model int) string { return fmt.Sprintf("model_%d", model) }

// crosscoderModels is the number of models of a crosscoder, which its encoder W_enc
// [models, d_model, d_sae] and the bias b_dec [models, d_model] have too.
func crosscoderModels(file *torch.File) (int, error) {
	tensors := file.At()
	decoder, encoder, bias := shapeOf(tensors, "W_dec"), shapeOf(tensors, "W_enc"), shapeOf(tensors, "b_dec")
	if len(decoder) != 3 || len(encoder) != 3 || len(bias) != 2 || decoder[1] < 1 || decoder[1] > maxHookPoints ||
		encoder[0] != decoder[1] || bias[0] != decoder[1] {
		return 0, &fault.Error{
			Op: opRead, Subject: file.Path(), Expected: "W_dec [d_sae, models, d_model], W_enc [models, d_model, d_sae] and b_dec [models, d_model]",
			Found: fmt.Sprint(decoder, encoder, bias),
		}
	}
	return decoder[1], nil
}

// crosscoderConfig returns the configuration of a crosscoder, "" when it has none.
func crosscoderConfig(path string) string {
	beside := strings.TrimSuffix(path, filepath.Ext(path)) + "_cfg.json"
	if baseName(path) == crosscoderWeights {
		beside = filepath.Join(filepath.Dir(path), "cfg.json")
	}
	if !isFile(beside) {
		return ""
	}
	return beside
}

// takeCrosscoder takes one model's decoder. The configuration names the first model alone.
func (s *stored) takeCrosscoder(path, part string, file *torch.File) error {
	models, err := crosscoderModels(file)
	if err != nil {
		return err
	}
	var model int
	if _, err := fmt.Sscanf(part, "model_%d", &model); err != nil || model < 0 || model >= models {
		return &fault.Error{Op: opRead, Subject: path, Expected: fmt.Sprintf("a part from %s to %s", crosscoderPart(0), crosscoderPart(models-1)), Found: part}
	}
	s.info.Architecture = "crosscoder"
	if baseName(path) == crosscoderWeights {
		s.info.Name = withPart(above(path, 1)[0], part)
	}
	s.info.Note = fmt.Sprintf("%s is the decoder for the model with index %d of the %d that the crosscoder was trained on: --model says which loaded one that is", part, model, models)
	sizes := biasSizes(file.At(), []string{"b_enc"}, nil)
	if config := crosscoderConfig(path); config != "" {
		c, err := readSettings(config, "")
		if err != nil {
			return err
		}
		s.setHook(c.text("hook_point"))
		if model == 0 {
			s.info.ModelName = c.text("model_name")
		}
		sizes = expected{features: c.size("dict_size"), dModel: c.size("d_in"), source: baseName(config)}
		if c.err != nil {
			return fault.At(opRead, config, c.err)
		}
		s.info.Files = append(s.info.Files, config)
	}
	return s.takeSlice(file.At(), "W_dec", 1, model, models, sizes)
}
