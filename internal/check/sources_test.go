package check

import (
	"os"
	"path/filepath"
	"testing"
)

// TestSourcePath: a file is looked for where it was loaded from: at its own path, at that of a
// load of one file, or in the load's directory.
func TestSourcePath(t *testing.T) {
	dir := t.TempDir()
	one := filepath.Join(dir, "one.safetensors")
	if err := os.WriteFile(one, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ source, name, want string }{
		{dir, "layer/cfg.json", filepath.Join(dir, "layer", "cfg.json")},
		{one, "one.safetensors", one},
		{filepath.Join(dir, "gone"), "cfg.json", filepath.Join(dir, "gone", "cfg.json")},
		{"anywhere", one, one},
	} {
		if got := (&sourceFile{source: c.source, name: c.name}).path(); got != c.want {
			t.Errorf("%s of %s: %s, expected %s", c.name, c.source, got, c.want)
		}
	}
}
