//go:build !saedb_extension

package capi

import "testing"

// TestPositionsAreDuckDBs: the numbers of positions.h are those of the struct that the DuckDB
// in go.mod fills.
func TestPositionsAreDuckDBs(t *testing.T) {
	all, err := positions()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		if p.here != p.duckDB {
			t.Errorf("%s: %d in positions.h, %d in DuckDB", p.name, p.here, p.duckDB)
		}
	}
}
