package test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"
)

// puppeteer is where scripts/javascript.sh installs what test/pages drives browsers with.
const puppeteer = "../build/javascript/node_modules/puppeteer-core"

// onPath is the first program of those names that there is, or skips the test.
func onPath(t *testing.T, otherwise string, names ...string) string {
	t.Helper()
	for _, name := range names {
		if found, err := exec.LookPath(name); err == nil {
			return found
		}
	}
	t.Skip(otherwise)
	return ""
}

// walk has a browser open every page of the explorer, and reports what test/pages/walk.mjs finds.
func walk(t *testing.T, browser, executable string) {
	t.Helper()
	needCharts(t)
	node := onPath(t, "no Node.js on this machine", "node")
	if _, err := os.Stat(puppeteer); err != nil {
		t.Skip("puppeteer-core is not installed; scripts/javascript.sh installs it")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, node, "pages/walk.mjs", browser, executable, exploreDatabase(t, mapped(t)))
	command.WaitDelay = time.Second
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Errorf("walk.mjs ended with %v\n%s", err, stderr.Bytes())
	}
	visited := false
	for lines := json.NewDecoder(bytes.NewReader(out)); ; {
		var line struct {
			Where, Problem string
			Visited        int
		}
		if err := lines.Decode(&line); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%v in %s", err, out)
		}
		if visited = visited || line.Visited > 0; line.Problem != "" {
			t.Errorf("%s: %s", line.Where, line.Problem)
		}
	}
	if !visited {
		t.Error("no page was visited to its end")
	}
}

func TestEveryPageInFirefox(t *testing.T) {
	t.Parallel()
	walk(t, "firefox", onPath(t, "no Firefox on PATH; Debian's package firefox-esr has it", "firefox-esr", "firefox"))
}

func TestEveryPageInChromium(t *testing.T) {
	t.Parallel()
	walk(t, "chromium", chromium(t))
}
