package test

import (
	"archive/zip"
	"bytes"
	"debug/elf"
	"debug/pe"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// builtWheels is where make wheels leaves them; make test-wheels makes them and runs
// the tests below.
const builtWheels = "../build/wheels/out"

// wheelPlatforms are the tags of the wheels, with DuckDB's names of their platforms.
var wheelPlatforms = map[string]string{
	"manylinux_2_28_x86_64": "linux_amd64", "manylinux_2_28_aarch64": "linux_arm64", "win_amd64": "windows_amd64",
	"macosx_12_0_arm64": "osx_arm64", "macosx_12_0_x86_64": "osx_amd64",
}

// needWheel returns the wheel of a platform, or skips the test where none is built.
func needWheel(t *testing.T, tag string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(builtWheels, "saedb-*-py3-none-"+tag+".whl"))
	if err != nil || len(found) > 1 {
		t.Fatal(found, err)
	}
	if len(found) == 0 {
		t.Skip("the wheels are not built; make wheels builds them")
	}
	return absolute(t, found[0])
}

// unpacked returns the contents of a wheel's files.
func unpacked(t *testing.T, wheel string) map[string][]byte {
	t.Helper()
	archive, err := zip.OpenReader(wheel)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	files := map[string][]byte{}
	for i, f := range archive.File {
		if i > 0 && f.Modified != archive.File[0].Modified {
			t.Errorf("%s is of %v, the first of %v", f.Name, f.Modified, archive.File[0].Modified)
		}
		content, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if files[f.Name], err = io.ReadAll(content); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(f.Name, "saedb_program/bin/") && f.Mode()&0o111 == 0 {
			t.Errorf("%s is not executable", f.Name)
		}
	}
	return files
}

// TestWheels reads the wheels of all platforms: what they say of themselves, and that
// their machine code asks no more of a system than their tags promise.
func TestWheels(t *testing.T) {
	for tag, duckdb := range wheelPlatforms {
		t.Run(tag, func(t *testing.T) {
			wheel := needWheel(t, tag)
			checkSize(t, tag, wheel)
			files := unpacked(t, wheel)
			extension := files["saedb/saedb.duckdb_extension"]
			footer := extension[max(0, len(extension)-512):]
			if platform := string(bytes.TrimRight(footer[6*32:7*32], "\x00")); platform != duckdb {
				t.Errorf("the extension is for %q, expected %s", platform, duckdb)
			}
			// Stripped, it has the name only where the entry point is exported.
			if !regexp.MustCompile(`\x00_?saedb_init_c_api\x00`).Match(extension) {
				t.Error("the extension exports no entry point")
			}
			checkBinary(t, tag, "the extension", extension)
			program := files["saedb_program/bin/saedb"]
			if program == nil {
				program = files["saedb_program/bin/saedb.exe"]
			}
			if program == nil {
				t.Fatal("there is no program")
			}
			checkBinary(t, tag, "the program", program)
			for name, content := range files {
				switch {
				case strings.HasSuffix(name, "/METADATA"):
					for _, line := range []string{"Requires-Dist: duckdb", "License-Expression: Apache-2.0", "License-File: LICENSES.txt", "Project-URL: Source"} {
						if !bytes.Contains(content, []byte(line)) {
							t.Errorf("METADATA lacks %q", line)
						}
					}
				case strings.HasSuffix(name, "/LICENSES.txt"):
					for _, carried := range []string{"duckdb-go-bindings", "gonum.org/v1/gonum", "Apache ECharts", "Matthew Honnibal", "\nGo\n", "\nzstd, in DuckDB ", "\nICU, in DuckDB "} {
						if !bytes.Contains(content, []byte(carried)) {
							t.Errorf("LICENSES.txt lacks %q", carried)
						}
					}
				}
			}
		})
	}
}

