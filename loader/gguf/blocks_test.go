package gguf

import (
	"compress/gzip"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/saedb/saedb/loader/gguf/gguftest"
	"github.com/saedb/saedb/loader/tensor"
)

// expectedSuffix follows a type's name in the name of the tensor that holds what
// is expected. testdata/README.md says how the file was made.
const expectedSuffix = ".expected"

// quants opens testdata/quants.gguf.gz.
func quants(t testing.TB) *File {
	t.Helper()
	file, err := os.Open(filepath.Join("testdata", "quants.gguf.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unpacked, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(unpacked)
	if err != nil {
		t.Fatal(err)
	}
	return open(t, content)
}

func readAll(t testing.TB, f *File, name string) (*tensor.Tensor, []float32) {
	t.Helper()
	x, err := f.Tensor(name)
	if err != nil {
		t.Fatal(err)
	}
	values := make([]float32, x.Len())
	if err := x.ReadFloats(0, values); err != nil {
		t.Fatal(err)
	}
	return x, values
}

// same holds the bits of two values equal, zeros' signs included; a NaN is a NaN,
// since its bits depend on the processor.
func same(a, b float32) bool {
	return math.Float32bits(a) == math.Float32bits(b) || a != a && b != b
}

func blockTypes() []*tensor.Encoding {
	var types []*tensor.Encoding
	for _, e := range encodings {
		if e.Values > 1 {
			types = append(types, e)
		}
	}
	return types
}

// Every value of every block type is, bit for bit, that of the Python package.
func TestBlocksAsPython(t *testing.T) {
	f := quants(t)
	for _, e := range blockTypes() {
		t.Run(e.Name, func(t *testing.T) {
			x, got := readAll(t, f, e.Name)
			if x.DType != e.Name || x.Len() < 7*e.Values {
				t.Fatalf("type %s, %d values", x.DType, x.Len())
			}
			_, want := readAll(t, f, e.Name+expectedSuffix)
			if len(got) != len(want) {
				t.Fatalf("%d values, want %d", len(got), len(want))
			}
			for i := range got {
				if !same(got[i], want[i]) {
					t.Fatalf("value %d of block %d: %g (%#08x), want %g (%#08x)", i%e.Values, i/e.Values,
						got[i], math.Float32bits(got[i]), want[i], math.Float32bits(want[i]))
				}
			}
		})
	}
}

// A range that begins and ends inside blocks gives what reading everything gives.
func TestBlocksFromAnyOffset(t *testing.T) {
	f := quants(t)
	random := rand.New(rand.NewPCG(1, 2))
	for _, e := range blockTypes() {
		x, all := readAll(t, f, e.Name)
		for range 300 {
			from := random.IntN(x.Len())
			dst := make([]float32, 1+random.IntN(x.Len()-from))
			if err := x.ReadFloats(from, dst); err != nil {
				t.Fatal(err)
			}
			for i, v := range dst {
				if !same(v, all[from+i]) {
					t.Fatalf("%s: value %d of those from %d on: %g, want %g", e.Name, i, from, v, all[from+i])
				}
			}
		}
	}
}

// Types are found by their names: each has one number and at most one encoding, and each
// encoding is a type's.
func TestTypesOnce(t *testing.T) {
	kinds, found := map[string]uint32{}, map[*tensor.Encoding]bool{}
	for kind, name := range typeNames {
		if other, twice := kinds[name]; twice {
			t.Errorf("%s is type %d and type %d", name, kind, other)
		}
		kinds[name] = kind
		if _, e := typeOf(kind); e != nil {
			found[e] = true
		}
	}
	for _, e := range encodings {
		if !found[e] {
			t.Errorf("%s is not found: its name is no type's, or that of another encoding", e.Name)
		}
	}
}

// The sizes of a tensor of each block type are held against the file and against
// its blocks.
func TestBlockSizes(t *testing.T) {
	for kind, name := range typeNames {
		_, e := typeOf(kind)
		if e == nil || e.Values == 1 {
			continue
		}
		blocks := func(n, cut int) error {
			content := gguftest.Bytes(nil, gguftest.Tensor{
				Name: "x", Type: kind, Shape: []int{2, n * e.Values / 2}, Data: make([]byte, n*e.Bytes-cut),
			})
			unpadded := len(content) - (-(n*e.Bytes - cut) & 31)
			f, err := Open(write(t, content[:unpadded]))
			if err == nil {
				f.Close()
			}
			return err
		}
		if err := blocks(2, 0); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		beyond := fmt.Sprintf("expected %d bytes of values", 2*e.Bytes)
		if err := blocks(2, 1); err == nil || !strings.Contains(err.Error(), beyond) {
			t.Errorf("%s, a byte short: %v", name, err)
		}
		rows := fmt.Sprintf("rows of a multiple of %d values, for %s", e.Values, name)
		if err := blocks(1, 0); err == nil || !strings.Contains(err.Error(), rows) {
			t.Errorf("%s, half a block a row: %v", name, err)
		}
	}
}

// BenchmarkDecode counts bytes of float32, of a row of 4096 values at a time.
func BenchmarkDecode(b *testing.B) {
	for _, e := range encodings {
		b.Run(e.Name, func(b *testing.B) {
			src, dst := make([]byte, 4096/e.Values*e.Bytes), make([]float32, 4096)
			random := rand.New(rand.NewPCG(1, 2))
			for i := range src {
				src[i] = byte(random.Uint32())
			}
			b.SetBytes(4 * int64(len(dst)))
			for b.Loop() {
				e.Decode(dst, src)
			}
		})
	}
}
