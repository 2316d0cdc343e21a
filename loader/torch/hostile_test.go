package torch

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/tensor"
	"github.com/saedb/saedb/loader/torch/torchtest"
)

func mustTensor(t *testing.T, f *File, keys ...string) *tensor.Tensor {
	t.Helper()
	x, err := f.Tensor(strings.Join(keys, "."))
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func readAll(m tensor.Matrix, err error) ([]float32, error) {
	if err != nil {
		return nil, err
	}
	all := make([]float32, m.Rows()*m.Cols())
	return all, m.ReadRows(0, all)
}

// Calls that would do harm are inert: what they would return is a value without
// content, and the tensors beside it are read.
func TestNothingIsRun(t *testing.T) {
	created := filepath.Join(t.TempDir(), "created")
	w := torchtest.F32([]int{1, 2}, 1, 2)
	system := torchtest.Call{Function: "os.system", Args: torchtest.Tuple{"touch " + created}}
	f := open(t, torchtest.Dict{
		"w", w,
		"system", system,
		"eval", torchtest.Call{Function: "builtins.eval", Args: torchtest.Tuple{fmt.Sprintf("open(%q, 'w')", created)}},
		"nested", torchtest.Call{Function: "builtins.getattr", Args: torchtest.Tuple{system, "x"}, State: torchtest.Dict{"w", w}},
		"wrapped", torchtest.Call{Function: "torch._utils._rebuild_parameter", Args: torchtest.Tuple{system, true}},
		"control", torchtest.Call{Function: "a.b\x1b[2J"},
	})
	if got, err := readAll(mustTensor(t, f, "w").Matrix()); err != nil || !slices.Equal(got, []float32{1, 2}) {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := os.Stat(created); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
	for name, want := range map[string]string{
		"system": "a call of os.system makes", "eval": "builtins.eval", "nested": "builtins.getattr", "wrapped": "os.system",
		"control": `"a.b\x1b[2J"`,
	} {
		_, err := f.At().Tensor(name)
		checkFault(t, err, f.Path()+": tensor "+name, want)
	}
	if !slices.Equal(f.Names(), []string{"w"}) {
		t.Errorf("names %q", f.Names())
	}
}

func TestStoragesOfUnknownTypes(t *testing.T) {
	q := torchtest.F32([]int{1}, 1)
	q.Storage = "QUInt8Storage"
	f := open(t, torchtest.Dict{"q", q, "w", torchtest.F32([]int{1}, 1)})
	_, err := f.Tensor("q")
	checkFault(t, err, f.Path()+": tensor q", "torch.QUInt8Storage")
	mustTensor(t, f, "w")
}

func changed(t *testing.T, change func(members []torchtest.Member) []torchtest.Member) []byte {
	t.Helper()
	return torchtest.Raw(change(torchtest.Members(torchtest.Pickle(torchtest.Dict{"w", torchtest.F32([]int{2}, 1, 2)})))...)
}

// legacyHead is the beginning of a file of the earlier format up to the saved object, legacyTail
// an object and the keys of its storages, and legacyStorage a storage of two float32, with key 1.
var legacyHead = "\x80\x02" + string(legacyMagic) + "\x80\x02M\xe9\x03." + "\x80\x02}U\x0dlittle_endian\x88s."

const legacyStorage = "(U\x07storagectorch\nFloatStorage\nU\x011U\x03cpuK\x02NtQ"

func legacyTail(object string) string {
	keys := "]"
	if object != "N" {
		keys = "]U\x011a"
	}
	return "\x80\x02" + object + ".\x80\x02" + keys + "."
}

// pickled returns a file with a pickle of these bytes.
func pickled(pickle string) []byte { return torchtest.Raw(torchtest.Members([]byte(pickle), nil)...) }

func withTensor(shape, strides []int, first int) []byte {
	w := torchtest.F32(shape, 1, 2, 3, 4)
	w.Strides, w.First = strides, first
	return torchtest.Bytes(torchtest.Dict{"w", w})
}

func TestDamagedFiles(t *testing.T) {
	valid := torchtest.Bytes(torchtest.Dict{"w", torchtest.F32([]int{2}, 1, 2)})
	member := func(i int, change func(*torchtest.Member)) []byte {
		return changed(t, func(all []torchtest.Member) []torchtest.Member { change(&all[i]); return all })
	}
	const huge = 1 << 62
	deepList := "\x80\x02" + strings.Repeat("]", 200) + strings.Repeat("a", 199) + "."
	tests := []struct {
		name    string
		content []byte
		want    string
	}{
		{"empty file", nil, "expected a file of torch.save, found something else"},
		{"text", []byte("hello"), "found something else"},
		{"LFS pointer", []byte("version https://git-lfs.github.com/spec/v1\n"), "git lfs pull"},
		{"legacy, cut", []byte(legacyHead), "the pickle ends too early"},
		{"legacy of another version", []byte(strings.Replace(legacyHead, "\xe9\x03", "\xe8\x03", 1) + legacyTail("N")), "version of the format: expected 1001, found 1000"},
		{"legacy of the other order", []byte(strings.Replace(legacyHead, "\x88", "\x89", 1) + legacyTail("N")), "byte order: expected little"},
		{"legacy without keys", []byte(legacyHead + "\x80\x02N.\x80\x02N."), "expected a list of storages"},
		{"legacy with a key of nothing", []byte(legacyHead + "\x80\x02N.\x80\x02]U\x011a."), `storage "1": expected one that the saved object has`},
		{"legacy, its values cut", []byte(legacyHead + legacyTail(legacyStorage)), `storage "1" ends beyond the file`},
		{"legacy of another count", []byte(legacyHead + legacyTail(legacyStorage) + "\x03\x00\x00\x00\x00\x00\x00\x00" + strings.Repeat("\x00", 12)), "expected 2 values, found 3"},
		{"legacy, not a value", []byte(legacyHead + legacyTail(legacyStorage) + "\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), `storage "1" ends beyond the file`},
		{"legacy, a part of a storage", []byte(legacyHead + legacyTail(strings.Replace(legacyStorage, "NtQ", "K\x01tQ", 1))), "a part of another"},
		{"legacy, beyond the file", []byte(legacyHead + legacyTail(strings.Replace(legacyStorage, "K\x02", "J\xff\xff\xff\x7f", 1))), "at most the"},
		{"tar", append(make([]byte, 257), "ustar and more"...), "the tar format"},
		{"plain pickle", []byte("\x80\x04}."), "a plain pickle"},
		{"cut", valid[:len(valid)-30], "was it downloaded whole?"},
		{"no pickle", torchtest.Raw(torchtest.Member{Name: "a.txt"}), "a zip archive without data.pkl"},
		{"two pickles", torchtest.Raw(torchtest.Member{Name: "a/data.pkl"}, torchtest.Member{Name: "b/data.pkl"}), `two pickles, in "a/" and "b/"`},
		{"TorchScript", torchtest.Raw(torchtest.Member{Name: "a/data.pkl"}, torchtest.Member{Name: "a/constants.pkl"}), "a TorchScript archive"},
		{"twice the same member", changed(t, func(all []torchtest.Member) []torchtest.Member { return append(all, all[2]) }), `member "x/data/0" is there twice`},
		{"big endian", member(1, func(m *torchtest.Member) { m.Content = []byte("big") }), `byte order: expected little, found "big"`},
		{"no storage", changed(t, func(all []torchtest.Member) []torchtest.Member { return slices.Delete(all, 2, 3) }), `storage "0" is not in the archive`},
		{"short storage", member(2, func(m *torchtest.Member) { m.Content = m.Content[:7] }), "expected 2 values of 4 bytes, found 7 bytes"},
		{"long storage", member(2, func(m *torchtest.Member) { m.Content = append(m.Content, 0, 0, 0, 0) }), "found 12 bytes"},
		{"deflated storage", member(2, func(m *torchtest.Member) { m.Deflate = true }), "never compresses"},

		{"beyond its storage", withTensor([]int{5}, nil, 0), "expected at most 4 values, as its storage has, found 5"},
		{"beyond its storage by offset", withTensor([]int{4}, nil, 1), "found 5"},
		{"beyond its storage by strides", withTensor([]int{2, 2}, []int{4, 1}, 0), "found 6"},
		{"negative shape", withTensor([]int{-1}, []int{1}, 0), "negative or too large"},
		{"negative stride", withTensor([]int{2}, []int{-1}, 3), "negative or too large"},
		{"negative offset", withTensor([]int{1}, nil, -1), "negative or too large"},
		{"overflowing strides", withTensor([]int{5, 5}, []int{huge, huge}, 0), "negative or too large"},
		{"overflowing shape", withTensor([]int{huge, huge}, []int{0, 0}, 0), "negative or too large"},
		{"strides for another shape", withTensor([]int{2, 2}, []int{1}, 0), "unexpected arguments of torch._utils._rebuild_tensor_v2"},

		{"empty pickle", pickled(""), "data.pkl, byte 0: the pickle ends too early"},
		{"no stop", pickled("\x80\x02N"), "ends too early"},
		{"nothing built", pickled("\x80\x02."), "not on the stack"},
		{"protocol 6", pickled("\x80\x06N."), "expected pickle protocol 2 to 5, found 6"},
		{"text opcode", pickled("I1\n."), "torch.save does not write: found 0x49"},
		{"out of band buffer", pickled("\x80\x05\x97."), "found 0x97"},
		{"text longer than the file", pickled("\x80\x02X\xff\xff\xff\xffa."), "ends too early"},
		{"bytes longer than memory", pickled("\x80\x05\x8e\xff\xff\xff\xff\xff\xff\xff\xffa."), "ends too early"},
		{"no such memo", pickled("\x80\x02h\x07."), "value 7 is used but was not noted"},
		{"no mark", pickled("\x80\x02Nt."), "a mark is used that is not set"},
		{"below the mark", pickled("\x80\x02N(\x85."), "not on the stack"},
		{"key without value", pickled("\x80\x02}(Nu."), "a key without a value"},
		{"entries of a list", pickled("\x80\x02]NNs."), "what is no dictionary"},
		{"elements of a number", pickled("\x80\x02K\x01Na."), "what is no list"},
		{"no line feed", pickled("\x80\x02cos"), "ends too early"},
		{"global of numbers", pickled("\x80\x04K\x01K\x02\x93."), "whose name is no text"},
		{"persistent number", pickled("\x80\x02K\x01Q."), "no storage"},
		{"storage of an integer", pickled("\x80\x02(X\x07\x00\x00\x00storageK\x01K\x01K\x01K\x01tQ."), "unexpected arguments of a storage"},
		{"tensor of nothing", pickled("\x80\x02ctorch._utils\n_rebuild_tensor_v2\n)R."), "unexpected arguments of torch._utils._rebuild_tensor_v2"},
		{"arguments that are no tuple", pickled("\x80\x02ctorch\nSize\nNR."), "unexpected arguments of torch.Size"},
		{"deep", pickled(deepList), "nested too deeply"},
		{"holds itself", pickled("\x80\x02]q\x00h\x00a."), "nested too deeply"},
		{"too many operations", pickled("\x80\x02" + strings.Repeat("N0", maxOperations)), "operations, found more"},
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

// A dictionary may be an entry of many others: 2^80 names here, of which no more
// are made than the limit allows.
func TestManyNames(t *testing.T) {
	pickle := "\x80\x02}q\x00"
	for i := range 80 {
		pickle += fmt.Sprintf("}(X\x01\x00\x00\x00ah%sX\x01\x00\x00\x00bh%suq%s", string([]byte{byte(i)}), string([]byte{byte(i)}), string([]byte{byte(i + 1)}))
	}
	path := write(t, pickled(pickle+"."))
	_, err := Open(path)
	checkFault(t, err, path, "too often")
}

// A pickle may be compressed: other programs that pack such archives do so.
func TestDeflatedPickle(t *testing.T) {
	f := openPath(t, write(t, changed(t, func(all []torchtest.Member) []torchtest.Member { all[0].Deflate = true; return all })))
	mustTensor(t, f, "w")
}

// The directory of an archive is not read beyond its limit, nor is a pickle.
func TestLimits(t *testing.T) {
	many := make([]torchtest.Member, 300)
	for i := range many {
		many[i].Name = fmt.Sprintf("%060000d", i)
	}
	path := write(t, torchtest.Raw(many...))
	_, err := Open(path)
	checkFault(t, err, path, "directory of the zip archive: expected at most 16 MB, found more")

	path = write(t, changed(t, func(all []torchtest.Member) []torchtest.Member {
		all[0].Content, all[0].Deflate = make([]byte, maxPickleBytes+1), true
		return all
	}))
	_, err = Open(path)
	checkFault(t, err, path, `member "x/data.pkl": expected at most 67108864 bytes, found more`)
}

// Members that share bytes: the directory's entry of the second storage points
// into the first.
func TestOverlappingMembers(t *testing.T) {
	content := torchtest.Bytes(torchtest.Dict{"a", torchtest.F32([]int{16}, make([]float32, 16)...), "b", torchtest.F32([]int{2}, 1, 2)})
	directory := bytes.LastIndex(content, []byte("x/data/0")) - 46
	// A longer first member reaches into what follows.
	for _, at := range []int{20, 24} {
		content[directory+at] += 60
	}
	path := write(t, content)
	_, err := Open(path)
	checkFault(t, err, path, "overlaps member")
}

// FuzzOpen holds that any bytes give a file whose every tensor can be read, or an
// error.
func FuzzOpen(f *testing.F) {
	f.Add([]byte{})
	f.Add(torchtest.Bytes(torchtest.OrderedDict{
		"w", torchtest.F32([]int{2, 2}, 1, 2, 3, 4), "cfg", torchtest.Dict{1, "one", "two", 2.5, "list", torchtest.List{nil, true}},
		"other", torchtest.Call{Function: "os.system", Args: torchtest.Tuple{"true"}, State: torchtest.Dict{}},
	}))
	f.Add(withTensor([]int{2, 2}, []int{1, 2}, 0))
	for _, name := range []string{"varied.pt", "protocol5.pt", "tensor.pt"} {
		content, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	path := filepath.Join(f.TempDir(), "x.pt")
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
		visit(t, file, nil, len(content))
	})
}

// FuzzPickle is FuzzOpen without the archive around the pickle.
func FuzzPickle(f *testing.F) {
	pickle, _ := torchtest.Pickle(torchtest.Dict{"w", torchtest.F32([]int{2}, 1, 2), "k", 3})
	f.Add(pickle)
	f.Add([]byte("\x80\x02]q\x00h\x00a."))
	f.Add([]byte("\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00(\x8c\x01a\x94K\x01d\x8f(K\x02\x90\x86."))
	f.Fuzz(func(t *testing.T, pickle []byte) {
		root, err := unpickle(pickle, func(kind storageType, _ string, numel int64) (*storage, error) {
			if numel < 0 || numel > 64 {
				return nil, errArguments
			}
			return &storage{source: bytes.NewReader(make([]byte, 1024)), bytes: numel * int64(kind.width), storageType: kind}, nil
		})
		if err != nil {
			return
		}
		if names, err := tensorNames(root); err == nil {
			visit(t, newFile("fuzz", root, names, nil), nil, 1024)
		}
	})
}

// visit reads every tensor below keys, of a file of size bytes.
func visit(t *testing.T, f *File, keys []string, size int) {
	if x, err := f.tensor(keys); err == nil && x != nil {
		if x.Order == tensor.Scattered || x.Encoding == nil {
			return
		}
		if x.Len() > size {
			t.Fatalf("%v: %d values in a file of %d bytes", keys, x.Len(), size)
		}
		if _, err := values(x); err != nil {
			t.Fatal(err)
		}
		return
	}
	if len(keys) < 4 {
		for _, key := range f.Keys(keys...) {
			visit(t, f, append(slices.Clone(keys), key), size)
		}
	}
}
