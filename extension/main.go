//go:build saedb_extension

// Package main is saedb as an extension that any DuckDB loads: the SQL functions of
// the program, built with -buildmode=c-shared and the tag saedb_extension, without
// DuckDB itself. make extension builds it and writes its footer.
package main

// #include <stdbool.h>
import "C"

import (
	"runtime/debug"
	"unsafe"

	"github.com/saedb/saedb/extension/procedures"
	"github.com/saedb/saedb/udf"
	"github.com/saedb/saedb/udf/capi"
)

func main() {} // never runs: DuckDB calls the entry point

func init() {
	// As in the program: nearly all of the heap is unembeddings, which stay.
	debug.SetGCPercent(10)
}

// registerMore registers what only a test wants (provoke.go).
var registerMore = func(capi.Connection) error { return nil }

// saedbLoad is what the entry point goes on to (entry.c). It answers false, having
// told DuckDB why, when the extension cannot be loaded.
//
//export saedbLoad
func saedbLoad(info, access unsafe.Pointer) C.bool {
	return C.bool(capi.NewLoading(info, access).Attach(func(registration capi.Connection, host *capi.Host, opened capi.Database) error {
		functions, err := udf.Register(registration, host, udf.DefaultModelMemory, nil)
		if err != nil {
			return err
		}
		udf.RegisterNames(opened)
		if err := registerMore(registration); err != nil {
			return err
		}
		if err := procedures.Register(registration, &procedures.Host{Functions: functions, Connect: host.Connect}); err != nil {
			return err
		}
		host.FindInterrupts("FROM saedb_about()")
		return nil
	}))
}
