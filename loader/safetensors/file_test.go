package safetensors

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/safetensors/safetensorstest"
	"github.com/saedb/saedb/loader/tensor"
)

func write(t testing.TB, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.safetensors")
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t testing.TB, content []byte) *tensor.File {
	t.Helper()
	f, err := Open(write(t, content))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestReadTensors(t *testing.T) {
	f := open(t, safetensorstest.Bytes(
		safetensorstest.F32("w", []int{2, 3}, 1, 2, 3, 4, 5, 6),
		safetensorstest.Tensor{Name: "bf", DType: "BF16", Shape: []int{2}, Data: []byte{0x80, 0x3f, 0x20, 0xc1}},
		safetensorstest.Tensor{Name: "half", DType: "F16", Shape: []int{1}, Data: []byte{0, 0x3c}},
		safetensorstest.F32("empty", []int{0, 4}),
		safetensorstest.F32("scalar", nil, 7),
	))
	if got := f.Names(); !slices.Equal(got, []string{"bf", "empty", "half", "scalar", "w"}) {
		t.Errorf("names %v", got)
	}
	if !f.Has("w") || f.Has("v") {
		t.Errorf("Has(w) %v, Has(v) %v", f.Has("w"), f.Has("v"))
	}
	tests := []struct {
		name, dtype string
		shape       []int
		values      []float32
	}{
		{"w", "F32", []int{2, 3}, []float32{1, 2, 3, 4, 5, 6}},
		{"bf", "BF16", []int{2}, []float32{1, -10}},
		{"half", "F16", []int{1}, []float32{1}},
		{"empty", "F32", []int{0, 4}, []float32{}},
		{"scalar", "F32", []int{}, []float32{7}},
	}
	for _, test := range tests {
		x, err := f.Tensor(test.name)
		if err != nil {
			t.Fatal(err)
		}
		values := make([]float32, x.Len())
		if err := x.ReadFloats(0, values); err != nil {
			t.Fatal(err)
		}
		if x.Subject != f.Path()+": tensor "+test.name || x.DType != test.dtype || !slices.Equal(x.Shape, test.shape) || !slices.Equal(values, test.values) {
			t.Errorf("%s %s %v %v, want %+v", x.Subject, x.DType, x.Shape, values, test)
		}
	}
	w, _ := f.Tensor("w")
	m, err := w.Matrix()
	if err != nil {
		t.Fatal(err)
	}
	row := make([]float32, 3)
	if err := m.ReadRows(1, row); err != nil || !slices.Equal(row, []float32{4, 5, 6}) {
		t.Errorf("row 1: %v, %v", row, err)
	}
}

func TestErrorsOfTensors(t *testing.T) {
	f := open(t, safetensorstest.Bytes(
		safetensorstest.F32("vector", []int{1}, 1),
		safetensorstest.Tensor{Name: "ids", DType: "I64", Shape: []int{1, 1}, Data: make([]byte, 8)},
	))
	_, missing := f.Tensor("W_dec")
	checkFault(t, missing, f.Path()+": tensor W_dec", "found ids, vector")
	vector, _ := f.Tensor("vector")
	_, err := vector.Matrix()
	checkFault(t, err, f.Path()+": tensor vector", "shape [1]")
	ids, _ := f.Tensor("ids")
	checkFault(t, ids.ReadFloats(0, make([]float32, 1)), f.Path()+": tensor ids", "F32, F16, BF16, F64, found I64")
	_, err = ids.Matrix()
	checkFault(t, err, f.Path()+": tensor ids", "found I64")
}

func checkFault(t *testing.T, err error, subject, want string) {
	t.Helper()
	var e *fault.Error
	if !errors.As(err, &e) || e.Op != opRead || e.Subject != subject || !strings.Contains(err.Error(), want) {
		t.Errorf("%v\nwant %q about %s", err, want, subject)
	}
}

func TestDamagedFiles(t *testing.T) {
	valid := safetensorstest.Bytes(safetensorstest.F32("w", []int{2}, 1, 2))
	header := func(text string, values int) []byte {
		return safetensorstest.Raw([]byte(text), make([]byte, values))
	}
	long := slices.Clone(valid)
	copy(long, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	tests := []struct {
		name    string
		content []byte
		want    string
	}{
		{"empty file", nil, "expected a safetensors file, found 0 bytes"},
		{"seven bytes", valid[:7], "found 7 bytes"},
		{"header cut", valid[:20], "header length"},
		{"header length beyond the file", long, "found 18446744073709551615"},
		{"values cut", valid[:len(valid)-1], "was it downloaded whole?"},
		{"NaN as a shape", header(`{"a":{"dtype":"F32","shape":[NaN],"data_offsets":[0,4]}}`, 4), "expected 0 × 32 bits"},
		{"values beyond the last tensor", append(slices.Clone(valid), 0), "expected 8 bytes of values after the header, found 9"},
		{"LFS pointer", []byte("version https://git-lfs.github.com/spec/v1\n"), "git lfs pull"},
		{"no JSON", header(`hello`, 0), "header is not a JSON object"},
		{"an array", header(`[]`, 0), "header is not a JSON object"},
		{"JSON cut", header(`{"a":`, 0), `value of "a"`},
		{"no end", header(`{`, 0), "not a JSON object"},
		{"text after the object", header(`{} {}`, 0), "text after its JSON object"},
		{"invalid UTF-8", header("{\"\xff\":1}", 0), "not a JSON object"},
		{"metadata of numbers", header(`{"__metadata__":{"a":1}}`, 0), `value of "__metadata__"`},
		{"twice the same name", header(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, 2), `"a" is there twice`},
		{"metadata twice", header(`{"__metadata__":{},"__metadata__":{}}`, 0), "is there twice"},
		{"no dtype", header(`{"a":{"shape":[1],"data_offsets":[0,1]}}`, 1), "expected dtype, shape and two data_offsets"},
		{"no shape", header(`{"a":{"dtype":"U8","data_offsets":[0,1]}}`, 1), "expected dtype, shape and two data_offsets"},
		{"null", header(`{"a":null}`, 0), "expected dtype, shape and two data_offsets"},
		{"one offset", header(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}}`, 1), "expected dtype, shape and two data_offsets"},
		{"negative dimension", header(`{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}}`, 1), `value of "a"`},
		{"fractional offset", header(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1.5]}}`, 1), `value of "a"`},
		{"descending offsets", header(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}}`, 1), "ascending"},
		{"size and shape differ", header(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`, 4), "expected 2 × 32 bits for F32 [2], found 4 bytes"},
		{"overflowing shape", header(`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}`, 4), "too large"},
		{"overflowing size", header(`{"a":{"dtype":"F32","shape":[9223372036854775807],"data_offsets":[0,4]}}`, 4), "found 4 bytes"},
		{"beyond the file", header(`{"a":{"dtype":"U8","shape":[9],"data_offsets":[0,9]}}`, 1), "expected 9 bytes of values"},
		{"overlap", header(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}`, 3), "overlap"},
		{"gap", header(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}`, 3), "gap"},
		{"gap before the first", header(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, 2), "gap"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := write(t, test.content)
			f, err := Open(path)
			if err == nil {
				f.Close()
				t.Fatal("no error")
			}
			checkFault(t, err, path, test.want)
		})
	}
}

