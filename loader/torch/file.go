// Package torch reads tensors from the files of PyTorch's torch.save (".pt",
// ".pth", ".bin") without running anything in them.
//
// Since PyTorch 1.6 such a file is a zip archive: NAME/data.pkl is a pickle, a
// program for a stack machine that builds the saved object, and NAME/data/KEY are
// the values of one storage each, not compressed. Files of the format before that
// ([legacy]) are read too. Python's unpickler calls whatever the pickle names. The machine here calls nothing: it knows the few functions that
// rebuild tensors, dictionaries and numbers, as code of its own, and what any
// other function would have made is kept as an opaque value that has a name and
// nothing else. Sources: torch/serialization.py, torch/_utils.py and
// torch/_weights_only_unpickler.py of PyTorch, Lib/pickle.py of CPython.
package torch

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/files"
	"github.com/saedb/saedb/loader/tensor"
)

const opRead = "read PyTorch file"

// File is an open file of torch.save. It is safe for concurrent use, but for Close.
//
// What was saved is a tree of dictionaries and lists. The names of its tensors are the keys
// that lead to each from the root, joined by ".", and "" for a file that is a tensor itself;
// an index of a list is the number as text. Keys may hold points themselves, as
// "encoder.weight" does: [File.At] finds tensors by their own keys alone.
type File struct {
	*tensor.File
	root any
}

// Open reads the pickle of a file and holds every tensor in it against the values
// that are there; these are read later. The caller closes the file.
func Open(path string) (*File, error) {
	file, size, err := files.Open(path)
	if err != nil {
		return nil, fault.At(opRead, path, err)
	}
	root, names, err := read(file, size)
	if err != nil {
		file.Close()
		return nil, fault.At(opRead, path, err)
	}
	return newFile(path, root, names, file.Close), nil
}

func newFile(path string, root any, names []string, close func() error) *File {
	f := &File{root: root}
	f.File = tensor.NewFile(opRead, path, names, func(name string) (*tensor.Tensor, error) {
		keys, ok := lead(root, name, nil)
		if !ok {
			keys = []string{name}
		}
		return f.tensor(keys)
	}, close)
	return f
}

// read reads the pickle of a file of size bytes, and the names of its tensors.
func read(file *os.File, size int64) (root any, names []string, err error) {
	first := make([]byte, min(size, maxLegacyMark+int64(len(legacyMagic))))
	if n, err := file.ReadAt(first, 0); n < len(first) {
		return nil, nil, err
	}
	if isLegacy(first) {
		root, err = readLegacy(file, size)
	} else {
		root, err = readArchive(file, size)
	}
	if err != nil {
		return nil, nil, err
	}
	names, err = tensorNames(root)
	return root, names, err
}

func readArchive(file *os.File, size int64) (root any, err error) {
	a, err := openArchive(file, size)
	if err != nil {
		return nil, err
	}
	pickle, err := a.pickle()
	if err != nil {
		return nil, err
	}
	return unpickle(pickle, a.storage)
}

// At returns the tensors of the dictionary to which keys lead, by their keys there. What is no
// tensor there is a name too, and looking it up an error that says what it is.
func (f *File) At(keys ...string) *tensor.File {
	return f.Within(func(name string) (*tensor.Tensor, error) { return f.tensor(append(slices.Clip(keys), name)) })
}

func lead(value any, name string, before []string) (keys []string, ok bool) {
	if _, tensor := value.(*rebuilt); tensor && name == "" {
		return before, true
	}
	for _, e := range entries(value) {
		rest, here := strings.CutPrefix(name, e.key)
		if !here || rest != "" && rest[0] != '.' {
			continue
		}
		rest = strings.TrimPrefix(rest, ".")
		if keys, ok := lead(e.value, rest, append(slices.Clip(before), e.key)); ok {
			return keys, true
		}
	}
	return nil, false
}

// Keys returns the keys of the dictionary at keys, in the order of the file, and
// nil where there is no dictionary.
func (f *File) Keys(keys ...string) []string {
	d, _ := f.find(keys).(*dict)
	if d == nil {
		return nil
	}
	names := make([]string, 0, len(d.keys))
	for _, key := range d.keys {
		names = append(names, keyText(key))
	}
	return names
}

// Value returns the plain value at keys: nil, a bool, int64, float64 or string.
// It reports false where there is no value, or one of another kind.
func (f *File) Value(keys ...string) (any, bool) {
	return plain(f.find(keys))
}

func plain(value any) (any, bool) {
	switch value.(type) {
	case nil, bool, int64, float64, string:
		return value, true
	default:
		return nil, false
	}
}

// Attribute returns a plain value, as Value does, that the file sets as an attribute of the
// object at keys, of whatever class, or has under that name in the dictionary there. The class
// is not known, so that what it makes of its attributes is not either.
func (f *File) Attribute(name string, keys ...string) (any, bool) {
	attributes, _ := f.find(keys).(*dict)
	if object, ok := f.find(keys).(*opaque); ok {
		attributes = object.attributes
	}
	if attributes == nil {
		return nil, false
	}
	return plain(attributes.get(name))
}

// tensor looks a tensor up. It is an error when there is something else at keys, such as what
// only a call of a function would make.
func (f *File) tensor(keys []string) (*tensor.Tensor, error) {
	subject := f.Subject(strings.Join(keys, "."))
	switch v := f.find(keys).(type) {
	case *rebuilt:
		return v.tensor(subject), nil
	case *opaque:
		return nil, &fault.Error{
			Subject: subject, Expected: "a tensor", Found: "what only a call of " + v.shown() + " makes",
			Hint: "nothing in the file is run: save the state_dict alone, with plain tensors",
		}
	case missing:
		return nil, nil
	default:
		return nil, &fault.Error{Subject: subject, Expected: "a tensor", Found: kind(v)}
	}
}

// missing is the type of absent, which find returns where keys lead nowhere.
// Nil will not do: it is Python's None.
type missing struct{}

var absent = missing{}

// find returns the value at keys. An opaque value on the way ends it: the value
// looked for would be somewhere in what cannot be made.
func (f *File) find(keys []string) any {
	at := f.root
	for _, key := range keys {
		switch v := at.(type) {
		case *dict:
			at = v.get(key)
		case *list:
			at = element(v.items, key)
		case tuple:
			at = element(v, key)
		case *opaque:
			return v
		default:
			return absent
		}
	}
	return at
}

func element(items []any, key string) any {
	i, err := strconv.Atoi(key)
	if err != nil || i < 0 || i >= len(items) {
		return absent
	}
	return items[i]
}

// kind names what v is, for errors.
func kind(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case *dict:
		return fmt.Sprintf("a dictionary of %d entries", len(v.keys))
	case *list, tuple:
		return "a list"
	case string:
		return "a text"
	case bool, int64, float64:
		return fmt.Sprint(v)
	default:
		return "something else"
	}
}
