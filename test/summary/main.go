// Command summary runs go test and ends with a line that counts:
//
//	412 passed, 0 failed, 9 skipped
//
// Before it stand the thirty slowest tests, with their seconds, and the skipped ones with their
// reasons. A skip that is not on the list
// (-skips) fails the run as a failed test does, so that a test which no longer runs does
// not go unnoticed. Usage:
//
//	go run ./test/summary -skips test/skips.txt -- -timeout 40m ./...
package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
)

func main() {
	list := flag.String("skips", "", "`FILE` of the skips that are known: a test and the reason, a line each")
	flag.Parse()
	known, err := readSkips(*list)
	if err != nil {
		fmt.Fprintf(os.Stderr, "summary: %v\n", err)
		os.Exit(2)
	}
	command := exec.Command("go", append([]string{"test", "-json"}, flag.Args()...)...)
	command.Stderr = os.Stderr
	events, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "summary: %v\n", err)
		os.Exit(2)
	}
	s := newSummary(os.Stdout)
	read := s.read(events)
	failed := command.Wait()
	ok := s.write(known)
	if read != nil {
		fmt.Fprintf(os.Stderr, "summary: %v\n", read)
	}
	if !ok || read != nil || failed != nil {
		os.Exit(1)
	}
}

// An event is a line of go test -json; see go doc test2json.
type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64 // seconds
}

// A skip is a skipped test of a package, and why.
type skip struct{ in, test, reason string }

type summary struct {
	out            io.Writer
	passed, failed int
	skipped        []skip
	output         map[string]*strings.Builder // of each package and test that has not ended
	failedIn       map[string]bool             // packages with a failed test
	took           []timed                     // tests, without their parts
}

// A timed is a test and how long it took, in seconds.
type timed struct {
	in, test string
	seconds  float64
}

func newSummary(out io.Writer) *summary {
	return &summary{out: out, output: map[string]*strings.Builder{}, failedIn: map[string]bool{}}
}

// read counts the events of one run, and prints what failed, and a line a package.
func (s *summary) read(events io.Reader) error {
	lines := bufio.NewReader(events)
	for {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		var e event
		if json.Unmarshal(line, &e) != nil {
			fmt.Fprintf(s.out, "%s", line) // go itself, which says what is wrong with a command line
			continue
		}
		s.take(e)
	}
}

func (s *summary) take(e event) {
	id := e.Package + "." + e.Test
	switch e.Action {
	case "output":
		if s.output[id] == nil {
			s.output[id] = &strings.Builder{}
		}
		s.output[id].WriteString(e.Output)
		return
	case "build-output":
		io.WriteString(s.out, e.Output)
		return
	case "pass", "fail", "skip":
	default:
		return
	}
	said := ""
	if s.output[id] != nil {
		said = s.output[id].String()
		delete(s.output, id)
	}
	if e.Test == "" {
		s.packageEnded(e, said)
		return
	}
	if !strings.Contains(e.Test, "/") {
		s.took = append(s.took, timed{shortName(e.Package), e.Test, e.Elapsed})
	}
	switch e.Action {
	case "pass":
		s.passed++
	case "fail":
		s.failed++
		s.failedIn[e.Package] = true
		fmt.Fprintf(s.out, "%s%s", said, unended(said, id))
	case "skip":
		s.skipped = append(s.skipped, skip{shortName(e.Package), e.Test, reason(said)})
	}
}

// packageEnded prints what go test prints of a package. One that fails without a failed
// test, as by not compiling or by ending early, counts as a failure.
func (s *summary) packageEnded(e event, said string) {
	if e.Action == "fail" {
		if !s.failedIn[e.Package] {
			s.failed++
		}
		for id, left := range s.output { // of tests that had begun
			if strings.HasPrefix(id, e.Package+".") {
				io.WriteString(s.out, left.String())
				delete(s.output, id)
			}
		}
		fmt.Fprintf(s.out, "%s%s", said, unended(said, "FAIL "+e.Package))
		return
	}
	for line := range strings.Lines(said) {
		if strings.HasPrefix(line, "ok") {
			io.WriteString(s.out, line)
		}
	}
}

// unended is a line of its own, where nothing was said.
func unended(said, line string) string {
	if said != "" {
		return ""
	}
	return line + "\n"
}

// slowest is how many tests are named with their time.
const slowest = 30

// write prints the slowest tests, the skips, those that are not known apart, and the counts; ok is whether
// nothing failed and every skip is known.
func (s *summary) write(known []knownSkip) (ok bool) {
	slices.SortFunc(s.took, func(a, b timed) int { return cmp.Compare(b.seconds, a.seconds) })
	for _, one := range s.took[:min(slowest, len(s.took))] {
		fmt.Fprintf(s.out, "slow: %s %s: %.1f s\n", one.in, one.test, one.seconds)
	}
	slices.SortFunc(s.skipped, func(a, b skip) int { return strings.Compare(a.in+" "+a.test, b.in+" "+b.test) })
	var unknown []skip
	for _, one := range s.skipped {
		if slices.ContainsFunc(known, func(k knownSkip) bool { return k.covers(one) }) {
			fmt.Fprintf(s.out, "skipped: %s %s: %s\n", one.in, one.test, one.reason)
		} else {
			unknown = append(unknown, one)
		}
	}
	for _, one := range unknown {
		fmt.Fprintf(s.out, "skipped, and not on the list: %s %s: %s\n", one.in, one.test, one.reason)
	}
	fmt.Fprintf(s.out, "%d passed, %d failed, %d skipped\n", s.passed, s.failed, len(s.skipped))
	return s.failed == 0 && len(unknown) == 0
}

var skipLine = regexp.MustCompile(`(?m)^\s*\S+_test\.go:\d+: (.*)$`)

// shortName is a package's path in the module.
func shortName(importPath string) string {
	return strings.TrimPrefix(importPath, "github.com/saedb/saedb/")
}

// reason is what a test said when it was skipped, its last line.
func reason(said string) string {
	lines := skipLine.FindAllStringSubmatch(said, -1)
	if lines == nil {
		return "no reason given"
	}
	return lines[len(lines)-1][1]
}

// A knownSkip is a line of the list: a package, a pattern of tests, and one of reasons.
type knownSkip struct {
	in, tests string
	reason    *regexp.Regexp
}

// covers reports whether a skip is that of the line; a test's pattern covers its subtests.
func (k knownSkip) covers(s skip) bool {
	name, _, _ := strings.Cut(s.test, "/")
	matched, _ := path.Match(k.tests, name)
	return k.in == s.in && matched && k.reason.MatchString(s.reason)
}

func readSkips(file string) ([]knownSkip, error) {
	if file == "" {
		return nil, nil
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var known []knownSkip
	for i, line := range strings.Split(string(content), "\n") {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.SplitN(line, " ", 3)
		if len(fields) < 3 {
			return nil, fmt.Errorf("%s:%d: expected a package, a pattern of tests and a regular expression of the reason, found %q", file, i+1, line)
		}
		pattern, err := regexp.Compile(fields[2])
		if err == nil {
			_, err = path.Match(fields[1], "")
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, i+1, err)
		}
		known = append(known, knownSkip{fields[0], fields[1], pattern})
	}
	return known, nil
}
