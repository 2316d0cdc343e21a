package test

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// quickLists reads the addresses that the program printed: for each its name, and its
// features as model/source/index.
func quickLists(t *testing.T, printed string) (names []string, lists [][]string) {
	t.Helper()
	for address := range strings.Lines(printed) {
		parsed, err := url.Parse(strings.TrimSuffix(address, "\n"))
		if err != nil {
			t.Fatal(err)
		}
		if parsed.Host != "www.neuronpedia.org" || parsed.Path != "/quick-list/" {
			t.Errorf("printed %q", address)
		}
		var features []struct{ ModelID, Layer, Index string }
		if err := json.Unmarshal([]byte(parsed.Query().Get("features")), &features); err != nil {
			t.Fatal(err)
		}
		var list []string
		for _, f := range features {
			list = append(list, f.ModelID+"/"+f.Layer+"/"+f.Index)
		}
		names, lists = append(names, parsed.Query().Get("name")), append(lists, list)
	}
	return names, lists
}

// onNeuronpedia is a copy of the example whose last layer has a Neuronpedia id.
func onNeuronpedia(t *testing.T) (db string) {
	t.Helper()
	db = filepath.Join(t.TempDir(), "copy.db")
	copyFile(t, example, db)
	layer29 := filepath.Join(exampleSAEs, "blocks.29.hook_resid_pre")
	said := mustRun(t, "--db", db, "load", "sae", layer29, "--release", "smollm2-demo", "--neuronpedia-id", "smollm2/29-res")
	if !strings.Contains(said, "already loaded") || !strings.Contains(said, "Neuronpedia id is now smollm2/29-res") {
		t.Errorf("load sae said %q", said)
	}
	if said := mustRun(t, "--db", db, "load", "sae", layer29, "--release", "smollm2-demo", "--neuronpedia-id", "smollm2/29-res"); !strings.Contains(said, "nothing changed") {
		t.Errorf("load sae said %q", said)
	}
	return db
}

// TestQuickList: features by name, layer and query, in order, each once, by the names
// that Neuronpedia has for them.
func TestQuickList(t *testing.T) {
	t.Parallel()
	db := onNeuronpedia(t)
	const last = "smollm2/29-res/"
	for _, test := range []struct {
		args []string
		want string // features of each list
	}{
		{[]string{"blocks.29.hook_resid_pre:12,3,55-57"}, "12 3 55 56 57"},
		{[]string{"smollm2-demo/blocks.29.hook_resid_pre:0", "layer_29:1535,0"}, "0 1535"},
		{[]string{"--query", "SELECT sae, feature FROM layer_29 WHERE feature IN (1328, 63, 931) ORDER BY kurtosis DESC; "}, "1328 931 63"},
		{[]string{"--query", "SELECT 'blocks.29.hook_resid_pre' AS SAE, 7 AS Feature, 'smollm2-demo' AS release, 'x' AS other -- a comment"}, "7"},
	} {
		_, lists := quickLists(t, mustRun(t, append([]string{"--db", db, "neuronpedia"}, test.args...)...))
		if want := last + strings.ReplaceAll(test.want, " ", " "+last); len(lists) != 1 || strings.Join(lists[0], " ") != want {
			t.Errorf("%v made the lists %v, expected %s", test.args, lists, want)
		}
	}
	names, lists := quickLists(t, mustRun(t, "--db", db, "neuronpedia", "layer_29:0-300", "--name", "first ones"))
	if strings.Join(names, ", ") != "first ones (1 of 3), first ones (2 of 3), first ones (3 of 3)" ||
		len(lists[0]) != 150 || len(lists[1]) != 150 || len(lists[2]) != 1 || lists[2][0] != last+"300" {
		t.Errorf("301 features made %d lists, called %q", len(lists), names)
	}
}

