package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The demo's example is the directory given, or that of a clone in whose top it is run;
// where there is none, the error says how to get it.
func TestFindExample(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, given := range []string{"", "elsewhere"} {
		_, err := findExample(given)
		if err == nil || !strings.Contains(err.Error(), "pip install saedb-example") || !strings.Contains(err.Error(), demoModel) {
			t.Errorf("%q: got %v, want an error that says where the example is", given, err)
		}
	}
	clone := filepath.Join("examples", "smollm2-135m")
	for _, directory := range []string{clone, "elsewhere"} {
		if err := os.MkdirAll(directory, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(directory, demoModel), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for given, want := range map[string]string{"": clone, "elsewhere": "elsewhere"} {
		if found, err := findExample(given); err != nil || found != want {
			t.Errorf("%q: got %q, %v, want %q", given, found, err, want)
		}
	}
}
