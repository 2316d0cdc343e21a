package sae

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/saedb/saedb/loader/torch/torchtest"
)

func TestPyTorchGolden(t *testing.T) {
	const pythia = "EleutherAI/pythia-70m-deduped"
	trainer := func(name, architecture string) {
		path := name + "/resid_post_layer_8/trainer_0"
		golden(t, name, path, func(dir string) Info {
			return Info{
				Path: dir, Name: "resid_post_layer_8/trainer_0", Format: "dictionary-learning", Architecture: architecture,
				Hook: "blocks.8.hook_resid_post", Layer: 8, Space: ResidualStream, DType: "F32", Scale: "as-stored", ModelName: pythia,
				Files: []string{filepath.Join(dir, "ae.pt"), filepath.Join(dir, "config.json")},
			}
		})
	}
	trainer("dictionary-learning-autoencoder", "standard")
	trainer("dictionary-learning-batchtopk", "batchtopk")
	trainer("dictionary-learning-matryoshka", "matryoshka_batchtopk")
	golden(t, "dictionary-learning-resume", "dictionary-learning-resume/trainer_0", func(dir string) Info {
		return Info{
			Path: dir, Name: "trainer_0", Format: "dictionary-learning", Architecture: "topk",
			Hook: "blocks.4.hook_resid_post", Layer: 4, Space: ResidualStream, DType: "F32", Scale: "as-stored", ModelName: pythia,
			Files: []string{filepath.Join(dir, "ae.pt"), filepath.Join(dir, "config.json")},
		}
	})
	golden(t, "openai", "openai/resid_post_mlp_v5_32k/autoencoders/6.pt", func(path string) Info {
		return Info{
			Path: path, Name: "resid_post_mlp_v5_32k/6", Format: "openai", Architecture: "topk",
			Hook: "blocks.6.hook_resid_post", Layer: 6, Space: ResidualStream, DType: "F32",
			Scale: "as-stored; normalize_activations=layer_norm", ModelName: "gpt2-small", Files: []string{path},
		}
	})
	golden(t, "qwen-scope", "qwen-scope/layer7.sae.pt", func(path string) Info {
		return Info{
			Path: path, Name: "layer7", Format: "qwen-scope", Architecture: "topk",
			Hook: "blocks.7.hook_resid_post", Layer: 7, Space: ResidualStream, DType: "F32", Scale: "as-stored", Files: []string{path},
		}
	})
}

// numberedTensor is a tensor of 0, 1, 2 …
func numberedTensor(shape ...int) torchtest.Tensor {
	n := 1
	for _, size := range shape {
		n *= size
	}
	return torchtest.F32(shape, numbered(n)...)
}

// writeCheckpoint writes a value as torch.save does, to a path below a new directory.
func writeCheckpoint(t *testing.T, path string, value any) string {
	t.Helper()
	path = filepath.Join(t.TempDir(), filepath.FromSlash(path))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	torchtest.Write(t, path, value)
	return path
}