// TestQuickListErrors: what is wrong is said, with the SAE's name, and nothing printed.
func TestQuickListErrors(t *testing.T) {
	db := onNeuronpedia(t)
	copied := filepath.Join(t.TempDir(), "blocks.29.hook_resid_pre")
	copyTree(t, filepath.Join(exampleSAEs, "blocks.29.hook_resid_pre"), copied)
	mustRun(t, "--db", db, "load", "sae", copied, "--release", "other", "--copy")
	for _, c := range []struct {
		args []string
		code int
		says []string
	}{
		{[]string{"blocks.24.hook_resid_pre:1"}, 1, []string{"smollm2-demo/blocks.24.hook_resid_pre", "no Neuronpedia id", "--neuronpedia-id"}},
		{[]string{"blocks.29.hook_resid_pre:1"}, 1, []string{"2 SAEs have the short name", "other/blocks.29.hook_resid_pre, smollm2-demo/blocks.29.hook_resid_pre"}},
		{[]string{"layer_77:1"}, 1, []string{"no SAE is at layer_77 (layers: "}},
		{[]string{"smollm2-demo/blocks.29.hook_resid_pre:5-1536"}, 1, []string{"expected features 0 to 1535, found 1536"}},
		{[]string{"--query", "SELECT sae, feature FROM layer_29 WHERE false"}, 1, []string{"--query", "no feature"}},
		{[]string{"--query", "SELECT sae, skewness FROM layer_29"}, 1, []string{"expected the columns sae and feature", "sae, skewness"}},
		{[]string{"--query", "SELECT 'smollm2-demo/blocks.29.hook_resid_pre' AS sae, NULL AS feature"}, 1, []string{"row 1", "NULL"}},
		{[]string{"--query", "SELECT sae, feature FROM absent"}, 1, []string{"--query", "absent"}},
		{[]string{"smollm2-demo/blocks.29.hook_resid_pre:0-1535", "--open"}, 1, []string{"--open", "at most 10 lists, found 11"}},
		{nil, 2, []string{"SAE:FEATURES or --query"}},
		{[]string{"layer_29:1", "--query", "SELECT 1"}, 2, []string{"one of them"}},
		{[]string{"layer_29"}, 2, []string{`"layer_29"`}},
		{[]string{"layer_29:"}, 2, []string{"number of a feature"}},
		{[]string{"layer_29:9-7"}, 2, []string{`"9-7"`}},
		{[]string{"layer_29:1,x"}, 2, []string{`"x"`}},
		{[]string{"layer_29:99999999999"}, 2, []string{"99999999999"}},
		{[]string{"layer_29:1", "--name", " "}, 2, []string{"--name"}},
	} {
		r := saedbRun(t, "", append([]string{"--db", db, "neuronpedia"}, c.args...)...)
		expectFailure(t, r, c.code, c.says...)
		if r.stdout != "" && !strings.Contains(r.stderr, "--open") {
			t.Errorf("%v printed %q", c.args, r.stdout)
		}
	}
	expectFailure(t, saedbRun(t, "", "--db", db, "load", "sae", copied, "--neuronpedia-id", "gpt2"), 2, "MODEL/SOURCE", `"gpt2"`)
	expectFailure(t, saedbRun(t, "", "--db", db, "load", "sae", exampleSAEs, "--neuronpedia-id", "a/b"), 2, "one SAE, found 6")
}

// TestOpen: --open gives each address to the desktop's opener, and says so when that fails.
func TestOpen(t *testing.T) {
	db := onNeuronpedia(t)
	dir := t.TempDir()
	opened := filepath.Join(dir, "opened")
	for _, name := range []string{"xdg-open", "open"} {
		script := write(t, dir, name, []byte("#!/bin/sh\nfor address; do echo \"$address\" >>"+opened+"; done\n"))
		if err := os.Chmod(script, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	path := os.Getenv("PATH")
	t.Setenv("PATH", dir+string(os.PathListSeparator)+path)
	printed := mustRun(t, "--db", db, "neuronpedia", "layer_29:0-200", "--open")
	got, err := os.ReadFile(opened)
	if err != nil || string(got) != printed || strings.Count(printed, "\n") != 2 {
		t.Errorf("printed %q, opened %q, %v", printed, got, err)
	}
	for _, name := range []string{"xdg-open", "open"} {
		write(t, dir, name, []byte("#!/bin/sh\necho no browser here >&2\nexit 3\n"))
	}
	r := saedbRun(t, "", "--db", db, "neuronpedia", "layer_29:1", "--open")
	expectFailure(t, r, 1, "no browser here", "exit status 3", "printed above")
	if _, lists := quickLists(t, r.stdout); len(lists) != 1 {
		t.Errorf("printed %q", r.stdout)
	}
}
