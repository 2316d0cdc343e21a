package test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/saedb/saedb/loader/safetensors/safetensorstest"
	"github.com/saedb/saedb/loader/torch/torchtest"
)

// A model of 300 tokens w0, w1, … whose W_U is known, and W_dec [12, 16] of SAEs that are
// stored in every way that people store them.
const (
	peopleTokens, peopleWidth, peopleFeatures = 300, 16, 12
)

func normal(seed uint64, n int) []float32 {
	r := rand.New(rand.NewPCG(seed, 0))
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(r.NormFloat64())
	}
	return values
}

// peopleDatabase loads the model, whose head is not tied and whose norm is 1.
func peopleDatabase(t *testing.T, dModel int) (db string, unembedding []float32) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "model")
	unembedding = normal(1, peopleTokens*dModel)
	ones := slices.Repeat([]float32{1}, dModel)
	write(t, dir, "model.safetensors", safetensorstest.Bytes(
		safetensorstest.F32("lm_head.weight", []int{peopleTokens, dModel}, unembedding...),
		safetensorstest.F32("model.embed_tokens.weight", []int{peopleTokens, dModel}, unembedding...),
		safetensorstest.F32("model.norm.weight", []int{dModel}, ones...),
	))
	write(t, dir, "config.json", fmt.Appendf(nil, `{"model_type": "llama", "hidden_size": %d, "vocab_size": %d, "num_hidden_layers": 2, "tie_word_embeddings": false}`, dModel, peopleTokens))
	words := map[string]int{}
	for id := range peopleTokens {
		words[fmt.Sprintf("w%d", id)] = id
	}
	tokenizer, err := json.Marshal(map[string]any{"version": "1.0", "model": map[string]any{"type": "WordLevel", "vocab": words, "unk_token": "w0"}})
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "tokenizer.json", tokenizer)
	db = filepath.Join(t.TempDir(), "people.db")
	mustRun(t, "--db", db, "load", "model", dir, "--name", "m")
	return db, unembedding
}

func transposedValues(w []float32, rows, cols int) []float32 {
	turned := make([]float32, len(w))
	for r := range rows {
		for c := range cols {
			turned[c*rows+r] = w[r*cols+c]
		}
	}
	return turned
}

// writeTorch writes a value as torch.save does.
func writeTorch(t *testing.T, dir, name string, value any) {
	t.Helper()
	write(t, dir, name, torchtest.Bytes(value))
}

