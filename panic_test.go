package saedb

import (
	"strings"
	"testing"

	"github.com/saedb/saedb/internal/provoke"
	"github.com/saedb/saedb/udf/capi"
)

// TestPanics: whatever a function does that panics is an error of its query, in every
// callback that DuckDB makes, and the connection goes on.
func TestPanics(t *testing.T) {
	db := open(t, "", Options{})
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := rawConnection(conn, func(c capi.Connection) error { return provoke.Register(c) }); err != nil {
		t.Fatal(err)
	}
	query := func(sql, argument string) error {
		var n any
		return db.QueryRowContext(t.Context(), sql, argument).Scan(&n)
	}
	for _, cause := range provoke.Causes {
		if err := query("SELECT "+provoke.Scalar+"(?)", cause); err == nil || !strings.Contains(err.Error(), "internal error: ") {
			t.Errorf("%s: %v", cause, err)
		}
		// On DuckDB's own threads too.
		if err := query("SELECT count("+provoke.Scalar+"(? || substr(i::VARCHAR, 1, 0))) FROM range(500000) t(i)", cause); err == nil || !strings.Contains(err.Error(), "internal error: ") {
			t.Errorf("%s in many rows: %v", cause, err)
		}
	}
	for _, stage := range provoke.Stages {
		err := query("SELECT sum(n) FROM "+provoke.Table+"(?)", stage)
		if told := !strings.HasPrefix(stage, "close"); told != (err != nil && strings.Contains(err.Error(), "internal error: provoked")) {
			t.Errorf("%s: %v", stage, err)
		}
	}
	if err := query("SELECT count(*) FROM "+provoke.Table+"(?)", "none"); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