func writeBeside(t *testing.T, path, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Decoders of 3 features of 2 values: rows 0 1, 2 3, 4 5 where they are stored
// [d_sae, d_model], and 0 3, 1 4, 2 5 where [d_model, d_sae].
var (
	rowsAsIs       = []float32{0, 1, 2, 3, 4, 5}
	rowsTransposed = []float32{0, 3, 1, 4, 2, 5}
	linear         = torchtest.OrderedDict{
		"encoder.weight", numberedTensor(3, 2), "encoder.bias", numberedTensor(3),
		"decoder.weight", numberedTensor(2, 3), "decoder.bias", numberedTensor(2),
	}
	saved = torchtest.Dict{
		"W_enc", numberedTensor(2, 3), "b_enc", numberedTensor(3), "W_dec", numberedTensor(3, 2), "b_dec", numberedTensor(2),
	}
)

func with(d torchtest.Dict, more ...any) torchtest.Dict { return append(slices.Clone(d), more...) }

// Each layout, as small as it can be, with its place in the model from names alone.
func TestCheckpoints(t *testing.T) {
	openAI := torchtest.Dict{
		"pre_bias", numberedTensor(2), "encoder.weight", numberedTensor(3, 2), "latent_bias", numberedTensor(3),
		"activation", "ReLU", "activation_state_dict", torchtest.Call{Function: "sparse_autoencoder.model.State"},
	}
	turned := numberedTensor(2, 3)
	turned.Strides = []int{1, 2}
	tests := []struct {
		path  string
		value any
		want  Info
		rows  []float32
	}{
		{"mlp_post_act_v4/autoencoders/0.pt", with(openAI, "decoder.weight", numberedTensor(2, 3)), Info{
			Name: "mlp_post_act_v4/0", Format: "openai", Hook: "blocks.0.mlp.hook_post", Layer: 0, Space: MLPActivations, ModelName: "gpt2-small",
		}, rowsTransposed},
		{"resid_delta_attn_v5_128k/autoencoders/11.pt", with(openAI, "decoder.weight", turned), Info{
			Name: "resid_delta_attn_v5_128k/11", Format: "openai", Hook: "blocks.11.hook_attn_out", Layer: 11, ModelName: "gpt2-small",
		}, rowsAsIs},
		{"resid_delta_mlp/autoencoders/2.pt", with(openAI, "decoder.linear.weight", numberedTensor(3, 2)), Info{
			Name: "resid_delta_mlp/2", Format: "openai", Hook: "blocks.2.hook_mlp_out", Layer: 2, ModelName: "gpt2-small",
		}, rowsAsIs},
		{"renamed.pt", with(openAI, "decoder.weight", numberedTensor(2, 3)), Info{
			Name: "renamed", Format: "openai", Layer: -1, ModelName: "gpt2-small",
		}, rowsTransposed},
		{"models--Qwen--SAE-Res-Qwen3-8B-Base-W64K-L0_50/snapshots/0a/layer31.sae.pt", torchtest.Dict{
			"W_enc", numberedTensor(3, 2), "W_dec", numberedTensor(2, 3), "b_enc", numberedTensor(3), "b_dec", numberedTensor(2),
		}, Info{
			Name: "layer31", Format: "qwen-scope", Architecture: "topk", Hook: "blocks.31.hook_resid_post", Layer: 31, ModelName: "Qwen3-8B-Base", L0: 50,
		}, rowsTransposed},
		{"layer0.sae.pt", saved, Info{
			Name: "layer0", Format: "qwen-scope", Architecture: "topk", Hook: "blocks.0.hook_resid_post",
		}, rowsAsIs},
		{"Llama-3.1-8B-Instruct-SAE-l19.pth", torchtest.Dict{
			"encoder_linear.weight", numberedTensor(3, 2), "encoder_linear.bias", numberedTensor(3),
			"decoder_linear.weight", numberedTensor(2, 3), "decoder_linear.bias", numberedTensor(2),
		}, Info{
			Name: "Llama-3.1-8B-Instruct-SAE-l19", Format: "goodfire", Hook: "blocks.19.hook_resid_post", Layer: 19, ModelName: "Llama-3.1-8B-Instruct",
		}, rowsTransposed},
		{"DeepSeek-R1-Distill-Llama-8B-SAE-l19.pt", linear, Info{
			Name: "DeepSeek-R1-Distill-Llama-8B-SAE-l19", Format: "deepseek-r1", Hook: "blocks.19.hook_resid_post", Layer: 19,
			ModelName: "DeepSeek-R1-Distill-Llama-8B",
		}, rowsTransposed},
		{"mlp_out_layer3/10_32768/ae.pt", torchtest.Dict{
			"encoder.weight", numberedTensor(3, 2), "encoder.bias", numberedTensor(3), "decoder.weight", numberedTensor(2, 3), "bias", numberedTensor(2),
		}, Info{
			Name: "ae", Format: "dictionary-learning", Hook: "blocks.3.hook_mlp_out", Layer: 3,
		}, rowsTransposed},
		{"resid_pre_layer_1/ae_500.pt", with(saved, "threshold", numberedTensor(3)), Info{
			Name: "resid_pre_layer_1/ae_500", Format: "dictionary-learning", Architecture: "jumprelu", Hook: "blocks.1.hook_resid_pre", Layer: 1,
		}, rowsAsIs},
	}
	for _, test := range tests {
		t.Run(test.path, func(t *testing.T) {
			path := writeCheckpoint(t, test.path, test.value)
			want := test.want
			want.Path, want.Files, want.DSAE, want.DModel, want.DType, want.Scale = path, []string{path}, 3, 2, "F32", "as-stored"
			if want.Architecture == "" {
				want.Architecture = "standard"
			}
			if want.Space == "" {
				want.Space = ResidualStream
			}
			checkInfo(t, path, want)
			sameBits(t, "W_dec", readAll(t, open(t, path)), test.rows)
		})
	}
}

func TestHookZ(t *testing.T) {
	path := writeCheckpoint(t, "gpt2-small_L5_v9.pt", saved)
	if found, err := Find(path); err == nil {
		t.Errorf("found %q without a configuration", found)
	}
	writeBeside(t, path, "gpt2-small_L5_v9_cfg.json", `{"act_size": 2, "dict_size": 3, "act_name": "blocks.5.attn.hook_z", "model_name": "gpt2-small"}`)
	config := filepath.Join(filepath.Dir(path), "gpt2-small_L5_v9_cfg.json")
	checkInfo(t, path, Info{
		Path: path, Name: "gpt2-small_L5_v9", Format: "hook-z", Architecture: "standard", DModel: 2, DSAE: 3,
		Hook: "blocks.5.attn.hook_z", Layer: 5, Space: AttentionHeads, DType: "F32", Scale: "as-stored", ModelName: "gpt2-small",
		Files: []string{path, config},
	})
	sameBits(t, "W_dec", readAll(t, open(t, path)), rowsAsIs)
	writeBeside(t, path, "gpt2-small_L5_v9_cfg.json", `{"act_size": 3, "dict_size": 2}`)
	_, err := Open(path)
	checkFault(t, err, "W_dec", "expected shape [2, 3] as in gpt2-small_L5_v9_cfg.json, found [3 2] (the tensor is transposed)")
}

// The classes and the places that a trainer's configuration names.
func TestDictionaryLearningSettings(t *testing.T) {
	path := writeCheckpoint(t, "attn_out_layer_9/trainer_2/ae.pt", linear)
	dir := filepath.Dir(path)
	tests := []struct {
		config, architecture, hook string
		layer                      int
	}{
		{`{"trainer": {"dict_class": "AutoEncoderNew"}}`, "standard", "blocks.9.hook_attn_out", 9},
		{`{"trainer": {"layer": 0, "submodule_name": null}}`, "standard", "blocks.0.hook_attn_out", 0},
		{`{"trainer": {"dict_class": "GatedAutoEncoder", "layer": 7, "submodule_name": "resid_post_layer_7"}}`, "gated", "blocks.7.hook_resid_post", 7},
		{`{"trainer": {"dict_class": "Mine", "layer": 4, "submodule_name": "mlp.up_proj"}}`, "Mine", "mlp.up_proj", 4},
		{`{}`, "standard", "blocks.9.hook_attn_out", 9},
	}
	for _, test := range tests {
		writeBeside(t, path, "config.json", test.config)
		if i := open(t, dir).Info(); i.Architecture != test.architecture || i.Hook != test.hook || i.Layer != test.layer || i.Name != "attn_out_layer_9/trainer_2" {
			t.Errorf("%s: %+v", test.config, i)
		}
	}
	for config, want := range map[string]string{
		`{"trainer": {"dict_size": 4, "activation_dim": 2}}`: "expected shape [2, 4] as in config.json, found [2 3]",
		`{"trainer": {"dict_size": 2, "activation_dim": 3}}`: "the tensor is transposed",
		`{"trainer": {"layer": [1, 2]}}`:                     "setting layer",
		`{"trainer": 3}`:                                     "setting trainer",
		`[]`:                                                 "is no JSON object",
	} {
		writeBeside(t, path, "config.json", config)
		if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v does not say %q", config, err, want)
		}
	}
	// A checkpoint of a run below the directory of its configuration.
	writeBeside(t, path, "config.json", `{"trainer": {"layer": 3, "dict_size": 3, "activation_dim": 2}}`)
	step := filepath.Join(dir, "checkpoints", "ae_1000.pt")
	if err := os.Mkdir(filepath.Dir(step), 0o755); err != nil {
		t.Fatal(err)
	}
	torchtest.Write(t, step, linear)
	if i := open(t, step).Info(); i.Format != "dictionary-learning" || i.Layer != 3 || i.Name != "ae_1000" {
		t.Errorf("%+v", i)
	}
}