// checkSize holds a wheel to the megabytes that docs/installation.md says of it, so that what makes
// it larger is seen.
func checkSize(t *testing.T, tag, wheel string) {
	t.Helper()
	page, err := os.ReadFile("../docs/installation.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("-" + tag + `\.whl. \| ([\d.]+) MB \|`).FindSubmatch(page)
	if row == nil {
		t.Fatalf("docs/installation.md has no row with the size of the wheel for %s", tag)
	}
	said, err := strconv.ParseFloat(string(row[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Stat(wheel)
	if err != nil {
		t.Fatal(err)
	}
	if size := float64(file.Size()) / 1e6; math.Abs(size-said) > 0.3 {
		t.Errorf("%s has %.1f MB, and docs/installation.md says %.1f", filepath.Base(wheel), size, said)
	}
}

// needExampleWheel returns the wheel of the example, or skips the test where it is not built.
func needExampleWheel(t *testing.T) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(builtWheels, "saedb_example-*.whl"))
	if err != nil || len(found) > 1 {
		t.Fatal(found, err)
	}
	if len(found) == 0 {
		t.Skip("the wheels are not built; make wheels builds them")
	}
	return absolute(t, found[0])
}

// TestExampleWheel: the example's wheel has the files of the repository's example, but for
// encoders: decoders and sparsity are equal, and layer 29 is whole.
func TestExampleWheel(t *testing.T) {
	wheel, dir := needExampleWheel(t), t.TempDir()
	checkSize(t, "any", wheel)
	has := map[string]bool{}
	for name, content := range unpacked(t, wheel) {
		if inside, found := strings.CutPrefix(name, "saedb_example/smollm2-135m/"); found {
			has[inside] = true
			write(t, dir, inside, content)
		}
	}
	example := filepath.Dir(exampleModel)
	err := filepath.WalkDir(example, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() == "go.mod" {
			return err
		}
		name, err := filepath.Rel(example, path)
		if err != nil {
			return err
		}
		ours := filepath.Join(dir, name)
		switch {
		case !has[name]:
			t.Errorf("%s is not in the wheel", name)
		case entry.Name() != "sae_weights.safetensors" || strings.Contains(name, ".29."):
			want, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if got, err := os.ReadFile(ours); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s is another in the wheel: %v", name, err)
			}
		default:
			equal := mustRun(t, "sql", "--format", "csv", fmt.Sprintf(`SELECT count(*) AS n, (SELECT count(*) FROM read_sae('%[2]s')) AS of_all
				FROM read_sae('%[1]s') a JOIN read_sae('%[2]s') b USING (feature) WHERE a.w_dec = b.w_dec AND a.log_sparsity = b.log_sparsity`,
				filepath.Dir(ours), filepath.Dir(path)))
			if equal != "n,of_all\n1536,1536\n" {
				t.Errorf("%s: features that are equal, and all: %q", name, equal)
			}
			if got := saedbRun(t, "", "sql", fmt.Sprintf("FROM read_encoder('%s')", filepath.Dir(ours))); !strings.Contains(got.stderr, "its encoder") {
				t.Errorf("%s: its encoder: %+v", name, got)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// checkBinary holds a library or program to the processor and the oldest system of a tag.
func checkBinary(t *testing.T, tag, what string, code []byte) {
	t.Helper()
	reader := bytes.NewReader(code)
	var libraries []string
	var err error
	allowed := regexp.MustCompile(`^(lib(c|m|pthread|dl|rt|resolv)\.so\.\d+|ld-linux-(x86-64|aarch64)\.so\.\d)$`)
	switch {
	case strings.HasPrefix(tag, "macosx"):
		checkMachO(t, tag, what, code)
		return
	case strings.HasPrefix(tag, "manylinux"):
		f, openErr := elf.NewFile(reader)
		if openErr != nil {
			t.Fatal(openErr)
		}
		if machine := map[bool]elf.Machine{true: elf.EM_X86_64, false: elf.EM_AARCH64}[strings.HasSuffix(tag, "x86_64")]; f.Machine != machine {
			t.Errorf("%s is for %v", what, f.Machine)
		}
		if what == "the extension" {
			checkStaticTLS(t, what, f)
		}
		libraries, err = f.ImportedLibraries()
		newest := oldestGlibc(t, tag)
		symbols, symbolsErr := f.ImportedSymbols()
		if symbolsErr != nil {
			t.Fatal(symbolsErr)
		}
		for _, s := range symbols {
			minor, isGlibc := strings.CutPrefix(s.Version, "GLIBC_2.")
			minor, _, _ = strings.Cut(minor, ".")
			if n, err := strconv.Atoi(minor); isGlibc && (err != nil || n > newest) {
				t.Errorf("%s asks for %s of %s, expected none newer than 2.%d", what, s.Name, s.Version, newest)
			}
		}
	default:
		f, openErr := pe.NewFile(reader)
		if openErr != nil {
			t.Fatal(openErr)
		}
		if f.Machine != pe.IMAGE_FILE_MACHINE_AMD64 {
			t.Errorf("%s is for machine %#x", what, f.Machine)
		}
		allowed = regexp.MustCompile(`(?i)^(kernel32|ws2_32|rstrtmgr|advapi32|ntdll|api-ms-win-crt-[a-z]+-l1-1-0)\.dll$`)
		symbols, symbolsErr := f.ImportedSymbols() // debug/pe names libraries by their symbols
		if err = symbolsErr; err == nil {
			for _, s := range symbols {
				_, library, _ := strings.Cut(s, ":")
				libraries = append(libraries, library)
			}
		}
	}
	if err != nil || len(libraries) == 0 {
		t.Fatalf("%s: libraries %v, %v", what, libraries, err)
	}
	for _, library := range libraries {
		if !allowed.MatchString(library) {
			t.Errorf("%s asks for %s, which not every system of %s has", what, library, tag)
		}
	}
}

// oldestGlibc is 28 of manylinux_2_28_x86_64.
func oldestGlibc(t *testing.T, tag string) int {
	t.Helper()
	n, err := strconv.Atoi(strings.Split(tag, "_")[2])
	if err != nil {
		t.Fatal(tag, err)
	}
	return n
}

// TestInstalledWheel installs the wheels of this machine and of the example into an empty
// virtual environment without a network, and does what somebody does first.
func TestInstalledWheel(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the wheels are not built; make wheels builds them")
	}
	machine := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
	wheel, dir := needWheel(t, "manylinux_2_28_"+machine), t.TempDir()
	runIn(t, dir, nil, "python3", "-m", "venv", "venv")
	bin := filepath.Join(dir, "venv/bin")
	pip := func(what ...string) {
		runIn(t, dir, nil, filepath.Join(bin, "python"), append([]string{"-m", "pip", "install", "--quiet", "--disable-pip-version-check",
			"--no-index", "--find-links", absolute(t, filepath.Join(clients, "wheels"))}, what...)...)
	}
	if _, err := os.Stat(filepath.Join(environment, ".complete")); err != nil {
		t.Skip("the Python environment is not installed; make python-clients installs it")
	}
	pip(wheel)
	saedb, python := filepath.Join(bin, "saedb"), filepath.Join(bin, "python")

	want := mustRun(t, "version")
	for _, command := range [][]string{{saedb, "version"}, {python, "-m", "saedb", "version"}} {
		if got := runIn(t, dir, nil, command[0], command[1:]...); withoutCommit(got) != withoutCommit(want) {
			t.Errorf("%v: got %q, want the version, DuckDB and kernel of the program, %q", command, got, want)
		}
	}
	kernel := runIn(t, dir, nil, python, "-c", "import saedb; print(saedb.__version__, saedb.connect().sql('SELECT kernel FROM saedb_about()').fetchall()[0][0])")
	if number := strings.Fields(want)[1]; !strings.HasPrefix(kernel, number+" ") || !strings.Contains(want, "\nkernel "+strings.Fields(kernel)[1]+"\n") {
		t.Errorf("the extension is %q, and the program %q", kernel, want)
	}

	out, err := exec.Command(saedb, "demo").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "pip install saedb-example") {
		t.Errorf("demo without the example: %v, %q", err, out)
	}
	pip(needExampleWheel(t))
	shown := runIn(t, dir, nil, saedb, "demo")
	for _, part := range []string{"│     4.21 │     56.4 │ [')', '?)'", "wrote demo-report.html", "Try next:\n  saedb --db demo.db plot"} {
		if !strings.Contains(shown, part) {
			t.Errorf("the demo does not show %q:\n%s", part, shown)
		}
	}
	if report, err := os.ReadFile(filepath.Join(dir, "demo-report.html")); err != nil || !bytes.Contains(report, []byte("echarts")) {
		t.Errorf("the report has no charts: %v", err)
	}
	for _, version := range []string{"1.4.5", "1.5.6", "2.0.0"} {
		got := runIn(t, dir, []string{"PYTHONPATH=" + needClient(t, "duckdb-"+version)}, python, "-c",
			"import duckdb, saedb; c = saedb.connect('demo.db', read_only=True); print(duckdb.__version__, c.sql('SELECT max(feature) FILTER (skewness > 4) FROM features').fetchall())")
		if want := version + " [(1328,)]\n"; got != want {
			t.Errorf("DuckDB %s: got %q, want %q", version, got, want)
		}
	}
}

// withoutCommit leaves the versions and the kernel: wheels record no commit.
func withoutCommit(version string) string {
	return regexp.MustCompile(` \([0-9a-f]{12}\)`).ReplaceAllString(version, "")
}

// TestWheelOfARM64 runs the program of the wheel for 64-bit ARM under emulation.
func TestWheelOfARM64(t *testing.T) {
	files := unpacked(t, needWheel(t, "manylinux_2_28_aarch64"))
	const libraries = "/usr/aarch64-linux-gnu"
	emulator, err := exec.LookPath("qemu-aarch64-static")
	if _, missing := os.Stat(libraries); err != nil || missing != nil {
		t.Skip("no emulator of 64-bit ARM, or no libraries for it")
	}
	saedb := write(t, t.TempDir(), "saedb", files["saedb_program/bin/saedb"])
	if err := os.Chmod(saedb, 0o755); err != nil {
		t.Fatal(err)
	}
	got := strings.Split(runIn(t, ".", nil, emulator, "-L", libraries, saedb, "version"), "\n")
	if !slices.Contains(got, "kernel neon") || !slices.ContainsFunc(got, func(s string) bool { return strings.HasSuffix(s, " linux/arm64") }) {
		t.Errorf("got %s", fmt.Sprintf("%q", got))
	}
}
