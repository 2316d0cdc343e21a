package sae

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/saedb/saedb/loader/torch/torchtest"
)

// The files are made as the libraries' own code saves them, small; the rows are those of the
// matrices that are written.

func TestBatchTopK(t *testing.T) {
	path := writeCheckpoint(t, "checkpoints/gpt2-small_blocks.8.hook_resid_pre_3_batchtopk_32_0.0003_9999/sae.pt", saved)
	if found, err := Find(path); err == nil {
		t.Errorf("found %q without a configuration", found)
	}
	writeBeside(t, path, "config.json", `{"model_name": "gpt2-small", "site": "resid_pre", "layer": 8, "act_size": 2, "dict_size": 3,
		"hook_point": "blocks.8.hook_resid_pre", "sae_type": "batchtopk", "top_k": 32, "input_unit_norm": true, "dtype": "torch.float32", "l1_coeff": Infinity}`)
	config := filepath.Join(filepath.Dir(path), "config.json")
	checkInfo(t, path, Info{
		Path: path, Name: "gpt2-small_blocks.8.hook_resid_pre_3_batchtopk_32_0.0003_9999", Format: "batchtopk", Architecture: "batchtopk",
		DModel: 2, DSAE: 3, Hook: "blocks.8.hook_resid_pre", Layer: 8, Space: ResidualStream, DType: "F32", Scale: "as-stored; input_unit_norm",
		L0: 32, ModelName: "gpt2-small", Files: []string{path, config},
	})
	sameBits(t, "W_dec", readAll(t, open(t, path)), rowsAsIs)
	writeBeside(t, path, "config.json", `{"act_size": 3, "dict_size": 2, "sae_type": "jumprelu", "top_k": 32, "hook_point": "blocks.8.hook_mlp_out"}`)
	_, err := Open(path)
	checkFault(t, err, "W_dec", "expected shape [2, 3] as in config.json, found [3 2] (the tensor is transposed)")
	writeBeside(t, path, "config.json", `{"act_size": 2, "dict_size": "3", "sae_type": "vanilla"}`)
	_, err = Open(path)
	checkFault(t, err, "config.json", "setting dict_size")
}

