package capi

// #include <stdlib.h>
// #include "api.h"
import "C"

import (
	"fmt"
	"runtime/cgo"
	"unsafe"

	"github.com/saedb/saedb/internal/fault"
)

// Scalar is one overload of a SQL function.
type Scalar struct {
	Parameters []Type
	Returns    Type
	Volatile   bool // has an effect, or another result each time
	// Call computes a whole chunk: one result a row of input, written in place
	// into output. DuckDB answers NULL for rows with a NULL argument itself only
	// when the whole argument is a constant NULL, so Call must mind the rest.
	Call func(input Chunk, output Vector) error
	// Run, in place of Call, does the same and is told what run it is in. DuckDB refuses
	// such a function in an index, which outlives what runs.
	Run func(run *Run, input Chunk, output Vector) error
}

// Run is one use of a function in a statement that runs, on one of DuckDB's threads. A
// DuckDB before 1.5.6 does not tell runs apart: there each chunk is one.
type Run struct {
	Caller
	// Kept is the function's own, from chunk to chunk; nil at first.
	Kept any
}

// RegisterScalar registers the overloads of one function with the database of c.
func (c Connection) RegisterScalar(name string, overloads ...Scalar) error {
	text := C.CString(name)
	defer C.free(unsafe.Pointer(text))
	set := C.call_duckdb_create_scalar_function_set(text)
	defer C.call_duckdb_destroy_scalar_function_set(&set)
	for i := range overloads {
		f := C.call_duckdb_create_scalar_function()
		C.call_duckdb_scalar_function_set_name(f, text)
		for _, p := range overloads[i].Parameters {
			t := p.logical()
			C.call_duckdb_scalar_function_add_parameter(f, t)
			C.call_duckdb_destroy_logical_type(&t)
		}
		t := overloads[i].Returns.logical()
		C.call_duckdb_scalar_function_set_return_type(f, t)
		C.call_duckdb_destroy_logical_type(&t)
		if overloads[i].Volatile {
			C.call_duckdb_scalar_function_set_volatile(f)
		}
		C.set_scalar_owner(f, C.uintptr_t(cgo.NewHandle(&overloads[i])), C.bool(overloads[i].Run != nil))
		state := C.call_duckdb_add_scalar_function_to_set(set, f)
		C.call_duckdb_destroy_scalar_function(&f)
		if state != 0 {
			return fmt.Errorf("register function %s: DuckDB refused overload %d", name, i+1)
		}
	}
	if C.call_duckdb_register_scalar_function_set(c.handle, set) != 0 {
		return fmt.Errorf("register function %s: DuckDB refused it", name)
	}
	return nil
}

//export saedbScalarInit
func saedbScalarInit(info C.handle) {
	run := &Run{Caller: callerOf(C.connection_of(info, true))}
	C.set_scalar_state(info, C.uintptr_t(cgo.NewHandle(run)))
}

//export saedbScalar
func saedbScalar(info, input, output C.handle) {
	f := cgo.Handle(C.scalar_owner(info)).Value().(*Scalar)
	if err := f.protected(info, Chunk{input}, Vector{output}); err != nil {
		tell(err, func(text *C.char) { C.call_duckdb_scalar_function_set_error(info, text) })
	}
}

func (f *Scalar) protected(info C.handle, input Chunk, output Vector) (err error) {
	defer fault.Recover(&err)
	if f.Run == nil {
		return f.Call(input, output)
	}
	run := &Run{Caller: UnknownCaller}
	if state := C.scalar_state(info); state != 0 {
		run = cgo.Handle(state).Value().(*Run)
	}
	return f.Run(run, input, output)
}
