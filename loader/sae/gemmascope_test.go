package sae

import (
	"archive/zip"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/saedb/saedb/loader/npy/npytest"
)

func TestGemmaScopeGolden(t *testing.T) {
	for _, name := range []string{"gemma-scope-stored", "gemma-scope-deflated", "gemma-scope-fortran"} {
		golden(t, name, name+"/layer_12/width_16k/average_l0_82", func(dir string) Info {
			return Info{
				Path: dir, Name: "layer_12/width_16k/average_l0_82", Format: "gemma-scope", Architecture: "jumprelu",
				Hook: "blocks.12.hook_resid_post", Layer: 12, Space: ResidualStream, DType: "F32", L0: 82,
				Scale: "as-stored; residual stream assumed, since the path names no site",
				Files: []string{filepath.Join(dir, "params.npz")},
			}
		})
	}
}

// gemmaScope writes params.npz in a directory below a new one.
func gemmaScope(t *testing.T, dir string, arrays ...npytest.Array) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), filepath.FromSlash(dir))
	if err := os.MkdirAll(path, 0o755); err != nil {
		t.Fatal(err)
	}
	npytest.Write(t, filepath.Join(path, "params.npz"), npytest.Archive(zip.Deflate, arrays...))
	return path
}

// Names of directories are all the configuration that there is.
func TestGemmaScopeNames(t *testing.T) {
	const below = "layer_3/width_16k/average_l0_70.5"
	assumed := "; residual stream assumed, since the path names no site"
	tests := []struct {
		dir, hook, space, model, scale string
		l0                             float64
	}{
		{"models--google--gemma-scope-2b-pt-res/snapshots/0af3/" + below, "blocks.3.hook_resid_post", ResidualStream, "gemma-2-2b", "", 70.5},
		{"gemma-scope-9b-it-res/" + below, "blocks.3.hook_resid_post", ResidualStream, "gemma-2-9b-it", "", 70.5},
		{"gemma-scope-27b-pt-mlp/" + below, "blocks.3.hook_mlp_out", ResidualStream, "gemma-2-27b", "", 70.5},
		{"gemma-scope-2b-pt-att/" + below, "blocks.3.attn.hook_z", AttentionHeads, "gemma-2-2b", "", 70.5},
		{"gemma-scope-2b-pt-transcoders/" + below, "blocks.3.hook_mlp_out", ResidualStream, "gemma-2-2b", "", 70.5},
		{"my-mlp-saes/layer_3/canonical", "blocks.3.hook_mlp_out", ResidualStream, "", "", 0},
		{"attn/" + below, "blocks.3.attn.hook_z", AttentionHeads, "", "", 70.5},
		{"resid/" + below, "blocks.3.hook_resid_post", ResidualStream, "", "", 70.5},
		{"transcoder/" + below, "blocks.3.hook_mlp_out", ResidualStream, "", "", 70.5},
		{"gemma-scope-2b-pt-res/embedding/width_4k/average_l0_6", "hook_embed", ResidualStream, "gemma-2-2b", "; trained on embeddings divided by √d_model", 6},
		{"else/" + below, "blocks.3.hook_resid_post", ResidualStream, "", assumed, 70.5},
		{"else", "", ResidualStream, "", assumed, 0},
	}
	for _, test := range tests {
		s := open(t, gemmaScope(t, test.dir, npytest.Floats("W_dec", []int{3, 2}, numbered(6)...)))
		i := s.Info()
		if i.Hook != test.hook || i.Space != test.space || i.ModelName != test.model || i.L0 != test.l0 || i.Scale != "as-stored"+test.scale ||
			i.Layer != HookLayer(test.hook) || i.NeuronpediaID != "" {
			t.Errorf("%s: %+v", test.dir, i)
		}
		if isTranscoder := strings.Contains(test.dir, "transcoder"); (i.Architecture == "jumprelu_transcoder") != isTranscoder {
			t.Errorf("%s: architecture %s", test.dir, i.Architecture)
		}
		sameBits(t, test.dir, readAll(t, s), numbered(6))
	}
}

