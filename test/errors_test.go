package test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/saedb/saedb"
)

// safetensors builds a file with one float32 tensor of zeros and then ones.
func safetensors(t *testing.T, dir, name, tensor string, shape ...int) string {
	t.Helper()
	n := 4
	for _, s := range shape {
		n *= s
	}
	header, err := json.Marshal(map[string]any{tensor: map[string]any{"dtype": "F32", "shape": shape, "data_offsets": []int{0, n}}})
	if err != nil {
		t.Fatal(err)
	}
	file := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	file = append(append(file, header...), make([]byte, n)...)
	return write(t, dir, name, file)
}

func write(t *testing.T, dir, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func copyTree(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Dir(to), filepath.Base(to), content)
}

// sae writes a SAELens directory whose decoder has this shape.
func sae(t *testing.T, dir string, features, dModel int) string {
	t.Helper()
	safetensors(t, dir, "sae_weights.safetensors", "W_dec", features, dModel)
	cfg, err := json.Marshal(map[string]any{
		"architecture": "standard", "d_in": dModel, "d_sae": features, "dtype": "float32",
		"metadata": map[string]any{"sae_lens_version": "6.54.12", "hook_name": "blocks.3.hook_resid_pre", "model_name": "other"},
	})
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "cfg.json", cfg)
	return dir
}

func hash(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		t.Fatal(err)
	}
	return string(h.Sum(nil))
}

