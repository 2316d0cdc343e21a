//go:build !saedb_extension

package capi

// #include "api.h"
// #include "positions.h"
//
// #define X(ret, name, params, args) extern ret name params;
// SAEDB_CAPI(X)
// SAEDB_CAPI_RUNS(X)
// #undef X
//
// typedef struct { const char *name; void *function; int position; } entry;
// #define X(ret, name, params, args) {#name, (void *)name, at_##name},
// static const entry entries[] = {SAEDB_CAPI(X) SAEDB_CAPI_RUNS(X)};
// #undef X
// enum { entry_count = sizeof(entries) / sizeof(entry), most = 1024 };
// static entry entry_at(int i) { return entries[i]; }
//
// // duckdb::DatabaseInstance::GetExtensionAPIV1, which fills less of it. Weak, so that a
// // DuckDB without it fails the test and not the build.
// typedef struct { void *functions[most]; } extension_struct;
// extern extension_struct _ZN6duckdb16DatabaseInstance17GetExtensionAPIV1Ev(handle instance) __attribute__((weak));
// extern duckdb_state duckdb_open(const char *path, handle *database);
// extern void duckdb_close(handle *database);
//
// static bool linked_struct(extension_struct *f) {
//	handle database = NULL;
//	if (!_ZN6duckdb16DatabaseInstance17GetExtensionAPIV1Ev || duckdb_open(NULL, &database) != 0) return false;
//	*f = _ZN6duckdb16DatabaseInstance17GetExtensionAPIV1Ev(**(handle **)database);
//	duckdb_close(&database);
//	return true;
// }
import "C"

import "errors"

// position is where a function of api.h is in the struct that DuckDB hands to extensions.
type position struct {
	name         string
	here, duckDB int // in positions.h, and in the linked DuckDB, or -1 where it is not
}

// positions returns them for all functions that saedb uses; a test compares them. It is no
// test file, which cannot have C.
func positions() ([]position, error) {
	var table C.extension_struct
	if !C.linked_struct(&table) {
		return nil, errors.New("the linked DuckDB does not give the struct that it hands to extensions")
	}
	all := make([]position, C.entry_count)
	for i := range all {
		e := C.entry_at(C.int(i))
		all[i] = position{C.GoString(e.name), int(e.position), -1}
		for place, function := range table.functions {
			if function == e.function {
				all[i].duckDB = place
				break
			}
		}
	}
	return all, nil
}
