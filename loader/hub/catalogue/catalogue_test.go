package catalogue

import (
	"slices"
	"strings"
	"testing"
)

func TestCatalogueIsWhole(t *testing.T) {
	all, err := All()
	if err != nil {
		t.Fatal(err)
	}
	saes, sources, factors := 0, 0, 0
	formats := map[string]int{}
	for _, r := range all {
		formats[r.Format]++
		if r.Repo == "" || r.Model == "" || strings.Count(r.Repo, "/") != 1 {
			t.Errorf("%s: repository %q, model %q", r.Name, r.Repo, r.Model)
		}
		ids := map[string]bool{}
		for _, s := range r.SAEs {
			saes++
			if s.NeuronpediaID != "" {
				sources++
			}
			if s.NormScalingFactor != 0 {
				factors++
			}
			if ids[s.ID] || s.ID == "" || s.Path == "" || strings.Contains(s.Path+s.Hook, "{") {
				t.Errorf("%s %q: path %q, hook %q, or the id is there twice", r.Name, s.ID, s.Path, s.Hook)
			}
			ids[s.ID] = true
		}
	}
	// Counted in the registry itself; one Neuronpedia id is taken out as wrong.
	if len(all) != 170 || saes != 13857 || sources != 2440 || factors != 304 {
		t.Errorf("%d releases, %d SAEs, %d Neuronpedia ids, %d factors", len(all), saes, sources, factors)
	}
	for format, n := range map[string]int{"saelens": 28, "gemma_2": 16, "gemma_3": 75, "llama_scope": 6, "qwen_scope": 14} {
		if formats[format] != n {
			t.Errorf("%d releases in format %s, expected %d", formats[format], format, n)
		}
	}
}

func TestRows(t *testing.T) {
	for _, want := range []struct {
		release, repo, model string
		sae                  SAE
	}{
		{"gpt2-small-res-jb", "jbloom/GPT2-Small-SAEs-Reformatted", "gpt2-small", SAE{
			ID: "blocks.8.hook_resid_pre", Path: "blocks.8.hook_resid_pre", Hook: "blocks.8.hook_resid_pre", Layer: 8, L0: 60, NeuronpediaID: "gpt2-small/8-res-jb",
		}},
		{"gpt2-small-res-jb", "jbloom/GPT2-Small-SAEs-Reformatted", "gpt2-small", SAE{
			ID: "blocks.11.hook_resid_post", Path: "blocks.11.hook_resid_post", Hook: "blocks.11.hook_resid_post", Layer: 12, L0: 70, NeuronpediaID: "gpt2-small/12-res-jb", // as the release numbers it: docs/names.md
		}},
		{"gpt2-small-res_scefr-ajt", "neuronpedia/gpt2-small__res_scefr-ajt", "gpt2-small", SAE{
			ID: "blocks.10.hook_resid_pre", Path: "10-res_scefr-ajt", Hook: "blocks.10.hook_resid_pre", Layer: 10, NeuronpediaID: "gpt2-small/10-res_scefr-ajt",
		}},
		{"gpt2-small-mlp-tm", "tommmcgrath/gpt2-small-mlp-out-saes", "gpt2-small", SAE{
			ID: "blocks.11.hook_mlp_out", Path: "sae_group_gpt2_blocks.11.hook_mlp_out_24576:v2", Hook: "blocks.11.hook_mlp_out", Layer: 11, Width: 24576,
			L0: 170, NormScalingFactor: 0.2851548652550073,
		}},
		{"gemma-scope-9b-pt-res", "google/gemma-scope-9b-pt-res", "gemma-2-9b", SAE{
			ID: "layer_2/width_16k/average_l0_8", Path: "layer_2/width_16k/average_l0_8", Hook: "blocks.2.hook_resid_post", Layer: 2, Width: 16384, L0: 8,
		}},
		{"gemma-scope-9b-it-res", "google/gemma-scope-9b-it-res", "gemma-2-9b-it", SAE{
			ID: "layer_9/width_16k/average_l0_88", Path: "layer_9/width_16k/average_l0_88", Hook: "blocks.9.hook_resid_post", Layer: 9, Width: 16384, L0: 88,
		}},
		{"gemma-scope-2b-pt-res", "google/gemma-scope-2b-pt-res", "gemma-2-2b", SAE{
			ID: "embedding/width_4k/average_l0_6", Path: "embedding/width_4k/average_l0_6", Hook: "hook_embed", Layer: -1, Width: 4096,
		}},
		{"gemma-scope-2b-pt-res-canonical", "google/gemma-scope-2b-pt-res", "gemma-2-2b", SAE{
			ID: "layer_0/width_16k/canonical", Path: "layer_0/width_16k/average_l0_105", Hook: "blocks.0.hook_resid_post", Layer: 0, Width: 16384,
			NeuronpediaID: "gemma-2-2b/0-gemmascope-res-16k",
		}},
		{"gemma-scope-2-4b-pt-res", "google/gemma-scope-2-4b-pt", "google/gemma-3-4b-pt", SAE{
			ID: "layer_17_width_16k_l0_medium", Path: "resid_post/layer_17_width_16k_l0_medium", Hook: "blocks.17.hook_resid_post", Layer: 17, Width: 16384,
			L0: 60, NeuronpediaID: "gemma-3-4b/17-gemmascope-2-res-16k",
		}},
		{"llama_scope_lxr_8x", "fnlp/Llama3_1-8B-Base-LXR-8x", "meta-llama/Llama-3.1-8B", SAE{
			ID: "l31r_8x", Path: "Llama3_1-8B-Base-L31R-8x", Hook: "blocks.31.hook_resid_post", Layer: 31, Width: 32768, L0: 50,
			NormScalingFactor: 0.8590604026845637, NeuronpediaID: "llama3.1-8b/31-llamascope-res-32k",
		}},
		{"pythia-70m-deduped-res-sm", "ctigges/pythia-70m-deduped__res-sm_processed", "pythia-70m-deduped", SAE{
			ID: "blocks.0.hook_resid_pre", Path: "e-res-sm", Hook: "blocks.0.hook_resid_pre", Layer: 0, NeuronpediaID: "pythia-70m-deduped/e-res-sm",
		}},
		{"mntss-gemma-2-2b-2.5m-clt-as-per-layer", "mntss/clt-gemma-2-2b-2.5M", "gemma-2-2b", SAE{
			ID: "layer_25", Path: "W_dec_25.safetensors", Layer: 25, NeuronpediaID: "gemma-2-2b/25-clt-hp",
		}},
	} {
		r, err := Find(want.release)
		if err != nil {
			t.Error(err)
			continue
		}
		found, err := r.Select(want.sae.ID, -1)
		if err != nil || len(found) != 1 || found[0] != want.sae {
			t.Errorf("%s\ngot  %+v (%v)\nwant %+v", want.release, found, err, want.sae)
		}
		if r.Repo != want.repo || r.Model != want.model {
			t.Errorf("%s: repository %s, model %s", want.release, r.Repo, r.Model)
		}
	}
}

