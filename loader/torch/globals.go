package torch

import (
	"fmt"

	"github.com/saedb/saedb/internal/fault"
)

// function is a global of a pickle that is known here: what it would return in
// Python is computed by call, from its arguments alone.
type function struct {
	name string
	call func(args tuple) (any, error)
}

// functions are all functions and classes that are known. Everything else is opaque.
var functions = map[string]func(args tuple) (any, error){
	"torch._utils._rebuild_tensor":               rebuildTensor,
	"torch._utils._rebuild_tensor_v2":            rebuildTensor,
	"torch._utils._rebuild_tensor_v3":            rebuildTensorOfType,
	"torch._utils._rebuild_parameter":            firstArgument,
	"torch._utils._rebuild_parameter_with_state": firstArgument,
	"torch._tensor._rebuild_from_type_v2":        rebuildFromType,
	"torch.Size":                                 size,
	"torch.device":                               device,
	"collections.OrderedDict":                    orderedDict,
	"numpy.dtype":                                numpyType,
	"numpy.core.multiarray.scalar":               numpyScalar,
	"numpy._core.multiarray.scalar":              numpyScalar,
	"_codecs.encode":                             encodeLatin1,
}

// global returns what a name stands for: a storage, a data type, a function, or
// an opaque value.
func global(module, name string) any {
	full := module + "." + name
	if t, ok := storageTypes[full]; ok {
		return t
	}
	if t, ok := dataTypes[full]; ok {
		return t
	}
	if call, ok := functions[full]; ok {
		return &function{full, call}
	}
	return &opaque{name: full}
}

func (m *machine) globalLines() error {
	module, err := m.line()
	if err != nil {
		return err
	}
	name, err := m.line()
	if err != nil {
		return err
	}
	m.push(global(module, name))
	return nil
}

func (m *machine) globalStack() error {
	values, err := m.popTop(2)
	if err != nil {
		return err
	}
	module, ok := values[0].(string)
	name, also := values[1].(string)
	if !ok || !also {
		return &fault.Error{Problem: "a global whose name is no text", Hint: "the file is damaged"}
	}
	m.push(global(module, name))
	return nil
}

// call replaces a function and its arguments by what the function returns. This
// is where Python's unpickler would run what the file says.
func (m *machine) call() error {
	values, err := m.popTop(2)
	if err != nil {
		return err
	}
	return m.pushResult(values[0], values[1])
}

// callWithNames is call for a class with named arguments below it (NEWOBJ_EX).
func (m *machine) callWithNames() error {
	values, err := m.popTop(3)
	if err != nil {
		return err
	}
	if d, ok := values[2].(*dict); ok && len(d.keys) == 0 {
		return m.pushResult(values[0], values[1])
	}
	m.push(&opaque{name: callee(values[0])})
	return nil
}

func (m *machine) pushResult(called, arguments any) error {
	f, ok := called.(*function)
	if !ok {
		m.push(&opaque{name: callee(called)})
		return nil
	}
	args, ok := arguments.(tuple)
	if !ok {
		return badArguments(f.name)
	}
	result, err := f.call(args)
	if err == errArguments {
		return badArguments(f.name)
	}
	if err == nil {
		m.push(result)
	}
	return err
}

// callee is the name of what is called, in errors.
func callee(v any) string {
	switch v := v.(type) {
	case *opaque:
		return v.name
	case *function:
		return v.name
	default:
		return "something that is no function"
	}
}

// errArguments is returned by a function whose arguments are not those that
// PyTorch writes.
var errArguments = &fault.Error{Problem: "arguments"}

func badArguments(name string) error {
	return &fault.Error{Problem: "unexpected arguments of " + name, Hint: "the file is damaged, or written by a newer PyTorch"}
}

// setState is the attributes of an object (BUILD). A state_dict has some, which
// say nothing of its tensors; a data type of NumPy has its byte order there, and a
// configuration that was saved as the object that it was has its settings.
func (m *machine) setState() error {
	state, err := m.pop()
	if err != nil {
		return err
	}
	object, err := m.top()
	if err != nil {
		return err
	}
	switch v := object.(type) {
	case *numberType:
		if args, ok := state.(tuple); ok && len(args) > 1 {
			v.order, _ = args[1].(string)
		}
	case *opaque:
		v.attributes, _ = state.(*dict)
	}
	return nil
}

// persistent finds a storage: ("storage", type, key, device, number of values), in the earlier
// format with what part of another it is, None for all.
func (m *machine) persistent() error {
	id, err := m.pop()
	if err != nil {
		return err
	}
	args, ok := id.(tuple)
	if ok && len(args) > 1 && args[0] == "module" { // of the earlier format: a class with its source
		m.push(args[1])
		return nil
	}
	if ok && len(args) > 5 && args[5] != nil { // of the earlier format
		return &fault.Error{Problem: "a storage that is a part of another", Hint: "load it with torch.load(…, weights_only=True) and save it again with torch.save"}
	}
	if !ok || len(args) < 5 || args[0] != "storage" {
		return &fault.Error{Problem: "a persistent value that is no storage", Hint: "the file is damaged"}
	}
	if unknown, ok := args[1].(*opaque); ok {
		m.push(unknown)
		return nil
	}
	t, ok := args[1].(storageType)
	key, isText := args[2].(string)
	numel, isNumber := args[4].(int64)
	if !ok || !isText || !isNumber {
		return badArguments("a storage")
	}
	s, err := m.storage(t, key, numel)
	if err == nil {
		m.push(s)
	}
	return err
}

func firstArgument(args tuple) (any, error) {
	if len(args) == 0 {
		return nil, errArguments
	}
	return args[0], nil
}

// device is torch.device(kind, index), as text: "cuda:0".
func device(args tuple) (any, error) {
	if len(args) != 2 {
		return firstArgument(args)
	}
	kind, ok := args[0].(string)
	index, also := args[1].(int64)
	if !ok || !also {
		return nil, errArguments
	}
	return fmt.Sprintf("%s:%d", kind, index), nil
}

// size is torch.Size, of one argument that is a list already.
func size(args tuple) (any, error) {
	if len(args) == 0 {
		return tuple(nil), nil
	}
	dimensions, ok := args[0].(tuple)
	if !ok {
		return nil, errArguments
	}
	return dimensions, nil
}

// orderedDict makes a dictionary, empty or of a list of pairs.
func orderedDict(args tuple) (any, error) {
	d := &dict{}
	if len(args) == 0 {
		return d, nil
	}
	pairs, ok := args[0].(*list)
	if !ok {
		return nil, errArguments
	}
	for _, item := range pairs.items {
		pair, ok := item.(tuple)
		if l, isList := item.(*list); isList {
			pair, ok = l.items, true
		}
		if !ok || len(pair) != 2 {
			return nil, errArguments
		}
		d.set(pair[0], pair[1])
	}
	return d, nil
}

// integers returns a tuple of whole numbers.
func integers(v any) ([]int64, bool) {
	items, ok := v.(tuple)
	if !ok {
		return nil, false
	}
	numbers := make([]int64, len(items))
	for i, item := range items {
		if numbers[i], ok = item.(int64); !ok {
			return nil, false
		}
	}
	return numbers, true
}
