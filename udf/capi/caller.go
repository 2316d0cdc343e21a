package capi

// #include "api.h"
import "C"

// Caller is the connection that runs a function, as far as DuckDB tells, which it does from
// 1.5.6 on.
type Caller struct {
	Connection  int64   // DuckDB's number of it, -1 where it is unknown
	interrupted *C.char // nil where it is unknown
}

// UnknownCaller is a connection of which nothing is known.
var UnknownCaller = Caller{Connection: -1}

func callerOf(c C.saedb_connection) Caller { return Caller{int64(c.id), c.interrupted} }

// TellsInterrupts reports whether Interrupted says anything: in the extension, under a DuckDB
// in which it is known where to look ([Host.FindInterrupts]).
func (c Caller) TellsInterrupts() bool { return c.interrupted != nil }

// Interrupted reports whether DuckDB was asked to stop what the connection runs. It may be
// asked while a function runs that the connection called, and stays true until the connection
// begins its next statement.
func (c Caller) Interrupted() bool {
	return c.TellsInterrupts() && bool(C.is_interrupted(c.interrupted))
}