// A decoder as wide as the heads of Gemma 2 is not taken for one in the residual stream.
func TestGemmaScopeHeadsByWidth(t *testing.T) {
	wide := func(d int) npytest.Array { return npytest.Floats("W_dec", []int{1, d}, make([]float32, d)...) }
	for d, hook := range map[int]string{2048: "blocks.3.attn.hook_z", 4096: "blocks.3.attn.hook_z", 2304: "blocks.3.hook_resid_post"} {
		i := open(t, gemmaScope(t, "else/layer_3/x", wide(d))).Info()
		if i.Hook != hook || !strings.Contains(i.Scale, "assumed") {
			t.Errorf("d_model %d: %+v", d, i)
		}
	}
	if i := open(t, gemmaScope(t, "gemma-scope-2b-pt-res/layer_3/x", wide(2048))).Info(); i.Hook != "blocks.3.hook_resid_post" {
		t.Errorf("where the path names the site: %+v", i)
	}
}

// SAELens multiplies W_dec of the embedding's SAEs by √d_model.
func TestGemmaScopeEmbeddingAtSAELensScale(t *testing.T) {
	path := gemmaScope(t, "embedding/width_4k/average_l0_6", npytest.Floats("W_dec", []int{1, 4}, 1, 2, 3, 4))
	sameBits(t, "as stored", readAll(t, open(t, path)), []float32{1, 2, 3, 4})
	scaled, err := Rescaled(open(t, path), SAELens)
	if err != nil {
		t.Fatal(err)
	}
	sameBits(t, "as SAELens", readAll(t, scaled), []float32{2, 4, 6, 8})
}

func TestGemmaScopeSpellings(t *testing.T) {
	for _, name := range []string{"W_dec", "w_dec", "wdec", "w_d"} {
		s := open(t, gemmaScope(t, "x", npytest.Floats("b_dec", []int{2}, 1, 2), npytest.Fortran(name, 3, 2, numbered(6)...)))
		sameBits(t, name, readAll(t, s), numbered(6))
	}
}

func TestGemmaScopeErrors(t *testing.T) {
	decoder := npytest.Floats("W_dec", []int{3, 2}, numbered(6)...)
	bias := func(name string, n int) npytest.Array { return npytest.Floats(name, []int{n}, make([]float32, n)...) }
	nan := float32(math.NaN())
	bfloat := npytest.Array{Name: "W_dec", Descr: "<V2", Shape: []int{3, 2}, Data: make([]byte, 12)}
	for _, test := range []struct {
		arrays []npytest.Array
		want   string
	}{
		{[]npytest.Array{bias("b_enc", 3)}, "tensor W_dec: is missing"},
		{[]npytest.Array{decoder, bias("b_enc", 4), bias("b_dec", 2)}, "expected shape [4, 2] as in b_enc and b_dec, found [3 2]"},
		{[]npytest.Array{decoder, bias("b_dec", 3)}, "expected shape [any, 3] as in b_dec"},
		{[]npytest.Array{decoder, bias("b_enc", 2), bias("b_dec", 3)}, "the tensor is transposed"},
		{[]npytest.Array{bias("W_dec", 6)}, "expected a matrix [d_sae, d_model], found F32 [6]"},
		{[]npytest.Array{bfloat}, "expected F32, F16, BF16 or F64, found <V2 [3 2]"},
		{[]npytest.Array{npytest.Floats("W_dec", []int{3, 2}, 1, 2, 3, 4, nan, 6)}, "feature 2, position 0: expected a finite float32, found NaN"},
	} {
		checkOpenOrRead(t, gemmaScope(t, "x", test.arrays...), test.want)
	}
	damaged := t.TempDir()
	npytest.Write(t, filepath.Join(damaged, "params.npz"), []byte("PK\x03\x04 and no more"))
	checkOpenOrRead(t, damaged, "is no whole zip archive")
	other := npytest.NewMember("W_dec.npy", zip.Deflate, npytest.Bytes(decoder))
	other.CRC32++
	npytest.Write(t, filepath.Join(damaged, "params.npz"), npytest.Zip(other))
	checkOpenOrRead(t, damaged, "checksum error")
}

// checkOpenOrRead holds that the SAE at path cannot be opened or its decoder, of
// three features of two values, not be read, and that the error is a fault with want.
func checkOpenOrRead(t *testing.T, path, want string) {
	t.Helper()
	s, err := Open(path)
	if err == nil {
		t.Cleanup(func() { s.Close() })
		err = s.ReadDecoder(0, make([]float32, 6))
	}
	whole, _ := splitPart(path)
	checkFault(t, err, whole, want)
}
