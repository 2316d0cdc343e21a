package model

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/saedb/saedb/loader/gguf/gguftest"
)

// TestMLPsInGGUF: input weights of neurons in a GGUF file, as its converter names and turns them
// (tensor_mapping.py and convert_hf_to_gguf.py of ggml-org/llama.cpp), are those of the checkpoint:
// plain, gated and fused, with the norm before the MLP, with Gemma's 1 in it, with a norm that
// attention and MLP share, and without one.
func TestMLPsInGGUF(t *testing.T) {
	for _, c := range []struct {
		dir, architecture, norm string // the norm's name in GGUF, empty for none
		offset                  float32
		fused                   bool
	}{
		{dir: "llama", architecture: "llama", norm: "ffn_norm"},
		{dir: "qwen2", architecture: "qwen2", norm: "ffn_norm"},
		{dir: "gemma2", architecture: "gemma2", norm: "ffn_norm", offset: 1},
		{dir: "olmo2", architecture: "olmo2"},
		{dir: "olmo", architecture: "olmo"},
		{dir: "phi3", architecture: "phi3", norm: "ffn_norm", fused: true},
		{dir: "phi", architecture: "phi2", norm: "attn_norm"},
		{dir: "gpt2", architecture: "gpt2", norm: "ffn_norm"},
		{dir: "gpt-j", architecture: "gptj", norm: "attn_norm"},
		{dir: "bloom", architecture: "bloom", norm: "ffn_norm"},
	} {
		t.Run(c.architecture, func(t *testing.T) {
			dir := filepath.Join("testdata", c.dir)
			stored, want := openMLP(t, dir, Options{Processing: ProcessNone}), openMLP(t, dir, Options{})
			info := want.Info()
			shape := []int{info.Neurons, info.DModel}
			in := readNeurons(t, stored, NeuronsIn)
			tensors := []gguftest.Tensor{gguftest.Floats("blk.0.ffn_up.weight", shape, in...)}
			switch {
			case c.fused:
				both := append(readNeurons(t, stored, NeuronsGate), in...)
				tensors[0] = gguftest.Floats("blk.0.ffn_up.weight", []int{2 * info.Neurons, info.DModel}, both...)
			case info.Gated:
				tensors = append(tensors, gguftest.Floats("blk.0.ffn_gate.weight", shape, readNeurons(t, stored, NeuronsGate)...))
			}
			if c.norm != "" {
				norm := normOf(t, dir, info.NormTensor)
				for i := range norm {
					norm[i] += c.offset
				}
				tensors = append(tensors, gguftest.Floats("blk.0."+c.norm+".weight", []int{info.DModel}, norm...))
			}
			if c.norm == "ffn_norm" { // that before attention is not taken for it
				tensors = append(tensors, gguftest.Floats("blk.0.attn_norm.weight", []int{info.DModel}, make([]float32, info.DModel)...))
			}
			path := writeMLP(t, c.architecture, 1, tensors...)
			converted := openMLP(t, path, Options{})
			got := converted.Info()
			if got.Neurons != info.Neurons || got.DModel != info.DModel || got.Gated != info.Gated || got.Centered != info.Centered || got.NormFolded != info.NormFolded ||
				!slices.Equal(got.Files, []string{path}) || (got.NormTensor == "") != (c.norm == "") {
				t.Errorf("%+v, want %+v", got, info)
			}
			matrices := []MLPMatrix{NeuronsIn}
			if info.Gated {
				matrices = append(matrices, NeuronsGate)
			}
			for _, m := range matrices {
				if worst := largestDifference(readNeurons(t, converted, m), readNeurons(t, want, m)); !(worst < 1e-6) { // Gemma's 1 was added in float32
					t.Errorf("%s: a weight differs by %g", m, worst)
				}
			}
		})
	}
}

// TestMLPsInGGUFRefused: a file that lacks a tensor, or has another form, says so.
func TestMLPsInGGUFRefused(t *testing.T) {
	const d, n = 4, 6
	matrix := func(name string, rows int) gguftest.Tensor {
		return gguftest.Floats("blk.0."+name+".weight", []int{rows, d}, wave(rows*d, 1)...)
	}
	norm := gguftest.Floats("blk.0.ffn_norm.weight", []int{d}, 1, 1, 1, 1)
	experts := gguftest.Floats("blk.0.ffn_up_exps.weight", []int{n, d}, wave(n*d, 1)...)
	for name, c := range map[string]struct {
		architecture string
		layer        int
		tensors      []gguftest.Tensor
		want         string
	}{
		"a mixture of experts": {"llama", 0, []gguftest.Tensor{experts, norm}, "blk.0.ffn_up.weight: is missing: found blk.0.ffn_norm.weight, blk.0.ffn_up_exps.weight (block 0 is a mixture of experts"},
		"no gate":              {"llama", 0, []gguftest.Tensor{matrix("ffn_up", n), norm}, "blk.0.ffn_gate.weight: is missing"},
		"a gate of another shape": {
			"llama", 0, []gguftest.Tensor{matrix("ffn_up", n), matrix("ffn_gate", n-1), norm}, "expected [6, 4], the shape of blk.0.ffn_up.weight, found [5, 4]",
		},
		"attention's norm alone": {
			"llama", 0, []gguftest.Tensor{matrix("ffn_up", n), matrix("ffn_gate", n), gguftest.Floats("blk.0.attn_norm.weight", []int{d}, 1, 1, 1, 1)},
			"blk.0.ffn_norm.weight: is missing",
		},
		"an odd fused one":     {"phi3", 0, []gguftest.Tensor{matrix("ffn_up", n-1), norm}, "expected as many rows for gate and input, found 5"},
		"a layer too many":     {"llama", 1, []gguftest.Tensor{matrix("ffn_up", n), matrix("ffn_gate", n), norm}, "layer: expected one from 0 to 0, found 1"},
		"an unknown MLP":       {"mamba", 0, []gguftest.Tensor{matrix("ffn_up", n), norm}, "how its MLPs are stored is not known"},
		"a norm of other size": {"llama", 0, []gguftest.Tensor{matrix("ffn_up", n), matrix("ffn_gate", n), gguftest.Floats("blk.0.ffn_norm.weight", []int{3}, 1, 1, 1)}, "found [3]"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := OpenMLP(writeMLP(t, c.architecture, 1, c.tensors...), c.layer, Options{})
			if err == nil {
				m.Close()
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v\nwant %q", err, c.want)
			}
		})
	}
}

func writeMLP(t *testing.T, architecture string, layers int, tensors ...gguftest.Tensor) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), fmt.Sprintf("%s.gguf", architecture))
	gguftest.Write(t, path, []gguftest.Pair{{Key: ggufArchKey, Value: architecture}, {Key: architecture + ggufLayersKey, Value: uint32(layers)}}, tensors...)
	return path
}

func openMLP(t *testing.T, path string, o Options) *MLP {
	t.Helper()
	m, err := OpenMLP(path, 0, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func readNeurons(t *testing.T, m *MLP, matrix MLPMatrix) []float32 {
	t.Helper()
	values := make([]float32, m.Info().Neurons*m.Info().DModel)
	if err := m.ReadRows(matrix, 0, values); err != nil {
		t.Fatal(err)
	}
	return values
}