func TestOldestSAELens(t *testing.T) {
	const config = "sae_training.config.LanguageModelSAERunnerConfig"
	object := func(attributes ...any) torchtest.Call {
		return torchtest.Call{Function: config, State: torchtest.Dict(attributes)}
	}
	write := func(name string, cfg any, more ...any) string {
		return writeCheckpoint(t, name, torchtest.Dict{"cfg", cfg, "state_dict", torchtest.OrderedDict(with(saved, more...))})
	}
	gpt2 := object("model_name", "gpt2-small", "hook_point", "blocks.1.hook_resid_pre", "hook_point_layer", 1, "d_in", 2, "d_sae", 3,
		"device", torchtest.Call{Function: "torch.device", Args: torchtest.Tuple{"cuda"}}, "dtype", torchtest.Global("torch.float32"),
		"wandb", torchtest.Call{Function: "wandb.Run"})
	const name = "final_sparse_autoencoder_gpt2-small_blocks.1.hook_resid_pre_3"
	path := write(name+".pt", gpt2)
	want := Info{
		Path: path, Name: name, Format: "saelens-pickle", Architecture: "standard", DModel: 2, DSAE: 3, Hook: "blocks.1.hook_resid_pre", Layer: 1,
		Space: ResidualStream, DType: "F32", Scale: "as-stored", ModelName: "gpt2-small", Files: []string{path},
	}
	checkInfo(t, path, want)
	sameBits(t, "W_dec", readAll(t, open(t, path)), rowsAsIs)

	frequencies := filepath.Join(filepath.Dir(path), name+"_log_feature_sparsity.pt")
	torchtest.Write(t, frequencies, torchtest.F32([]int{3}, -1, -10, -2.5))
	if log, err := open(t, path).LogSparsity(); err != nil || !slices.Equal(log, []float32{-1, -10, -2.5}) {
		t.Errorf("log sparsity %v, %v", log, err)
	}
	want.Files = append(want.Files, frequencies)
	checkInfo(t, path, want)
	torchtest.Write(t, frequencies, torchtest.F32([]int{2}, -1, -10))
	_, err := open(t, path).LogSparsity()
	checkFault(t, err, frequencies, "expected shape [3], one value a feature, found [2]")

	// A transcoder's decoder writes elsewhere than its encoder reads.
	s := open(t, write("t.pt", object("is_transcoder", true, "hook_point", "blocks.5.ln2.hook_normalized", "out_hook_point", "blocks.5.hook_mlp_out",
		"d_in", 7, "d_out", 2, "d_sae", nil)))
	if i := s.Info(); i.Architecture != "transcoder" || i.Hook != "blocks.5.hook_mlp_out" || i.Layer != 5 || i.DModel != 2 {
		t.Errorf("%+v", i)
	}
	// The factors of finetuning are part of the decoder; factors of 1 are none.
	s = open(t, write("f.pt", gpt2, "scaling_factor", torchtest.F32([]int{3}, 1, 2, -3)))
	sameBits(t, "W_dec", readAll(t, s), []float32{0, 1, 4, 6, -12, -15})
	if i := s.Info(); i.Scale != "as-stored; scaling_factor applied" {
		t.Errorf("%+v", i)
	}
	s = open(t, write("one.pt", gpt2, "scaling_factor", torchtest.F32([]int{3}, 1, 1, 1)))
	if i := s.Info(); i.Scale != "as-stored" {
		t.Errorf("%+v", i)
	}
	// A configuration that is a dictionary.
	s = open(t, write("d.pt", torchtest.Dict{"hook_point", "blocks.2.hook_mlp_out", "d_in", 2}))
	if i := s.Info(); i.Hook != "blocks.2.hook_mlp_out" || i.ModelName != "" {
		t.Errorf("%+v", i)
	}
	_, err = Open(write("w.pt", object("hook_point", 7)))
	checkFault(t, err, "w.pt", "cfg.hook_point: expected a value of type string, found 7")
	_, err = Open(write("s.pt", object("hook_point", "blocks.1.hook_resid_pre", "d_in", 5)))
	checkFault(t, err, "W_dec", "expected shape [any, 5] as in cfg, found [3 2]")
}

func TestEndToEnd(t *testing.T) {
	position := func(name string, decoder torchtest.Tensor) torchtest.OrderedDict {
		return torchtest.OrderedDict{
			name + ".encoder.0.weight", numberedTensor(3, 2), name + ".encoder.0.bias", numberedTensor(3),
			name + ".decoder.weight", decoder, name + ".decoder.bias", numberedTensor(2),
		}
	}
	const scale = "as-stored; the library divides rows by their lengths"
	path := writeCheckpoint(t, "gpt2-run/samples_400000.pt", position("blocks-6-hook_resid_pre", numberedTensor(2, 3)))
	writeBeside(t, path, "final_config.yaml", "tlens_model_name: gpt2-small\nsaes:\n  sae_positions:\n    - blocks.6.hook_resid_pre\n")
	checkInfo(t, path, Info{
		Path: path, Name: "samples_400000", Format: "e2e-sae", Architecture: "standard", DModel: 2, DSAE: 3, Hook: "blocks.6.hook_resid_pre", Layer: 6,
		Space: ResidualStream, DType: "F32", Scale: scale, ModelName: "gpt2-small",
		Files: []string{path, filepath.Join(filepath.Dir(path), "final_config.yaml")},
	})
	sameBits(t, "decoder.weight", readAll(t, open(t, path)), rowsTransposed)
	_, err := Open(path + "#blocks.6.hook_resid_pre")
	checkFault(t, err, path, "a path without #, since there is one SAE in it")
	writeBeside(t, path, "final_config.yaml", "- no\n")
	_, err = Open(path)
	checkFault(t, err, "final_config.yaml", "tlens_model_name")

	// The positions of one run are an SAE each.
	both := append(position("blocks-2-hook_resid_pre", numberedTensor(2, 3)), position("blocks-10-hook_mlp_out", torchtest.F32([]int{2, 3}, 5, 4, 3, 2, 1, 0))...)
	path = writeCheckpoint(t, "samples_9.pt", both)
	parts := []string{path + "#blocks.2.hook_resid_pre", path + "#blocks.10.hook_mlp_out"}
	if found, err := Find(path); err != nil || !slices.Equal(found, parts) {
		t.Fatalf("%q, %v", found, err)
	}
	s := open(t, parts[1])
	if i := s.Info(); i.Name != "samples_9#blocks.10.hook_mlp_out" || i.Hook != "blocks.10.hook_mlp_out" || i.Path != parts[1] {
		t.Errorf("%+v", i)
	}
	sameBits(t, "second", readAll(t, s), []float32{5, 2, 4, 1, 3, 0})
	sameBits(t, "first", readAll(t, open(t, parts[0])), rowsTransposed)
	_, err = Open(path + "#blocks.3.hook_resid_pre")
	checkFault(t, err, path, "one of blocks.2.hook_resid_pre, blocks.10.hook_mlp_out")
}