// A type that a later version of the format adds does not keep a file from being
// read, only its own tensors.
func TestUnknownType(t *testing.T) {
	f := open(t, safetensorstest.Bytes(
		safetensorstest.Tensor{Name: "new", DType: "F12", Shape: []int{2}, Data: make([]byte, 3)},
		safetensorstest.F32("w", []int{1}, 4),
	))
	x, err := f.Tensor("new")
	if err != nil {
		t.Fatal(err)
	}
	checkFault(t, x.ReadFloats(0, make([]float32, 1)), f.Path()+": tensor new", "found F12")
	w, _ := f.Tensor("w")
	got := []float32{float32(math.NaN())}
	if err := w.ReadFloats(0, got); err != nil || got[0] != 4 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestOpenMissing(t *testing.T) {
	_, err := Open(filepath.Join(t.TempDir(), "none"))
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v is not os.ErrNotExist", err)
	}
}

// FuzzOpen holds that any bytes give a file whose every tensor can be read, or an
// error.
func FuzzOpen(f *testing.F) {
	f.Add([]byte{})
	f.Add(safetensorstest.Bytes())
	f.Add(safetensorstest.Bytes(safetensorstest.F32("w", []int{2, 2}, 1, 2, 3, 4), safetensorstest.F32("b", []int{2}, 1, 2)))
	f.Add(safetensorstest.Raw([]byte(`{"a":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}`), []byte{1, 2}))
	f.Add(safetensorstest.Raw([]byte(`{"a":{"dtype":"F4","shape":[2],"data_offsets":[0,1]},"__metadata__":{}}`), []byte{1}))
	path := filepath.Join(f.TempDir(), "x.safetensors")
	f.Fuzz(func(t *testing.T, content []byte) {
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		file, err := Open(path)
		if err != nil {
			var e *fault.Error
			if !errors.As(err, &e) {
				t.Fatalf("%T is no *fault.Error: %v", err, err)
			}
			return
		}
		defer file.Close()
		for _, name := range file.Names() {
			x, err := file.Tensor(name)
			if err != nil {
				t.Fatal(err)
			}
			if x.Encoding == nil {
				continue
			}
			if x.Len() > len(content) {
				t.Fatalf("%s: %d values in a file of %d bytes", name, x.Len(), len(content))
			}
			if err := x.ReadFloats(0, make([]float32, x.Len())); err != nil {
				t.Fatal(err)
			}
		}
	})
}
