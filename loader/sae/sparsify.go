package sae

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/tensor"
)

// The files of a sparse coder as EleutherAI's sparsify writes it, in a directory
// named after the module that it was trained on. Source: sparsify/sparse_coder.py.
const (
	sparsifyConfigFile  = "cfg.json"
	sparsifyWeightsFile = "sae.safetensors"
	sparsifyRunFile     = "config.json" // of the training run, in the directory above
)

var sparsifyFormat = format{
	name:   "sparsify",
	detect: func(path string) bool { return isFile(filepath.Join(path, sparsifyWeightsFile)) },
	open:   openSparsify,
}

// openSparsify opens a directory of sparsify. W_dec is [d_sae, d_model] in it;
// SAELens transposes it, which does not fit its own configuration and fails.
func openSparsify(dir string) (SAE, error) {
	config, err := readSettings(filepath.Join(dir, sparsifyConfigFile), "sparsify writes it beside "+sparsifyWeightsFile)
	if err != nil {
		return nil, err
	}
	sizes := expected{features: config.count("num_latents"), dModel: config.size("d_in"), source: sparsifyConfigFile}
	if factor := config.count("expansion_factor"); sizes.features == 0 {
		sizes.features = sizes.dModel * factor
	}
	architecture := sparsifyArchitecture(config)
	if config.err != nil {
		return nil, fault.At(opRead, filepath.Join(dir, sparsifyConfigFile), config.err)
	}
	info := Info{
		Path: dir, Name: baseName(dir), Format: "sparsify", Architecture: architecture, Hook: sparsifyHook(baseName(dir)),
		ModelName: sparsifyModel(dir), Files: []string{filepath.Join(dir, sparsifyConfigFile)},
	}
	return openSafetensors(filepath.Join(dir, sparsifyWeightsFile), info, func(s *stored, file *tensor.File) error {
		return s.takeDecoder(file, "W_dec", asIs, sizes)
	})
}

// sparsifyArchitecture names what the settings make: a sparse coder that predicts
// another module's output from its input is a transcoder.
func sparsifyArchitecture(config *settings) string {
	transcode, skip := config.flag("transcode"), config.flag("skip_connection")
	switch {
	case transcode && skip:
		return "skip_transcoder"
	case transcode:
		return "transcoder"
	}
	if name := config.text("activation"); name != "" {
		return name
	}
	return "topk"
}

var (
	sparsifyBlock     = regexp.MustCompile(`(?:^|\.)(?:layers|layer|h|blocks)[._](\d+)(?:\.(.*))?$`)
	sparsifyEmbedding = regexp.MustCompile(`(?:^|\.)(?:embed_tokens|embed_in|wte)$`)
)

// sparsifyHook returns the hook point of a module by its path, which names the
// directory: "layers.10" is the output of block 10, and "layers.23.mlp" that of its
// MLP. Another module keeps its own name.
func sparsifyHook(module string) string {
	if sparsifyEmbedding.MatchString(module) {
		return "hook_embed"
	}
	match := sparsifyBlock.FindStringSubmatch(module)
	if match == nil {
		return module
	}
	switch site := match[2]; site {
	case "":
		return fmt.Sprintf("blocks.%s.hook_resid_post", match[1])
	case "mlp":
		return fmt.Sprintf("blocks.%s.hook_mlp_out", match[1])
	case "attn", "attention", "self_attn":
		return fmt.Sprintf("blocks.%s.hook_attn_out", match[1])
	default:
		return module
	}
}

// sparsifyModel is the language model that the run's configuration names, or "".
func sparsifyModel(dir string) string {
	path := filepath.Join(dir, "..", sparsifyRunFile)
	if !isFile(path) {
		return ""
	}
	run, err := readSettings(path, "")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(run.text("model"))
}
