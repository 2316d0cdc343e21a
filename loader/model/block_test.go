package model

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/saedb/saedb/loader/gguf/gguftest"
	"github.com/saedb/saedb/loader/safetensors/safetensorstest"
)

func openBlock(t *testing.T, path string, kind BlockKind, layer int) *Block {
	t.Helper()
	b, err := OpenBlock(path, kind, layer)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func readBlock(t *testing.T, b *Block) []float32 {
	t.Helper()
	rows := make([]float32, b.Rows()*b.Cols())
	if err := b.ReadRows(0, rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

// The oracle is TransformerLens 3.9.0 without processing; see testdata/README.md.
func TestBlocksAgreeWithTransformerLens(t *testing.T) {
	tests := []struct {
		name              string
		layers, dModel    int
		attention, mlp    string // tensors
		attentionIn, dMLP int
		postNorm          bool
	}{
		{"gpt2", 1, 32, "h.0.attn.c_proj.weight", "h.0.mlp.c_proj.weight", 32, 128, false},
		{"llama", 1, 32, "model.layers.0.self_attn.o_proj.weight", "model.layers.0.mlp.down_proj.weight", 32, 48, false},
		{"gpt-neo", 2, 16, "transformer.h.1.attn.attention.out_proj.weight", "transformer.h.1.mlp.c_proj.weight", 16, 64, false},
		{"gpt-j", 2, 16, "transformer.h.1.attn.out_proj.weight", "transformer.h.1.mlp.fc_out.weight", 16, 64, false},
		{"opt", 2, 16, "model.decoder.layers.1.self_attn.out_proj.weight", "model.decoder.layers.1.fc2.weight", 16, 24, false},
		{"bloom", 2, 16, "transformer.h.1.self_attention.dense.weight", "transformer.h.1.mlp.dense_4h_to_h.weight", 16, 64, false},
		{"gemma3", 2, 16, "language_model.model.layers.1.self_attn.o_proj.weight", "language_model.model.layers.1.mlp.down_proj.weight", 16, 24, true},
		{"olmo", 2, 16, "model.layers.1.self_attn.o_proj.weight", "model.layers.1.mlp.down_proj.weight", 16, 24, false},
		{"qwen3", 2, 16, "model.layers.1.self_attn.o_proj.weight", "model.layers.1.mlp.down_proj.weight", 24, 24, false},
		{"phi3", 2, 16, "model.layers.1.self_attn.o_proj.weight", "model.layers.1.mlp.down_proj.weight", 16, 24, false},
		{"mpt", 2, 16, "transformer.blocks.1.attn.out_proj.weight", "transformer.blocks.1.ffn.down_proj.weight", 16, 64, false},
		{"stablelm", 2, 16, "model.layers.1.self_attn.o_proj.weight", "model.layers.1.mlp.down_proj.weight", 16, 24, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := filepath.Join("testdata", test.name)
			layers, err := Layers(dir)
			if err != nil || layers != test.layers {
				t.Fatalf("%d layers, %v, want %d", layers, err, test.layers)
			}
			for kind, want := range map[BlockKind]BlockInfo{
				AttentionOut: {Tensor: test.attention, DIn: test.attentionIn},
				MLPOut:       {Tensor: test.mlp, DIn: test.dMLP},
			} {
				b := openBlock(t, dir, kind, layers-1)
				got := b.Info()
				if got.Tensor != want.Tensor || got.DIn != want.DIn || got.DModel != test.dModel || got.PostNorm != test.postNorm ||
					got.Kind != kind || got.Layer != layers-1 || b.Rows() != want.DIn || b.Cols() != test.dModel || len(got.Files) != 2 {
					t.Errorf("%+v", got)
				}
				file := dir + map[BlockKind]string{AttentionOut: ".expected_attention_out.npy", MLPOut: ".expected_mlp_out.npy"}[kind]
				if values := readNPY(t, file, want.DIn, test.dModel); !slices.Equal(readBlock(t, b), values) {
					t.Errorf("%s differs", kind)
				}
			}
		})
	}
}

func TestBlockInShards(t *testing.T) {
	b := openBlock(t, "testdata/gpt-neox", MLPOut, 0)
	if info := b.Info(); len(info.Files) != 3 || !strings.HasSuffix(info.Files[1], indexFile) || b.Rows() != 48 || b.Cols() != 32 {
		t.Errorf("%+v", info)
	}
	if !openBlock(t, "testdata/olmo2", AttentionOut, 0).Info().PostNorm {
		t.Error("OLMo 2 without norms after its parts")
	}
}

// In GGUF every matrix is stored as a linear layer's, GPT-2's too.
func TestBlockInGGUF(t *testing.T) {
	const dIn = 64
	stored := wave(testModel*dIn, 4)
	want := make([]float32, len(stored))
	for i := range dIn {
		for j := range testModel {
			want[i*testModel+j] = stored[j*dIn+i]
		}
	}
	path := filepath.Join(t.TempDir(), "model.gguf")
	gguftest.Write(t, path, []gguftest.Pair{
		{Key: ggufArchKey, Value: "gpt2"}, {Key: "gpt2.block_count", Value: uint32(3)}, {Key: "gpt2.embedding_length", Value: uint32(testModel)},
	}, gguftest.Floats("blk.2.ffn_down.weight", []int{testModel, dIn}, stored...),
		gguftest.Floats("blk.2.attn_output.weight", []int{dIn, testModel}, stored...),
		gguftest.Floats("blk.1.ffn_down_exps.weight", []int{testModel, dIn}, stored...))
	b := openBlock(t, path, MLPOut, 2)
	if !slices.Equal(readBlock(t, b), want) || b.Info().DIn != dIn || b.Info().Tensor != "blk.2.ffn_down.weight" {
		t.Errorf("%+v", b.Info())
	}
	if n, err := Layers(path); n != 3 || err != nil {
		t.Errorf("%d layers, %v", n, err)
	}
	for _, test := range []struct {
		kind  BlockKind
		layer int
		want  string
	}{
		{MLPOut, 3, "layer: expected one from 0 to 2, found 3"},
		{MLPOut, 1, "block 1 is a mixture of experts"},
		{MLPOut, 0, "tensor blk.0.ffn_down.weight: is missing"},
		{AttentionOut, 2, "expected 32 columns, d_model of the metadata, found [32, 64]"},
	} {
		checkBlockFails(t, path, test.kind, test.layer, test.want)
	}
}

func checkBlockFails(t *testing.T, path string, kind BlockKind, layer int, want string) {
	t.Helper()
	b, err := OpenBlock(path, kind, layer)
	if err == nil {
		b.Close()
		t.Fatalf("no error, want %q", want)
	}
	if !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
		t.Errorf("%v\nwant %q", err, want)
	}
}

func TestBlockErrors(t *testing.T) {
	const down = "model.layers.0.mlp.down_proj.weight"
	matrix := func(name string, shape ...int) safetensorstest.Tensor {
		return safetensorstest.F32(name, shape, wave(shape[0]*shape[1], 1)...)
	}
	tests := []struct {
		name, config string
		tensors      []safetensorstest.Tensor
		want         string
	}{
		{"unknown family", `{"model_type": "mamba"}`, nil, `found "mamba"`},
		{"no blocks", `{"model_type": "llama", "num_hidden_layers": 1}`, []safetensorstest.Tensor{matrix("lm_head.weight", 2, 2)}, "download the whole model"},
		{"no blocks, silent configuration", `{"model_type": "llama"}`, []safetensorstest.Tensor{matrix("lm_head.weight", 2, 2)}, "download the whole model"},
		{"another block alone", `{"model_type": "llama", "text_config": {"num_hidden_layers": 0}, "num_hidden_layers": 0}`,
			[]safetensorstest.Tensor{matrix("model.layers.1.self_attn.o_proj.weight", 2, 2)}, "tensor layers.0.mlp.down_proj.weight: is missing"},
		{"experts", `{"model_type": "qwen3_moe", "num_hidden_layers": 1}`,
			[]safetensorstest.Tensor{matrix("model.layers.0.mlp.experts.1.down_proj.weight", 2, 2)}, "block 0 is a mixture of experts, whose neurons are in several matrices"},
		{"other width", `{"model_type": "llama", "num_hidden_layers": 1, "hidden_size": 3}`,
			[]safetensorstest.Tensor{matrix(down, 2, 3)}, "expected 3 columns, d_model of config.json, found [3, 2]"},
		{"a vector", `{"model_type": "llama", "num_hidden_layers": 1}`,
			[]safetensorstest.Tensor{safetensorstest.F32(down, []int{2}, 1, 2)}, "expected a matrix"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := directory(t, map[string]string{configFile: test.config, weightsFile: weights(test.tensors...)})
			checkBlockFails(t, dir, MLPOut, 0, test.want)
		})
	}
	checkBlockFails(t, "testdata/llama", MLPOut, 1, "layer: expected one from 0 to 0, found 1")
	checkBlockFails(t, "testdata/mixtral", MLPOut, 0, "block 0 is a mixture of experts")
	checkBlockFails(t, "testdata/llama", AttentionOut, -1, "layer: expected one from 0 to 0, found -1")
	dir := directory(t, map[string]string{
		configFile: `{"model_type": "llama", "num_hidden_layers": 1}`, indexFile: `{"weight_map": {"model.layers.0.mlp.down_proj.weight": "b.safetensors"}}`,
	})
	checkBlockFails(t, dir, MLPOut, 0, "tensor "+down+" is in this file: download it too")
}
