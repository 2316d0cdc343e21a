package model

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/saedb/saedb/loader/gguf/gguftest"
	"github.com/saedb/saedb/loader/safetensors"
	"github.com/saedb/saedb/loader/safetensors/safetensorstest"
)

// asLlamaCpp permutes the rows of queries or keys as LlamaModel.permute of
// convert_hf_to_gguf.py does for rotary embeddings: in each head, halves are interleaved.
func asLlamaCpp(values []float32, heads, d int) []float32 {
	out, width := make([]float32, len(values)), len(values)/heads/d
	for row := range len(values) / d {
		h, j := row/width, row%width
		to := h*width + j%(width/2)*2 + j/(width/2)
		copy(out[to*d:(to+1)*d], values[row*d:(row+1)*d])
	}
	return out
}

// TestHeadsInGGUF: heads in a GGUF file, as its converter makes it, are those of the checkpoint:
// with queries and keys permuted, fused, and with Gemma's 1 in its norm.
func TestHeadsInGGUF(t *testing.T) {
	for name, test := range map[string]struct {
		architecture string
		permuted     bool
		fused        bool
		offset       float32
	}{
		"llama-grouped": {architecture: "llama", permuted: true},
		"gemma-grouped": {architecture: "gemma", offset: 1},
		"gpt2":          {architecture: "gpt2", fused: true},
		"gpt-neox":      {architecture: "gptneox", fused: true},
		"phi3":          {architecture: "phi3", fused: true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join("testdata", name)
			stored := openHeads(t, dir, 0, Options{Processing: ProcessNone})
			info, raw := stored.Info(), readHeads(t, stored)
			d := info.DModel
			of := func(m HeadMatrix) gguftest.Tensor {
				values := raw[m]
				if test.permuted && m <= Keys {
					values = asLlamaCpp(values, info.Rows(m)/info.DHead, d)
				}
				return gguftest.Floats(fmt.Sprintf("blk.0.attn_%s.weight", m), []int{info.Rows(m), d}, values...)
			}
			out := make([]float32, len(raw[Outputs])) // of a linear layer
			for i, w := range raw[Outputs] {
				out[i%d*info.Rows(Outputs)+i/d] = w
			}
			norm := normOf(t, dir, info.NormTensor)
			for i := range norm {
				norm[i] += test.offset
			}
			tensors := []gguftest.Tensor{
				gguftest.Floats("blk.0.attn_output.weight", []int{d, info.Rows(Outputs)}, out...), gguftest.Floats("blk.0.attn_norm.weight", []int{d}, norm...),
			}
			if test.fused {
				all := slices.Concat(raw[Queries], raw[Keys], raw[Values])
				tensors = append(tensors, gguftest.Floats("blk.0.attn_qkv.weight", []int{len(all) / d, d}, all...))
			} else {
				tensors = append(tensors, of(Queries), of(Keys), of(Values))
			}
			path := filepath.Join(t.TempDir(), "model.gguf")
			gguftest.Write(t, path, []gguftest.Pair{
				{Key: ggufArchKey, Value: test.architecture}, {Key: test.architecture + ggufLayersKey, Value: uint32(1)},
				{Key: test.architecture + ggufHeadsKey, Value: uint32(info.Heads)}, {Key: test.architecture + ggufKVHeadsKey, Value: uint32(info.KVHeads)},
			}, tensors...)
			converted := openHeads(t, path, 0, Options{})
			original := openHeads(t, dir, 0, Options{})
			a, b := readHeads(t, converted), readHeads(t, original)
			if got, want := converted.Info(), original.Info(); got.Heads != want.Heads || got.KVHeads != want.KVHeads || got.DHead != want.DHead ||
				got.Centered != want.Centered || !got.NormFolded || len(got.Files) != 1 {
				t.Errorf("%+v, want %+v", got, want)
			}
			alike := func(m HeadMatrix) bool { return largestDifference(a[m], b[m]) < 1e-6 } // 1 was added in float32
			if !alike(Values) || !alike(Outputs) || alike(Queries) == test.permuted {
				t.Error("values, outputs or queries differ")
			}
			for head := range info.Heads {
				if worst := largestDifference(headProduct(info, a, Queries, Keys, head), headProduct(info, b, Queries, Keys, head)); !(worst < 1e-6) {
					t.Errorf("head %d: W_Q·W_Kᵀ differs by %g", head, worst)
				}
			}
		})
	}
}

