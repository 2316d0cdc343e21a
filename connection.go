package saedb

import (
	"context"
	"database/sql"
	"fmt"
	"reflect"
	"sync"
	"unsafe"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/saedb/saedb/udf"
	"github.com/saedb/saedb/udf/capi"
)

// rawConnection calls use with the duckdb_connection under conn. The driver
// keeps it in a private field and has no accessor, so it is read by reflection,
// here and nowhere else.
func rawConnection(conn *sql.Conn, use func(capi.Connection) error) error {
	return conn.Raw(func(driverConn any) error {
		c, ok := driverConn.(*duckdb.Conn)
		if !ok {
			return fmt.Errorf("expected the DuckDB driver's connection, found %T", driverConn)
		}
		pointer := reflect.ValueOf(c).Elem().FieldByName("conn")
		if pointer.IsValid() && pointer.Kind() == reflect.Struct {
			pointer = pointer.FieldByName("Ptr")
		}
		if !pointer.IsValid() || pointer.Kind() != reflect.UnsafePointer || pointer.IsNil() {
			return fmt.Errorf("this version of the DuckDB driver keeps its connection elsewhere than in Conn.conn.Ptr")
		}
		return use(capi.ConnectionFrom(unsafe.Pointer(pointer.Pointer())))
	})
}

// rawDatabase is the duckdb_database of a connector, read as rawConnection reads a
// connection.
func rawDatabase(connector *duckdb.Connector) (capi.Database, error) {
	pointer := reflect.ValueOf(connector).Elem().FieldByName("db")
	if pointer.IsValid() && pointer.Kind() == reflect.Struct {
		pointer = pointer.FieldByName("Ptr")
	}
	if !pointer.IsValid() || pointer.Kind() != reflect.UnsafePointer || pointer.IsNil() {
		return capi.Database{}, fmt.Errorf("this version of the DuckDB driver keeps its database elsewhere than in Connector.db.Ptr")
	}
	return capi.DatabaseFrom(unsafe.Pointer(pointer.Pointer())), nil
}

// contexts gives the contexts of what runs on a connector's connections, which the driver
// keeps by DuckDB's number of the connection, for functions that are made with it. It is
// read as rawConnection reads a connection.
func contexts(connector *duckdb.Connector) (udf.Contexts, error) {
	store := reflect.ValueOf(connector).Elem().FieldByName("ctxStore")
	if store.IsValid() && store.Kind() == reflect.Pointer && !store.IsNil() {
		if all := store.Elem().FieldByName("m"); all.IsValid() && all.Type() == reflect.TypeFor[sync.Map]() {
			all := (*sync.Map)(unsafe.Pointer(all.UnsafeAddr()))
			return func(connection int64) context.Context {
				found, _ := all.Load(uint64(connection))
				ctx, _ := found.(context.Context)
				return ctx
			}, nil
		}
	}
	return nil, fmt.Errorf("this version of the DuckDB driver keeps its contexts elsewhere than in Connector.ctxStore.m")
}
