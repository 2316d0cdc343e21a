package capi

// #include <stdlib.h>
// #include "api.h"
import "C"

import (
	"errors"
	"fmt"
	"time"
	"unsafe"
)

// Statement is a prepared statement. The caller closes it before its connection.
type Statement struct{ handle C.handle }

// Prepare prepares one statement.
func (c Connection) Prepare(sql string) (*Statement, error) {
	text := C.CString(sql)
	defer C.free(unsafe.Pointer(text))
	s := &Statement{}
	if C.call_duckdb_prepare(c.handle, text, &s.handle) != 0 {
		defer s.Close()
		return nil, errors.New(C.GoString(C.call_duckdb_prepare_error(s.handle)))
	}
	return s, nil
}

// Close frees the statement.
func (s *Statement) Close() { C.call_duckdb_destroy_prepare(&s.handle) }

// Parameters is the number of parameters.
func (s *Statement) Parameters() int { return int(C.call_duckdb_nparams(s.handle)) }

// Bind sets parameter i, the first being 0, to nil, a bool, an int64, a float64, a
// string, or a time, which is given in UTC.
func (s *Statement) Bind(i int, value any) error {
	at := C.idx_t(i + 1)
	var state C.duckdb_state
	switch v := value.(type) {
	case nil:
		state = C.call_duckdb_bind_null(s.handle, at)
	case bool:
		state = C.call_duckdb_bind_boolean(s.handle, at, C.bool(v))
	case int64:
		state = C.call_duckdb_bind_int64(s.handle, at, C.int64_t(v))
	case float64:
		state = C.call_duckdb_bind_double(s.handle, at, C.double(v))
	case string:
		text := C.CString(v)
		defer C.free(unsafe.Pointer(text))
		state = C.call_duckdb_bind_varchar_length(s.handle, at, text, C.idx_t(len(v)))
	case time.Time:
		state = C.call_duckdb_bind_timestamp(s.handle, at, C.duckdb_timestamp{micros: C.int64_t(v.UnixMicro())})
	default:
		return fmt.Errorf("parameter %d: a %T cannot be bound", i+1, value)
	}
	if state != 0 {
		return fmt.Errorf("parameter %d: DuckDB refused a %T", i+1, value)
	}
	return nil
}

// Interrupt ends what the connection runs, at the next chunk of rows.
func (c Connection) Interrupt() { C.call_duckdb_interrupt(c.handle) }

// Run runs statements without parameters and returns the result of the last.
func (c Connection) Run(sql string) (*Result, error) {
	text := C.CString(sql)
	defer C.free(unsafe.Pointer(text))
	r := &Result{}
	if C.call_duckdb_query(c.handle, text, &r.raw) != 0 {
		defer r.Close()
		return nil, errors.New(C.GoString(C.call_duckdb_result_error(&r.raw)))
	}
	return r, nil
}

// Execute runs the statement. While another of DuckDB's threads has all there is to
// do, it sleeps, where DuckDB itself would spin and take a processor from it.
func (s *Statement) Execute() (*Result, error) {
	var pending C.handle
	defer func() { C.call_duckdb_destroy_pending(&pending) }()
	if C.call_duckdb_pending_prepared(s.handle, &pending) != 0 {
		return nil, errors.New(C.GoString(C.call_duckdb_pending_error(pending)))
	}
	const shortest, longest = 20 * time.Microsecond, 2 * time.Millisecond
	for pause := shortest; ; {
		state := C.call_duckdb_pending_execute_task(pending)
		if state == C.PENDING_RESULT_NOT_READY {
			pause = shortest
			continue
		}
		if state == C.PENDING_ERROR {
			return nil, errors.New(C.GoString(C.call_duckdb_pending_error(pending)))
		}
		if state != C.PENDING_NO_TASKS_AVAILABLE {
			break
		}
		time.Sleep(pause)
		pause = min(2*pause, longest)
	}
	r := &Result{}
	if C.call_duckdb_execute_pending(pending, &r.raw) != 0 {
		defer r.Close()
		return nil, errors.New(C.GoString(C.call_duckdb_result_error(&r.raw)))
	}
	return r, nil
}

// Result is the materialised result of a statement, handed out chunk by chunk. The
// caller closes it.
type Result struct {
	raw   C.duckdb_result
	chunk C.handle
}

// Columns are the names of the columns.
func (r *Result) Columns() []string {
	names := make([]string, int(C.call_duckdb_column_count(&r.raw)))
	for i := range names {
		names[i] = C.GoString(C.call_duckdb_column_name(&r.raw, C.idx_t(i)))
	}
	return names
}

// Changed is the number of rows that an INSERT, UPDATE or DELETE changed.
func (r *Result) Changed() int64 { return int64(C.call_duckdb_rows_changed(&r.raw)) }

// Next returns the next chunk, valid until the next call, and false at the end.
func (r *Result) Next() (Chunk, bool) {
	r.release()
	r.chunk = C.call_duckdb_fetch_chunk(r.raw)
	return Chunk{r.chunk}, r.chunk != nil
}

// Close frees the result and its current chunk.
func (r *Result) Close() {
	r.release()
	C.call_duckdb_destroy_result(&r.raw)
}

func (r *Result) release() {
	if r.chunk != nil {
		C.call_duckdb_destroy_data_chunk(&r.chunk)
		r.chunk = nil
	}
}
