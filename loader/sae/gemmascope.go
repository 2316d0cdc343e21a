package sae

import (
	"math"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/npy"
	"github.com/saedb/saedb/loader/tensor"
)

// gemmaScopeFile holds all of an SAE or transcoder of Gemma Scope. There is no
// configuration: the directories' names say the rest, as in
// gemma-scope-2b-pt-res/layer_12/width_16k/average_l0_82. Source:
// sae_lens/loading/pretrained_sae_loaders.py, get_gemma_2_config_from_hf and
// get_gemma_2_transcoder_config_from_hf.
const gemmaScopeFile = "params.npz"

var gemmaScopeFormat = format{
	name:   "gemma-scope",
	detect: func(path string) bool { return isFile(filepath.Join(path, gemmaScopeFile)) },
	open:   openGemmaScope,
}

// openGemmaScope opens a directory of Gemma Scope, whose decoder is W_dec [d_sae,
// d_model].
//
// SAEs of the embedding were trained on token embeddings divided by √d_model, which
// Gemma multiplies them by; SAELens multiplies their rows by √d_model.
func openGemmaScope(dir string) (SAE, error) {
	file, err := npy.Open(filepath.Join(dir, gemmaScopeFile))
	if err != nil {
		return nil, fault.At(opRead, dir, err)
	}
	place := findGemmaScopePlace(dir)
	return taken(file, Info{
		Path: dir, Name: place.name, Format: "gemma-scope", Architecture: "jumprelu",
		L0: place.l0, ModelName: place.model, Files: []string{file.Path()},
	}, func(s *stored) error {
		sizes := biasSizes(file, []string{"b_enc"}, []string{"b_dec"})
		if err := s.takeDecoder(file, gemmaScopeDecoder(file), asIs, sizes); err != nil {
			return err
		}
		s.setGemmaScopeHook(place)
		return nil
	})
}

// gemmaScopeDecoder returns the decoder's name in file: the published files do
// not all spell it alike.
func gemmaScopeDecoder(file *tensor.File) string {
	for _, name := range file.Names() {
		switch strings.ToLower(name) {
		case "w_dec", "wdec", "w_d":
			return name
		}
	}
	return "W_dec"
}

// Sites of Gemma Scope, by the repository's last word.
const (
	siteResidual   = "res"
	siteMLP        = "mlp"
	siteAttention  = "att"
	siteTranscoder = "transcoders"
	siteEmbedding  = "embedding" // a directory of the residual stream's repositories
)

// gemmaScopePlace is what a path of Gemma Scope says.
type gemmaScopePlace struct {
	name  string // from the layer's directory on, which is SAELens's name of the SAE
	layer int    // -1 when the path names none
	site  string // empty when the path names none
	l0    float64
	model string // empty when the path names no repository
}

var (
	gemmaScopeRepository = regexp.MustCompile(`^gemma-scope-(2b|9b|27b)-(pt|it)(?:-(res|mlp|att|transcoders))?$`)
	gemmaScopeLayer      = regexp.MustCompile(`^layer_(\d{1,4})$`)
	gemmaScopeL0         = regexp.MustCompile(`^average_l0_(\d+(?:\.\d+)?)$`)
	wordsOfName          = regexp.MustCompile(`[^-_.]+`)
)

// findGemmaScopePlace reads the names of dir and of the directories above it.
func findGemmaScopePlace(dir string) gemmaScopePlace {
	elements := pathElements(dir)
	p := gemmaScopePlace{name: elements[len(elements)-1], layer: -1}
	if match := gemmaScopeL0.FindStringSubmatch(p.name); match != nil {
		p.l0, _ = strconv.ParseFloat(match[1], 64)
	}
	top := len(elements) // of the layer's directory
	for i, element := range elements {
		if match := gemmaScopeLayer.FindStringSubmatch(element); match != nil {
			p.layer, _ = strconv.Atoi(match[1])
			top = i
		} else if element == siteEmbedding {
			p.layer, p.site = -1, siteEmbedding
			top = i
		}
	}
	if top < len(elements) {
		p.name = strings.Join(elements[top:], "/")
	}
	if match := closest(elements, gemmaScopeRepository); match != nil {
		p.model = "gemma-2-" + match[1]
		if match[2] == "it" {
			p.model += "-it"
		}
		if p.site == "" {
			p.site = match[3]
		}
	}
	if p.site == "" && top > 0 && top < len(elements) {
		p.site = siteInName(elements[top-1])
	}
	return p
}

// siteInName returns the site that a directory of another name is called after, or "".
func siteInName(name string) string {
	for _, word := range wordsOfName.FindAllString(strings.ToLower(name), -1) {
		switch word {
		case "res", "resid", "residual":
			return siteResidual
		case "mlp":
			return siteMLP
		case "att", "attn", "attention":
			return siteAttention
		case "transcoder", "transcoders":
			return siteTranscoder
		}
	}
	return ""
}

// setGemmaScopeHook sets what depends on the site, as SAELens does. Where the path
// names none it is assumed, and Scale says so: the residual stream, unless the
// decoder is as wide as the attention heads of Gemma 2 2B or 9B and no model is.
func (s *stored) setGemmaScopeHook(p gemmaScopePlace) {
	if p.site == "" {
		p.site = siteResidual
		if s.info.DModel == 2048 || s.info.DModel == 4096 {
			p.site = siteAttention
		}
		s.info.Scale += "; " + map[string]string{
			siteResidual: "residual stream assumed", siteAttention: "attention heads assumed by their width",
		}[p.site] + ", since the path names no site"
	}
	block := "blocks." + strconv.Itoa(max(p.layer, 0))
	switch p.site {
	case siteEmbedding:
		s.info.Hook = "hook_embed"
		s.info.SAELensScale = math.Sqrt(float64(s.info.DModel))
		s.info.Scale += "; trained on embeddings divided by √d_model"
	case siteMLP:
		s.info.Hook = block + ".hook_mlp_out"
	case siteAttention:
		s.info.Hook = block + ".attn.hook_z"
	case siteTranscoder:
		s.info.Hook = block + ".hook_mlp_out"
		s.info.InputHook = block + ".ln2.hook_normalized"
		s.info.Architecture = "jumprelu_transcoder"
	default:
		s.info.Hook = block + ".hook_resid_post"
	}
	s.info.Space = HookSpace(s.info.Hook)
	if p.layer < 0 && p.site != siteEmbedding {
		s.info.Hook, s.info.InputHook = "", ""
	}
	s.info.Layer = HookLayer(s.info.Hook)
}
