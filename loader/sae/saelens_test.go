package sae

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/saedb/saedb/internal/fault"
)

// shared holds fixtures too large for this repository; tests that use them are
// skipped where it is absent.
const shared = "../../../shared/fixtures"

func open(t *testing.T, path string) SAE {
	t.Helper()
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func readAll(t *testing.T, s SAE) []float32 {
	t.Helper()
	w := make([]float32, s.Info().DSAE*s.Info().DModel)
	if err := s.ReadDecoder(0, w); err != nil {
		t.Fatal(err)
	}
	return w
}

// npyValues reads a little-endian float32 array of NumPy's format, version 1.
func npyValues(t *testing.T, path string) []float32 {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	body := data[10+int(binary.LittleEndian.Uint16(data[8:])):]
	values := make([]float32, len(body)/4)
	if _, err := binary.Decode(body, binary.LittleEndian, values); err != nil {
		t.Fatal(err)
	}
	return values
}

// written is one tensor of a safetensors file that a test writes.
type written struct {
	dtype string
	shape []int
	data  any // of a type that encoding/binary writes
}

func floats(values []float32, shape ...int) written { return written{"F32", shape, values} }

// writeSAE writes a directory with a weights file and, unless they are empty,
// a configuration and a sparsity file.
func writeSAE(t *testing.T, config string, weights, sparsity map[string]written) string {
	t.Helper()
	dir := t.TempDir()
	if config != "" {
		if err := os.WriteFile(filepath.Join(dir, "cfg.json"), []byte(config), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	writeTensors(t, filepath.Join(dir, "sae_weights.safetensors"), weights)
	if sparsity != nil {
		writeTensors(t, filepath.Join(dir, "sparsity.safetensors"), sparsity)
	}
	return dir
}

func writeTensors(t *testing.T, path string, tensors map[string]written) {
	t.Helper()
	header := make(map[string]any)
	var data bytes.Buffer
	for name, tensor := range tensors {
		begin := data.Len()
		if err := binary.Write(&data, binary.LittleEndian, tensor.data); err != nil {
			t.Fatal(err)
		}
		header[name] = map[string]any{"dtype": tensor.dtype, "shape": tensor.shape, "data_offsets": []int{begin, data.Len()}}
	}
	text, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	binary.Write(&file, binary.LittleEndian, uint64(len(text)))
	file.Write(text)
	file.Write(data.Bytes())
	if err := os.WriteFile(path, file.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Oracle: decoders and sparsity as SAELens 6.54.12 has them in float32; for the
// old layouts, which it cannot read, W_dec times the factors of SAELens 5 and log10(frequency + 1e-10).
func TestSAELensGolden(t *testing.T) {
	tests := []struct {
		name         string
		architecture string
		hook         string
		layer        int
		dtype, scale string
		model        string
		neuronpedia  string
	}{
		{"saelens-topk", "topk", "blocks.0.hook_resid_post", 0, "F32", "as-stored", "zoo", ""},
		{"saelens-jumprelu", "jumprelu", "blocks.1.hook_resid_post", 1, "F32", "as-stored", "zoo", ""},
		{"saelens-gated", "gated", "blocks.2.hook_resid_post", 2, "F32", "as-stored", "zoo", ""},
		{"saelens-standard", "standard", "blocks.3.hook_resid_post", 3, "F32", "as-stored", "zoo", ""},
		{"saelens-standard-bf16", "standard", "blocks.3.hook_resid_post", 3, "BF16", "as-stored", "zoo", ""},
		{"saelens-transcoder", "transcoder", "blocks.4.hook_mlp_out", 4, "F32", "as-stored", "zoo", ""},
		{"saelens-v5-flat", "standard", "blocks.8.hook_resid_pre", 8, "F32", "as-stored; scaling_factor applied", "gpt2-small", "gpt2-small/8-res-jb"},
		{"saelens-v1-hook-point", "standard", "blocks.3.hook_resid_pre", 3, "F32", "as-stored", "gpt2-small", ""},
	}
	for _, test := range tests {
		golden(t, test.name, test.name, func(dir string) Info {
			files := []string{filepath.Join(dir, "cfg.json"), filepath.Join(dir, "sae_weights.safetensors")}
			if path := filepath.Join(dir, "sparsity.safetensors"); isFile(path) {
				files = append(files, path)
			}
			in := ""
			if test.architecture == "transcoder" {
				in = "blocks.4.ln2.hook_normalized"
			}
			return Info{
				Path: dir, Name: test.name, InputHook: in, Format: "saelens", Architecture: test.architecture,
				Hook: test.hook, Layer: test.layer, Space: ResidualStream, DType: test.dtype, Scale: test.scale,
				ModelName: test.model, NeuronpediaID: test.neuronpedia, Files: files,
			}
		})
	}
}

func sameBits(t *testing.T, what string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	for i := range got {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Fatalf("%s: value %d is %v, want %v", what, i, got[i], want[i])
		}
	}
}

// Reading in parts and at the same time changes nothing.
func TestReadDecoderInParts(t *testing.T) {
	for _, name := range []string{"saelens-v5-flat", "saelens-standard-bf16"} {
		s := open(t, filepath.Join("testdata", name))
		whole := readAll(t, s)
		d := s.Info().DModel
		var readers sync.WaitGroup
		for _, rows := range []int{1, 7, 32, 96} {
			readers.Go(func() {
				for from := 0; from < 96; from += rows {
					part := make([]float32, min(rows, 96-from)*d)
					if err := s.ReadDecoder(from, part); err != nil {
						t.Error(err)
						return
					}
					if !slices.Equal(part, whole[from*d:from*d+len(part)]) {
						t.Errorf("%s: features from %d, %d at a time, differ", name, from, rows)
					}
				}
			})
		}
		readers.Wait()
	}
}

func TestReadDecoderBounds(t *testing.T) {
	s := open(t, "testdata/saelens-transcoder")
	tests := []struct {
		from, values int
		want         string
	}{
		{-1, 48, "found 1 rows from row -1 on"},
		{96, 48, "found 1 rows from row 96 on"},
		{95, 96, "found 2 rows from row 95 on"},
		{math.MaxInt, 48, "expected rows below 96"},
		{0, 47, "found 47 values"},
		{96, 0, ""},
		{0, 0, ""},
	}
	for _, test := range tests {
		err := s.ReadDecoder(test.from, make([]float32, test.values))
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%d values from feature %d: %v, want %q", test.values, test.from, err, test.want)
		}
	}
}

func TestStoredTypes(t *testing.T) {
	want := []float32{1, -2, 0.5, 65504}
	for _, stored := range []written{
		{"F32", []int{2, 2}, want},
		{"F64", []int{2, 2}, []float64{1, -2, 0.5, 65504}},
		{"F16", []int{2, 2}, []uint16{0x3c00, 0xc000, 0x3800, 0x7bff}},
	} {
		s := open(t, writeSAE(t, `{}`, map[string]written{"W_dec": stored}, nil))
		if got := readAll(t, s); !slices.Equal(got, want) || s.Info().DType != stored.dtype {
			t.Errorf("%s: %v of %s, want %v", stored.dtype, got, s.Info().DType, want)
		}
	}
}

func TestNotFinite(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for name, stored := range map[string]written{
		"NaN":                    floats([]float32{1, 2, 3, 4, 5, nan}, 3, 2),
		"infinity":               floats([]float32{1, 2, 3, 4, 5, inf}, 3, 2),
		"too large for float32":  {"F64", []int{3, 2}, []float64{1, 2, 3, 4, 5, 1e300}},
		"overflow by its factor": floats([]float32{1, 2, 3, 4, 5, math.MaxFloat32}, 3, 2),
	} {
		s := open(t, writeSAE(t, `{"finetuning_scaling_factor": true}`, map[string]written{
			"W_dec": stored, "scaling_factor": floats([]float32{1, 1, 4}, 3),
		}, nil))
		if err := s.ReadDecoder(0, make([]float32, 4)); err != nil {
			t.Errorf("%s: the rows before it: %v", name, err)
		}
		checkFault(t, s.ReadDecoder(1, make([]float32, 4)), "tensor W_dec", "feature 2, position 1")
	}
}

func TestScale(t *testing.T) {
	factors := floats([]float32{2, 3}, 2)
	tests := []struct {
		config  string
		factors written
		scale   string
		first   float32 // the first value of W_dec, stored as 1
	}{
		{`{}`, floats([]float32{1, 1.000001}, 2), "as-stored", 1},
		{`{}`, factors, "as-stored; scaling_factor not applied", 1},
		{`{"finetuning_scaling_factor": true}`, factors, "as-stored; scaling_factor applied", 2},
		{`{"normalize_activations": "layer_norm"}`, floats([]float32{1, 1}, 2), "as-stored; normalize_activations=layer_norm", 1},
		{
			`{"normalize_activations": true, "rescale_acts_by_decoder_norm": true, "finetuning_scaling_factor": true}`, factors,
			"as-stored; normalize_activations=expected_average_only_in; rescale_acts_by_decoder_norm; scaling_factor applied", 2,
		},
	}
	for _, test := range tests {
		s := open(t, writeSAE(t, test.config, map[string]written{
			"W_dec": floats([]float32{1, 1}, 2, 1), "scaling_factor": test.factors,
		}, nil))
		if got := readAll(t, s)[0]; s.Info().Scale != test.scale || got != test.first {
			t.Errorf("%s: scale %q, first value %v; want %q, %v", test.config, s.Info().Scale, got, test.scale, test.first)
		}
	}
}

func TestSAELensErrors(t *testing.T) {
	decoder := floats(make([]float32, 6), 3, 2)
	with := func(decoder written) map[string]written { return map[string]written{"W_dec": decoder} }
	tests := []struct {
		name, config string
		weights      map[string]written
		want         string
	}{
		{"no configuration", "", with(decoder), "download may be incomplete"},
		{"configuration cut short", `{"d_in": 2`, with(decoder), "is no JSON object"},
		{"configuration is a list", `[]`, with(decoder), "is no JSON object"},
		{"configuration is null", `null`, with(decoder), "expected a JSON object"},
		{"huge configuration", `{"a": "` + strings.Repeat("a", maxConfig) + `"}`, with(decoder), "at most 4 MB"},
		{"size is text", `{"d_sae": "3"}`, with(decoder), "setting d_sae"},
		{"size is a fraction", `{"d_in": 2.5}`, with(decoder), "setting d_in"},
		{"size is negative", `{"d_in": -2}`, with(decoder), "found -2"},
		{"hook is a number", `{"metadata": {"hook_name": 4}}`, with(decoder), "setting hook_name"},
		{"metadata is text", `{"metadata": "x"}`, with(decoder), "setting metadata"},
		{"other d_sae", `{"d_sae": 4, "d_in": 2}`, with(decoder), "expected shape [4, 2] as in cfg.json, found [3 2]"},
		{"other d_in", `{"d_in": 3}`, with(decoder), "expected shape [any, 3] as in cfg.json, found [3 2]"},
		{"transposed", `{"d_sae": 2, "d_in": 3}`, with(decoder), "the tensor is transposed"},
		{"other d_out", `{"architecture": "transcoder", "d_in": 2, "d_out": 5}`, with(decoder), "expected shape [any, 5]"},
		{"no decoder", `{}`, map[string]written{"W_enc": decoder}, "tensor W_dec: is missing"},
		{"a vector", `{}`, with(floats(make([]float32, 6), 6)), "expected a matrix [d_sae, d_model]"},
		{"no features", `{}`, with(floats(nil, 0, 2)), "expected a matrix [d_sae, d_model]"},
		{"integers", `{}`, with(written{"I32", []int{3, 2}, make([]int32, 6)}), "expected F32, F16, BF16 or F64, found I32"},
		{"too few factors", `{}`, map[string]written{"W_dec": decoder, "scaling_factor": floats([]float32{1, 2}, 2)}, "expected shape [3]"},
		{"factor not finite", `{"finetuning_scaling_factor": true}`,
			map[string]written{"W_dec": decoder, "scaling_factor": floats([]float32{1, float32(math.NaN()), 1}, 3)}, "feature 1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := writeSAE(t, test.config, test.weights, nil)
			s, err := Open(dir)
			checkFault(t, err, dir, test.want)
			if s != nil {
				t.Error("an SAE beside an error")
			}
		})
	}
}

func TestSparsityErrors(t *testing.T) {
	nan := float32(math.NaN())
	for want, tensors := range map[string]map[string]written{
		"tensor sparsity: is missing":        {"other": floats([]float32{-1, -2}, 2)},
		"expected shape [2]":                 {"sparsity": floats([]float32{-1, -2, -3}, 3)},
		"found [1 2]":                        {"sparsity": floats([]float32{-1, -2}, 1, 2)},
		"feature 1: expected a number":       {"sparsity": floats([]float32{-1, nan}, 2)},
		"0.5 for feature 0 and -1 for featu": {"sparsity": floats([]float32{0.5, -1}, 2)},
	} {
		s := open(t, writeSAE(t, `{}`, map[string]written{"W_dec": floats([]float32{1, 2}, 2, 1)}, tensors))
		_, err := s.LogSparsity()
		checkFault(t, err, "sparsity.safetensors", want)
	}
}

func TestToLogSparsity(t *testing.T) {
	inf := float32(math.Inf(-1))
	for _, test := range []struct{ values, want []float32 }{
		{[]float32{-10, -2.5, 0}, []float32{-10, -2.5, 0}},
		{[]float32{inf, -1}, []float32{-10, -1}},
		{[]float32{0, 0.01, 1}, []float32{-10, -2, 0}},
		{nil, nil},
	} {
		got := slices.Clone(test.values)
		if err := toLogSparsity("test", got); err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%v became %v (%v), want %v", test.values, got, err, test.want)
		}
	}
}

// checkFault fails unless err is a fault that names subject and holds want.
func checkFault(t *testing.T, err error, subject, want string) {
	t.Helper()
	var e *fault.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want a *fault.Error with %q", err, want)
	}
	for _, part := range []string{subject, want} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
}
