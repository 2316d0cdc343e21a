package test

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestDependencies: docs/dependencies.md lists what is linked into the program and
// what is embedded in it, in the versions that they have, each with a licence.
func TestDependencies(t *testing.T) {
	if buildTags == "" {
		t.Skip("built without the tokenizer library; make test builds it, and the page lists it")
	}
	page, err := os.ReadFile("../docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]string{} // licences
	for _, row := range regexp.MustCompile(`(?m)^\| (\S+) \| (\S+) \| ([^|]+) \|$`).FindAllStringSubmatch(string(page), -1) {
		if row[2] != "version" {
			listed[row[1]+" "+row[2]] = row[3]
		}
	}
	var there []string
	program, err := buildinfo.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	ownLibrary := regexp.MustCompile(`duckdb-go-bindings/lib/\S+`) // one for each platform
	for _, module := range program.Deps {
		there = append(there, ownLibrary.ReplaceAllString(module.Path, "duckdb-go-bindings/lib/linux-amd64")+" "+module.Version)
	}
	modules := len(there)
	content, err := os.ReadFile("../scripts/chart-library/package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	var lock struct {
		Packages map[string]struct{ Version string }
	}
	if err := json.Unmarshal(content, &lock); err != nil {
		t.Fatal(err)
	}
	for path, p := range lock.Packages {
		if path != "" {
			there = append(there, path[strings.LastIndex(path, "/")+1:]+" "+p.Version)
		}
	}
	for _, one := range there {
		if listed[one] == "" {
			t.Errorf("docs/dependencies.md does not list %s: make sbom writes it anew", one)
		}
	}
	texts, err := os.ReadFile("../scripts/duckdb-licences.txt")
	if err != nil {
		t.Fatal(err)
	}
	parts := regexp.MustCompile(`(?m)^(.+), (in DuckDB [\d.]+): (.+)$`).FindAllStringSubmatch(string(texts), -1)
	if len(parts) < 20 {
		t.Errorf("scripts/duckdb-licences.txt has %d parts of DuckDB", len(parts))
	}
	for _, part := range parts {
		if row := fmt.Sprintf("| %s | %s | %s |\n", part[1], part[2], part[3]); !strings.Contains(string(page), row) {
			t.Errorf("docs/dependencies.md lacks %q: make sbom writes it anew", row)
		}
	}
	crates, err := os.ReadFile("../scripts/libtokenizers.Cargo.lock")
	if err != nil {
		t.Fatal(err)
	}
	if sum := fmt.Sprintf("SHA-256 %x", sha256.Sum256(crates)); !strings.Contains(string(page), sum) {
		t.Errorf("docs/dependencies.md is of another scripts/libtokenizers.Cargo.lock: make sbom writes it anew")
	}
	of, _, _ := strings.Cut(string(page), "## DuckDB")
	if n := len(regexp.MustCompile(`(?m)^\| \S+ \| v\d`).FindAllString(of, -1)); n != modules {
		t.Errorf("docs/dependencies.md lists %d Go modules, and the program has %d: make sbom writes it anew", n, modules)
	}
}