func TestTensorsOfDictionaryClasses(t *testing.T) {
	encoder := torchtest.Dict{"encoder.weight", numberedTensor(3, 2), "decoder.weight", numberedTensor(2, 3)}
	for want, value := range map[string]torchtest.Dict{
		"gated":                with(encoder, "decoder_bias", numberedTensor(2), "r_mag", numberedTensor(3), "gate_bias", numberedTensor(3)),
		"topk":                 with(encoder, "b_dec", numberedTensor(2), "encoder.bias", numberedTensor(3), "k", numberedTensor()),
		"matryoshka_batchtopk": with(saved, "group_sizes", numberedTensor(2), "threshold", numberedTensor(), "k", numberedTensor()),
		"standard":             with(encoder, "bias", numberedTensor(2), "encoder.bias", numberedTensor(3)),
	} {
		if i := open(t, filepath.Dir(writeCheckpoint(t, "x/ae.pt", value))).Info(); i.Architecture != want || i.DSAE != 3 || i.Hook != "" || i.Layer != -1 {
			t.Errorf("%s: %+v", want, i)
		}
	}
}

func TestOpenAISparsity(t *testing.T) {
	write := func(frequency torchtest.Tensor) SAE {
		return open(t, writeCheckpoint(t, "a.pt", torchtest.Dict{
			"pre_bias", numberedTensor(2), "encoder.weight", numberedTensor(3, 2), "latent_bias", numberedTensor(3),
			"decoder.weight", numberedTensor(2, 3), "latents_activation_frequency", frequency,
		}))
	}
	log, err := write(torchtest.F32([]int{3}, 0.1, 0, 1)).LogSparsity()
	if err != nil || len(log) != 3 || math.Abs(float64(log[0])+1) > 1e-6 || log[1] != -10 || math.Abs(float64(log[2])) > 1e-6 {
		t.Errorf("%v, %v", log, err)
	}
	for _, unmeasured := range []torchtest.Tensor{torchtest.F32([]int{3}, 1, 1, 1), torchtest.F32([]int{3}, 0, 0, 0)} {
		if log, err := write(unmeasured).LogSparsity(); log != nil || err != nil {
			t.Errorf("%v, %v", log, err)
		}
	}
	_, err = write(torchtest.F32([]int{2}, 1, 0)).LogSparsity()
	checkFault(t, err, "latents_activation_frequency", "expected shape [3], one value a feature, found [2]")
	_, err = write(torchtest.F32([]int{3}, 0.5, -1, 0)).LogSparsity()
	checkFault(t, err, "latents_activation_frequency", "frequencies")
}

