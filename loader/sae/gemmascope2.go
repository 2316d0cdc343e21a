package sae

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/tensor"
)

// The files of an SAE or transcoder of Gemma Scope 2, in directories such as
// gemma-scope-2-1b-pt/resid_post/layer_13_width_16k_l0_medium. Source:
// sae_lens/loading/pretrained_sae_loaders.py, get_gemma_3_config_from_hf.
const (
	gemmaScope2ConfigFile  = "config.json" // not there in every repository
	gemmaScope2WeightsFile = "params.safetensors"
)

var gemmaScope2Format = format{
	name:   "gemma-scope-2",
	detect: func(path string) bool { return isFile(filepath.Join(path, gemmaScope2WeightsFile)) },
	open:   openGemmaScope2,
}

// openGemmaScope2 opens a directory of Gemma Scope 2, whose decoder is w_dec [d_sae,
// d_model].
func openGemmaScope2(dir string) (SAE, error) {
	elements := pathElements(dir)
	config, files, err := readGemmaScope2Config(dir, elements)
	if err != nil {
		return nil, err
	}
	info := Info{
		Path: dir, Name: lastElements(elements, 2), Format: "gemma-scope-2", L0: config.l0, ModelName: config.model,
		NeuronpediaID: gemmaScope2Neuronpedia(elements), Files: files,
	}
	return openSafetensors(filepath.Join(dir, gemmaScope2WeightsFile), info, func(s *stored, file *tensor.File) error {
		if err := s.setGemmaScope2Hook(config, elements); err != nil {
			return err
		}
		s.info.Architecture = config.architectureOf(file)
		return s.takeDecoder(file, "w_dec", asIs, biasSizes(file, []string{"b_enc"}, []string{"b_dec"}))
	})
}

// lastElements joins the last n elements of a path.
func lastElements(elements []string, n int) string {
	return strings.Join(elements[max(len(elements)-n, 0):], "/")
}

// gemmaScope2Config is what a config.json says.
type gemmaScope2Config struct {
	architecture string
	model        string
	in, out      string // the modules that are read and written, as transformers names them
	l0           float64
	skips        bool // has an affine skip connection
}

var gemmaScope2Repository = regexp.MustCompile(`^gemma-scope-2-(270m|1b|4b|12b|27b)-(pt|it)$`)

// readGemmaScope2Config reads the configuration of dir and returns it with the
// files that were read. What it does not say, the directories' names do.
func readGemmaScope2Config(dir string, elements []string) (gemmaScope2Config, []string, error) {
	c := gemmaScope2Config{architecture: "jump_relu"}
	path := filepath.Join(dir, gemmaScope2ConfigFile)
	var files []string
	if isFile(path) {
		config, err := readSettings(path, "")
		if err != nil {
			return c, nil, err
		}
		c = gemmaScope2Config{
			architecture: config.text("architecture"), model: config.text("model_name"),
			in: config.text("hf_hook_point_in"), out: config.text("hf_hook_point_out"),
			l0: config.number("l0"), skips: config.flag("affine_connection"),
		}
		if config.err != nil {
			return c, nil, fault.At(opRead, path, config.err)
		}
		files = append(files, path)
	}
	if match := closest(elements, gemmaScope2Repository); c.model == "" && match != nil {
		c.model = gemma3Name(match[1], match[2])
	}
	if c.in == "" {
		c.in, c.out = gemmaScope2Modules(elements)
	}
	if c.out == "" {
		c.out = c.in
	}
	return c, files, nil
}

// gemma3Name is the language model's name on the Hub, where the smallest one that is
// only pretrained has no suffix.
func gemma3Name(size, training string) string {
	if size == "270m" && training == "pt" {
		return "google/gemma-3-270m"
	}
	return "google/gemma-3-" + size + "-" + training
}

// architectureOf names what the settings and tensors make, as SAELens does.
func (c *gemmaScope2Config) architectureOf(file *tensor.File) string {
	name := strings.ReplaceAll(c.architecture, "_", "")
	switch {
	case !c.isTranscoder():
		return name
	case c.skips || file.Has("affine_skip_connection"):
		return name + "_skip_transcoder"
	default:
		return name + "_transcoder"
	}
}

