package npy

import (
	"archive/zip"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/npy/npytest"
	"github.com/saedb/saedb/loader/tensor"
)

// shared holds fixtures too large for this repository; tests that use them are
// skipped where it is absent.
const shared = "../../../shared/fixtures/sae-formats"

func write(t testing.TB, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "w.npy")
	npytest.Write(t, path, content)
	return path
}

func open(t testing.TB, content []byte) *tensor.File {
	t.Helper()
	return openPath(t, write(t, content))
}

func openPath(t testing.TB, path string) *tensor.File {
	t.Helper()
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func array(t testing.TB, f *tensor.File, name string) *tensor.Tensor {
	t.Helper()
	x, err := f.Tensor(name)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// matrix reads all values of a matrix.
func matrix(t testing.TB, open func() (tensor.Matrix, error)) []float32 {
	t.Helper()
	m, err := open()
	if err != nil {
		t.Fatal(err)
	}
	values := make([]float32, m.Rows()*m.Cols())
	if err := m.ReadRows(0, values); err != nil {
		t.Fatal(err)
	}
	return values
}

func checkFault(t *testing.T, err error, subject, want string) {
	t.Helper()
	var e *fault.Error
	if !errors.As(err, &e) || e.Op != opRead || e.Subject != subject || !strings.Contains(err.Error(), want) {
		t.Errorf("%v\nwant %q about %s", err, want, subject)
	}
}

// Arrays of all types and orders, as files and as members of archives.
var arrays = []npytest.Array{
	npytest.Floats("w", []int{2, 3}, 1, 2, 3, 4, 5, 6),
	npytest.Fortran("columns", 2, 3, 1, 2, 3, 4, 5, 6),
	{Name: "half", Descr: "<f2", Shape: []int{2}, Data: []byte{0, 0x3c, 0, 0xc9}},
	{Name: "double", Descr: "<f8", Shape: []int{1}, Data: []byte{0, 0, 0, 0, 0, 0, 0xd0, 0x3f}},
	npytest.Floats("scalar", nil, 7),
	npytest.Floats("empty", []int{0, 4}),
	{Name: "ids", Descr: "<i8", Shape: []int{1}, Data: make([]byte, 8)},
}

func TestArrays(t *testing.T) {
	for _, method := range []uint16{zip.Store, zip.Deflate} {
		f := open(t, npytest.Archive(method, arrays...))
		if got := f.Names(); !slices.Equal(got, []string{"columns", "double", "empty", "half", "ids", "scalar", "w"}) {
			t.Errorf("names %v", got)
		}
		if !f.Has("w") || f.Has("w.npy") {
			t.Errorf("Has(w) %v, Has(w.npy) %v", f.Has("w"), f.Has("w.npy"))
		}
		for _, name := range []string{"w", "columns"} {
			x := array(t, f, name)
			if got := matrix(t, x.Matrix); !slices.Equal(got, []float32{1, 2, 3, 4, 5, 6}) || !slices.Equal(x.Shape, []int{2, 3}) {
				t.Errorf("%s: %v %v", name, x.Shape, got)
			}
			if got := matrix(t, x.Transposed); !slices.Equal(got, []float32{1, 4, 2, 5, 3, 6}) {
				t.Errorf("%s transposed: %v", name, got)
			}
		}
		for name, want := range map[string][]float32{"half": {1, -10}, "double": {0.25}, "scalar": {7}, "empty": {}} {
			x := array(t, f, name)
			got := make([]float32, x.Len())
			if err := x.ReadFloats(0, got); err != nil || !slices.Equal(got, want) {
				t.Errorf("%s: %v, %v, want %v", name, got, err, want)
			}
		}
	}
}

func TestFile(t *testing.T) {
	for _, a := range arrays[:2] {
		f := open(t, npytest.Bytes(a))
		x := array(t, f, "w")
		if got := matrix(t, x.Matrix); !slices.Equal(got, []float32{1, 2, 3, 4, 5, 6}) || x.Subject != tensor.Subject(f.Path(), "w") || x.DType != "F32" {
			t.Errorf("%s %s %v", x.Subject, x.DType, got)
		}
		if !slices.Equal(f.Names(), []string{"w"}) || filepath.Base(f.Path()) != "w.npy" {
			t.Errorf("names %v of %s", f.Names(), f.Path())
		}
	}
}

func TestVersions(t *testing.T) {
	data := []byte{0, 0, 0x80, 0x3f, 0, 0, 0, 0x40}
	for version := byte(1); version <= 3; version++ {
		for _, header := range []string{
			"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }",
			`{"shape":(2,),"fortran_order":True,"descr":"<f4"}`,
			" { 'shape' : ( 2 , ) , 'descr' : '<f4' , 'fortran_order' : False } ",
		} {
			x := array(t, open(t, npytest.Raw(version, header, data)), "w")
			got := make([]float32, 2)
			if err := x.ReadFloats(0, got); err != nil || !slices.Equal(got, []float32{1, 2}) {
				t.Errorf("version %d, %s: %v, %v", version, header, got, err)
			}
		}
	}
}

func TestErrorsOfTensors(t *testing.T) {
	types := []string{"<V2", "|V2", ">f4", "|O", "<c8", "|b1", "|S4"}
	stored := slices.Clone(arrays)
	for _, descr := range types {
		stored = append(stored, npytest.Array{Name: "of " + descr, Descr: descr, Shape: []int{1, 1}, Data: make([]byte, 8)})
	}
	f := open(t, npytest.Archive(zip.Store, stored...))
	subject := func(name string) string { return f.Path() + ": tensor " + name }
	_, missing := f.Tensor("W_dec")
	checkFault(t, missing, subject("W_dec"), "found columns, double, empty, half, ids")
	_, err := array(t, f, "half").Matrix()
	checkFault(t, err, subject("half"), "shape [2]")
	_, err = array(t, f, "empty").Matrix()
	checkFault(t, err, subject("empty"), "shape [0 4]")
	_, err = array(t, f, "half").Transposed()
	checkFault(t, err, subject("half"), "shape [2]")
	checkFault(t, array(t, f, "w").ReadFloats(5, make([]float32, 2)), subject("w"), "within its 6 values")
	checkFault(t, array(t, f, "columns").ReadFloats(0, make([]float32, 2)), subject("columns"), "fortran_order and shape [2 3]")

	hints := map[string]string{"<V2": "save it as float32", "|V2": "save it as float32", ">f4": "little endian", "|O": "pickled"}
	for _, descr := range types {
		x := array(t, f, "of "+descr)
		want := "expected values of type <f4, <f2, <f8, found " + descr
		err := x.ReadFloats(0, make([]float32, 1))
		checkFault(t, err, x.Subject, want)
		checkFault(t, err, x.Subject, hints[descr])
		_, err = x.Matrix()
		checkFault(t, err, x.Subject, want)
		_, err = x.Transposed()
		checkFault(t, err, x.Subject, want)
	}
}

func TestDamagedFiles(t *testing.T) {
	valid := npytest.Bytes(arrays[0])
	header := func(text string) []byte { return npytest.Raw(1, text, make([]byte, 4)) }
	version := slices.Clone(valid)
	version[6] = 4
	long := append([]byte("\x93NUMPY\x02\x00\xff\xff\xff\xff"), make([]byte, 200)...)
	archive := npytest.Archive(zip.Store, arrays...)
	directory := make([]npytest.Array, 50_000)
	for i := range directory {
		directory[i] = npytest.Array{Name: fmt.Sprintf("%050d", i), Descr: "<f4", Shape: []int{0}}
	}
	tests := []struct {
		name    string
		content []byte
		want    string
	}{
		{"empty file", nil, "expected a .npy file or a .npz archive"},
		{"other magic", []byte("GGUF and more"), `found a beginning of "GGUF and more"`},
		{"LFS pointer", []byte("version https://git-lfs.github.com/spec/v1\n"), "git lfs pull"},
		{"magic alone", valid[:6], "ends inside its magic number"},
		{"length cut", valid[:9], "ends inside its header length"},
		{"header cut", valid[:60], "ends inside its header"},
		{"version 4", version, "found 4.0"},
		{"header of 4 GB", long, "expected at most 65535 bytes, found 4294967295"},
		{"values cut", valid[:len(valid)-1], "was it downloaded whole?"},
		{"values beyond the shape", append(slices.Clone(valid), 0, 0, 0, 0), "expected 6 × 4 bytes"},
		{"no text", header("\xff\xfe"), "bytes that are no text"},
		{"no dict", header("'descr'"), `header, character 0: expected "{"`},
		{"an expression", header("{'descr': f(), 'fortran_order': False, 'shape': (1,)}"), "expected a text, found \"f()"},
		{"a fourth key", header("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}"), "expected descr, fortran_order and shape alone"},
		{"a key missing", header("{'descr': '<f4', 'shape': (1,)}"), "found no fortran_order"},
		{"a key twice", header("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}"), `expected key "descr" once`},
		{"two commas", header("{'descr': '<f4',, 'fortran_order': False, 'shape': (1,)}"), "expected a text"},
		{"no comma", header("{'descr': '<f4' 'fortran_order': False, 'shape': (1,)}"), `expected "," or "}"`},
		{"no colon", header("{'descr', '<f4'}"), `expected ":"`},
		{"not ended", header("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), "), "expected a text"},
		{"text not ended", header("{'descr': '<f4"), "expected a text without escapes"},
		{"escape", header(`{'descr': '\x3cf4', 'fortran_order': False, 'shape': (1,)}`), "expected a text without escapes"},
		{"two dicts", header("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}{}"), "expected nothing after the dict"},
		{"number for a flag", header("{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}"), "expected True or False"},
		{"structured", header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}"), "expected numbers, with a type like '<f4'"},
		{"number for a shape", header("{'descr': '<f4', 'fortran_order': False, 'shape': 1}"), `expected "("`},
		{"parentheses for a shape", header("{'descr': '<f4', 'fortran_order': False, 'shape': (1)}"), "expected a tuple of dimensions"},
		{"shape without numbers", header("{'descr': '<f4', 'fortran_order': False, 'shape': (,)}"), "expected a dimension"},
		{"negative dimension", header("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}"), "expected a dimension"},
		{"fractional dimension", header("{'descr': '<f4', 'fortran_order': False, 'shape': (1.5,)}"), "expected a tuple of dimensions"},
		{"dimension beyond 64 bits", header("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}"), "expected a dimension"},
		{"overflow", header("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}"), "is too large"},
		{"overflow of bytes", header("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387905,)}"), "expected 4611686018427387905 × 4 bytes"},
		{"archive cut", archive[:len(archive)-30], "is no whole zip archive"},
		{"archive's beginning", archive[:100], "is no whole zip archive"},
		{"a name twice", npytest.Archive(zip.Store, arrays[0], arrays[0]), `array "w" is there twice`},
		{"a directory of 5 MB", npytest.Archive(zip.Store, directory...), "directory of the zip archive: expected at most 4 MB"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := write(t, test.content)
			f, err := Open(path)
			checkFault(t, err, path, test.want)
			if f != nil {
				t.Error("a file beside an error")
			}
		})
	}
}

func TestOpenMissing(t *testing.T) {
	_, err := Open(filepath.Join(t.TempDir(), "none"))
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v is not os.ErrNotExist", err)
	}
}

