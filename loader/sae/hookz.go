package sae

import (
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/torch"
)

// hookZ is the layout of the attention SAEs of Kissane, Krzyzanowski and others:
// NAME.pt beside NAME_cfg.json. Their decoders are in the space of the heads'
// outputs, hook_z. Source: sae_lens/loading/pretrained_sae_loaders.py,
// connor_rob_hook_z_huggingface_loader.
var hookZ = checkpoint{
	name: "hook-z",
	has: func(path string, file *torch.File) bool {
		return hasMatrices(file.At(), "W_dec") && isFile(hookZConfig(path))
	},
	take: (*stored).takeHookZ,
}

func hookZConfig(path string) string {
	before, _, _ := strings.Cut(baseName(path), ".pt")
	return strings.TrimSuffix(path, baseName(path)) + before + "_cfg.json"
}

func (s *stored) takeHookZ(path string, file *torch.File) error {
	path = hookZConfig(path)
	config, err := readSettings(path, "it describes "+file.Path())
	if err != nil {
		return err
	}
	sizes := expected{features: config.size("dict_size"), dModel: config.size("act_size"), source: baseName(path)}
	s.setHook(config.text("act_name"))
	s.info.ModelName = config.text("model_name")
	if config.err != nil {
		return fault.At(opRead, path, config.err)
	}
	s.info.Files = append(s.info.Files, path)
	return s.takeDecoder(file.At(), "W_dec", asIs, sizes)
}
