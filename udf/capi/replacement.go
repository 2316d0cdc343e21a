package capi

// #include <stdlib.h>
// #include "api.h"
import "C"

import "unsafe"

// Database is a duckdb_database that somebody else opened and will close.
type Database struct{ handle C.handle }

// DatabaseFrom wraps a raw duckdb_database.
func DatabaseFrom(pointer unsafe.Pointer) Database { return Database{C.handle(pointer)} }

// Replace makes FROM name, in any case, call the table function of that name, which
// takes no argument, where no table or view has it (a replacement scan).
func (d Database) Replace(name string) {
	C.add_replacement(d.handle, C.CString(name), C.delete_callback(C.free))
}
