package gguf

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/gguf/gguftest"
	"github.com/saedb/saedb/loader/tensor"
)

func write(t testing.TB, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.gguf")
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t testing.TB, content []byte) *File {
	t.Helper()
	f, err := Open(write(t, content))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// metadata has a value of every type.
var metadata = []gguftest.Pair{
	{Key: "u8", Value: uint8(200)}, {Key: "i8", Value: int8(-100)},
	{Key: "u16", Value: uint16(60000)}, {Key: "i16", Value: int16(-30000)},
	{Key: "u32", Value: uint32(4e9)}, {Key: "i32", Value: int32(-2e9)},
	{Key: "u64", Value: uint64(1 << 40)}, {Key: "i64", Value: int64(-1 << 40)},
	{Key: "huge", Value: uint64(math.MaxUint64)},
	{Key: "f32", Value: float32(0.5)}, {Key: "f64", Value: 0.1},
	{Key: "yes", Value: true}, {Key: "no", Value: false},
	{Key: "text", Value: "llama"},
	{Key: "texts", Value: []string{"a", "", "Ġé"}},
	{Key: "ints", Value: []int32{1, -2, 3}},
	{Key: "bytes", Value: gguftest.Array{Element: 0, Elements: []any{uint8(1), uint8(255)}}},
	{Key: "floats", Value: gguftest.Array{Element: 6, Elements: []any{float32(1)}}},
	{Key: "nested", Value: gguftest.Array{Element: 9, Elements: []any{[]int32{1}, []string{"x"}}}},
	{Key: "after", Value: int32(7)},
}

func TestMetadata(t *testing.T) {
	f := open(t, gguftest.Bytes(metadata))
	for key, want := range map[string]int64{
		"u8": 200, "i8": -100, "u16": 60000, "i16": -30000, "u32": 4e9, "i32": -2e9, "u64": 1 << 40, "i64": -1 << 40, "after": 7,
	} {
		if got, ok := f.Int(key); !ok || got != want {
			t.Errorf("Int(%s) = %d, %v, want %d", key, got, ok, want)
		}
	}
	for _, key := range []string{"none", "huge", "text", "f32", "ints", "yes"} {
		if got, ok := f.Int(key); ok {
			t.Errorf("Int(%s) = %d", key, got)
		}
	}
	half, _ := f.Float("f32")
	tenth, _ := f.Float("f64")
	if _, ok := f.Float("i32"); ok || half != 0.5 || tenth != 0.1 {
		t.Errorf("floats %v and %v, Float(i32) %v", half, tenth, ok)
	}
	yes, okYes := f.Bool("yes")
	no, okNo := f.Bool("no")
	if _, ok := f.Bool("u8"); ok || !yes || no || !okYes || !okNo {
		t.Errorf("yes %v %v, no %v %v, Bool(u8) %v", yes, okYes, no, okNo, ok)
	}
	text, ok := f.String("text")
	if _, bad := f.String("texts"); bad || !ok || text != "llama" {
		t.Errorf("text %q %v, String(texts) %v", text, ok, bad)
	}
}

func TestArrays(t *testing.T) {
	f := open(t, gguftest.Bytes(metadata))
	if got, ok := f.Strings("texts"); !ok || !slices.Equal(got, []string{"a", "", "Ġé"}) {
		t.Errorf("texts %q, %v", got, ok)
	}
	if got, ok := f.Ints("ints"); !ok || !slices.Equal(got, []int64{1, -2, 3}) {
		t.Errorf("ints %v, %v", got, ok)
	}
	if got, ok := f.Ints("bytes"); !ok || !slices.Equal(got, []int64{1, 255}) {
		t.Errorf("bytes %v, %v", got, ok)
	}
	for _, key := range []string{"none", "texts", "floats", "nested", "i32"} {
		if got, ok := f.Ints(key); ok {
			t.Errorf("Ints(%s) = %v", key, got)
		}
	}
	for _, key := range []string{"none", "ints", "nested", "text"} {
		if got, ok := f.Strings(key); ok {
			t.Errorf("Strings(%s) = %v", key, got)
		}
	}
}

// block8 is a block of Q8_0: a scale of 2 and the numbers from first on.
func block8(first int8) []byte {
	block := []byte{0, 0x40}
	for i := range 32 {
		block = append(block, byte(first+int8(i)))
	}
	return block
}

func TestTensors(t *testing.T) {
	content := gguftest.Bytes(nil,
		gguftest.Floats("w", []int{2, 3}, 1, 2, 3, 4, 5, 6),
		gguftest.Tensor{Name: "half", Type: gguftest.F16, Shape: []int{1}, Data: []byte{0, 0x3c}},
		gguftest.Tensor{Name: "bf", Type: gguftest.BF16, Shape: []int{1}, Data: []byte{0x20, 0xc1}},
		gguftest.Tensor{Name: "q8", Type: gguftest.Q8_0, Shape: []int{2, 32}, Data: append(block8(0), block8(-32)...)},
		gguftest.Tensor{Name: "iq2", Type: gguftest.IQ2_XXS, Shape: []int{1, 256}, Data: make([]byte, 66)},
	)
	for _, version := range []byte{2, 3} {
		content[4] = version
		f := open(t, content)
		w, err := f.Tensor("w")
		if err != nil {
			t.Fatal(err)
		}
		m, err := w.Matrix()
		if err != nil {
			t.Fatal(err)
		}
		row := make([]float32, 3)
		if err := m.ReadRows(1, row); err != nil || !slices.Equal(row, []float32{4, 5, 6}) {
			t.Errorf("row 1 of w: %v, %v", row, err)
		}
		for name, want := range map[string]float32{"half": 1, "bf": -10} {
			x, _ := f.Tensor(name)
			got := make([]float32, 1)
			if err := x.ReadFloats(0, got); err != nil || got[0] != want {
				t.Errorf("%s: %v, %v, want %v", name, got, err, want)
			}
		}
		q8, _ := f.Tensor("q8")
		middle := make([]float32, 4)
		if err := q8.ReadFloats(30, middle); err != nil || !slices.Equal(middle, []float32{60, 62, -64, -62}) {
			t.Errorf("q8 across blocks: %v, %v", middle, err)
		}
		if q8.DType != "Q8_0" || q8.Len() != 64 || !slices.Equal(q8.Shape, []int{2, 32}) {
			t.Errorf("q8 is %s %v", q8.DType, q8.Shape)
		}
		iq2, _ := f.Tensor("iq2")
		checkFault(t, iq2.ReadFloats(0, middle), f.Path()+": tensor iq2", "expected values of type F32, F16, BF16, F64, Q4_0, Q4_1,")
		checkFault(t, iq2.ReadFloats(0, middle), f.Path()+": tensor iq2", "TQ2_0, found IQ2_XXS")
		_, err = f.Tensor("output.weight")
		checkFault(t, err, f.Path()+": tensor output.weight", "found bf, half, iq2, q8, w")
	}
}

func checkFault(t *testing.T, err error, subject, want string) {
	t.Helper()
	var e *fault.Error
	if !errors.As(err, &e) || e.Op != opRead || e.Subject != subject || !strings.Contains(err.Error(), want) {
		t.Errorf("%v\nwant %q about %s", err, want, subject)
	}
}

// raw makes a file of numbers and texts as they are stored.
func raw(values ...any) []byte {
	var b bytes.Buffer
	for _, value := range values {
		if text, ok := value.(string); ok {
			b.WriteString(text)
		} else if err := binary.Write(&b, binary.LittleEndian, value); err != nil {
			panic(err)
		}
	}
	return b.Bytes()
}

func TestDamagedFiles(t *testing.T) {
	const most = uint64(math.MaxUint64)
	three := uint32(3)
	// head counts tensors and keys, key is the metadata key "k".
	head := func(tensors, keys uint64, rest ...any) []byte {
		return raw("GGUF", three, tensors, keys, raw(rest...))
	}
	key := func(rest ...any) []byte { return head(0, 1, uint64(1), "k", raw(rest...)) }
	x := func(dims []uint64, kind uint32, offset uint64) []byte {
		return raw(uint64(1), "x", uint32(len(dims)), dims, kind, offset)
	}
	space := make([]byte, 64)
	aligned := func(n uint32) []byte {
		return gguftest.Bytes([]gguftest.Pair{{Key: keyAlignment, Value: n}})
	}
	whole := gguftest.Bytes(metadata, gguftest.Floats("w", []int{8}, make([]float32, 8)...))
	tests := []struct {
		name    string
		content []byte
		want    string
	}{
		{"empty file", nil, "expected a GGUF file, found 0 bytes"},
		{"other magic", []byte("PK\x03\x04 and more"), `found "PK\x03\x04"`},
		{"LFS pointer", []byte("version https://git-lfs.github.com/spec/v1\n"), "git lfs pull"},
		{"version 1", raw("GGUF", uint32(1), uint64(0), uint64(0)), "found version 1"},
		{"version 4", raw("GGUF", uint32(4), uint64(0), uint64(0)), "found version 4"},
		{"big endian", raw("GGUF", uint32(3<<24), uint64(0), uint64(0)), "found a big-endian one"},
		{"no counts", raw("GGUF", three), "number of tensors"},
		{"tensors beyond the file", head(most, 0), "number of tensors"},
		{"keys beyond the file", head(0, most), "number of metadata keys"},
		{"more keys than there are", head(0, 1), "number of metadata keys"},
		{"key beyond the file", head(0, 1, most, space), "metadata key"},
		{"string beyond the file", key(uint32(typeString), most), "k, at byte"},
		{"unknown value type", key(uint32(13), uint64(0)), "expected 0 to 12, found 13"},
		{"unknown element type", key(uint32(typeArray), uint32(99), uint64(0)), "expected 0 to 12, found 99"},
		{"array beyond the file", key(uint32(typeArray), uint32(typeUint64), most), "length of k"},
		{"texts beyond the file", key(uint32(typeArray), uint32(typeString), most/8), "length of k"},
		{"text in an array beyond the file", key(uint32(typeArray), uint32(typeString), uint64(1), most), "k, at byte"},
		{"arrays beyond the file", key(uint32(typeArray), uint32(typeArray), most), "length of k"},
		{"nested too deep", key(uint32(typeArray), nest(6), space), "too deep"},
		{"key twice", head(0, 2, uint64(1), "k", uint32(0), uint8(1), uint64(1), "k", uint32(0), uint8(1), space), `"k" is there twice`},
		{"five dimensions", head(1, 0, x(make([]uint64, 5), 0, 0), space), "at most 4 dimensions, found 5"},
		{"dimensions beyond the file", head(1, 0, uint64(1), "x", uint32(4), uint64(1)), "dimensions of x"},
		{"overflowing dimensions", head(1, 0, x([]uint64{1 << 32, 1 << 32}, 0, 0), space), "too large"},
		{"overflowing bytes", head(1, 0, x([]uint64{math.MaxInt64}, 0, 0), space), "beyond the end of the file"},
		{"block cut", head(1, 0, x([]uint64{33}, 8, 0), space), "multiple of 32 values"},
		{"values beyond the file", head(1, 0, x([]uint64{100}, 0, 0), space), "was it downloaded whole?"},
		{"offset beyond the file", head(1, 0, x([]uint64{1}, 0, 1<<63), space), "beyond the end of the file"},
		{"offset of a type not read", head(1, 0, x([]uint64{256}, gguftest.IQ2_XXS, 1<<20), space), "beyond the end of the file"},
		{"offset not aligned", head(1, 0, x([]uint64{1}, 0, 4), space), "expected a multiple of 32, found 4"},
		{"tensor twice", head(2, 0, x([]uint64{1}, 0, 0), x([]uint64{1}, 0, 0), space), `"x" is there twice`},
		{"alignment 0", aligned(0), "expected a power of two, found 0"},
		{"alignment 24", aligned(24), "expected a power of two, found 24"},
		{"alignment of 2 GB", aligned(1 << 31), "power of two"},
		{"alignment of another type", gguftest.Bytes([]gguftest.Pair{{Key: keyAlignment, Value: "32"}}), "found type 8"},
		{"values cut", whole[:len(whole)-1], "was it downloaded whole?"},
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

// nest is depth arrays of one array each.
func nest(depth int) []byte {
	var b []byte
	for range depth {
		b = append(b, raw(uint32(typeArray), uint64(1))...)
	}
	return b
}

// No beginning of a file is taken for the file, nor makes anything panic.
func TestEveryBeginning(t *testing.T) {
	whole := gguftest.Bytes(metadata, gguftest.Floats("w", []int{8}, make([]float32, 8)...))
	path := filepath.Join(t.TempDir(), "x.gguf")
	for n := range len(whole) {
		if err := os.WriteFile(path, whole[:n], 0o644); err != nil {
			t.Fatal(err)
		}
		if f, err := Open(path); err == nil {
			f.Close()
			t.Fatalf("the first %d of %d bytes were opened", n, len(whole))
		}
	}
}

func TestOtherAlignment(t *testing.T) {
	content := raw("GGUF", uint32(3), uint64(1), uint64(1),
		uint64(len(keyAlignment)), keyAlignment, uint32(typeUint32), uint32(8),
		uint64(1), "x", uint32(1), uint64(1), uint32(gguftest.F32), uint64(8))
	content = append(content, make([]byte, -len(content)&7+8)...)
	f := open(t, append(content, raw(float32(42))...))
	x, err := f.Tensor("x")
	if err != nil {
		t.Fatal(err)
	}
	got := make([]float32, 1)
	if err := x.ReadFloats(0, got); err != nil || got[0] != 42 {
		t.Errorf("%v, %v", got, err)
	}
}

// FuzzOpen holds that any bytes give a file that can be read, or an error.
func FuzzOpen(f *testing.F) {
	f.Add([]byte{})
	f.Add(gguftest.Bytes(nil))
	f.Add(gguftest.Bytes(metadata, gguftest.Floats("w", []int{2, 2}, 1, 2, 3, 4)))
	f.Add(gguftest.Bytes([]gguftest.Pair{{Key: keyAlignment, Value: uint32(32)}},
		gguftest.Tensor{Name: "q8", Type: gguftest.Q8_0, Shape: []int{1, 32}, Data: block8(0)}))
	for kind := range typeNames {
		if _, e := typeOf(kind); e != nil {
			x := gguftest.Tensor{Name: e.Name, Type: kind, Shape: []int{1, 2 * e.Values}, Data: bytes.Repeat([]byte{0x5a}, 2*e.Bytes)}
			f.Add(gguftest.Bytes(nil, x))
		}
	}
	path := filepath.Join(f.TempDir(), "x.gguf")
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
		for key := range file.metadata {
			file.Strings(key)
			file.Ints(key)
		}
		for _, name := range file.Names() {
			x, err := file.Tensor(name)
			if err != nil {
				t.Fatal(err)
			}
			if x.Encoding != nil {
				checkReads(t, x, len(content))
			}
		}
	})
}

// checkReads reads a tensor of a file of size bytes whole and from its middle on.
func checkReads(t *testing.T, x *tensor.Tensor, size int) {
	t.Helper()
	if e := x.Encoding; x.Len()/e.Values > size/e.Bytes {
		t.Fatalf("%s: %d values of %s in a file of %d bytes", x.Subject, x.Len(), e.Name, size)
	}
	middle := x.Len() / 2
	whole, half := make([]float32, x.Len()), make([]float32, x.Len()-middle)
	if err := errors.Join(x.ReadFloats(0, whole), x.ReadFloats(middle, half)); err != nil {
		t.Fatal(err)
	}
	for i, v := range half {
		if !same(v, whole[middle+i]) {
			t.Fatalf("%s: value %d is %g, and %g from the middle on", x.Subject, middle+i, whole[middle+i], v)
		}
	}
}
