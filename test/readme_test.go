package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	console = regexp.MustCompile("(?s)```console\n(.*?)```")
	timing  = regexp.MustCompile(`\d+\.\d s( \(\d+ (features|scores)/s\))?`)
)

// TestReadme runs the commands of README.md and compares what they print with
// what stands there, times apart. With -update it writes the output anew.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, target := range map[string]string{"bin/saedb": program, "examples": "../examples"} {
		whole, err := filepath.Abs(target)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(whole, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	copyFile(t, example, filepath.Join(dir, "demo.db"))
	commands := 0
	updated := console.ReplaceAllStringFunc(string(text), func(block string) string {
		var shown strings.Builder
		for _, line := range strings.Split(console.FindStringSubmatch(block)[1], "\n") {
			command, ok := strings.CutPrefix(line, "$ ")
			if !ok {
				continue
			}
			commands++
			shell := exec.Command("sh", "-c", command)
			shell.Dir = dir
			out, err := shell.CombinedOutput()
			if err != nil {
				t.Errorf("%s: %v\n%s", command, err, out)
			}
			shown.WriteString(line + "\n" + string(out))
		}
		return "```console\n" + shown.String() + "```"
	})
	if *update {
		if err := os.WriteFile("../README.md", []byte(updated), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if commands < 5 {
		t.Errorf("only %d commands found", commands)
	}
	if got, want := timing.ReplaceAllString(updated, "T"), timing.ReplaceAllString(string(text), "T"); got != want {
		t.Errorf("README.md shows other output than its commands print; go test ./test -run TestReadme -update writes it\n%s", got)
	}
}
