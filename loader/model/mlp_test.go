package model

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/saedb/saedb/loader/safetensors"
)

// TestMLPs: rows are those of the tensors, times the norm's weight, less their mean where the norm
// is a LayerNorm, worked out from the files by their names.
func TestMLPs(t *testing.T) {
	const (
		up   = "model.layers.0.mlp.up_proj.weight"
		gate = "model.layers.0.mlp.gate_proj.weight"
		norm = "model.layers.0.post_attention_layernorm.weight"
	)
	for _, c := range []struct {
		dir, in, gate, norm string
		offset              float64
		centered, turned    bool
		half                int // of one tensor: 1 for its second half, the gate its first
	}{
		{dir: "llama", in: up, gate: gate, norm: norm},
		{dir: "qwen2", in: up, gate: gate, norm: norm},
		{dir: "gemma2", in: up, gate: gate, norm: "model.layers.0.pre_feedforward_layernorm.weight", offset: 1},
		{dir: "olmo2", in: up, gate: gate},
		{dir: "olmo", in: up, gate: gate, centered: true},
		{dir: "stablelm", in: up, gate: gate, norm: norm, centered: true},
		{dir: "phi3", in: "model.layers.0.mlp.gate_up_proj.weight", gate: "model.layers.0.mlp.gate_up_proj.weight", norm: norm, half: 1},
		{dir: "phi", in: "model.layers.0.mlp.fc1.weight", norm: "model.layers.0.input_layernorm.weight", centered: true},
		{dir: "gpt2", in: "h.0.mlp.c_fc.weight", norm: "h.0.ln_2.weight", centered: true, turned: true},
		{dir: "gpt-neo", in: "transformer.h.0.mlp.c_fc.weight", norm: "transformer.h.0.ln_2.weight", centered: true},
		{dir: "gpt-j", in: "transformer.h.0.mlp.fc_in.weight", norm: "transformer.h.0.ln_1.weight", centered: true},
		{dir: "bloom", in: "transformer.h.0.mlp.dense_h_to_4h.weight", norm: "transformer.h.0.post_attention_layernorm.weight", centered: true},
		{dir: "opt", in: "model.decoder.layers.0.fc1.weight", norm: "model.decoder.layers.0.final_layer_norm.weight", centered: true},
	} {
		t.Run(c.dir, func(t *testing.T) {
			dir := filepath.Join("testdata", c.dir)
			m, err := OpenMLP(dir, 0, Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			info := m.Info()
			if info.Gated != (c.gate != "") || info.NormFolded != (c.norm != "") || info.Centered != c.centered || info.NormTensor != c.norm {
				t.Errorf("%+v", info)
			}
			var weights []float32
			if c.norm != "" {
				weights = onDisk(t, dir, c.norm)
			}
			for matrix, name := range map[MLPMatrix]string{NeuronsIn: c.in, NeuronsGate: c.gate} {
				if name == "" {
					continue
				}
				values := onDisk(t, dir, name)
				got := make([]float32, info.Neurons*info.DModel)
				if err := m.ReadRows(matrix, 0, got); err != nil {
					t.Fatal(err)
				}
				n, d := info.Neurons, info.DModel
				if size := n * d * (1 + c.half); len(values) != size {
					t.Fatalf("%s: %d values, expected %d", name, len(values), size)
				}
				if c.half == 1 && matrix == NeuronsIn {
					values = values[n*d:]
				}
				for i := range n {
					row, mean := make([]float64, d), 0.0
					for j := range d {
						row[j] = float64(values[i*d+j])
						if c.turned {
							row[j] = float64(values[j*n+i])
						}
						if weights != nil {
							row[j] *= float64(weights[j]) + c.offset
						}
						mean += row[j] / float64(d)
					}
					for j := range d {
						want := row[j]
						if c.centered {
							want -= mean
						}
						if math.Abs(float64(got[i*d+j])-want) > 1e-6 {
							t.Fatalf("%s, neuron %d, position %d: got %v, want %v", matrix, i, j, got[i*d+j], want)
						}
					}
				}
			}
			kept, err := OpenMLP(dir, 0, Options{Processing: ProcessNone})
			if err != nil {
				t.Fatal(err)
			}
			defer kept.Close()
			if info := kept.Info(); info.NormFolded || info.Centered {
				t.Errorf("as stored: %+v", info)
			}
		})
	}
}

// onDisk are the values of a tensor of a directory's one file.
func onDisk(t *testing.T, dir, name string) []float32 {
	t.Helper()
	file, err := safetensors.Open(filepath.Join(dir, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	of, err := file.Tensor(name)
	if err != nil {
		t.Fatal(err)
	}
	n := 1
	for _, size := range of.Shape {
		n *= size
	}
	values := make([]float32, n)
	if err := of.ReadFloats(0, values); err != nil {
		t.Fatal(err)
	}
	return values
}

// TestMLPsRefused: what is not known is said, and what is.
func TestMLPsRefused(t *testing.T) {
	for _, c := range []struct {
		dir   string
		layer int
		says  []string
	}{
		{"llama", 7, []string{"layer", "found 7"}},
		{"mixtral", 0, []string{"how its MLPs are stored is not known", "gpt2", "llama", `"mixtral"`, "without --mlp"}},
	} {
		_, err := OpenMLP(filepath.Join("testdata", c.dir), c.layer, Options{})
		if err == nil {
			t.Errorf("%s, layer %d: no error", c.dir, c.layer)
			continue
		}
		for _, says := range c.says {
			if !strings.Contains(err.Error(), says) {
				t.Errorf("%s: %v does not say %q", c.dir, err, says)
			}
		}
	}
}
