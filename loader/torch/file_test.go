package torch

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/tensor"
	"github.com/saedb/saedb/loader/torch/torchtest"
)

// shared holds fixtures too large for this repository; tests that use them are
// skipped where it is absent.
const shared = "../../../shared/fixtures"

func write(t testing.TB, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.pt")
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func openPath(t testing.TB, path string) *File {
	t.Helper()
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func open(t testing.TB, value any) *File {
	t.Helper()
	return openPath(t, write(t, torchtest.Bytes(value)))
}

func checkFault(t *testing.T, err error, subject, want string) {
	t.Helper()
	var e *fault.Error
	if !errors.As(err, &e) || e.Op != opRead || e.Subject != subject || !strings.Contains(err.Error(), want) {
		t.Errorf("%v\nwant %q about %s", err, want, subject)
	}
}

// values reads a whole tensor, by Matrix where it has two dimensions.
func values(x *tensor.Tensor) ([]float32, error) {
	all := make([]float32, x.Len())
	if len(x.Shape) != 2 || len(all) == 0 {
		return all, x.ReadFloats(0, all)
	}
	m, err := x.Matrix()
	if err != nil {
		return nil, err
	}
	return all, m.ReadRows(0, all)
}

// What PyTorch 2.15 wrote, with testdata/make.py; w is arange(12).reshape(3, 4).
func TestReadVaried(t *testing.T) {
	f := openPath(t, filepath.Join("testdata", "varied.pt"))
	w := []float32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}
	tests := []struct {
		keys  string // separated by "/"
		dtype string
		shape []int
		want  []float32
	}{
		{"w", "F32", []int{3, 4}, w},
		{"columns", "F32", []int{4, 3}, []float32{0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11}},
		{"row", "F32", []int{4}, w[4:8]},
		{"rows", "F32", []int{2, 4}, w[4:]},
		{"bf16", "BF16", []int{3, 4}, w},
		{"f16", "F16", []int{3, 4}, w},
		{"f64", "F64", []int{3, 4}, w},
		{"scalar", "F32", nil, []float32{7}},
		{"empty", "F32", []int{0, 4}, nil},
		{"parameter", "F32", []int{2}, []float32{1, 1}},
		{"tagged", "F32", []int{2}, []float32{1, 1}},
		{"state_dict/weight", "F32", []int{3, 2}, w[:6]},
		{"state_dict/bias", "F32", []int{3}, w[:3]},
		{"optimizer/state/0/step", "F32", nil, []float32{1}},
		{"cfg/list/2", "F32", []int{3, 4}, w},
	}
	for _, test := range tests {
		keys := strings.Split(test.keys, "/")
		x, err := f.At(keys[:len(keys)-1]...).Tensor(keys[len(keys)-1])
		if err != nil {
			t.Error(err)
			continue
		}
		got, err := values(x)
		if err != nil || x.Subject != f.Subject(strings.Join(keys, ".")) || x.DType != test.dtype || !slices.Equal(x.Shape, test.shape) ||
			!slices.Equal(got, test.want) {
			t.Errorf("%s %s %v %v, %v\nwant %+v", x.Subject, x.DType, x.Shape, got, err, test)
		}
	}
	for name, want := range map[string]string{
		"i64": "F32, F16, BF16, F64, found I64", "bool": "found BOOL", "u16": "found U16", "f8": "found F8_E4M3",
		"every_other": "shape [3 2] with strides [4 2]", "expanded": "shape [5] with strides [0]",
	} {
		x, err := f.Tensor(name)
		if err != nil {
			t.Error(err)
			continue
		}
		_, err = values(x)
		checkFault(t, err, f.Path()+": tensor "+name, want)
	}
	for name, want := range map[string]string{
		"sparse": "a call of torch._utils._rebuild_sparse_tensor", "module": "a call of torch.nn.modules.linear.Linear",
		"none": "is missing: found bf16,", "cfg": "expected a tensor, found a dictionary of 17 entries",
	} {
		_, err := f.At().Tensor(name)
		checkFault(t, err, f.Path()+": tensor "+name, want)
	}
	_, err := f.At("module").Tensor("weight")
	checkFault(t, err, f.Path()+": tensor module.weight", "a call of torch.nn.modules.linear.Linear")
}

func TestValues(t *testing.T) {
	f := openPath(t, filepath.Join("testdata", "varied.pt"))
	for key, want := range map[string]any{
		"k": int64(32), "lr": 0.5, "minus": int64(-3), "big": int64(-1 << 40), "name": "gpt2-small é", "none": nil,
		"yes": true, "device": "cuda:0", "numpy_float": 0.25, "numpy_int": int64(-5),
	} {
		if got, ok := f.Value("cfg", key); !ok || got != want {
			t.Errorf("%s: %v %v, want %v", key, got, ok, want)
		}
	}
	for _, key := range []string{"absent", "seed", "args", "list", "default", "set", "dtype"} {
		if got, ok := f.Value("cfg", key); ok {
			t.Errorf("%s: %v", key, got)
		}
	}
	if got, ok := f.Value("cfg", "list", "1"); got != "two" || !ok {
		t.Errorf("list: %v, %v", got, ok)
	}
	if !f.At("cfg").Has("args") || !f.Has("w") || f.At("cfg").Has("absent") || !f.At().Has("cfg") || f.At("w").Has("x") {
		t.Error("Has is wrong")
	}
	if got := f.Keys("state_dict"); !slices.Equal(got, []string{"weight", "bias"}) {
		t.Errorf("keys %v", got)
	}
	if f.Keys("w") != nil || f.Keys("absent") != nil {
		t.Error("keys of what is no dictionary")
	}
	names := f.Names()
	if !slices.IsSorted(names) || !slices.Contains(names, "optimizer.state.1.exp_avg") || !slices.Contains(names, "state_dict.weight") ||
		slices.Contains(names, "module") {
		t.Errorf("names %v", names)
	}
}

func TestOtherProtocolAndRoot(t *testing.T) {
	f := openPath(t, filepath.Join("testdata", "protocol5.pt"))
	name, _ := f.Value("cfg", "name")
	x, err := f.Tensor("w")
	if err != nil || name != "é" || x.Len() != 12 {
		t.Errorf("%v, %v", name, err)
	}
	root := openPath(t, filepath.Join("testdata", "tensor.pt"))
	x, err = root.Tensor("")
	if err != nil || !slices.Equal(x.Shape, []int{3, 4}) || !slices.Equal(root.Names(), []string{""}) {
		t.Errorf("%+v, %v", x, err)
	}
}

// Both ways to read a matrix, of both orders that it may be stored in.
func TestMatrices(t *testing.T) {
	stored := []float32{1, 2, 3, 4, 5, 6}
	columns := torchtest.F32([]int{3, 2}, stored...)
	columns.Strides = []int{1, 3}
	f := open(t, torchtest.Dict{"rows", torchtest.F32([]int{2, 3}, stored...), "columns", columns})
	rows := mustTensor(t, f, "rows")
	turned := mustTensor(t, f, "columns")
	for name, call := range map[string]struct {
		read func() ([]float32, error)
		want []float32
	}{
		"rows":               {func() ([]float32, error) { return readAll(rows.Matrix()) }, stored},
		"rows transposed":    {func() ([]float32, error) { return readAll(rows.Transposed()) }, []float32{1, 4, 2, 5, 3, 6}},
		"columns":            {func() ([]float32, error) { return readAll(turned.Matrix()) }, []float32{1, 4, 2, 5, 3, 6}},
		"columns transposed": {func() ([]float32, error) { return readAll(turned.Transposed()) }, stored},
	} {
		if got, err := call.read(); err != nil || !slices.Equal(got, call.want) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	checkFault(t, turned.ReadFloats(0, make([]float32, 6)), f.Path()+": tensor columns", "contiguous()")
}

// The files that tests of SAE formats read.
func TestFixtures(t *testing.T) {
	root := filepath.Join(shared, "sae-formats")
	if _, err := os.Stat(root); err != nil {
		t.Skipf("needs the larger fixtures: %v", err)
	}
	read := 0
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".pt" {
			return err
		}
		read++
		f := openPath(t, path)
		for _, name := range f.Names() {
			x, err := f.Tensor(name)
			if err != nil {
				return err
			}
			if _, err := values(x); x.Encoding != nil && err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || read == 0 {
		t.Errorf("%d files: %v", read, err)
	}
}

// An object of an unknown class has the attributes that the file sets on it, and a dictionary its
// entries; tensors among them are none of them.
func TestAttribute(t *testing.T) {
	f := open(t, torchtest.Dict{
		"cfg", torchtest.Call{Function: "my.Config", State: torchtest.Dict{"d_in", 16, "name", "m", "none", nil, "w", torchtest.F32([]int{1}, 1), "dict", torchtest.Dict{}}},
		"plain", torchtest.Dict{"d_in", 8}, "bare", torchtest.Call{Function: "my.Config"}, "slots", torchtest.Call{Function: "my.Config", State: torchtest.Tuple{nil}},
	})
	tests := []struct {
		name, at string
		want     any
		ok       bool
	}{
		{"d_in", "cfg", int64(16), true},
		{"name", "cfg", "m", true},
		{"none", "cfg", nil, true},
		{"d_in", "plain", int64(8), true},
		{"w", "cfg", nil, false},
		{"dict", "cfg", nil, false},
		{"absent", "cfg", nil, false},
		{"d_in", "bare", nil, false},
		{"d_in", "slots", nil, false},
		{"d_in", "absent", nil, false},
	}
	for _, test := range tests {
		if got, ok := f.Attribute(test.name, test.at); got != test.want || ok != test.ok {
			t.Errorf("%s of %s: %v, %v", test.name, test.at, got, ok)
		}
	}
	if names := f.Names(); len(names) != 0 {
		t.Errorf("tensors %q in what is not known", names)
	}
}

// Slices of a tensor of three dimensions, and of one that is stored in another order.
func TestSlice(t *testing.T) {
	values := []float32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}
	turned := torchtest.F32([]int{3, 2, 2}, values...)
	turned.Strides = []int{1, 6, 3}
	f := open(t, torchtest.Dict{"w", torchtest.F32([]int{3, 2, 2}, values...), "turned", turned})
	w, err := f.Tensor("w")
	if err != nil {
		t.Fatal(err)
	}
	m, err := w.Slice(1, 1)
	if err != nil {
		t.Fatal(err)
	}
	rows := make([]float32, 6)
	if err := m.ReadRows(0, rows); err != nil || !slices.Equal(rows, []float32{2, 3, 6, 7, 10, 11}) {
		t.Errorf("%v, %v", rows, err)
	}
	_, err = w.Slice(1, 2)
	checkFault(t, err, f.Path()+": tensor w", "an index below 2")
	x, err := f.Tensor("turned")
	if err != nil {
		t.Fatal(err)
	}
	_, err = x.Slice(0, 0)
	checkFault(t, err, f.Path()+": tensor turned", "row-major order")
}
