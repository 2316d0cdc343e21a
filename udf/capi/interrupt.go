//go:build saedb_extension

package capi

// #include "extension.h"
import "C"

// FindInterrupts finds out how a function may know that its statement was interrupted, which
// the C API does not tell: from a byte of DuckDB's ClientContext, which duckdb_interrupt sets
// and the next statement clears. Where it lies in DuckDB 1.5.6 to 2.0 is tried on a connection
// of this database, with a query that calls a table function of saedb's: where setting,
// clearing or the context that the function is given are not as expected, functions stop
// between chunks alone, as in a DuckDB that does not tell them their connection.
func (d *Host) FindInterrupts(query string) {
	filling.Lock()
	defer filling.Unlock()
	if d.kept != nil || C.saedb_interrupted_at != 0 {
		return
	}
	c, disconnect, err := d.Connect()
	if err != nil {
		return
	}
	defer disconnect()
	if !bool(C.saedb_interrupt_shows(c.handle)) {
		return
	}
	C.saedb_sought = C.saedb_context(c.handle)
	err = c.Query(query, func(Chunk) error { return nil })
	C.saedb_sought = nil
	if err == nil && bool(C.saedb_sought_found) {
		C.saedb_interrupt_cleared(c.handle)
	}
}
