//go:build saedb_extension

package capi

// #include <stdlib.h>
// #include "extension.h"
import "C"

import (
	"errors"
	"runtime"
	"unsafe"
)

// Host is the database that loaded the extension. It opens a connection for
// each query, inside a function that DuckDB calls.
//
// An open duckdb_connection, and a duckdb_database too, keep a database open: if
// the extension held one, then a database that a person closes would stay locked,
// and not be checkpointed, until their process ends. The C API has no weak
// reference. Its duckdb_connect, though, only follows two pointers from a
// duckdb_database to the DatabaseInstance, which then hands out a counted
// reference itself. So a copy of those two pointers, without their counters, is as
// good as a weak reference, since a function that DuckDB calls runs in a query,
// which keeps the database open.
//
// That is how DuckDB 1.2 to 2.0 lay these objects out, which the C API does not
// promise. Therefore it is checked when the extension is loaded, on the connection
// that DuckDB itself made: where the layout is another, that connection is kept.
type Host struct {
	weak *C.saedb_weak_database
	kept C.handle // a connection that stays open, or nil
}

func newHost(handed, connection C.handle) *Host {
	instance := C.saedb_instance(handed)
	if !bool(C.saedb_connection_is_of(connection, instance)) {
		return &Host{kept: connection}
	}
	d := &Host{weak: (*C.saedb_weak_database)(C.calloc(1, C.sizeof_saedb_weak_database))}
	C.saedb_point_to(d.weak, instance)
	runtime.AddCleanup(d, func(weak *C.saedb_weak_database) { C.free(unsafe.Pointer(weak)) }, d.weak)
	return d
}

// Query runs sql on a connection of its own; see [Connection.Query].
func (d *Host) Query(sql string, each func(Chunk) error) error {
	if d.kept != nil {
		return Connection{d.kept}.Query(sql, each)
	}
	c, disconnect, err := d.Connect()
	if err != nil {
		return err
	}
	defer disconnect()
	return c.Query(sql, each)
}

// Connect opens a connection. It must be called, and the connection closed, while
// a function or table function runs that DuckDB calls.
func (d *Host) Connect() (c Connection, disconnect func(), err error) {
	var connection C.handle
	if d.kept != nil {
		return c, nil, errors.New("saedb does not know this version of DuckDB well enough to write in it: load and compute with the program saedb")
	}
	if C.call_duckdb_connect(C.handle(unsafe.Pointer(&d.weak.wrapper)), &connection) != 0 {
		return c, nil, errors.New("DuckDB refused a connection")
	}
	return Connection{connection}, func() {
		C.call_duckdb_disconnect(&connection)
		runtime.KeepAlive(d)
	}, nil
}
