// Package capi is saedb's whole contact with DuckDB's C API: vectors read and
// written in place, functions registered with it, and queries asked of it from
// inside a function.
//
// Everything goes through one C table of function pointers (api.h), so that the
// same code serves the program, which links DuckDB, and the loadable extension,
// which must not.
package capi

// #include <stdlib.h>
// #include "api.h"
import "C"

import (
	"errors"
	"unsafe"

	"github.com/saedb/saedb/internal/fault"
)

// Connection is a duckdb_connection that somebody else opened and will close.
type Connection struct{ handle C.handle }

// ConnectionFrom wraps a raw duckdb_connection.
func ConnectionFrom(pointer unsafe.Pointer) Connection { return Connection{C.handle(pointer)} }

// Queryer answers queries that a function asks while it runs.
type Queryer interface {
	Query(sql string, each func(Chunk) error) error
}

// VectorSize is the number of rows in a full chunk (2,048).
func VectorSize() int { return int(C.call_duckdb_vector_size()) }

// Query runs sql and calls each on every chunk of the result, in order. The
// result is materialised by DuckDB: ask for large ones in parts. A chunk and
// what was read from it are valid only during the call.
func (c Connection) Query(sql string, each func(Chunk) error) error {
	text := C.CString(sql)
	defer C.free(unsafe.Pointer(text))
	var result C.duckdb_result
	defer C.call_duckdb_destroy_result(&result)
	if C.call_duckdb_query(c.handle, text, &result) != 0 {
		return errors.New(C.GoString(C.call_duckdb_result_error(&result)))
	}
	for {
		chunk := C.call_duckdb_fetch_chunk(result)
		if chunk == nil {
			return nil
		}
		err := each(Chunk{chunk})
		C.call_duckdb_destroy_data_chunk(&chunk)
		if err != nil {
			return err
		}
	}
}

// tell hands an error to DuckDB, by the function that it has for that.
func tell(err error, set func(text *C.char)) {
	text := C.CString(fault.Hand(err))
	defer C.free(unsafe.Pointer(text))
	set(text)
}
