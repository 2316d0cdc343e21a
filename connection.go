package saedb

import (
	"database/sql"
	"fmt"
	"reflect"
	"unsafe"

	"github.com/duckdb/duckdb-go/v2"
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
