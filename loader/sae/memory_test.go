package sae

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/saedb/saedb/loader/safetensors"
	"github.com/saedb/saedb/loader/safetensors/safetensorstest"
)

// TestFromTensors: the tensors and the configuration of an SAE in memory give what
// its directory gives.
func TestFromTensors(t *testing.T) {
	for _, name := range []string{"saelens-standard-bf16", "saelens-v1-hook-point", "saelens-transcoder"} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join("testdata", name)
			onDisk, err := Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer onDisk.Close()
			config, err := os.ReadFile(filepath.Join(dir, saelensConfigFile))
			if err != nil {
				t.Fatal(err)
			}
			content, err := os.ReadFile(filepath.Join(dir, saelensWeightsFile))
			if err != nil {
				t.Fatal(err)
			}
			file, err := safetensors.Read("in memory", bytes.NewReader(content), int64(len(content)))
			if err != nil {
				t.Fatal(err)
			}
			inMemory, err := FromTensors(name, config, file)
			if err != nil {
				t.Fatal(err)
			}
			want, got := onDisk.Info(), inMemory.Info()
			want.Path, want.Files, want.Format = got.Path, got.Files, FormatMemory
			if want.Name != got.Name || want.Hook != got.Hook || want.Layer != got.Layer || want.Scale != got.Scale || want.DType != got.DType || want.DSAE != got.DSAE {
				t.Errorf("%+v, expected %+v", got, want)
			}
			a, b := make([]float32, want.DSAE*want.DModel), make([]float32, want.DSAE*want.DModel)
			if err := onDisk.ReadDecoder(0, a); err != nil {
				t.Fatal(err)
			}
			if err := inMemory.ReadDecoder(0, b); err != nil || !slices.Equal(a, b) {
				t.Errorf("decoders differ (%v)", err)
			}
		})
	}
}

// TestSparsityInMemory: sparsity comes beside the decoder, and a frequency is made
// its logarithm as in a file.
func TestSparsityInMemory(t *testing.T) {
	content := safetensorstest.Bytes(
		safetensorstest.F32("W_dec", []int{2, 3}, 1, 2, 3, 4, 5, 6), safetensorstest.F32("sparsity", []int{2}, 0.01, 0))
	file, err := safetensors.Read("in memory", bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	s, err := FromTensors("directions", []byte(`{"hook_name": "blocks.2.hook_resid_post"}`), file)
	if err != nil {
		t.Fatal(err)
	}
	sparsity, err := s.LogSparsity()
	if err != nil || !slices.Equal(sparsity, []float32{-2, -10}) || s.Info().Layer != 2 {
		t.Errorf("%v, layer %d, %v", sparsity, s.Info().Layer, err)
	}
	if _, err := FromTensors("directions", []byte(`[]`), file); err == nil {
		t.Error("a configuration that is no object is taken")
	}
}