// SAEs in the layouts of trainers, with the figures of feature 0. Oracle: the product of
// W_dec with W_U centred over the vocabulary, in float64.
func TestPublishedLayouts(t *testing.T) {
	const v, d, n = peopleTokens, peopleWidth, peopleFeatures
	db, unembedding := peopleDatabase(t, d)
	w := normal(2, n*d)
	decoder, turned := torchtest.F32([]int{n, d}, w...), torchtest.F32([]int{d, n}, transposedValues(w, n, d)...)
	zeros := func(shape ...int) torchtest.Tensor {
		size := 1
		for _, s := range shape {
			size *= s
		}
		return torchtest.F32(shape, make([]float32, size)...)
	}
	four := torchtest.OrderedDict{"W_enc", zeros(d, n), "W_dec", decoder, "b_enc", zeros(n), "b_dec", zeros(d)}
	both := make([]float32, 0, 2*n*d) // [n, 2, d]: W_dec and −W_dec
	for row := range n {
		both = append(both, w[row*d:(row+1)*d]...)
		for _, x := range w[row*d : (row+1)*d] {
			both = append(both, -x)
		}
	}
	saelens := safetensorstest.Bytes(safetensorstest.F32("W_dec", []int{n, d}, w...))
	files := map[string]func(dir string){ // by the name that the SAE gets
		"run_9999": func(dir string) {
			writeTorch(t, dir, "run_9999/sae.pt", four)
			write(t, dir, "run_9999/config.json", fmt.Appendf(nil, `{"hook_point": "blocks.1.hook_resid_pre", "act_size": %d, "dict_size": %d, "sae_type": "topk", "top_k": 4}`, d, n))
		},
		"final_sparse_autoencoder": func(dir string) {
			cfg := torchtest.Call{Function: "sae_training.config.LanguageModelSAERunnerConfig", State: torchtest.Dict{"hook_point", "blocks.1.hook_resid_pre", "d_in", d, "d_sae", n}}
			writeTorch(t, dir, "final_sparse_autoencoder.pt", torchtest.Dict{"cfg", cfg, "state_dict", four})
		},
		"OpenSAE-Layer_01": func(dir string) {
			write(t, dir, "OpenSAE-Layer_01/model.safetensors", safetensorstest.Bytes(
				safetensorstest.F32("W_dec", []int{n, d}, w...), safetensorstest.F32("b_dec", []int{d}, make([]float32, d)...)))
			write(t, dir, "OpenSAE-Layer_01/config.json", fmt.Appendf(nil, `{"hidden_size": %d, "feature_size": %d, "input_hookpoint": "layers.1", "output_hookpoint": "layers.1", "activation": "topk"}`, d, n))
		},
		"samples_400000": func(dir string) {
			writeTorch(t, dir, "samples_400000.pt", torchtest.OrderedDict{
				"blocks-1-hook_resid_pre.encoder.0.weight", zeros(n, d), "blocks-1-hook_resid_pre.encoder.0.bias", zeros(n), "blocks-1-hook_resid_pre.decoder.weight", turned,
			})
		},
		"crosscoder#model_0": func(dir string) {
			writeTorch(t, dir, "crosscoder/cc_weights.pt", torchtest.OrderedDict{
				"W_enc", zeros(2, d, n), "W_dec", torchtest.F32([]int{n, 2, d}, both...), "b_enc", zeros(n), "b_dec", zeros(2, d),
			})
			write(t, dir, "crosscoder/cfg.json", fmt.Appendf(nil, `{"d_in": %d, "dict_size": %d, "model_name": "m", "hook_point": "blocks.1.hook_resid_pre"}`, d, n))
		},
		"nan": func(dir string) {
			write(t, dir, "nan/sae_weights.safetensors", saelens)
			write(t, dir, "nan/cfg.json", fmt.Appendf(nil, `{"architecture": "standard", "d_in": %d, "d_sae": %d, "hook_name": "blocks.1.hook_resid_pre", "lr_end": NaN, "threshold": Infinity, "low": [-Infinity]}`, d, n))
		},
	}
	dir := t.TempDir()
	for _, make := range files {
		make(dir)
	}
	// The layouts have the same directions.
	r := saedbRun(t, "", "--db", db, "load", "sae", dir, "--copy")
	if r.code != 0 || strings.Count(r.stderr, "note: model_") != 2 || strings.Count(r.stderr, "\n") != 2 {
		t.Fatalf("exit %d: %q", r.code, r.stderr)
	}
	mustRun(t, "--db", db, "compute")

	logits := make([]float64, v)
	for j := range d {
		var mean float64
		for token := range v {
			mean += float64(unembedding[token*d+j]) / v
		}
		for token := range v {
			logits[token] += float64(w[j]) * (float64(unembedding[token*d+j]) - mean)
		}
	}
	var squares float64
	order := make([]int, v)
	for token := range v {
		squares += logits[token] * logits[token]
		order[token] = token
	}
	slices.SortFunc(order, func(a, b int) int { return int(math.Copysign(1, logits[b]-logits[a])) })
	std := math.Sqrt(squares / v)
	right := fmt.Sprintf(`SELECT count(*) FROM features JOIN saes USING (sae) WHERE sae = '%%s' AND feature = 0 AND saes.layer = 1
		AND abs(std - %.9g) < 1e-5 AND top_tokens[:3] = ['w%d', 'w%d', 'w%d']`, std, order[0], order[1], order[2])
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if count(t, db, fmt.Sprintf(right, name)) != 1 {
			t.Errorf("%s: not std %.6f and tokens %v at layer 1", name, std, order[:3])
		}
		if got := rowsOf(t, db, name); !slices.Equal(got, w) {
			t.Errorf("%s: its rows are not those of W_dec", name)
		}
	}
	negative := make([]float32, len(w))
	for i, x := range w {
		negative[i] = -x
	}
	if got := rowsOf(t, db, "crosscoder#model_1"); !slices.Equal(got, negative) {
		t.Error("crosscoder#model_1: its rows are not those of its decoder")
	}
	// Both decoders' rows are of one length.
	if n := count(t, db, "SELECT count(*) FROM relative_decoder_norms('crosscoder') WHERE norm > 0 AND abs(relative_norm - 0.5) < 1e-9"); n != 2*peopleFeatures {
		t.Errorf("%d rows with half of the length, expected %d", n, 2*peopleFeatures)
	}
}