// Files of torch.save that are no SAE, or one that no layout tells.
func TestNoCheckpoint(t *testing.T) {
	for name, test := range map[string]struct {
		path  string
		value any
	}{
		"a tensor":                     {"layer_3.pt", numberedTensor(3, 2)},
		"activations":                  {"l3.pt", torchtest.Dict{"activations", numberedTensor(3, 2)}},
		"a list":                       {"l3.pt", torchtest.List{numberedTensor(3, 2)}},
		"a linear layer":               {"l3.pt", torchtest.OrderedDict{"weight", numberedTensor(3, 2), "bias", numberedTensor(3)}},
		"two layers, no layer in name": {"autoencoder2.pt", linear},
		"two layers that compress": {"l3.pt", torchtest.Dict{
			"encoder.weight", numberedTensor(2, 3), "encoder.bias", numberedTensor(2), "decoder.weight", numberedTensor(3, 2), "decoder.bias", numberedTensor(3),
		}},
		"two convolutions": {"l3.pt", torchtest.Dict{
			"encoder.weight", numberedTensor(3, 2, 1), "encoder.bias", numberedTensor(3), "decoder.weight", numberedTensor(2, 3, 1), "decoder.bias", numberedTensor(2),
		}},
		"a deeper autoencoder": {"l3.pt", append(slices.Clone(linear), "encoder.2.weight", numberedTensor(2, 2))},
		"a training module":    {"ae.pt", torchtest.Call{Function: "my.Autoencoder", State: torchtest.Dict{"W_dec", numberedTensor(3, 2)}}},
		"two layers in ae.pt":  {"vae/ae.pt", linear},
		"another ending":       {"l3.bin", linear},
	} {
		path := writeCheckpoint(t, test.path, test.value)
		for _, root := range []string{path, filepath.Dir(path)} {
			if found, err := Find(root); err == nil {
				t.Errorf("%s: found %q", name, found)
			}
		}
		if _, err := Open(path); err == nil {
			t.Errorf("%s opens", name)
		}
	}
}

