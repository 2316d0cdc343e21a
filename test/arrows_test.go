// The direction in which saedb's packages know each other is held here:
// files, readers, tables, SQL functions, kernels, and no way back.
package test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/saedb/saedb"

// arrows has a line for every package of saedb's, and after the colon all that it may
// import: packages of saedb's by their paths below the module, modules of others, and
// database/sql. Whoever adds an import adds it here, in a line whose reason still holds.
// bench and test, which use everything, are not among them.
const arrows = `
	# What everything may use knows nothing.
	internal/fault:
	internal/nearest:
	internal/neuronpedia:
	internal/pyjson:
	internal/plaintext:
	internal/version:
	internal/files: internal/fault
	internal/progress: github.com/mattn/go-runewidth github.com/schollz/progressbar/v3 golang.org/x/term

	# Kernels know no database, no files, and nothing else of saedb.
	internal/compute: golang.org/x/sys gonum.org/v1/gonum
	internal/enrichment: internal/compute golang.org/x/sys
	internal/baseline: internal/fault

	# Readers know no database and no kernel; the Hub's client knows files and their
	# headers, and not what is read from them.
	loader/tensor: internal/fault
	loader/safetensors: internal/fault internal/files internal/pyjson loader/tensor
	loader/gguf: internal/fault internal/files loader/tensor
	loader/npy: internal/fault internal/files loader/tensor
	loader/torch: internal/fault internal/files loader/tensor
	loader/model: internal/fault internal/files internal/pyjson loader/gguf loader/safetensors loader/tensor
	loader/sae: internal/fault internal/files internal/pyjson loader/npy loader/safetensors loader/tensor loader/torch go.yaml.in/yaml/v3 gonum.org/v1/gonum
	loader/lens: internal/fault internal/files internal/pyjson loader/npy loader/safetensors loader/tensor loader/torch go.yaml.in/yaml/v3
	loader/vocab: internal/fault internal/files internal/plaintext internal/pyjson loader/gguf
	loader/vocab/tokenizer: internal/fault internal/pyjson loader/vocab github.com/daulet/tokenizers
	loader/tokenset: internal/fault internal/files loader/vocab
	loader/hub: internal/fault internal/files internal/plaintext internal/pyjson loader/safetensors loader/tensor
	loader/hub/catalogue: internal/fault internal/nearest

	# Tables and views come before all that fills and asks them.
	sql: database/sql internal/fault

	# Functions translate between DuckDB's vectors, readers and kernels. They live in the
	# extension too, which has neither the driver nor the tokenizer library.
	udf/capi: internal/fault github.com/duckdb/duckdb-go-bindings
	udf: internal/baseline internal/compute internal/enrichment internal/fault internal/files loader/hub/catalogue loader/lens loader/model loader/sae loader/tensor loader/vocab sql udf/capi

	# Loads use the SQL functions through SQL, and what is opened for them through an interface.
	loader: database/sql internal/fault internal/files loader/hub loader/lens loader/model loader/sae loader/tokenset loader/vocab loader/vocab/tokenizer sql

	# What fills tables and what reads them asks SQL.
	internal/statistics: database/sql internal/baseline internal/fault sql
	internal/export: database/sql internal/fault internal/files internal/plaintext sql
	internal/check: database/sql internal/compute internal/enrichment internal/fault internal/files internal/version loader/model sql gonum.org/v1/gonum
	internal/output: database/sql internal/fault internal/plaintext github.com/duckdb/duckdb-go/v2 github.com/mattn/go-runewidth golang.org/x/term
	internal/shell: database/sql internal/fault internal/nearest internal/output internal/plaintext sql github.com/duckdb/duckdb-go/v2 github.com/peterh/liner golang.org/x/term
	internal/figures: database/sql internal/fault internal/nearest internal/plaintext sql codeberg.org/go-fonts/liberation golang.org/x/image gonum.org/v1/plot

	# What is asked for in one call, by the program and in the extension.
	internal/operations: database/sql internal/compute internal/fault internal/files internal/neuronpedia internal/statistics internal/version loader loader/hub loader/hub/catalogue loader/lens loader/model loader/sae sql udf

	# The database with its functions, and who opens it.
	.: database/sql internal/check internal/fault internal/operations internal/plaintext internal/statistics internal/version loader loader/hub sql udf udf/capi github.com/duckdb/duckdb-go/v2
	internal/sandbox: golang.org/x/sys
	internal/notes: . internal/fault sql
	internal/box: . database/sql internal/figures internal/files internal/output internal/sandbox sql github.com/mattn/go-runewidth
	internal/web: . database/sql internal/box internal/fault internal/figures internal/nearest internal/notes internal/plaintext internal/sandbox sql
	examples/clients/go: . github.com/duckdb/duckdb-go/v2
	cmd/saedb: . database/sql internal/box internal/check internal/compute internal/export internal/fault internal/figures internal/files internal/nearest internal/neuronpedia internal/notes internal/operations internal/output internal/plaintext internal/progress internal/shell internal/statistics internal/web loader loader/hub loader/model loader/sae loader/tokenset sql udf github.com/urfave/cli/v2 golang.org/x/term

	# The same in another's DuckDB.
	internal/provoke: udf/capi
	extension/session: database/sql udf/capi
	extension/procedures: database/sql extension/session internal/baseline internal/check internal/compute internal/export internal/fault internal/figures internal/files internal/neuronpedia internal/operations internal/statistics internal/version loader loader/hub loader/model loader/sae loader/safetensors loader/tensor loader/tokenset loader/vocab sql udf udf/capi
	extension: extension/procedures udf udf/capi
	extension/footer: internal/version

	# What tests write files with, and count themselves with.
	loader/safetensors/safetensorstest:
	loader/gguf/gguftest:
	loader/npy/npytest:
	loader/torch/torchtest:
	loader/hub/hubtest:
	test/summary:
	test/sqlfuzz:

	# What embedded data and pictures are made with.
	scripts/tagger:
	scripts/beside:
`

