package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// pythonHub sets the environment after the extension is loaded, as a notebook does, and loads
// from the Hub by the names that the program takes.
const pythonHub = `
import os, sys
import saedb

con = saedb.connect()
os.environ["HF_ENDPOINT"], os.environ["HF_HOME"] = sys.argv[1:]
model = saedb.load_model(con, "org/tiny-gpt2", name="gpt2-small")
assert model.name == "gpt2-small" and not model.unchanged, model
assert saedb.load_model(con, "org/tiny-gpt2", name="gpt2-small").unchanged
(sae,) = saedb.load_sae(con, release="gpt2-small-res-jb", layer=8)
assert sae.name == "gpt2-small-res-jb/blocks.8.hook_resid_pre", sae
(other,) = saedb.load_sae(con, "jbloom/GPT2-Small-SAEs-Reformatted/blocks.9.hook_resid_pre")
found = con.execute("SELECT layer, neuronpedia_id, source FROM saes JOIN loads USING (load_id) ORDER BY layer").fetchall()
assert [(row[0], row[1]) for row in found] == [(8, "gpt2-small/8-res-jb"), (9, "gpt2-small/9-res-jb")], found
assert found[0][2] == "jbloom/GPT2-Small-SAEs-Reformatted/blocks.8.hook_resid_pre", found
saedb.compute(con, baseline=0)
assert con.execute("SELECT count(skewness) FROM features").fetchone() == (48,)
for wrong in ("org/no-such-model", "org/tiny-gpt2@no-such-revision"):
    try:
        saedb.load_model(con, wrong)
    except saedb.HubError as error:
        print(error)
    else:
        raise AssertionError(wrong)
assert con.execute("SELECT count(*) FROM models").fetchone() == (1,)
`

// TestPythonHub loads a model and SAEs by their names, through the extension.
func TestPythonHub(t *testing.T) {
	built, site, s := wheel(t), t.TempDir(), newHub(t)
	python := absolute(t, filepath.Join(environment, "bin/python"))
	runIn(t, ".", nil, python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", "--target", site, built)
	command := exec.Command(python, "-W", "error", "-c", pythonHub, s.URL, t.TempDir())
	command.Dir, command.Env = t.TempDir(), append(os.Environ(), "PYTHONPATH="+site)
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