func TestCheckpointErrors(t *testing.T) {
	nan := numberedTensor(2, 3)
	nan = torchtest.F32(nan.Shape, 0, 1, 2, 3, float32(math.NaN()), 5)
	half := torchtest.Tensor{Storage: "CharStorage", Shape: []int{2, 3}, Data: make([]byte, 6), Width: 1}
	biases := torchtest.Dict{"b_enc", numberedTensor(3), "b_dec", numberedTensor(2)}
	for name, test := range map[string]struct {
		path          string
		value         any
		subject, want string
	}{
		"no decoder":     {"layer1.sae.pt", biases, "tensor W_dec", "is missing"},
		"another shape":  {"layer1.sae.pt", with(biases, "W_dec", numberedTensor(2, 4)), "tensor W_dec", "expected shape [2, 3] as in b_enc and b_dec, found [2 4]"},
		"a vector":       {"layer1.sae.pt", with(biases, "W_dec", numberedTensor(6)), "tensor W_dec", "a matrix [d_model, d_sae]"},
		"no biases":      {"layer1.sae.pt", torchtest.Dict{"W_dec", numberedTensor(2, 3)}, "tensor W_dec", "which dimension is that of the features is not known"},
		"integers":       {"layer1.sae.pt", with(biases, "W_dec", half), "tensor W_dec", "expected F32, F16, BF16 or F64, found I8 [2 3]"},
		"made by a call": {"layer1.sae.pt", with(biases, "W_dec", torchtest.Call{Function: "os.system", Args: torchtest.Tuple{"true"}}), "tensor W_dec", "a call of os.system"},
		"OpenAI, no decoder": {"resid_post_mlp/autoencoders/3.pt", torchtest.Dict{
			"pre_bias", numberedTensor(2), "encoder.weight", numberedTensor(3, 2), "latent_bias", numberedTensor(3),
		}, "tensor decoder.weight", "is missing"},
		"Goodfire, transposed": {"x-SAE-l1.pth", torchtest.Dict{
			"encoder_linear.weight", numberedTensor(3, 2), "encoder_linear.bias", numberedTensor(3),
			"decoder_linear.weight", numberedTensor(3, 2), "decoder_linear.bias", numberedTensor(2),
		}, "tensor decoder_linear.weight", "the tensor is transposed"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Open(writeCheckpoint(t, test.path, test.value))
			checkFault(t, err, test.subject, test.want)
		})
	}
	s := open(t, writeCheckpoint(t, "layer1.sae.pt", with(biases, "W_dec", nan)))
	checkFault(t, s.ReadDecoder(0, make([]float32, 6)), "tensor W_dec", "feature 1, position 1: expected a finite float32, found NaN")
	checkFault(t, s.ReadDecoder(3, make([]float32, 2)), "tensor W_dec", "expected rows below 3, found 1 rows from row 3 on")
}

