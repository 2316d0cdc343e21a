// Package torchtest writes files as torch.save does, for tests.
package torchtest

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"strings"
	"testing"
)

// Tensor is a tensor to write, a view of a storage of its own.
type Tensor struct {
	Storage string // "FloatStorage"
	Shape   []int
	Strides []int // in values, row-major when nil
	First   int   // its first value in the storage
	Data    []byte
	Width   int // bytes of a value of the storage
}

// F32 makes a tensor of 32-bit floats.
func F32(shape []int, values ...float32) Tensor {
	var data []byte
	for _, v := range values {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
	}
	return Tensor{Storage: "FloatStorage", Shape: shape, Data: data, Width: 4}
}

// Dict is a dictionary: keys and values in turn. A value is nil, a bool, int,
// float64, string, Tensor, Dict, OrderedDict, List, Tuple, Call or Global.
type Dict []any

// OrderedDict is what state_dict returns: written by a call, with attributes.
type OrderedDict []any

type (
	List  []any
	Tuple []any
)

// Global is a function or class by its name: "os.system".
type Global string

// Call is a call of a function, and the state set on what it returns unless nil.
type Call struct {
	Function string
	Args     Tuple
	State    any
}

// writer pickles values, with protocol 2.
type writer struct {
	out     bytes.Buffer
	storage [][]byte
}

// Pickle returns the pickle of a value, and its storages in the order of their keys.
func Pickle(value any) (pickle []byte, storages [][]byte) {
	var w writer
	w.out.WriteString("\x80\x02")
	w.write(value)
	w.out.WriteByte('.')
	return w.out.Bytes(), w.storage
}

func (w *writer) write(value any) {
	switch v := value.(type) {
	case nil:
		w.out.WriteByte('N')
	case bool:
		w.out.WriteByte(map[bool]byte{true: 0x88, false: 0x89}[v])
	case int:
		w.out.WriteString("\x8a\x08")
		binary.Write(&w.out, binary.LittleEndian, int64(v))
	case float64:
		w.out.WriteByte('G')
		binary.Write(&w.out, binary.BigEndian, v)
	case string:
		w.out.WriteByte('X')
		binary.Write(&w.out, binary.LittleEndian, uint32(len(v)))
		w.out.WriteString(v)
	case Tensor:
		w.tensor(v)
	case Dict:
		w.out.WriteByte('}')
		w.entries(v)
	case OrderedDict:
		w.write(Call{Function: "collections.OrderedDict"})
		w.entries(Dict(v))
		w.write(Dict{"_metadata", Dict{}})
		w.out.WriteByte('b')
	case List:
		w.out.WriteString("](")
		w.all(v)
		w.out.WriteByte('e')
	case Tuple:
		w.out.WriteByte('(')
		w.all(v)
		w.out.WriteByte('t')
	case Global:
		at := strings.LastIndexByte(string(v), '.')
		fmt.Fprintf(&w.out, "c%s\n%s\n", v[:at], v[at+1:])
	case Call:
		w.call(v)
	default:
		panic(fmt.Sprintf("torchtest: %T", value))
	}
}

func (w *writer) all(values []any) {
	for _, v := range values {
		w.write(v)
	}
}

func (w *writer) entries(d Dict) {
	w.out.WriteByte('(')
	w.all(d)
	w.out.WriteByte('u')
}

func (w *writer) call(c Call) {
	w.write(Global(c.Function))
	w.write(c.Args)
	w.out.WriteByte('R')
	if c.State != nil {
		w.write(c.State)
		w.out.WriteByte('b')
	}
}

func (w *writer) tensor(t Tensor) {
	key := fmt.Sprint(len(w.storage))
	w.storage = append(w.storage, t.Data)
	w.write(Global("torch._utils._rebuild_tensor_v2"))
	w.out.WriteByte('(')
	w.write(Tuple{"storage", Global("torch." + t.Storage), key, "cpu", len(t.Data) / t.Width})
	w.out.WriteByte('Q')
	strides := t.Strides
	if strides == nil {
		strides = RowMajor(t.Shape)
	}
	w.all([]any{t.First, numbers(t.Shape), numbers(strides), false})
	w.write(Call{Function: "collections.OrderedDict"})
	w.out.WriteString("tR")
}

func numbers(values []int) Tuple {
	t := make(Tuple, len(values))
	for i, v := range values {
		t[i] = v
	}
	return t
}

// RowMajor returns the strides of a tensor whose values come one after the other.
func RowMajor(shape []int) []int {
	strides := make([]int, len(shape))
	next := 1
	for i := len(shape) - 1; i >= 0; i-- {
		strides[i] = next
		next *= shape[i]
	}
	return strides
}

// Member is a member of the archive.
type Member struct {
	Name    string
	Content []byte
	Deflate bool
}

// Members returns the members that torch.save writes for a pickle and storages.
func Members(pickle []byte, storages [][]byte) []Member {
	members := []Member{{Name: "x/data.pkl", Content: pickle}, {Name: "x/byteorder", Content: []byte("little")}}
	for i, s := range storages {
		members = append(members, Member{Name: fmt.Sprintf("x/data/%d", i), Content: s})
	}
	return append(members, Member{Name: "x/version", Content: []byte("3\n")})
}

// Raw returns an archive of members, which need not be those of torch.save.
func Raw(members ...Member) []byte {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, m := range members {
		// Sizes before the values, as torch.save has them.
		header := &zip.FileHeader{
			Name: m.Name, CRC32: crc32.ChecksumIEEE(m.Content),
			CompressedSize64: uint64(len(m.Content)), UncompressedSize64: uint64(len(m.Content)),
		}
		create := z.CreateRaw
		if m.Deflate {
			header, create = &zip.FileHeader{Name: m.Name, Method: zip.Deflate}, z.CreateHeader
		}
		w, err := create(header)
		if err == nil {
			_, err = w.Write(m.Content)
		}
		if err != nil {
			panic(err)
		}
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// Bytes returns the file of torch.save for a value.
func Bytes(value any) []byte { return Raw(Members(Pickle(value))...) }

// Write writes a value to a new file at path.
func Write(t testing.TB, path string, value any) {
	t.Helper()
	if err := os.WriteFile(path, Bytes(value), 0o644); err != nil {
		t.Fatal(err)
	}
}