func normOf(t *testing.T, dir, name string) []float32 {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(dir, "*.safetensors"))
	for _, path := range files {
		file, err := safetensors.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if !file.Has(name) {
			continue
		}
		norm, err := file.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		values := make([]float32, norm.Len())
		if err := norm.ReadFloats(0, values); err != nil {
			t.Fatal(err)
		}
		return values
	}
	t.Fatalf("no tensor %s", name)
	return nil
}

// TestHeadsAsStored: without processing the rows are those of the files.
func TestHeadsAsStored(t *testing.T) {
	a := openHeads(t, "testdata/gpt2", 0, Options{Processing: ProcessNone})
	if info := a.Info(); info.NormFolded || info.Centered || info.NormTensor != "h.0.ln_1.weight" || !slices.Equal(readHeads(t, a)[Outputs], readBlock(t, openBlock(t, "testdata/gpt2", AttentionOut, 0))) {
		t.Errorf("%+v", info)
	}
	whole := readHeads(t, a)[Keys]
	part := make([]float32, 3*32)
	if err := a.ReadRows(Keys, 5, part); err != nil || !slices.Equal(part, whole[5*32:8*32]) {
		t.Errorf("rows 5 to 7 differ, %v", err)
	}
	if err := a.ReadRows(Keys, 31, part); err == nil {
		t.Error("rows beyond the end were read")
	}
}

// TestAttentionsAreFamilies: each family whose heads are known is known, once.
func TestAttentionsAreFamilies(t *testing.T) {
	seen := map[string]bool{}
	for _, a := range attentions {
		for _, name := range a.modelTypes {
			if seen[name] || familyNamed(byModelType, name) == nil {
				t.Errorf("model_type %s is no family, or there twice", name)
			}
			seen[name] = true
		}
		for _, name := range a.architectures {
			if seen["gguf "+name] || familyNamed(byArchitecture, name) == nil {
				t.Errorf("architecture %s is no family, or there twice", name)
			}
			seen["gguf "+name] = true
		}
	}
}

func TestBlockLayers(t *testing.T) {
	for asked, want := range map[string][]int{"all": {0, 1, 2, 3, 4, 5}, "3": {3}, "0-2, 5,1": {0, 1, 2, 5}} {
		if got, err := BlockLayers(asked, 6); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v", asked, got, err)
		}
	}
	for _, asked := range []string{"6", "-1", "2-1", "a", "1,", "0-6", "everything"} {
		if got, err := BlockLayers(asked, 6); err == nil || !strings.Contains(err.Error(), "all, or layers from 0 to 5, one, a range FIRST-LAST") {
			t.Errorf("%s: %v, %v", asked, got, err)
		}
	}
}