func TestCrosscoder(t *testing.T) {
	state := torchtest.OrderedDict{
		"W_enc", numberedTensor(2, 2, 3), "W_dec", numberedTensor(3, 2, 2), "b_enc", numberedTensor(3), "b_dec", numberedTensor(2, 2),
	}
	path := writeCheckpoint(t, "blocks.14.hook_resid_pre/cc_weights.pt", state)
	writeBeside(t, path, "cfg.json", `{"d_in": 2, "dict_size": 3, "model_name": "gemma-2-2b", "site": "resid_pre", "hook_point": "blocks.14.hook_resid_pre"}`)
	if found, err := Find(path); err != nil || !slices.Equal(found, []string{path + "#model_0", path + "#model_1"}) {
		t.Fatalf("%q, %v", found, err)
	}
	for model, want := range []struct {
		named string
		rows  []float32
	}{{"gemma-2-2b", []float32{0, 1, 4, 5, 8, 9}}, {"", []float32{2, 3, 6, 7, 10, 11}}} {
		part := crosscoderPart(model)
		s := open(t, path+"#"+part)
		i := s.Info()
		if i.Name != "blocks.14.hook_resid_pre#"+part || i.Format != "crosscoder" || i.Architecture != "crosscoder" || i.ModelName != want.named ||
			i.Hook != "blocks.14.hook_resid_pre" || i.Layer != 14 || i.Space != ResidualStream || i.DSAE != 3 || i.DModel != 2 || len(i.Files) != 2 {
			t.Errorf("%+v", i)
		}
		if notes := Notes(i); len(notes) != 1 || !strings.Contains(notes[0], part+" is the decoder for the model with index") {
			t.Errorf("%q", notes)
		}
		sameBits(t, part, readAll(t, s), want.rows)
	}
	for _, part := range []string{"", "#model_2", "#model_-1"} {
		_, err := Open(path + part)
		checkFault(t, err, path, "one of model_0, model_1")
	}
	writeBeside(t, path, "cfg.json", `{"d_in": 2, "dict_size": 4}`)
	_, err := Open(path + "#model_0")
	checkFault(t, err, "W_dec", "expected shape [4, 2] as in cfg.json, found [3 2]")

	// A run's checkpoint without its configuration is still a crosscoder; with it, it says where.
	path = writeCheckpoint(t, "version_3/7.pt", state)
	if i := open(t, path+"#model_1").Info(); i.Name != "7#model_1" || i.Hook != "" || i.DSAE != 3 {
		t.Errorf("%+v", i)
	}
	writeBeside(t, path, "7_cfg.json", `{"hook_point": "blocks.3.hook_resid_pre"}`)
	if i := open(t, path+"#model_1").Info(); i.Layer != 3 {
		t.Errorf("%+v", i)
	}
}

