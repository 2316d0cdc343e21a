package lens

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/torch/torchtest"
)

// value is what testdata/make.py writes.
func value(layer, i, j int) float32 {
	return float32(layer) + float32(i)/8 + float32(j)/64
}

// checkRows makes sure that matrices have the values of make.py, of the layers that its files call
// named, in parts that end within a matrix.
func checkRows(t *testing.T, l *Lens, named []int, transposed bool) {
	t.Helper()
	d := l.Info().DModel
	all := make([]float32, len(named)*d*d)
	for from := 0; from < len(named)*d; from += 3 {
		to := min(from+3, len(named)*d)
		if err := l.ReadRows(from, all[from*d:to*d]); err != nil {
			t.Fatal(err)
		}
	}
	for at, layer := range named {
		for i := range d {
			for j := range d {
				want := value(layer, i, j)
				if transposed {
					want = value(layer, j, i)
				}
				if got := all[(at*d+i)*d+j]; got != want {
					t.Fatalf("layer %d, [%d, %d]: %g, want %g", layer, i, j, got, want)
				}
			}
		}
	}
}

func TestLayouts(t *testing.T) {
	three := []int{0, 1, 2}
	for _, test := range []struct {
		path   string
		want   Info
		layers []int // as files number them, where they do otherwise
	}{
		{"published/small_jacobian_lens.pt", Info{Name: "small_jacobian_lens", Kind: Jacobian, DType: "F16", Target: -1, Layers: three, Prompts: 200, Model: "org/small", Corpus: "Salesforce/wikitext wikitext-103-raw-v1"}, nil},
		{"published", Info{Name: "published", Kind: Jacobian, DType: "F16", Target: -1, Layers: three, Prompts: 200, Model: "org/small", Corpus: "Salesforce/wikitext wikitext-103-raw-v1"}, nil},
		{"protocol3.pt", Info{Name: "protocol3", Kind: Jacobian, DType: "F16", Target: -1, Layers: three, Prompts: 200}, nil},
		{"protocol4.pt", Info{Name: "protocol4", Kind: Jacobian, DType: "F16", Target: -1, Layers: three, Prompts: 200}, nil},
		{"protocol5.pt", Info{Name: "protocol5", Kind: Jacobian, DType: "F16", Target: -1, Layers: three, Prompts: 200}, nil},
		{"legacy.pt", Info{Name: "legacy", Kind: Jacobian, DType: "F16", Target: -1, Layers: three, Prompts: 200}, nil},
		{"transformer_lens.pt", Info{Name: "transformer_lens", Kind: Jacobian, DType: "F16", Target: 3, Layers: three, Prompts: 200, Model: "small", Corpus: "wikitext"}, nil},
		{"by_layer.pt", Info{Name: "by_layer", Kind: Matrices, DType: "F32", Target: -1, Layers: three}, nil},
		{"by_hook.pt", Info{Name: "by_hook", Kind: Matrices, DType: "F32", Target: -1, Layers: three}, nil},
		{"stack.pt", Info{Name: "stack", Kind: Matrices, DType: "F32", Target: -1, Layers: three}, nil},
		{"tuned", Info{Name: "tuned", Kind: Tuned, DType: "F32", Target: -1, Residual: true, Layers: []int{-1, 0, 1, 2}, Blocks: 4, Model: "org/small"}, []int{0, 1, 2, 3}},
		{"tuned/params.pt", Info{Name: "tuned", Kind: Tuned, DType: "F32", Target: -1, Residual: true, Layers: []int{-1, 0, 1, 2}, Blocks: 4, Model: "org/small"}, []int{0, 1, 2, 3}},
		{"tuned/config.json", Info{Name: "tuned", Kind: Tuned, DType: "F32", Target: -1, Residual: true, Layers: []int{-1, 0, 1, 2}, Blocks: 4, Model: "org/small"}, []int{0, 1, 2, 3}},
	} {
		t.Run(test.path, func(t *testing.T) {
			l, err := Open(filepath.Join("testdata", test.path), Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			got, want := l.Info(), test.want
			want.Path, want.Format, want.DModel, want.Files = got.Path, "pt", 4, got.Files
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
			if layers := test.layers; layers != nil {
				checkRows(t, l, layers, false)
			} else {
				checkRows(t, l, want.Layers, false)
			}
		})
	}
}

// A matrix that lies column by column, and types that differ.
func TestColumns(t *testing.T) {
	l, err := Open("testdata/columns.pt", Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if info := l.Info(); info.DType != "F32, BF16" || !slices.Equal(info.Layers, []int{0, 1}) {
		t.Errorf("%+v", info)
	}
	rows := make([]float32, 4)
	if err := l.ReadRows(1, rows); err != nil || rows[2] != value(0, 2, 1) {
		t.Errorf("%v, %v", rows, err)
	}
}

// array is an array as NumPy writes it.
func array(shape string, values ...float32) []byte {
	header := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': %s, }", shape)
	header += strings.Repeat(" ", 63-(len(header)+10)%64) + "\n"
	out := append([]byte("\x93NUMPY\x01\x00"), byte(len(header)), byte(len(header)>>8))
	out = append(out, header...)
	for _, v := range values {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(v))
	}
	return out
}

func matrixOf(layer, d int) []float32 {
	var all []float32
	for i := range d {
		for j := range d {
			all = append(all, value(layer, i, j))
		}
	}
	return all
}

func TestArrays(t *testing.T) {
	dir := t.TempDir()
	stack := filepath.Join(dir, "stack.npy")
	write(t, stack, array("(2, 3, 3)", append(matrixOf(0, 3), matrixOf(1, 3)...)...))
	several := filepath.Join(dir, "several")
	for _, layer := range []int{2, 10} {
		write(t, filepath.Join(several, fmt.Sprintf("layer_%d.npy", layer)), array("(3, 3)", matrixOf(layer, 3)...))
	}
	for path, layers := range map[string][]int{stack: {0, 1}, several: {2, 10}} {
		l, err := Open(path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := l.Info(); !slices.Equal(got.Layers, layers) || got.DModel != 3 || got.Kind != Matrices {
			t.Errorf("%+v", got)
		}
		checkRows(t, l, layers, false)
		l.Close()
	}
	l, err := Open(several, Options{Transposed: true})
	if err != nil {
		t.Fatal(err)
	}
	checkRows(t, l, []int{2, 10}, true)
	l.Close()
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// saved writes a file of torch.save and returns its path.
func saved(t *testing.T, name string, value any) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	write(t, path, torchtest.Bytes(value))
	return path
}

func TestRefused(t *testing.T) {
	square := torchtest.F32([]int{2, 2}, 1, 2, 3, 4)
	for _, test := range []struct{ name, path, want string }{
		{"absent", "testdata/none.pt", "no such file"},
		{"a checkpoint", "testdata/checkpoint.pt", "the checkpoint of a fit, with sums over 7 prompts"},
		{"of MLPs", "testdata/of_mlps.pt", "one of mlp_out"},
		{"a directory of several", "testdata", "expected one lens"},
		{"another ending", "testdata/make.py", `found ".py"`},
		{"not square", saved(t, "a.pt", torchtest.Dict{"J", torchtest.Dict{"0", torchtest.F32([]int{2, 3}, 1, 2, 3, 4, 5, 6)}}), "expected a matrix [2, 2], found [2, 3]"},
		{"of another d_model than it says", saved(t, "a.pt", torchtest.Dict{"J", torchtest.Dict{"0", square}, "d_model", 3}), "expected a matrix [3, 3], found [2, 2]"},
		{"a layer that is no number", saved(t, "a.pt", torchtest.Dict{"J", torchtest.Dict{"last", square}}), `found "last"`},
		{"a listed layer that is not there", saved(t, "a.pt", torchtest.Dict{"J", torchtest.Dict{"0", square}, "source_layers", torchtest.List{1}}), "layer 1 of source_layers has no matrix"},
		{"more matrices than are listed", saved(t, "a.pt", torchtest.Dict{"J", torchtest.Dict{"0", square, "1", square}, "source_layers", torchtest.List{1}}), "expected the 2 layers of J, found 1"},
		{"what a call makes", saved(t, "a.pt", torchtest.Dict{"J", torchtest.Dict{"0", torchtest.Call{Function: "os.system", Args: torchtest.Tuple{"false"}}}}), "a call of os.system makes"},
		{"names without numbers", saved(t, "a.pt", torchtest.Dict{"first", square, "second", square}), "expected a name with the number of the layer"},
		{"names with several", saved(t, "a.pt", torchtest.Dict{"gpt2.0", square, "gpt2.1", square}), "found 2 numbers"},
		{"names of two kinds", saved(t, "a.pt", torchtest.Dict{"a.0", square, "b.1", square}), "differ in the number of the layer alone"},
		{"another point", saved(t, "a.pt", torchtest.Dict{"blocks.0.hook_resid_mid", square, "blocks.1.hook_resid_mid", square}), "one at resid_mid"},
		{"several streams", saved(t, "a.pt", torchtest.Dict{"J", torchtest.Dict{"0", square}, "provenance", torchtest.Dict{"stream_reduce", "mean"}}), "reduced by mean"},
		{"params without a configuration", saved(t, "params.pt", torchtest.Dict{"0.weight", square}), "a tuned lens is params.pt and config.json in one directory"},
		{"no matrices", saved(t, "a.pt", torchtest.Dict{"J", torchtest.Dict{}}), "expected a matrix for each layer, found none"},
	} {
		t.Run(test.name, func(t *testing.T) {
			l, err := Open(test.path, Options{})
			var e *fault.Error
			if !errors.As(err, &e) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
			if err == nil {
				l.Close()
			}
		})
	}
}

func TestTunedConfigurations(t *testing.T) {
	square := torchtest.F32([]int{2, 2}, 1, 2, 3, 4)
	for config, want := range map[string]string{
		`{"d_model": 2, "num_hidden_layers": 2}`:                     "a weight for each of the 2 layers",
		`{"d_model": 3, "num_hidden_layers": 1}`:                     "expected a matrix [3, 3], found [2, 2]",
		`{"d_model": 2, "num_hidden_layers": 1, "lens_type": "mlp"}`: "expected lens_type linear_tuned_lens, found mlp",
		`[]`: "is no JSON object of a tuned lens",
		`{"d_model": 2, "num_hidden_layers": 1, "bias": true}`:                                                   "",
		`{"d_model": 2, "num_hidden_layers": 1, "lens_type": "linear_tuned_lens", "base_model_revision": "abc"}`: "",
	} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "config.json"), []byte(config))
		write(t, filepath.Join(dir, "params.pt"), torchtest.Bytes(torchtest.OrderedDict{"0.weight", square, "0.bias", torchtest.F32([]int{2}, 1, 2)}))
		l, err := Open(dir, Options{})
		if err == nil {
			l.Close()
		}
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", config, err, want)
		}
	}
}

func TestNotFinite(t *testing.T) {
	l, err := Open(saved(t, "a.pt", torchtest.Dict{"J", torchtest.Dict{"3", torchtest.F32([]int{2, 2}, 1, 2, 3, float32(math.Inf(1)))}}), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	err = l.ReadRows(0, make([]float32, 4))
	if err == nil || !strings.Contains(err.Error(), "tensor J.3: row 1, column 1: expected a finite weight") && !strings.Contains(err.Error(), "row 1, column 1") {
		t.Error(err)
	}
}