// TestArrows holds the imports of every package, in the program and in the extension,
// against the table: neither may have what the other has not.
func TestArrows(t *testing.T) {
	allowed := map[string][]string{}
	for line := range strings.Lines(arrows) {
		if name, imports, found := strings.Cut(strings.TrimSpace(line), ":"); found && !strings.HasPrefix(name, "#") {
			allowed[name] = strings.Fields(imports)
		}
	}
	found := imports(t)
	for name, imported := range found {
		line, known := allowed[name]
		if !known {
			t.Errorf("package %s has no line in the table; it imports %s", name, strings.Join(imported, " "))
			continue
		}
		for _, other := range imported {
			if !slices.Contains(line, other) {
				t.Errorf("%s imports %s, which its line in the table does not have", name, other)
			}
		}
		for _, other := range line {
			if !slices.Contains(imported, other) {
				t.Errorf("%s does not import %s any more, which its line in the table still has", name, other)
			}
		}
	}
	for name := range allowed {
		if _, there := found[name]; !there {
			t.Errorf("the table has a line for %s, and there is no such package", name)
		}
	}
}

// TestExtensionAlone: the loadable extension brings neither DuckDB nor the tokenizer
// library.
func TestExtensionAlone(t *testing.T) {
	out, err := exec.Command("go", "list", "-tags", "saedb_extension", "-deps", module+"/extension").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	imports := strings.Fields(string(out))
	for _, imported := range imports {
		for _, never := range []string{"github.com/duckdb/", "github.com/daulet/tokenizers", module + "/cmd"} {
			if strings.HasPrefix(imported, never) {
				t.Errorf("the extension imports %s", imported)
			}
		}
	}
	if !slices.Contains(imports, module+"/udf") {
		t.Error("the extension does not import udf")
	}
}

// imports are what each package imports, with the tags of the program or of the extension,
// as the table names it.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, tags := range []string{"tokenizers", "saedb_extension"} {
		list := exec.Command("go", "list", "-tags", tags, "-f", "{{.ImportPath}} {{join .Imports \" \"}}\n", module+"/...")
		out, err := list.Output()
		if err != nil {
			t.Fatalf("go list: %v", err)
		}
		for line := range strings.Lines(string(out)) {
			fields := strings.Fields(line)
			if len(fields) == 0 {
				continue
			}
			name := named(fields[0])
			if name == "test" || strings.HasPrefix(name, "bench/") {
				continue
			}
			imported := all[name]
			for _, path := range fields[1:] {
				if other := named(path); other != "" {
					imported = append(imported, other)
				}
			}
			slices.Sort(imported)
			all[name] = slices.Compact(imported)
		}
	}
	return all
}

// named is a package as the table has it, "" for one of the standard library that it does
// not speak of.
func named(path string) string {
	if path == module {
		return "."
	}
	if own, ok := strings.CutPrefix(path, module+"/"); ok {
		return own
	}
	switch domain, _, _ := strings.Cut(path, "/"); {
	case strings.HasPrefix(path, "database/sql"):
		return "database/sql"
	case !strings.Contains(domain, "."):
		return ""
	}
	// A module's path is its host and two more parts, and a version.
	parts := strings.Split(path, "/")
	size := min(len(parts), 3)
	if len(parts) > 3 && len(parts[3]) > 1 && parts[3][0] == 'v' && parts[3][1] >= '0' && parts[3][1] <= '9' {
		size = 4
	}
	return strings.Join(parts[:size], "/")
}
