package model

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/saedb/saedb/loader/safetensors"
	"github.com/saedb/saedb/loader/safetensors/safetensorstest"
	"github.com/saedb/saedb/loader/tensor"
)

// inMemory reads a file whole, as a client hands it over.
func inMemory(t *testing.T, path string) *tensor.File {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	file, err := safetensors.Read("in memory", bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func allRows(t *testing.T, u *Unembedding) []float32 {
	t.Helper()
	rows := make([]float32, u.Info().DVocab*u.Info().DModel)
	if err := u.ReadRows(0, rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestFromTensors: a model in memory gives what the same model gives from disk, of
// the tensors that Wanted names alone.
func TestFromTensors(t *testing.T) {
	for _, family := range []string{"gpt2", "gemma2", "llama", "olmo2", "phi", "qwen2"} {
		t.Run(family, func(t *testing.T) {
			dir := filepath.Join("testdata", family)
			onDisk, err := Open(dir, Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer onDisk.Close()
			config, err := os.ReadFile(filepath.Join(dir, configFile))
			if err != nil {
				t.Fatal(err)
			}
			file := inMemory(t, filepath.Join(dir, weightsFile))
			wanted, err := Wanted(config, append(file.Names(), "model.layers.0.norm.weight", "lm_head.bias"))
			p := onDisk.Info().Processing
			if err != nil || !slices.Contains(wanted, p.UnembeddingTensor) || p.NormTensor != "" && !slices.Contains(wanted, p.NormTensor) || len(wanted) > 3 {
				t.Fatalf("wanted %v, %v", wanted, err)
			}
			u, err := FromTensors(config, file, ProcessTransformerLens)
			if err != nil {
				t.Fatal(err)
			}
			if u.Info().Processing != p || u.Info().Format != FormatMemory {
				t.Errorf("%+v, expected %+v", u.Info(), p)
			}
			if !slices.Equal(allRows(t, u), allRows(t, onDisk)) {
				t.Error("rows differ from those of the same model on disk")
			}
		})
	}
}

// TestProcessed: what somebody else has processed is taken as it is, and is seen to
// be centred or not.
func TestProcessed(t *testing.T) {
	u, err := Open(filepath.Join("testdata", "gpt2"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	rows, d := allRows(t, u), u.Info().DModel
	columns := make([]float32, len(rows)) // W_U [d_model, d_vocab]
	for i, v := range rows {
		columns[i%d*(len(rows)/d)+i/d] = v
	}
	for name, c := range map[string]struct {
		shift            float32
		overVocab, overD bool
	}{"centred": {0, true, true}, "over neither": {0.5, false, false}} {
		t.Run(name, func(t *testing.T) {
			given := slices.Clone(columns)
			for i := range given {
				given[i] += c.shift
			}
			path := filepath.Join(t.TempDir(), weightsFile)
			safetensorstest.Write(t, path, safetensorstest.F32("W_U", []int{d, len(rows) / d}, given...))
			taken, err := Processed(inMemory(t, path), AsIs{Architecture: "gpt2", Tensor: "W_U", Transposed: true, Norm: LayerNorm, NormFolded: true})
			if err != nil {
				t.Fatal(err)
			}
			p := taken.Info().Processing
			if p.CenteredOverVocab != c.overVocab || p.CenteredOverDModel != c.overD || !p.NormFolded || taken.Info().DVocab != len(rows)/d {
				t.Errorf("%+v", taken.Info())
			}
			got := allRows(t, taken)
			for i := range got {
				if got[i] != rows[i]+c.shift {
					t.Fatalf("value %d: %g, expected %g", i, got[i], rows[i]+c.shift)
				}
			}
		})
	}
}

// FuzzWanted: no configuration and no names panic.
func FuzzWanted(f *testing.F) {
	f.Add([]byte(`{"model_type": "gpt2"}`), "transformer.wte.weight")
	f.Add([]byte(`{"model_type": "llama", "text_config": null}`), "")
	f.Add([]byte(`{"model_type": "llama", "llm_config": 1, "thinker_config": {"text_config": {"vocab_size": NaN}}}`), "lm_head.qweight")
	f.Fuzz(func(t *testing.T, config []byte, name string) {
		wanted, err := Wanted(config, []string{name, "lm_head.weight", "norm.weight"})
		if err == nil && len(wanted) > 3 {
			t.Errorf("%q", wanted)
		}
	})
}