// Oracle: the decoders that NumPy wrote, stored, deflated, and in Fortran's order.
func TestGemmaScope(t *testing.T) {
	for _, name := range []string{"gemma-scope-stored", "gemma-scope-deflated", "gemma-scope-fortran"} {
		path := filepath.Join(shared, name, "layer_12", "width_16k", "average_l0_82", "params.npz")
		if _, err := os.Stat(path); err != nil {
			t.Skipf("needs the larger fixtures: %v", err)
		}
		f := openPath(t, path)
		if got := f.Names(); !slices.Equal(got, []string{"W_dec", "W_enc", "b_dec", "b_enc", "threshold"}) {
			t.Errorf("%s: %v", name, got)
		}
		x := array(t, f, "W_dec")
		want := openPath(t, filepath.Join(shared, name+".expected_w_dec.npy"))
		got, expected := matrix(t, x.Matrix), matrix(t, array(t, want, name+".expected_w_dec").Matrix)
		if !slices.Equal(x.Shape, []int{96, 48}) || x.DType != "F32" || len(got) != len(expected) {
			t.Fatalf("%s: %s %v", name, x.DType, x.Shape)
		}
		for i := range got {
			if math.Float32bits(got[i]) != math.Float32bits(expected[i]) {
				t.Fatalf("%s: value %d is %v, want %v", name, i, got[i], expected[i])
			}
		}
	}
}