// TestBadInput: one clear line on standard error, the exit code of the contract,
// and a database that is the same file, byte for byte.
func TestBadInput(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := filepath.Join(dir, "copy.db")
	copyFile(t, example, db)
	good := filepath.Join(exampleSAEs, "blocks.29.hook_resid_pre")

	truncated := filepath.Join(dir, "truncated")
	copyTree(t, good, truncated)
	if err := os.Truncate(filepath.Join(truncated, "sae_weights.safetensors"), 100_000); err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(dir, "broken.gguf")
	copyFile(t, exampleModel, broken)
	if err := os.Truncate(broken, 5_000_000); err != nil {
		t.Fatal(err)
	}
	wrongShape := sae(t, filepath.Join(dir, "wrong-shape"), 8, 576)
	safetensors(t, wrongShape, "sae_weights.safetensors", "W_dec", 4608)
	otherWidth := sae(t, filepath.Join(dir, "other-width"), 8, 768)
	noDecoder := sae(t, filepath.Join(dir, "no-decoder"), 8, 576)
	safetensors(t, noDecoder, "sae_weights.safetensors", "W_enc", 576, 8)
	infinite := sae(t, filepath.Join(dir, "infinite"), 8, 576)
	poison(t, filepath.Join(infinite, "sae_weights.safetensors"))
	other := sae(t, filepath.Join(dir, "again", "blocks.29.hook_resid_pre"), 8, 576)
	noSAE := filepath.Join(dir, "no-sae")
	write(t, noSAE, "README.md", []byte("nothing here"))
	notADatabase := write(t, dir, "not-a-database.db", []byte(strings.Repeat("this is no database. ", 1000)))

	for _, c := range []struct {
		name string
		args []string
		code int
		says []string // standard error has each of these
	}{
		{"missing file", []string{"load", "sae", filepath.Join(dir, "absent")}, 1, []string{"read SAE", "absent", "does not exist"}},
		{"missing model", []string{"load", "model", filepath.Join(dir, "absent.gguf")}, 1, []string{"read GGUF", "absent.gguf", "no such file"}},
		{"truncated safetensors", []string{"load", "sae", truncated}, 1, []string{"sae_weights.safetensors", "expected", "found"}},
		{"truncated GGUF", []string{"load", "model", broken, "--name", "broken"}, 1, []string{"broken.gguf"}},
		{"wrong shape", []string{"load", "sae", wrongShape}, 1, []string{"W_dec", "expected", "[4608]"}},
		{"other d_model", []string{"load", "sae", otherWidth}, 1, []string{"d_model 576", "smollm2-135m", "768"}},
		{"no W_dec", []string{"load", "sae", noDecoder}, 1, []string{"no-decoder", "W_dec", "missing"}},
		{"not finite", []string{"load", "sae", infinite}, 1, []string{"W_dec", "feature 3", "NaN"}},
		{"no SAE at all", []string{"load", "sae", noSAE}, 1, []string{"no-sae"}},
		{"no such model", []string{"load", "sae", good, "--model", "gpt2"}, 1, []string{`"gpt2"`, "loaded: smollm2-135m"}},
		{"other content, same name", []string{"load", "sae", other, "--release", "smollm2-demo"}, 1, []string{"already loaded", "--replace"}},
		{"reserved release", []string{"load", "sae", good, "--release", "main"}, 1, []string{`"main"`, "--release"}},
		{"not a model", []string{"load", "model", noSAE}, 1, []string{"no-sae", "expected a directory with model.safetensors"}},
		{"compute nothing", []string{"compute", "--sae", "layer_99"}, 1, []string{"layer_99"}},
		{"bad SQL", []string{"sql", "SELEC 1"}, 1, []string{"SELEC", "\n\nLINE 1: SELEC 1\n        ^\n"}},
		{"no such layer", []string{"sql", "FROM layer_99"}, 1, []string{"layer_99 does not exist", "\n\nThe layers here: layer_4, layer_9, layer_14, layer_19, layer_24, layer_29\n"}},
		{"a stored table", []string{"sql", "SELECT 1; DELETE FROM stored_saes"}, 1, []string{"change stored_saes", "saedb unload", "--replace", "user_token_sets"}},
		{"to write, read only", []string{"sql", "--read-only", "CREATE TABLE mine(i INTEGER)"}, 1, []string{"CREATE", "read-only"}},
		{"wrong dimension", []string{"sql", "SELECT logit_stats([1,2,3]::FLOAT[], 'smollm2-135m')"}, 1, []string{"logit_stats", "expected 576 values", "found 3"}},
		{"wrong type", []string{"sql", "SELECT logit_stats('x', 'smollm2-135m')"}, 1, []string{"logit_stats", "expected FLOAT[]", "VARCHAR"}},
		{"unknown model", []string{"sql", "SELECT logit_stats([1]::FLOAT[], 'gpt5')"}, 1, []string{`model "gpt5"`, "loaded: smollm2-135m"}},
		{"wrong k", []string{"sql", "SELECT top_tokens(w_dec, model, 0) FROM decoder_directions LIMIT 1"}, 1, []string{"top_tokens", "expected 1 to 1000", "found 0"}},
		{"wrong token", []string{"sql", "SELECT logit_weight(w_dec, model, 99999) FROM decoder_directions LIMIT 1"}, 1, []string{"token_id", "49151", "99999"}},
		{"no command", []string{"lod"}, 2, []string{`no command "lod": did you mean load?`}},
		{"no command at all like it", []string{"frobnicate"}, 2, []string{`no command "frobnicate" (`}},
		{"no command of load", []string{"load", "sea"}, 2, []string{`load: no command "sea"; did you mean sae? there are model, sae, `}},
		{"no figure", []string{"plot", "skewnes"}, 2, []string{`plot: no figure "skewnes"; did you mean skewness? there are skewness, `}},
		{"no token set", []string{"plot", "sets", "boy_name", "girl_names", "--sae", "*.24.*"}, 1, []string{`no token set "boy_name"; did you mean boy_names?`}},
		{"a flag misspelt", []string{"compute", "--token", "real"}, 2, []string{"compute: no flag --token: did you mean --tokens?"}},
		{"sets of no model", []string{"sets", "--model", "smollm-135m"}, 1, []string{`sets: no model "smollm-135m"; did you mean smollm2-135m? there are smollm2-135m`}},
		{"sets of something", []string{"sets", "boy_names"}, 2, []string{`sets: expected no argument, found "boy_names"`}},
		{"write and read only", []string{"sql", "--write", "--read-only", "SELECT 1"}, 2, []string{"--write or --read-only"}},
		{"rows below none", []string{"sql", "--max-rows", "-1", "SELECT 1"}, 2, []string{"--max-rows", "-1"}},
		{"no argument", []string{"load", "model"}, 2, []string{"PATH"}},
		{"unknown flag", []string{"compute", "--frobnicate"}, 2, []string{"frobnicate"}},
		{"wrong tokens", []string{"compute", "--tokens", "some"}, 2, []string{"all or real", "some"}},
		{"wrong format", []string{"sql", "--format", "xml", "SELECT 1"}, 2, []string{"xml"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := hash(t, db)
			r := saedbRun(t, "", append([]string{"--db", db}, c.args...)...)
			expectFailure(t, r, c.code, c.says...)
			if hash(t, db) != before {
				t.Error("the database changed")
			}
		})
	}
	t.Run("no --db", func(t *testing.T) {
		expectFailure(t, saedbRun(t, "", "info"), 2, "--db FILE")
	})
	t.Run("no database yet", func(t *testing.T) {
		absent := filepath.Join(dir, "absent.db")
		expectFailure(t, saedbRun(t, "", "--db", absent, "sql", "SELECT 1"), 1, "absent.db", "no such file", "load model")
		if _, err := os.Stat(absent); err == nil {
			t.Error("a database was made")
		}
	})
	t.Run("not a database", func(t *testing.T) {
		expectFailure(t, saedbRun(t, "", "--db", notADatabase, "info"), 1, "not-a-database.db", "not a DuckDB database")
	})
	t.Run("failed first load leaves nothing", func(t *testing.T) {
		fresh := filepath.Join(dir, "fresh.db")
		expectFailure(t, saedbRun(t, "", "--db", fresh, "load", "sae", good), 1, "load its model first")
		opened, err := saedb.Open(t.Context(), fresh, saedb.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer opened.Close()
		var tables int
		if err := opened.QueryRowContext(t.Context(), "SELECT count(*) FROM duckdb_tables()").Scan(&tables); err != nil || tables != 0 {
			t.Errorf("%d tables were left (%v)", tables, err)
		}
	})
	t.Run("unwritable", func(t *testing.T) { unwritable(t, db, good) })
	t.Run("open elsewhere", func(t *testing.T) { openElsewhere(t, db) })
}

// expectFailure checks the exit code and that standard error is one line that
// has each of says; DuckDB's errors show the place in the statement below it.
func expectFailure(t *testing.T, r result, code int, says ...string) {
	t.Helper()
	t.Log(strings.TrimSpace(r.stderr))
	if r.code != code {
		t.Errorf("exit %d, expected %d", r.code, code)
	}
	place := strings.Contains(r.stderr, "\n\nLINE ")
	if strings.Count(r.stderr, "\n") != 1 && !place || !strings.HasPrefix(r.stderr, "saedb: ") {
		t.Errorf("expected one line that begins with saedb:, found %q", r.stderr)
	}
	for _, s := range says {
		if !strings.Contains(r.stderr, s) {
			t.Errorf("%q does not say %q", r.stderr, s)
		}
	}
	if regexp.MustCompile(`goroutine|panic|\.go:\d`).MatchString(r.stderr) {
		t.Errorf("%q is no message for a person", r.stderr)
	}
}

// poison makes element 5 of feature 3 a NaN in a file of one [8, 576] tensor.
func poison(t *testing.T, path string) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data := 8 + int(binary.LittleEndian.Uint64(content))
	binary.LittleEndian.PutUint32(content[data+4*(3*576+5):], 0x7fc00000)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// unwritable runs without the right to write; root has it always, so it becomes
// another user where it can.
func unwritable(t *testing.T, db, good string) {
	setpriv, err := exec.LookPath("setpriv")
	if os.Getuid() == 0 && err != nil {
		t.Skip("running as root without setpriv: every file is writable")
	}
	locked := filepath.Join(t.TempDir(), "locked")
	if err := os.MkdirAll(locked, 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(locked, "x.db")
	copyFile(t, db, file)
	for path, mode := range map[string]os.FileMode{file: 0o444, locked: 0o555} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	defer os.Chmod(locked, 0o755)
	run := func(args ...string) result {
		whole := append([]string{program, "--db", file}, args...)
		if os.Getuid() == 0 {
			whole = append([]string{setpriv, "--reuid=65534", "--regid=65534", "--clear-groups"}, whole...)
			for dir := filepath.Dir(file); len(dir) > len(os.TempDir()); dir = filepath.Dir(dir) {
				os.Chmod(dir, 0o755)
			}
			os.Chmod(locked, 0o555)
			os.Chmod(filepath.Dir(program), 0o755)
		}
		command := exec.Command(whole[0], whole[1:]...)
		var stdout, stderr strings.Builder
		command.Stdout, command.Stderr = &stdout, &stderr
		command.Run()
		return result{command.ProcessState.ExitCode(), stdout.String(), stderr.String()}
	}
	expectFailure(t, run("load", "sae", good), 1, "x.db", "permission denied")
	if r := run("sql", "--read-only", "--format", "csv", "SELECT count(*) AS n FROM features"); r.code != 0 || r.stdout != "n\n9216\n" {
		t.Errorf("reading it: exit %d, %q, %q", r.code, r.stdout, r.stderr)
	}
}

// openElsewhere holds the database open in this process while the program tries.
func openElsewhere(t *testing.T, db string) {
	holder, err := saedb.Open(t.Context(), db, saedb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close()
	for _, args := range [][]string{{"compute"}, {"info"}, {"sql", "SELECT 1"}} {
		r := saedbRun(t, "", append([]string{"--db", db}, args...)...)
		// The command line of this process says panic, which is no message of the program's.
		r.stderr = regexp.MustCompile(`\(\S+test\.test [^)]*\) `).ReplaceAllString(r.stderr, "")
		expectFailure(t, r, 1, fmt.Sprintf("copy.db: process %d has it open to write", os.Getpid()))
	}
}
