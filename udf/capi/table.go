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

// Source is a table function: its VARCHAR arguments open a [Table]. Named ones come
// after the others, and are empty where a call leaves them out.
type Source func(caller Caller, arguments []string) (Table, error)

// Table is what one call of a table function reads. DuckDB may scan it more
// than once; Close ends it.
type Table interface {
	Columns() []Field
	// Rows is the exact number of rows, or negative when it is not known.
	Rows() int64
	// Scan begins a scan of the columns with these positions, in this order.
	Scan(columns []int) (Scan, error)
	Close() error
}

// Scan hands out the rows of a table.
type Scan interface {
	// Threads is how many threads may call Next at once.
	Threads() int
	// Next writes up to [VectorSize] rows and says how many; 0 ends the scan.
	Next(output Chunk) (int, error)
}

type tableFunction struct {
	name       string
	parameters int
	named      []string
	open       Source
}

// RegisterTable registers a table function with so many VARCHAR parameters, and
// named ones, which calls may leave out.
func (c Connection) RegisterTable(name string, parameters int, open Source, named ...string) error {
	f := C.call_duckdb_create_table_function()
	defer C.call_duckdb_destroy_table_function(&f)
	text := C.CString(name)
	defer C.free(unsafe.Pointer(text))
	C.call_duckdb_table_function_set_name(f, text)
	varchar := Varchar.logical()
	defer C.call_duckdb_destroy_logical_type(&varchar)
	for range parameters {
		C.call_duckdb_table_function_add_parameter(f, varchar)
	}
	for _, parameter := range named {
		text := C.CString(parameter)
		C.call_duckdb_table_function_add_named_parameter(f, text, varchar)
		C.free(unsafe.Pointer(text))
	}
	C.call_duckdb_table_function_supports_projection_pushdown(f, true)
	C.set_table_owner(f, C.uintptr_t(cgo.NewHandle(&tableFunction{name, parameters, named, open})))
	if C.call_duckdb_register_table_function(c.handle, f) != 0 {
		return fmt.Errorf("register table function %s: DuckDB refused it", name)
	}
	return nil
}

//export saedbTableBind
func saedbTableBind(info C.handle) {
	f := cgo.Handle(C.bind_owner(info)).Value().(*tableFunction)
	if err := f.bind(info); err != nil {
		tell(err, func(text *C.char) { C.call_duckdb_bind_set_error(info, text) })
	}
}

func (f *tableFunction) bind(info C.handle) (err error) {
	defer fault.Recover(&err)
	arguments := make([]string, 0, f.parameters+len(f.named))
	for i := range f.parameters {
		text, given := takeText(C.call_duckdb_bind_get_parameter(info, C.idx_t(i)))
		if !given {
			return fmt.Errorf("%s: argument %d is NULL", f.name, i+1)
		}
		arguments = append(arguments, text)
	}
	for _, parameter := range f.named {
		name := C.CString(parameter)
		text, _ := takeText(C.call_duckdb_bind_get_named_parameter(info, name))
		C.free(unsafe.Pointer(name))
		arguments = append(arguments, text)
	}
	table, err := f.open(callerOf(C.connection_of(info, false)), arguments)
	if err != nil {
		return err
	}
	for _, column := range table.Columns() {
		text, t := C.CString(column.Name), column.Type.logical()
		C.call_duckdb_bind_add_result_column(info, text, t)
		C.call_duckdb_destroy_logical_type(&t)
		C.free(unsafe.Pointer(text))
	}
	if rows := table.Rows(); rows >= 0 {
		C.call_duckdb_bind_set_cardinality(info, C.idx_t(rows), true)
	}
	C.set_bind_owner(info, C.uintptr_t(cgo.NewHandle(table)))
	return nil
}

// takeText returns the text of a VARCHAR value, which it frees; none and NULL are false.
func takeText(value C.handle) (text string, given bool) {
	if value == nil {
		return "", false
	}
	defer C.call_duckdb_destroy_value(&value)
	if bool(C.call_duckdb_is_null_value(value)) {
		return "", false
	}
	characters := C.call_duckdb_get_varchar(value)
	defer C.call_duckdb_free(unsafe.Pointer(characters))
	return C.GoString(characters), true
}

//export saedbTableInit
func saedbTableInit(info C.handle) {
	table := cgo.Handle(C.init_owner(info)).Value().(Table)
	if err := initScan(info, table); err != nil {
		tell(err, func(text *C.char) { C.call_duckdb_init_set_error(info, text) })
	}
}

func initScan(info C.handle, table Table) (err error) {
	defer fault.Recover(&err)
	columns := make([]int, int(C.call_duckdb_init_get_column_count(info)))
	for i := range columns {
		columns[i] = int(C.call_duckdb_init_get_column_index(info, C.idx_t(i)))
	}
	scan, err := table.Scan(columns)
	if err != nil {
		return err
	}
	C.call_duckdb_init_set_max_threads(info, C.idx_t(max(1, scan.Threads())))
	C.set_init_owner(info, C.uintptr_t(cgo.NewHandle(scan)))
	return nil
}

//export saedbTableScan
func saedbTableScan(info, output C.handle) {
	scan := cgo.Handle(C.scan_owner(info)).Value().(Scan)
	rows, err := nextRows(scan, Chunk{output})
	if err != nil {
		tell(err, func(text *C.char) { C.call_duckdb_function_set_error(info, text) })
		rows = 0
	}
	C.call_duckdb_data_chunk_set_size(output, C.idx_t(rows))
}

func nextRows(scan Scan, output Chunk) (rows int, err error) {
	defer fault.Recover(&err)
	return scan.Next(output)
}

// saedbRelease ends what DuckDB owned: a function, a bound table, or a scan. There is
// nobody to hand an error to, or a panic.
//
//export saedbRelease
func saedbRelease(owner unsafe.Pointer) {
	var err error
	defer fault.Recover(&err)
	h := cgo.Handle(uintptr(owner))
	defer h.Delete()
	if closer, ok := h.Value().(interface{ Close() error }); ok {
		closer.Close()
	}
}
