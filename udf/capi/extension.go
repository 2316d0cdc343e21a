//go:build saedb_extension

package capi

// #include <stdlib.h>
// #include "extension.h"
// #include "positions.h"
import "C"

import (
	"errors"
	"sync"
	"unsafe"

	"github.com/saedb/saedb/internal/fault"
)

// Loading is what DuckDB hands to the entry point of a loadable extension: its
// duckdb_extension_info and duckdb_extension_access, valid while it runs.
type Loading struct {
	info   C.handle
	access *C.saedb_access
}

// NewLoading wraps the arguments of an entry point.
func NewLoading(info, access unsafe.Pointer) Loading {
	return Loading{C.handle(info), (*C.saedb_access)(access)}
}

// Attach fills the table of DuckDB's functions and calls register with a
// connection to the database that loads the extension, which is closed after it,
// with what asks queries of it as long as the functions are there, and with the
// database itself, which is valid only meanwhile.
// An error, or a panic, is handed to DuckDB, which reports it as that of LOAD; ok
// is what the entry point returns.
func (l Loading) Attach(register func(registration Connection, host *Host, opened Database) error) (ok bool) {
	err := l.attach(register)
	if err == nil {
		return true
	}
	text := C.CString(err.Error())
	defer C.free(unsafe.Pointer(text))
	C.access_set_error(l.access, l.info, text)
	return false
}

func (l Loading) attach(register func(Connection, *Host, Database) error) (err error) {
	defer fault.Recover(&err)
	version := C.CString(C.SAEDB_CAPI_VERSION)
	defer C.free(unsafe.Pointer(version))
	pointers := C.access_get_api(l.access, l.info, version)
	if pointers == nil {
		return errors.New("load saedb: this DuckDB does not offer version " + C.SAEDB_CAPI_VERSION + " of the C API; DuckDB 1.2 and later do")
	}
	if err := fill(pointers); err != nil {
		return err
	}
	handed := C.access_get_database(l.access, l.info)
	if handed == nil {
		return errors.New("load saedb: DuckDB gave no database")
	}
	var connection C.handle
	if C.call_duckdb_connect(*handed, &connection) != 0 {
		return errors.New("load saedb: DuckDB refused a connection")
	}
	host := newHost(*handed, connection)
	if host.kept == nil {
		defer C.call_duckdb_disconnect(&connection)
	}
	return register(Connection{connection}, host, Database{*handed})
}

var filling struct {
	sync.Mutex
	done bool
}

// fill fills the table, once: DuckDB hands over the same functions for each database
// of a process. A second library of DuckDB in it would take them from the first.
func fill(pointers unsafe.Pointer) error {
	filling.Lock()
	defer filling.Unlock()
	switch {
	case !filling.done:
		if !bool(C.saedb_watch_forks()) {
			return errors.New("load saedb: no memory")
		}
		C.saedb_fill(pointers)
		filling.done = true
	case !bool(C.saedb_filled_from(pointers)):
		return errors.New("load saedb: another library of DuckDB in this process has loaded this file already; load a copy of it")
	}
	return nil
}
