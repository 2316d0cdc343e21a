package test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// builtArchives is where make dist leaves what a release has.
const builtArchives = "../build/dist"

// TestDist reads what make dist has built: sums that hold, and of each platform an archive
// with licences, an extension that says what it is for, and a list of what is linked.
func TestDist(t *testing.T) {
	sums, err := os.ReadFile(filepath.Join(builtArchives, "SHA256SUMS"))
	if err != nil {
		t.Skip("the archives are not built; make dist builds them")
	}
	files := map[string][]byte{}
	for line := range strings.Lines(string(sums)) {
		sum, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		if files[name], err = os.ReadFile(filepath.Join(builtArchives, name)); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%x", sha256.Sum256(files[name])); got != sum {
			t.Errorf("%s has SHA-256 %s, and SHA256SUMS says %s", name, got, sum)
		}
	}
	there, err := os.ReadDir(builtArchives)
	if err != nil || len(there) != len(files)+1 {
		t.Errorf("%d files are there, and SHA256SUMS has %d of them", len(there), len(files))
	}
	var platforms int
	for name, content := range files {
		switch {
		case strings.HasSuffix(name, ".duckdb_extension.gz"):
			platforms++
			extension := gunzip(t, content)
			platform := strings.Split(strings.TrimSuffix(name, ".duckdb_extension.gz"), "-")[2]
			if footer := extension[len(extension)-512:]; !bytes.HasPrefix(footer[6*32:], append([]byte(platform), 0)) {
				t.Errorf("%s is for %q", name, footer[6*32:7*32])
			}
		case strings.HasSuffix(name, ".cdx.json"):
			checkBill(t, name, content)
		case strings.HasSuffix(name, ".tar.gz") && strings.Count(name, "-") == 3: // the sdist names no platform
			checkArchive(t, name, gunzip(t, content))
		}
	}
	if platforms == 0 {
		t.Error("there is no extension")
	}
}

func gunzip(t *testing.T, content []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// checkBill: a bill of materials has the Go modules of its platform, DuckDB's parts and the charts.
func checkBill(t *testing.T, name string, content []byte) {
	t.Helper()
	var bill struct {
		BOMFormat  string
		Components []struct {
			Name     string
			Licenses []any
			Evidence struct{ Licenses []any }
		}
	}
	if err := json.Unmarshal(content, &bill); err != nil || bill.BOMFormat != "CycloneDX" {
		t.Fatal(name, bill.BOMFormat, err)
	}
	var listed []string
	for _, c := range bill.Components {
		listed = append(listed, c.Name)
	}
	platform := strings.TrimSuffix(name, ".cdx.json")
	platform = platform[strings.LastIndex(platform[:strings.LastIndex(platform, "-")], "-")+1:]
	for _, part := range []string{"DuckDB", "zstd", "ICU", "echarts", "gonum.org/v1/gonum", "github.com/duckdb/duckdb-go-bindings/lib/" + platform} {
		if !slices.Contains(listed, part) {
			t.Errorf("%s does not list %s", name, part)
		}
	}
}

// checkArchive: an archive has the program, executable, and the licences, in one directory.
func checkArchive(t *testing.T, name string, content []byte) {
	t.Helper()
	top := strings.TrimSuffix(name, ".tar.gz") + "/"
	program := map[bool]string{true: "saedb.exe", false: "saedb"}[strings.Contains(name, "-windows-")]
	var has []string
	for archive := tar.NewReader(bytes.NewReader(content)); ; {
		header, err := archive.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(name, err)
		}
		file, inTop := strings.CutPrefix(header.Name, top)
		if !inTop || file == program && header.Mode&0o111 == 0 {
			t.Errorf("%s: %s has mode %o", name, header.Name, header.Mode)
		}
		has = append(has, file)
	}
	if want := []string{"CHANGELOG.md", "LICENSE", "LICENSES.txt", "README.md", program}; !slices.Equal(has, want) {
		t.Errorf("%s has %q, expected %q", name, has, want)
	}
}

// TestPackaging: what is proposed to package managers is of this version, and of the sdist
// that it is written for.
func TestPackaging(t *testing.T) {
	source, err := os.ReadFile("../internal/version/version.go")
	if err != nil {
		t.Fatal(err)
	}
	number := string(regexp.MustCompile(`Number = "(.*)"`).FindSubmatch(source)[1])
	description, err := os.ReadFile("../packaging/community-extension/description.yml")
	if err != nil || !strings.Contains(string(description), "\n  version: "+number+"\n") {
		t.Errorf("description.yml is of another version than %s: %v", number, err)
	}
	dir, content := t.TempDir(), []byte("an sdist")
	sdist := write(t, dir, "saedb-9.8.7.tar.gz", content)
	runIn(t, "..", nil, "packaging/render.sh", sdist, filepath.Join(dir, "out"))
	for _, name := range []string{"saedb.rb", "recipe.yaml"} {
		rendered, err := os.ReadFile(filepath.Join(dir, "out", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"9.8.7", fmt.Sprintf("%x", sha256.Sum256(content))} {
			if !strings.Contains(string(rendered), want) {
				t.Errorf("%s lacks %s", name, want)
			}
		}
	}
}