func TestMisspeltNames(t *testing.T) {
	_, err := Find("gpt2-smal-res-jb")
	if err == nil || !strings.Contains(err.Error(), "near it: gpt2-small-res-jb,") {
		t.Errorf("error: %v", err)
	}
	_, err = Find("matryoshka")
	if err == nil || !strings.Contains(err.Error(), "matryoshka-dc") {
		t.Errorf("error: %v", err)
	}
	r, err := Find("gpt2-small-res-jb")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Select("blocks.8.hook_resid_prf", -1); err == nil || !strings.Contains(err.Error(), "near it: blocks.8.hook_resid_pre,") {
		t.Errorf("error: %v", err)
	}
	if _, err := r.Select("", 13); err == nil || !strings.Contains(err.Error(), "its layers: 0, 1, 2") {
		t.Errorf("error: %v", err)
	}
	for layer, hook := range map[int]string{11: "blocks.11.hook_resid_pre", 12: "blocks.11.hook_resid_post"} {
		if found, err := r.Select("", layer); err != nil || len(found) != 1 || found[0].Hook != hook {
			t.Errorf("layer %d: %v, %v; expected %s", layer, found, err, hook)
		}
	}
}

func TestReleasesByPartOfAName(t *testing.T) {
	found, err := Releases("Llama_Scope")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range found {
		names = append(names, r.Name)
	}
	if len(names) != 7 || !slices.Contains(names, "llama_scope_lxr_32x") {
		t.Errorf("found %v", names)
	}
	if byModel, err := Releases("gpt2-small"); err != nil || len(byModel) < 15 {
		t.Errorf("%d releases of gpt2-small, %v", len(byModel), err)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, bad := range []string{
		"b\nrepo x/y\na\n", "a\ncolour red\n", "a\n\tid\tmany\n", "a\n\t\t1\n", "a\n\ti\t1\t2\t3\t4\t5\t6\t7\t8\n", "a\n\tx\t\t\t\tseven\n",
	} {
		if got, err := parse(bad); err == nil {
			t.Errorf("%q gave %+v", bad, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("a\nrepo x/y\npath p/{id}\nhook blocks.{layer}.h\n\tlayer_3\t5\tsource\t0.5\n\tb\t\t\t\t-\t7\tpath\t-\n")
	f.Fuzz(func(t *testing.T, text string) {
		releases, err := parse(text)
		for _, r := range releases {
			if err == nil && r.Name == "" {
				t.Error("a release without a name")
			}
		}
	})
}
