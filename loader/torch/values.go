package torch

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/saedb/saedb/internal/fault"
)

// What a pickle builds is one of: nil, bool, int64, float64, string, []byte,
// tuple, *list, *dict, *rebuilt (a tensor), *storage, storageType, dataType,
// numberType, *function, *opaque.

type tuple []any

// list is a list or a set.
type list struct{ items []any }

// dict is a dictionary with keys that are texts or integers. Entries with other
// keys are left out: nothing leads to them.
type dict struct {
	keys   []any // string or int64, in the order of the file
	values map[any]any
}

func (d *dict) set(key, value any) {
	switch key.(type) {
	case string, int64:
	default:
		return
	}
	if d.values == nil {
		d.values = make(map[any]any)
	}
	if _, ok := d.values[key]; !ok {
		d.keys = append(d.keys, key)
	}
	d.values[key] = value
}

// get returns the value of a key that is a text, or else a number written so.
func (d *dict) get(key string) any {
	if v, ok := d.values[key]; ok {
		return v
	}
	if n, err := strconv.ParseInt(key, 10, 64); err == nil {
		if v, ok := d.values[n]; ok {
			return v
		}
	}
	return absent
}

func keyText(key any) string {
	if n, ok := key.(int64); ok {
		return strconv.FormatInt(n, 10)
	}
	return key.(string)
}

// opaque is what only a call that is not made here would give.
type opaque struct {
	name       string // of the function or class
	attributes *dict  // that the file sets on it, nil for none; File.Attribute alone reads them
}

// shown is the name as errors have it. A file may give any text for it.
func (o *opaque) shown() string {
	for _, r := range o.name {
		if !strconv.IsPrint(r) {
			return fmt.Sprintf("%.80q", o.name)
		}
	}
	return fmt.Sprintf("%.80s", o.name)
}

const (
	maxDepth = 100
	// maxNameBytes bounds the names of all values together: in a pickle, a
	// dictionary may be an entry of many others, and of itself.
	maxNameBytes = 64 << 20
)

// naming collects the names of the tensors below a value.
type naming struct {
	names []string
	left  int // bytes of names that may follow
}

// tensorNames returns the names of all tensors in a tree, sorted.
func tensorNames(root any) ([]string, error) {
	n := naming{left: maxNameBytes}
	if err := n.descend("", root, 0); err != nil {
		return nil, err
	}
	slices.Sort(n.names)
	return n.names, nil
}

func (n *naming) descend(name string, value any, depth int) error {
	if n.left -= len(name) + 1; n.left < 0 || depth > maxDepth {
		return &fault.Error{
			Problem: "the values are nested too deeply or too often", Expected: fmt.Sprintf("at most %d levels", maxDepth),
			Hint: "the file is damaged, or a dictionary holds itself",
		}
	}
	if _, tensor := value.(*rebuilt); tensor {
		n.names = append(n.names, name)
	}
	for _, e := range entries(value) {
		if err := n.descend(joined(name, e.key), e.value, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// entry is a value within another, and the key that leads to it.
type entry struct {
	key   string
	value any
}

// entries are those of a dictionary or list, in order, and none of anything else.
func entries(value any) []entry {
	var all []entry
	switch v := value.(type) {
	case *dict:
		for _, key := range v.keys {
			all = append(all, entry{keyText(key), v.values[key]})
		}
	case *list:
		return entries(tuple(v.items))
	case tuple:
		for i, item := range v {
			all = append(all, entry{strconv.Itoa(i), item})
		}
	}
	return all
}

func joined(name, key string) string {
	if name == "" {
		return key
	}
	return name + "." + key
}