func TestOpenSAE(t *testing.T) {
	const config = `{"architectures": ["OpenSae"], "hidden_size": 2, "feature_size": 3, "input_hookpoint": "layers.1", "output_hookpoint": "layers.1",
		"normalize_shift_back": true, "model_name": "meta-llama/Llama-3.1-8B", "activation": "topk", "k": 8, "l1_coef": NaN}`
	tensors := map[string]written{
		"encoder.weight": floats(numbered(6), 3, 2), "encoder.bias": floats(numbered(3), 3), "W_dec": floats(numbered(6), 3, 2), "b_dec": floats(numbered(2), 2),
	}
	write := func(name, config string, weights map[string]map[string]written) string {
		dir := filepath.Join(t.TempDir(), name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		writeBeside(t, filepath.Join(dir, "x"), "config.json", config)
		for file, tensors := range weights {
			writeTensors(t, filepath.Join(dir, file), tensors)
		}
		return dir
	}
	dir := write("OpenSAE-LLaMA-3.1-Layer_01", config, map[string]map[string]written{"model.safetensors": tensors})
	checkInfo(t, dir, Info{
		Path: dir, Name: "OpenSAE-LLaMA-3.1-Layer_01", Format: "opensae", Architecture: "topk", DModel: 2, DSAE: 3, Hook: "layers.1", Layer: 1,
		Space: ResidualStream, DType: "F32", Scale: "as-stored; input_normalize", L0: 8, ModelName: "meta-llama/Llama-3.1-8B",
		Files: []string{filepath.Join(dir, "config.json"), filepath.Join(dir, "model.safetensors")},
	})
	sameBits(t, "W_dec", readAll(t, open(t, dir)), rowsAsIs)

	// Weights in several files, which an index lists.
	const second = "model-00002-of-00002.safetensors"
	dir = write("sharded", strings.Replace(config, `"output_hookpoint": "layers.1"`, `"output_hookpoint": "layers.3.mlp"`, 1),
		map[string]map[string]written{second: {"W_dec": tensors["W_dec"]}})
	writeBeside(t, filepath.Join(dir, "x"), "model.safetensors.index.json", `{"weight_map": {"W_dec": "`+second+`", "encoder.weight": "model-00001-of-00002.safetensors"}}`)
	s := open(t, dir)
	if i := s.Info(); i.Architecture != "transcoder" || i.Hook != "layers.3.mlp" || i.Layer != 3 || i.L0 != 0 || len(i.Files) != 3 {
		t.Errorf("%+v", i)
	}
	sameBits(t, "W_dec", readAll(t, s), rowsAsIs)
	for index, want := range map[string]string{
		`{"weight_map": {"W_dec": "../` + second + `"}}`: "expected the name of the file with W_dec",
		`{"weight_map": {}}`:                             "expected the name of the file with W_dec",
		`{"weight_map": {"W_dec": 3}}`:                   "setting W_dec",
		`[]`:                                             "is no JSON object",
	} {
		writeBeside(t, filepath.Join(dir, "x"), "model.safetensors.index.json", index)
		_, err := Open(dir)
		checkFault(t, err, "model.safetensors.index.json", want)
	}
	// A model's directory is no SAE.
	dir = write("model", `{"model_type": "llama", "hidden_size": 2}`, map[string]map[string]written{"model.safetensors": tensors})
	if found, err := Find(dir); err == nil {
		t.Errorf("found %q", found)
	}
	// A checkpoint of its training, in a directory that names the hook point.
	path := writeCheckpoint(t, "saes/layers.7/iter_0001000.pt", torchtest.OrderedDict{
		"encoder.weight", numberedTensor(3, 2), "encoder.bias", numberedTensor(3), "W_dec", numberedTensor(3, 2), "b_dec", numberedTensor(2),
	})
	checkInfo(t, path, Info{
		Path: path, Name: "layers.7/iter_0001000", Format: "opensae", Architecture: "topk", DModel: 2, DSAE: 3, Hook: "layers.7", Layer: 7,
		Space: ResidualStream, DType: "F32", Scale: "as-stored", Files: []string{path},
	})
	sameBits(t, "W_dec", readAll(t, open(t, path)), rowsAsIs)
}

// SAEs of one name, as the checkpoints of several runs have, get as much of their paths as
// tells them apart, and the others keep their own names.
func TestNames(t *testing.T) {
	root := t.TempDir()
	var paths []string
	for _, dir := range []string{"a1/final_1000", "b2/final_1000", "old/c3/x", "new/c3/x", "alone"} {
		at := filepath.Join(root, filepath.FromSlash(dir))
		if err := os.MkdirAll(at, 0o755); err != nil {
			t.Fatal(err)
		}
		writeBeside(t, filepath.Join(at, "x"), "cfg.json", "{}")
		writeTensors(t, filepath.Join(at, "sae_weights.safetensors"), map[string]written{"W_dec": floats(numbered(6), 3, 2)})
		paths = append(paths, at)
	}
	for _, seed := range []string{"seed1", "seed2"} { // named after the file's directory
		path := filepath.Join(root, seed, "run", "sae.pt")
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		torchtest.Write(t, path, saved)
		writeBeside(t, path, "config.json", `{"act_size": 2, "dict_size": 3, "sae_type": "topk"}`)
		paths = append(paths, path)
	}
	paths = append(paths, paths[4], filepath.Join(root, "absent"))
	want := []string{"a1/final_1000", "b2/final_1000", "old/c3/x", "new/c3/x", "alone", "seed1/run", "seed2/run", "alone", ""}
	if got := Names(paths); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	// By itself it has its own name, as it had.
	if got := Names(paths[:1]); !slices.Equal(got, []string{"final_1000"}) {
		t.Errorf("%q", got)
	}
}

func TestUnrecognised(t *testing.T) {
	path := writeCheckpoint(t, "trained here/model.pt", torchtest.OrderedDict{
		"net.enc.w", numberedTensor(3, 2), "net.dec.w", numberedTensor(2, 3), "threshold", numberedTensor(3),
	})
	torchtest.Write(t, filepath.Join(filepath.Dir(path), "probe.bin"), torchtest.F32([]int{4, 2}, numbered(8)...))
	for _, root := range []string{path, filepath.Dir(path), filepath.Dir(filepath.Dir(path))} {
		_, err := Find(root)
		checkFault(t, err, root, "model.pt has net.dec.w F32 [2 3], net.enc.w F32 [3 2], threshold F32 [3]")
		checkFault(t, err, root, "saedb load directions FILE --tensor NAME")
		if strings.Contains(err.Error(), "probe.bin has F32 [4 2]") != (root != path) {
			t.Error(err)
		}
		_, err = Open(root)
		checkFault(t, err, root, "model.pt has net.dec.w F32 [2 3]")
	}
	_, err := Find(filepath.Dir(path))
	u, ok := err.(*Unrecognised)
	if !ok {
		t.Fatalf("%T", err)
	}
	commands := func(dModel int) (all []string) {
		for _, c := range u.Candidates(dModel) {
			all = append(all, strings.ReplaceAll(c.Command(), filepath.Dir(path), "DIR"))
		}
		return all
	}
	// A matrix that is called a decoder goes before others of the width.
	if got := commands(2); !slices.Equal(got, []string{"saedb load directions 'DIR/model.pt' --tensor net.dec.w --transposed"}) {
		t.Errorf("%q", got)
	}
	if got := commands(3); !slices.Equal(got, []string{"saedb load directions 'DIR/model.pt' --tensor net.dec.w"}) {
		t.Errorf("%q", got)
	}
	if got := commands(4); len(got) != 1 || !strings.HasSuffix(got[0], "probe.bin' --transposed") {
		t.Errorf("%q", got)
	}
	if got := commands(5); len(got) != 0 {
		t.Errorf("%q", got)
	}
	// A file of another kind, such as SAELens's compressed pickles, is none.
	for _, name := range []string{"sparse_autoencoder.pkl.gz", "sparse_autoencoder.pkl"} {
		pickle := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(pickle, []byte("\x1f\x8b"), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err = Find(pickle)
		checkFault(t, err, pickle, fmt.Sprintf("a file that ends in %q (tensors are read from .npy,", filepath.Ext(name)))
	}
	// A file that cannot be read says why.
	damaged := filepath.Join(t.TempDir(), "x.safetensors")
	if err := os.WriteFile(damaged, []byte("version https://git-lfs.github.com/spec/v1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = Find(damaged)
	checkFault(t, err, damaged, "git lfs pull")
}

func TestQuoted(t *testing.T) {
	for word, want := range map[string]string{"a/b.pt": "a/b.pt", "": "''", "a b": "'a b'", "it's": `'it'\''s'`, "$x": "'$x'", "#1": "'#1'"} {
		if got := quoted(word); got != want {
			t.Errorf("%q: %s, want %s", word, got, want)
		}
	}
}