func (c *gemmaScope2Config) isTranscoder() bool { return c.in != c.out }

var (
	gemmaScope2Layer = regexp.MustCompile(`(?:^|_)layer_(\d{1,4})(?:_|$)`)
	gemma3Module     = regexp.MustCompile(`^model\.(?:language_model\.)?layers\.(\d{1,4})\.(.+)$`)

	// gemmaScope2Sites are the places in a block, by the beginning of their
	// directory's name, in which "_all" follows where every layer has an SAE.
	gemmaScope2Sites = []struct{ directory, in, out, hook string }{
		{"resid_post", "output", "output", "hook_resid_post"},
		{"attn_out", "self_attn.o_proj.input", "self_attn.o_proj.input", "attn.hook_z"},
		{"mlp_out", "post_feedforward_layernorm.output", "post_feedforward_layernorm.output", "hook_mlp_out"},
		{"transcoder", "pre_feedforward_layernorm.output", "post_feedforward_layernorm.output", "hook_mlp_out"},
	}
)

// gemmaScope2Modules returns the modules that an SAE in these directories reads
// and writes, empty when they do not tell.
func gemmaScope2Modules(elements []string) (in, out string) {
	layer := gemmaScope2Layer.FindStringSubmatch(elements[len(elements)-1])
	if layer == nil || len(elements) < 2 {
		return "", ""
	}
	for _, site := range gemmaScope2Sites {
		if strings.HasPrefix(elements[len(elements)-2], site.directory) {
			block := "model.layers." + layer[1] + "."
			return block + site.in, block + site.out
		}
	}
	return "", ""
}

// setGemmaScope2Hook sets the hook point of the module that the decoder writes to.
func (s *stored) setGemmaScope2Hook(c gemmaScope2Config, elements []string) error {
	if match := gemma3Module.FindStringSubmatch(c.out); match != nil {
		for _, site := range gemmaScope2Sites {
			if match[2] == site.out {
				s.setHook("blocks." + match[1] + "." + site.hook)
			}
		}
	}
	if c.isTranscoder() {
		s.info.InputHook = c.in
	}
	if s.info.Hook == "" {
		return &fault.Error{
			Op: opRead, Subject: s.info.Path, Problem: "hook point",
			Expected: "the output of a layer, of its attention or of its MLP in " + gemmaScope2ConfigFile + ", or directories named like resid_post/layer_13_width_16k_l0_medium",
			Found:    fmt.Sprintf("module %q in %s", c.out, lastElements(elements, 2)),
		}
	}
	return nil
}

var gemmaScope2Name = regexp.MustCompile(`^layer_(\d{1,4})_width_(16k|65k|262k|1m)_l0_(medium|small_affine)$`)

// gemmaScope2Neuronpedia returns Neuronpedia's name of an SAE whose directories are
// named as they were published, "" for those that it does not have. Source:
// sae_lens/pretrained_saes.yaml of SAELens 6.54.12.
func gemmaScope2Neuronpedia(elements []string) string {
	repository, name := closest(elements, gemmaScope2Repository), gemmaScope2Name.FindStringSubmatch(elements[len(elements)-1])
	if repository == nil || name == nil {
		return ""
	}
	layer, width, published := name[1], name[2], repository[1]+"-"+repository[2]
	model := "gemma-3-" + strings.TrimSuffix(published, "-pt")
	switch directory := elements[len(elements)-2] + "/" + name[3]; {
	case directory == "resid_post/medium" && slices.Contains([]string{"270m-pt", "1b-pt", "4b-pt", "12b-pt", "27b-it"}, published),
		directory == "resid_post/medium" && slices.Contains([]string{"270m-it", "1b-it", "4b-it"}, published) && width != "1m":
		return fmt.Sprintf("%s/%s-gemmascope-2-res-%s", model, layer, width)
	case directory == "transcoder_all/small_affine" && slices.Contains([]string{"4b-it", "27b-it"}, published) && width == "262k":
		return fmt.Sprintf("%s/%s-gemmascope-2-transcoder-%s", model, layer, width)
	}
	return ""
}
