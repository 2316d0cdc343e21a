package test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestNotebook executes the notebook, which redoes SAELens's tutorial, as somebody does who
// has installed the wheels, in a directory of their own; its outputs are those in the file.
func TestNotebook(t *testing.T) {
	interpreter, built, site := businessPython(t), wheel(t), t.TempDir()
	runIn(t, ".", nil, interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", "--target", site, built)
	examplePackage(t, site)
	args := []string{absolute(t, "clients/run_notebook.py"), absolute(t, "../examples/notebooks/logit-lens.ipynb"), t.TempDir()}
	if *update {
		args = append(args, "--write")
	}
	out := runIn(t, t.TempDir(), []string{"PYTHONPATH=" + site, "JUPYTER_PLATFORM_DIRS=1", "SAEDB_PROGRESS=0", "IPYTHONDIR=" + t.TempDir()}, interpreter, args...)
	if want := "11 figures, 7 tables\n"; !strings.HasSuffix(out, want) {
		t.Errorf("it gave %q, expected %q", out, want)
	}
}

// examplePackage puts saedb_example into site as its wheel has it.
func examplePackage(t *testing.T, site string) {
	t.Helper()
	copyFile(t, "../python/example/src/saedb_example/__init__.py", filepath.Join(site, "saedb_example.py"))
	if err := os.Symlink(absolute(t, "../examples/smollm2-135m"), filepath.Join(site, "smollm2-135m")); err != nil {
		t.Fatal(err)
	}
}
