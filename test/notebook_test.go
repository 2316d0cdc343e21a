package test

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestNotebook executes the notebook, which redoes SAELens's tutorial, with the wheel.
func TestNotebook(t *testing.T) {
	interpreter, built, site := businessPython(t), wheel(t), t.TempDir()
	runIn(t, ".", nil, interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", "--target", site, built)
	notebook := absolute(t, "../examples/notebooks/logit-lens.ipynb")
	out := runIn(t, "clients", []string{"PYTHONPATH=" + site, "JUPYTER_PLATFORM_DIRS=1", "IPYTHONDIR=" + t.TempDir()},
		interpreter, "run_notebook.py", notebook, filepath.Dir(notebook))
	for _, want := range []string{"13 figures, 6 tables\n", "1328  4.205260", "29       63     4      2.006952", "552  letter_m  0.950814  0.861111  promoted"} {
		if !strings.Contains(out, want) {
			t.Errorf("it gave no %q:\n%s", want, out)
		}
	}
}
