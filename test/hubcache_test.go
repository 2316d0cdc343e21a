package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/saedb/saedb/loader/hub/hubtest"
)

// readCache is Python's huggingface_hub on a cache that saedb filled, without the
// network: the same paths and bytes, and nothing that its own scan finds wrong.
const readCache = `
import hashlib, sys
sys.path.insert(0, sys.argv[1])
from huggingface_hub import hf_hub_download, scan_cache_dir, snapshot_download, try_to_load_from_cache, _CACHED_NO_EXIST

model, saes = sys.argv[2], sys.argv[3]
for repo, file in (model, "config.json"), (model, "tokenizer.json"), (saes, "blocks.8.hook_resid_pre/cfg.json"), (saes, "blocks.8.hook_resid_pre/sae_weights.safetensors"):
    path = hf_hub_download(repo, file, local_files_only=True)
    print(repo, file, hashlib.sha256(open(path, "rb").read()).hexdigest())
root = snapshot_download(saes, allow_patterns=["blocks.8.hook_resid_pre/*"], local_files_only=True)
assert root in hf_hub_download(saes, "blocks.8.hook_resid_pre/cfg.json", local_files_only=True), root
found = scan_cache_dir()
assert not found.warnings, found.warnings
assert {r.repo_id for r in found.repos} == {model, saes}, found.repos
assert all(r.refs == {"main"} for repo in found.repos for r in repo.revisions), found
`

// fillCache is huggingface_hub filling one.
const fillCache = `
import sys
sys.path.insert(0, sys.argv[1])
from huggingface_hub import hf_hub_download, snapshot_download

for file in "config.json", "tokenizer.json", "model.safetensors":
    hf_hub_download(sys.argv[2], file)
snapshot_download(sys.argv[3], allow_patterns=["blocks.9.hook_resid_pre/*"])
`

// TestCacheSharedWithPython: what saedb downloaded, Python has, and the other way
// round.
func TestCacheSharedWithPython(t *testing.T) {
	t.Parallel()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3 on this machine")
	}
	client, err := filepath.Abs(filepath.Join(clients, "huggingface_hub-2.4.0"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(client, ".complete")); err != nil {
		t.Skip("huggingface_hub for Python is not installed; make python-clients installs it")
	}
	run := func(s *hubtest.Server, home, script string, more ...string) string {
		command := exec.Command(python, "-c", script, client, hubModel, hubSAEs)
		command.Env = append(hubEnvironment(s, home), append(more, "HF_HUB_DISABLE_PROGRESS_BARS=1")...)
		out, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return string(out)
	}
	t.Run("from saedb to Python", func(t *testing.T) {
		s, home := newHub(t), t.TempDir()
		db := filepath.Join(t.TempDir(), "new.db")
		mustRunWithHub(t, s, home, nil, "--db", db, "load", "model", hubModel)
		mustRunWithHub(t, s, home, nil, "--db", db, "load", "sae", "--release", "gpt2-small-res-jb", "--layer", "8")
		s.Came()
		said := run(s, home, readCache, "HF_HUB_OFFLINE=1")
		for _, file := range []string{"config.json", "tokenizer.json"} {
			if want := hubModel + " " + file + " " + hubtest.ETag("x.pt", s.Repos[hubModel].Files[file]); !strings.Contains(said, want) {
				t.Errorf("Python says\n%sexpected %s", said, want)
			}
		}
		if want := hubtest.ETag("x.pt", s.Repos[hubSAEs].Files["blocks.8.hook_resid_pre/sae_weights.safetensors"]); !strings.Contains(said, want) {
			t.Errorf("Python says\n%sexpected %s", said, want)
		}
		if came := s.Came(); len(came) != 0 {
			t.Errorf("requests although offline: %v", came)
		}
	})
	t.Run("from Python to saedb", func(t *testing.T) {
		s, home := newHub(t), t.TempDir()
		run(s, home, fillCache)
		s.Came()
		db := filepath.Join(t.TempDir(), "new.db")
		offline := []string{"HF_HUB_OFFLINE=1"}
		said := mustRunWithHub(t, s, home, offline, "--db", db, "load", "model", hubModel)
		said += mustRunWithHub(t, s, home, offline, "--db", db, "load", "sae", "--release", "gpt2-small-res-jb", "--layer", "9")
		if !strings.Contains(said, "loaded model tiny-gpt2: 500 tokens") || !strings.Contains(said, "loaded sae gpt2-small-res-jb/blocks.9.hook_resid_pre: 24 features") {
			t.Errorf("it said %q", said)
		}
		// With the network it asks what main is, and downloads nothing again.
		mustRunWithHub(t, s, home, nil, "--db", filepath.Join(t.TempDir(), "online.db"), "load", "model", hubModel)
		for _, r := range s.Came() {
			if r.CDN {
				t.Errorf("downloaded again: %s %s", r.Path, r.Range)
			}
		}
	})
}