// A hook point from which no way leads to the logits is refused, though the widths agree.
func TestHookPoints(t *testing.T) {
	db, _ := blockDatabase(t)
	write32 := func(name, hook string) string {
		dir := filepath.Join(t.TempDir(), name)
		matrixFile(t, dir, "sae_weights.safetensors", "W_dec", 5, 32)
		write(t, dir, "cfg.json", fmt.Appendf(nil, `{"d_in": 32, "d_sae": 5, "hook_name": "%s"}`, hook))
		return dir
	}
	for _, hook := range []string{
		"blocks.0.attn.hook_rot_q", "blocks.0.attn.hook_rot_k", "blocks.0.attn.hook_q", "blocks.0.attn.hook_k", "blocks.0.attn.hook_pattern",
		"model.layers.0.self_attn.q_proj", "vision_model.encoder.layers.0", "somewhere.else",
	} {
		r := saedbRun(t, "", "--db", db, "load", "sae", write32("sae", hook))
		expectFailure(t, r, 1, fmt.Sprintf("hook point %q: expected one from which a direction leads to the logits", hook), "blocks.N.hook_resid_pre", "--hook")
	}
	probe, _ := matrixFile(t, t.TempDir(), "probe.safetensors", "w", 3, 32)
	expectFailure(t, saedbRun(t, "", "--db", db, "load", "directions", probe, "--hook", "blocks.0.attn.hook_q"), 1, "queries of attention")
	query := []string{"--db", db, "load", "directions", "--name", "q", "--sql", "SELECT [range::FLOAT FOR range IN range(32)] AS w_dec", "--hook"}
	expectFailure(t, saedbRun(t, "", append(query, "blocks.0.attn.hook_k")...), 1, "keys of attention")
	expectFailure(t, saedbRun(t, "", append(query, "blocks.0.attn.hook_z")...), 1, "expected directions in the residual stream, found attention heads (hook_z)")
	if n := count(t, db, "SELECT count(*) FROM saes"); n != 0 {
		t.Errorf("%d SAEs were loaded", n)
	}

	// Values go the way that the heads' outputs go.
	mustRun(t, "--db", db, "load", "sae", write32("z", "blocks.0.attn.hook_z"))
	mustRun(t, "--db", db, "load", "sae", write32("v", "blocks.0.attn.hook_v"))
	mustRun(t, "--db", db, "load", "sae", write32("v_proj", "model.layers.0.self_attn.v_proj"))
	z := rowsOf(t, db, "z")
	for _, name := range []string{"v", "v_proj"} {
		if got := rowsOf(t, db, name); !slices.Equal(got, z) || len(z) != 5*32 {
			t.Errorf("%s: mapped otherwise than hook_z", name)
		}
	}
	narrow := filepath.Join(t.TempDir(), "grouped")
	matrixFile(t, narrow, "sae_weights.safetensors", "W_dec", 5, 16)
	write(t, narrow, "cfg.json", []byte(`{"hook_name": "blocks.0.attn.hook_v"}`))
	expectFailure(t, saedbRun(t, "", "--db", db, "load", "sae", narrow), 1, "expected rows of 32 values", "found 16", "several heads read the same values")

	// A person who knows better.
	wrong := write32("named", "my.own.name")
	mustRun(t, "--db", db, "load", "sae", wrong, "--hook", "blocks.0.hook_mlp_out")
	if n := count(t, db, "SELECT count(*) FROM saes WHERE sae = 'named' AND hook = 'blocks.0.hook_mlp_out' AND layer = 0 AND scale = 'as-stored; hook point blocks.0.hook_mlp_out given by hand'"); n != 1 {
		t.Error("--hook did not take the place of the file's")
	}
	// Another hook point is another SAE of the same files.
	expectFailure(t, saedbRun(t, "", "--db", db, "load", "sae", wrong, "--hook", "blocks.0.hook_attn_out"), 1, "--replace")
	expectFailure(t, saedbRun(t, "", "--db", db, "load", "sae", wrong, "--hook", "hook_q", "--name", "x"), 1, `hook point "hook_q"`)
	expectFailure(t, saedbRun(t, "", "--db", db, "load", "sae", wrong, narrow, "--hook", "layers.0"), 2, "--hook is of one SAE, found 2")

	// What is assumed is said.
	for hook, note := range map[string]string{"": "name no hook point: the residual stream is assumed", "blocks.0.ln2.hook_normalized": "as a norm scales it"} {
		if r := saedbRun(t, "", "--db", db, "load", "sae", write32("noted"+fmt.Sprint(len(hook)), hook)); r.code != 0 || !strings.Contains(r.stderr, note) {
			t.Errorf("%q: exit %d, %q does not say %q", hook, r.code, r.stderr, note)
		}
	}
}

