// Command shape writes a model and an SAE of a given shape with random weights,
// for measuring time and memory where the real files are not at hand:
//
//	go run ./bench/shape -out build/gpt2-shape -d-model 768 -vocab 50257 -features 24576
//
// The model is a GPT-2 directory (LayerNorm, tied), the SAE a SAELens directory;
// both float32, the SAE in bfloat16 with -bfloat16. The same arguments give the same files. With -encoder the SAE has the encoder
// and the biases, too, without which SAELens does not load it. With -lens it writes a lens instead, of
// the one block behind which that SAE writes.
package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
)

func main() {
	out := flag.String("out", "", "directory to write into")
	dModel := flag.Int("d-model", 768, "width of the residual stream")
	vocab := flag.Int("vocab", 50257, "tokens")
	features := flag.Int("features", 24576, "features of the SAE")
	encoder := flag.Bool("encoder", false, "write the SAE's encoder and biases, too")
	bfloat16 := flag.Bool("bfloat16", false, "write the SAE's decoder in bfloat16")
	lens := flag.String("lens", "", "file to write a lens into, instead of a model and an SAE")
	flag.Parse()
	if *lens != "" {
		err := writeTensors(*lens, 3, float32s, []tensor{{"layer_7", []int{*dModel, *dModel}, 1 / math.Sqrt(float64(*dModel)), 0}})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if *out == "" {
		flag.Usage()
		os.Exit(2)
	}
	if err := write(*out, *dModel, *vocab, *features, *encoder, *bfloat16); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write(out string, dModel, vocab, features int, encoder, bfloat16 bool) error {
	model, sae := filepath.Join(out, "model"), filepath.Join(out, "blocks.8.hook_resid_pre")
	for _, dir := range []string{model, sae} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	kind := float32s
	if bfloat16 {
		kind = bfloat16s
	}
	deviation := 1 / math.Sqrt(float64(dModel))
	weights := []tensor{{"W_dec", []int{features, dModel}, deviation, 0}}
	config := map[string]any{
		"architecture": "standard", "d_in": dModel, "d_sae": features, "dtype": kind.config,
		"metadata": map[string]any{"sae_lens_version": "6.54.12", "hook_name": "blocks.8.hook_resid_pre", "model_name": "gpt2-shape"},
	}
	if encoder {
		weights = append(weights, tensor{"W_enc", []int{dModel, features}, deviation, 0},
			tensor{"b_dec", []int{dModel}, 0, 0}, tensor{"b_enc", []int{features}, 0, 0})
		config["device"], config["apply_b_dec_to_input"] = "cpu", true
		config["normalize_activations"], config["reshape_activations"] = "none", "none"
	}
	tokens := make(map[string]int, vocab)
	for i := range vocab {
		tokens[fmt.Sprintf("t%d", i)] = i
	}
	for path, content := range map[string]any{
		filepath.Join(model, "config.json"): map[string]any{
			"model_type": "gpt2", "architectures": []string{"GPT2LMHeadModel"}, "n_embd": dModel, "vocab_size": vocab,
		},
		filepath.Join(model, "tokenizer.json"): map[string]any{
			"version": "1.0", "added_tokens": []any{},
			"decoder": map[string]any{"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
			"model":   map[string]any{"type": "BPE", "vocab": tokens, "merges": []any{}},
		},
		filepath.Join(sae, "cfg.json"): config,
	} {
		text, err := json.Marshal(content)
		if err != nil {
			return err
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			return err
		}
	}
	err := writeTensors(filepath.Join(model, "model.safetensors"), 1, float32s, []tensor{
		{"ln_f.bias", []int{dModel}, 0.1, 0}, {"ln_f.weight", []int{dModel}, 0.1, 1}, {"wte.weight", []int{vocab, dModel}, 0.15, 0},
	})
	if err != nil {
		return err
	}
	return writeTensors(filepath.Join(sae, "sae_weights.safetensors"), 2, kind, weights)
}

// tensor is filled with normal numbers of this deviation about mean.
type tensor struct {
	name            string
	shape           []int
	deviation, mean float64
}

func (t tensor) values() int {
	n := 1
	for _, s := range t.shape {
		n *= s
	}
	return n
}

// A kind of numbers in a file: the first bytes of a float32, from the highest on.
type kind struct {
	name, config string // in safetensors and in an SAE's configuration
	bytes        int
}

var (
	float32s  = kind{"F32", "float32", 4}
	bfloat16s = kind{"BF16", "bfloat16", 2}
)

func writeTensors(path string, seed uint64, kind kind, tensors []tensor) error {
	header, offset := map[string]any{}, 0
	for _, t := range tensors {
		end := offset + kind.bytes*t.values()
		header[t.name] = map[string]any{"dtype": kind.name, "shape": t.shape, "data_offsets": []int{offset, end}}
		offset = end
	}
	text, err := json.Marshal(header)
	if err != nil {
		return err
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	w := bufio.NewWriterSize(file, 1<<20)
	var number [8]byte
	binary.LittleEndian.PutUint64(number[:], uint64(len(text)))
	w.Write(number[:])
	w.Write(text)
	random := rand.New(rand.NewPCG(seed, 0))
	for _, t := range tensors {
		for range t.values() {
			binary.LittleEndian.PutUint32(number[:], math.Float32bits(float32(t.mean+t.deviation*random.NormFloat64())))
			w.Write(number[4-kind.bytes : 4])
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return file.Close()
}
