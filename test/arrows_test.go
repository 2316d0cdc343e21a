// The direction in which saedb's packages know each other is held here:
// files, readers, tables, SQL functions, kernels, and no way back.
package test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/saedb/saedb"

// A package under from may not import, itself or through others, one under any
// of never.
var rules = []struct {
	from  string
	never []string
	why   string
}{
	{
		"internal/compute",
		[]string{module + "/", "github.com/duckdb", "database/sql"},
		"kernels know no database, no files, and nothing else of saedb",
	},
	{
		"loader/safetensors", []string{"github.com/duckdb", "database/sql", module + "/udf", module + "/sql", module + "/internal/compute"},
		"readers know no database",
	},
	{
		"loader/npy", []string{"github.com/duckdb", "database/sql", module + "/udf", module + "/sql", module + "/internal/compute"},
		"readers know no database",
	},
	{
		"loader/gguf", []string{"github.com/duckdb", "database/sql", module + "/udf", module + "/sql", module + "/internal/compute"},
		"readers know no database",
	},
	{
		"loader/torch", []string{"github.com/duckdb", "database/sql", module + "/udf", module + "/sql", module + "/internal/compute"},
		"readers know no database",
	},
	{
		"loader/model", []string{"github.com/duckdb", "database/sql", module + "/udf", module + "/sql", module + "/internal/compute"},
		"readers know no database",
	},
	{
		"loader/sae", []string{"github.com/duckdb", "database/sql", module + "/udf", module + "/sql", module + "/internal/compute"},
		"readers know no database",
	},
	{
		"loader/vocab", []string{"github.com/duckdb", "database/sql", module + "/udf", module + "/sql", module + "/internal/compute"},
		"readers know no database",
	},
	{
		"loader/hub", []string{
			"github.com/duckdb", "database/sql", module + "/udf", module + "/sql", module + "/internal/compute",
			module + "/loader/model", module + "/loader/sae", module + "/loader/vocab", module + "/loader/gguf", module + "/loader/tokenset",
		},
		"the Hub's client knows files and their headers, and not what is read from them",
	},
	{
		"loader", []string{module + "/udf", module + "/internal/compute", module + "/cmd"},
		"loads use the SQL functions through SQL only",
	},
	{
		"udf", []string{"github.com/duckdb/duckdb-go/v2", "gonum.org", "github.com/daulet/tokenizers", module + "/cmd"},
		"the functions also live in the extension, which has neither the driver nor the tokenizer library; mathematics is compute's",
	},
	{
		"internal/operations", []string{"github.com/duckdb/duckdb-go/v2", module + "/extension", module + "/cmd"},
		"the program and the extension, which has no driver, have the same operations",
	},
	{
		"internal/figures", []string{module + "/udf", module + "/loader", module + "/internal/compute", module + "/cmd"},
		"figures draw what SQL gives",
	},
	{
		"internal/export", []string{module + "/udf", module + "/loader", module + "/internal/compute", module + "/cmd"},
		"an export writes what SQL gives",
	},
	{
		"sql", []string{module + "/udf", module + "/loader", module + "/internal/compute", module + "/cmd"},
		"tables and views come first",
	},
}

// exceptions are the imports that compute, as udf's kernel, brings along.
var exceptions = map[string]string{"udf": "gonum.org"}

func TestArrows(t *testing.T) {
	packages := list(t)
	for _, rule := range rules {
		checked := 0
		for _, p := range packages {
			path := strings.TrimPrefix(p.ImportPath, module+"/")
			if path != rule.from && !strings.HasPrefix(path, rule.from+"/") || rule.from == "loader" && path != "loader" {
				continue
			}
			checked++
			imports := p.Deps
			if except, ok := exceptions[rule.from]; ok {
				imports = without(p.Deps, except)
				imports = append(imports, p.Imports...)
			}
			for _, imported := range imports {
				for _, never := range rule.never {
					if strings.HasPrefix(imported, never) && !strings.HasPrefix(imported, module+"/"+rule.from) {
						t.Errorf("%s imports %s: %s", p.ImportPath, imported, rule.why)
					}
				}
			}
		}
		if checked == 0 {
			t.Errorf("no package under %s: the rule holds nothing", rule.from)
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
		for _, never := range []string{"github.com/duckdb/", "github.com/daulet/tokenizers", "github.com/jdkato/prose", module + "/cmd"} {
			if strings.HasPrefix(imported, never) {
				t.Errorf("the extension imports %s", imported)
			}
		}
	}
	if !slices.Contains(imports, module+"/udf") {
		t.Error("the extension does not import udf")
	}
}

type listed struct {
	ImportPath    string
	Imports, Deps []string
}

func list(t *testing.T) []listed {
	t.Helper()
	command := exec.Command("go", "list", "-json=ImportPath,Imports,Deps", module+"/...")
	out, err := command.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func without(imports []string, prefix string) []string {
	var kept []string
	for _, i := range imports {
		if !strings.HasPrefix(i, prefix) {
			kept = append(kept, i)
		}
	}
	return kept
}