func TestAttentionErrors(t *testing.T) {
	matrix := func(name string, shape ...int) safetensorstest.Tensor {
		return safetensorstest.F32("model.layers.0.self_attn."+name+".weight", shape, wave(shape[0]*shape[1], 1)...)
	}
	norm := safetensorstest.F32("model.layers.0.input_layernorm.weight", []int{4}, 1, 1, 1, 1)
	whole := []safetensorstest.Tensor{matrix("q_proj", 4, 4), matrix("k_proj", 2, 4), matrix("v_proj", 2, 4), matrix("o_proj", 4, 4), norm}
	with := func(i int, other ...safetensorstest.Tensor) []safetensorstest.Tensor {
		return slices.Concat(whole[:i], other, whole[i+1:])
	}
	const config = `{"model_type": "llama", "num_hidden_layers": 1, "hidden_size": 4, "num_attention_heads": 2}`
	for name, test := range map[string]struct {
		config  string
		tensors []safetensorstest.Tensor
		want    string
	}{
		"unknown family":    {`{"model_type": "mamba"}`, whole, `found "mamba"`},
		"unknown heads":     {`{"model_type": "deepseek_v3", "num_hidden_layers": 1}`, whole, "how its heads are stored is not known: expected one of apertus, "},
		"no keys":           {config, with(1), "tensor layers.0.self_attn.k_proj.weight: is missing"},
		"no norm":           {config, with(4), "tensor layers.0.input_layernorm.weight: is missing"},
		"silent about":      {`{"model_type": "llama", "num_hidden_layers": 1}`, whole, "expected rows for each of 0 heads, as the configuration says"},
		"heads of a list":   {`{"model_type": "llama", "num_hidden_layers": 1, "num_attention_heads": [2]}`, whole, "expected rows for each of 0 heads"},
		"other heads":       {strings.Replace(config, `heads": 2`, `heads": 3`, 1), whole, "expected rows for each of 3 heads, as the configuration says, found [4, 4]"},
		"other width":       {strings.Replace(config, `"num_att`, `"head_dim": 4, "num_att`, 1), whole, "expected rows for each of 2 heads of width 4"},
		"other key heads":   {strings.Replace(config, `"num_att`, `"num_key_value_heads": 2, "num_att`, 1), whole, "and 2 key-value heads, found [2, 4]"},
		"values unlike":     {config, with(2, matrix("v_proj", 4, 4)), "k_proj.weight: expected rows of 4 values for keys and values of heads of width 2, of 2 query heads"},
		"other queries":     {config, with(0, matrix("q_proj", 8, 4)), "expected rows of 4 values for keys and values"},
		"other d_model":     {strings.Replace(config, `size": 4`, `size": 5`, 1), whole, "expected 5 columns, d_model of config.json, found 4"},
		"norm's length":     {config, with(4, safetensorstest.F32("model.layers.0.input_layernorm.weight", []int{3}, 1, 1, 1)), "input_layernorm.weight: expected shape [4], found [3]"},
		"one head norm":     {config, append(slices.Clone(whole), safetensorstest.F32("model.layers.0.self_attn.q_norm.weight", []int{2}, 1, 1)), "k_norm.weight: is missing"},
		"another matrix":    {config, append(slices.Clone(whole), matrix("gate_proj", 4, 4)), "the attention is of a form that is not known"},
		"adapters":          {config, append(slices.Clone(whole), matrix("q_proj.lora_A", 4, 4)), "found besides model.layers.0.self_attn.q_proj.lora_A.weight"},
		"a scale beside it": {config, append(slices.Clone(whole), safetensorstest.F32("model.layers.0.self_attn.v_proj.weight_scale", []int{1}, 2)), "is quantised"},
		"only 4 bits":       {config, with(0, safetensorstest.F32("model.layers.0.self_attn.q_proj.qweight", []int{1}, 2)), "is quantised"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := directory(t, map[string]string{configFile: test.config, weightsFile: weights(test.tensors...)})
			a, err := OpenAttention(dir, 0, Options{})
			if err == nil {
				a.Close()
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "read attention") {
				t.Errorf("%v\nwant %q", err, test.want)
			}
		})
	}
	dir := directory(t, map[string]string{configFile: config, weightsFile: weights(whole...)})
	if _, err := OpenAttention(dir, 1, Options{}); err == nil || !strings.Contains(err.Error(), "layer: expected one from 0 to 0, found 1") {
		t.Error(err)
	}
	needed, err := NeededTensors([]byte(config), []string{
		"lm_head.weight", "model.norm.weight", "model.layers.0.self_attn.q_proj.weight", "model.layers.0.self_attn.k_proj.weight",
		"model.layers.0.self_attn.v_proj.weight", "model.layers.0.self_attn.o_proj.weight", "model.layers.0.input_layernorm.weight", "model.layers.0.mlp.up_proj.weight",
	}, Options{Attention: AllLayers})
	if err != nil || len(needed) != 7 || slices.Contains(needed, "model.layers.0.mlp.up_proj.weight") {
		t.Errorf("%v, %v", needed, err)
	}
}
