package capi

// #include <stdlib.h>
// #include "api.h"
import "C"

import (
	"fmt"
	"runtime/cgo"
	"unsafe"
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
		C.set_scalar_owner(f, C.uintptr_t(cgo.NewHandle(&overloads[i])))
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

//export saedbScalar
func saedbScalar(info, input, output C.handle) {
	f := cgo.Handle(C.scalar_owner(info)).Value().(*Scalar)
	if err := f.protected(Chunk{input}, Vector{output}); err != nil {
		text := C.CString(err.Error())
		C.call_duckdb_scalar_function_set_error(info, text)
		C.free(unsafe.Pointer(text))
	}
}

func (f *Scalar) protected(input Chunk, output Vector) (err error) {
	defer recovered(&err)
	return f.Call(input, output)
}
