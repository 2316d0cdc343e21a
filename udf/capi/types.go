package capi

// #include <stdlib.h>
// #include "api.h"
import "C"

import (
	"fmt"
	"strings"
	"unsafe"
)

// Kind is the identifier of a DuckDB type (enum duckdb_type).
type Kind int

// The kinds that saedb's functions take or give.
const (
	KindBoolean   Kind = 1
	KindInteger   Kind = 4
	KindBigint    Kind = 5
	KindUBigint   Kind = 9
	KindFloat     Kind = 10
	KindDouble    Kind = 11
	KindTimestamp Kind = 12
	KindHugeint   Kind = 16
	KindVarchar   Kind = 17
	KindBlob      Kind = 18
	KindList      Kind = 24
	KindStruct    Kind = 25
	KindArray     Kind = 33
	KindAny       Kind = 34
	KindNull      Kind = 36
)

// Type describes a parameter or a result.
type Type struct {
	Kind    Kind
	Element *Type   // of a list
	Fields  []Field // of a struct
}

// Field is a member of a struct, or a column of a table function.
type Field struct {
	Name string
	Type Type
}

// The plain types.
var (
	Boolean = Type{Kind: KindBoolean}
	Integer = Type{Kind: KindInteger}
	Bigint  = Type{Kind: KindBigint}
	Float   = Type{Kind: KindFloat}
	Double  = Type{Kind: KindDouble}
	Varchar = Type{Kind: KindVarchar}
	Blob    = Type{Kind: KindBlob}
	Any     = Type{Kind: KindAny}
)

// List is the type element[].
func List(element Type) Type { return Type{Kind: KindList, Element: &element} }

// Struct is the type STRUCT(fields).
func Struct(fields ...Field) Type { return Type{Kind: KindStruct, Fields: fields} }

// String is the type as SQL writes it.
func (t Type) String() string {
	switch t.Kind {
	case KindList:
		return t.Element.String() + "[]"
	case KindStruct:
		fields := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			fields[i] = f.Name + " " + f.Type.String()
		}
		return "STRUCT(" + strings.Join(fields, ", ") + ")"
	}
	return t.Kind.String()
}

// String is the kind as SQL writes it.
func (k Kind) String() string {
	if name, ok := kindNames[k]; ok {
		return name
	}
	return fmt.Sprintf("type %d", int(k))
}

// In the order of enum duckdb_type, whose numbers are part of DuckDB's ABI.
var kindNames = map[Kind]string{
	KindBoolean: "BOOLEAN", 2: "TINYINT", 3: "SMALLINT", KindInteger: "INTEGER", KindBigint: "BIGINT",
	6: "UTINYINT", 7: "USMALLINT", 8: "UINTEGER", KindUBigint: "UBIGINT", KindFloat: "FLOAT", KindDouble: "DOUBLE",
	KindTimestamp: "TIMESTAMP", 13: "DATE", 14: "TIME", 15: "INTERVAL", KindHugeint: "HUGEINT", KindVarchar: "VARCHAR",
	KindBlob: "BLOB", 19: "DECIMAL", 23: "ENUM", KindList: "LIST", KindStruct: "STRUCT", 26: "MAP", 27: "UUID",
	KindArray: "ARRAY", KindAny: "ANY", KindNull: "NULL",
}

// logical makes the duckdb_logical_type; the caller destroys it.
func (t Type) logical() C.handle {
	switch t.Kind {
	case KindList:
		element := t.Element.logical()
		defer C.call_duckdb_destroy_logical_type(&element)
		return C.call_duckdb_create_list_type(element)
	case KindStruct:
		types, names := allocate(len(t.Fields)), allocate(len(t.Fields))
		defer C.free(unsafe.Pointer(unsafe.SliceData(types)))
		defer C.free(unsafe.Pointer(unsafe.SliceData(names)))
		for i, f := range t.Fields {
			types[i], names[i] = f.Type.logical(), C.handle(unsafe.Pointer(C.CString(f.Name)))
		}
		made := C.call_duckdb_create_struct_type(unsafe.SliceData(types),
			(**C.char)(unsafe.Pointer(unsafe.SliceData(names))), C.idx_t(len(t.Fields)))
		for i := range t.Fields {
			C.call_duckdb_destroy_logical_type(&types[i])
			C.free(unsafe.Pointer(names[i]))
		}
		return made
	}
	return C.call_duckdb_create_logical_type(C.int(t.Kind))
}

// allocate gives n pointers in C's memory, since an array of pointers that C
// reads may not lie in Go's.
func allocate(n int) []C.handle {
	p := C.calloc(C.size_t(n), C.size_t(unsafe.Sizeof(C.handle(nil))))
	return unsafe.Slice((*C.handle)(p), n)
}
