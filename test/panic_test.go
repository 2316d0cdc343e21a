package test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/saedb/saedb/internal/provoke"
)

// TestPanicInExtension: a panic in a function is an error of the query, and the
// process of the client lives on, as in the program (TestPanics in the package saedb).
func TestPanicInExtension(t *testing.T) {
	t.Parallel()
	needMake(t)
	provoking := filepath.Join(t.TempDir(), "saedb.duckdb_extension")
	if out, err := exec.Command("make", "-C", "..", "extension", "EXTENSION="+provoking, "TAGS=saedb_provoke").CombinedOutput(); err != nil {
		t.Fatalf("make extension: %v\n%s", err, out)
	}
	for _, version := range extensionClients {
		t.Run(version, func(t *testing.T) {
			causes, stages := provoke.Causes, provoke.Stages
			out := python(t, version, "clients/panics.py", provoking, strings.Join(causes, ","), strings.Join(stages, ","))
			// Twice in the main thread and twice in another; the two stages of closing have no error.
			if got, want := strings.Count(string(out), "error\n"), 4*len(causes)+2*(len(stages)-2); got != want {
				t.Errorf("%d errors, expected %d", got, want)
			}
		})
	}
}