// The checkpoints of several runs, which have the same last name, are loaded together.
func TestSameNames(t *testing.T) {
	db, _ := blockDatabase(t)
	root := filepath.Join(t.TempDir(), "checkpoints")
	for i, run := range []string{"a1b2/final_1000", "c3d4/final_1000", "e5f6/final_1000", "e5f6/500"} {
		dir := filepath.Join(root, filepath.FromSlash(run))
		matrixFile(t, dir, "sae_weights.safetensors", "W_dec", 3+i, 32)
		write(t, dir, "cfg.json", []byte(`{"hook_name": "blocks.0.hook_resid_post"}`))
	}
	mustRun(t, "--db", db, "load", "sae", root)
	if n := count(t, db, "SELECT count(*) FROM saes WHERE sae IN ('a1b2/final_1000', 'c3d4/final_1000', 'e5f6/final_1000', '500') AND d_sae > 2"); n != 4 {
		t.Errorf("%d SAEs by these names, expected 4", n)
	}
	if said := mustRun(t, "--db", db, "load", "sae", root); strings.Count(said, "nothing changed") != 4 {
		t.Errorf("loaded again: %q", said)
	}
}

// The error of a file in a layout of its own gives the command that loads it right.
func TestUnknownLayout(t *testing.T) {
	db, _ := peopleDatabase(t, peopleWidth)
	w := normal(3, peopleFeatures*peopleWidth)
	dir := filepath.Join(t.TempDir(), "my run")
	writeTorch(t, dir, "net.pt", torchtest.OrderedDict{
		"encode.w", torchtest.F32([]int{peopleFeatures, peopleWidth}, w...),
		"decode.w", torchtest.F32([]int{peopleWidth, peopleFeatures}, transposedValues(w, peopleFeatures, peopleWidth)...),
	})
	r := saedbRun(t, "", "--db", db, "load", "sae", dir)
	expectFailure(t, r, 1, "net.pt has decode.w F32 [16 12], encode.w F32 [12 16]", "decode.w [16 12] could be a decoder of model m: saedb load directions")
	_, command, _ := strings.Cut(strings.TrimSuffix(strings.TrimSpace(r.stderr), ")"), "saedb load directions ")
	run := exec.Command("sh", "-c", fmt.Sprintf("exec '%s' --db '%s' load directions %s", program, db, command))
	if out, err := run.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", command, err, out)
	}
	if got := rowsOf(t, db, "net.decode.w"); !slices.Equal(got, w) {
		t.Errorf("%s: not the rows of the decoder", command)
	}
	expectFailure(t, saedbRun(t, "", "--db", db, "load", "directions", filepath.Join(dir, "net.pt"), "--tensor", "decode.w", "--name", "x"), 1,
		"expected d_model 16", "found 12", "--transposed")
	// Without a database, or with one of another width, it says as much as is known.
	expectFailure(t, saedbRun(t, "", "--db", filepath.Join(dir, "none.db"), "load", "sae", dir), 1, "saedb load directions FILE --tensor NAME")
	other, _ := peopleDatabase(t, 20)
	expectFailure(t, saedbRun(t, "", "--db", other, "load", "sae", dir), 1, "none of them could be a decoder of a loaded model: m has d_model 20")
}