// A damaged file is named: one that its name tells is found and fails to open, and
// any other is an error where it was asked for.
func TestDamagedCheckpoints(t *testing.T) {
	for _, name := range []string{"layer7.sae.pt", "resid_post_mlp/autoencoders/1.pt"} {
		path := writeCheckpoint(t, name, saved)
		if err := os.Truncate(path, 400); err != nil {
			t.Fatal(err)
		}
		if found, err := Find(filepath.Dir(path)); err != nil || len(found) != 1 {
			t.Errorf("%q, %v", found, err)
		}
		_, err := Open(path)
		checkFault(t, err, path, "was it downloaded whole?")
	}
	path := writeCheckpoint(t, "sae-l3.pt", linear)
	if err := os.Truncate(path, 400); err != nil {
		t.Fatal(err)
	}
	_, err := Find(path)
	checkFault(t, err, path, "was it downloaded whole?")
	_, err = Open(path)
	checkFault(t, err, path, "was it downloaded whole?")
	if err := os.WriteFile(path, []byte("version https://git-lfs.github.com/spec/v1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = Open(path)
	checkFault(t, err, path, "git lfs pull")
}

func TestLayerInNames(t *testing.T) {
	for name, want := range map[string]string{
		"DeepSeek-R1-Distill-Llama-8B-SAE-l19.pt": "19", "Llama-3.3-70B-Instruct-SAE-l50.pt": "50", "layer_7.pt": "7", "L3.pt": "3",
		"sae-layer12-v2.pt": "12", "model2.pt": "", "small3.pt": "", "l2x.pt": "2", "12.pt": "",
	} {
		if got := layerIn("/a/layer_5/" + name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// checkInfo holds the description of the SAE at path, which Find returns itself.
func checkInfo(t *testing.T, path string, want Info) {
	t.Helper()
	if found, err := Find(path); err != nil || !slices.Equal(found, []string{path}) {
		t.Fatalf("found %q, %v", found, err)
	}
	got := open(t, path).Info()
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// FuzzCheckpoint holds that any pickle beside the values of a small SAE gives a
// decoder or an error, under names of every layout.
func FuzzCheckpoint(f *testing.F) {
	pickle, storages := torchtest.Pickle(saved)
	f.Add(pickle)
	names := []string{"layer0.sae.pt", "ae_1.pt", "a-SAE-l1.pt"}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, pickle []byte) {
		content := torchtest.Raw(torchtest.Members(pickle, storages)...)
		for _, name := range names {
			path := filepath.Join(dir, name)
			if err := os.WriteFile(path, content, 0o644); err != nil {
				t.Fatal(err)
			}
			s, err := Open(path)
			if err != nil {
				continue
			}
			if n := s.Info().DSAE * s.Info().DModel; n <= 6 {
				_ = s.ReadDecoder(0, make([]float32, n))
			} else {
				t.Errorf("%d values of 6", n)
			}
			s.Close()
		}
	})
}