// FuzzOpen holds that any bytes give a file whose every array can be read, or an
// error.
func FuzzOpen(f *testing.F) {
	f.Add([]byte{})
	for _, a := range arrays {
		f.Add(npytest.Bytes(a))
	}
	f.Add(npytest.Archive(zip.Store, arrays...))
	f.Add(npytest.Archive(zip.Deflate, arrays...))
	f.Add(npytest.Raw(2, "{'descr': '<f4', 'fortran_order': True, 'shape': (1, 1), }", make([]byte, 4)))
	path := filepath.Join(f.TempDir(), "x.npz")
	check := func(t *testing.T, err error) {
		if e := (*fault.Error)(nil); !errors.As(err, &e) {
			t.Fatalf("%T is no *fault.Error: %v", err, err)
		}
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		npytest.Write(t, path, content)
		file, err := Open(path)
		if err != nil {
			check(t, err)
			return
		}
		defer file.Close()
		for _, name := range file.Names() {
			x, err := file.Tensor(name)
			if err != nil {
				check(t, err)
				continue
			}
			if !slices.Contains([]string{"F32", "F16", "F64"}, x.DType) || x.Order != tensor.RowMajor {
				continue
			}
			// Deflate compresses to a thousandth at best.
			if x.Len() > 1100*len(content) {
				check(t, x.ReadFloats(x.Len()-1, make([]float32, 1)))
			} else if err := x.ReadFloats(0, make([]float32, x.Len())); err != nil {
				check(t, err)
			}
		}
	})
}
