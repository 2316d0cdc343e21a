package main

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// events are what go test -json says of a package with a test that passes, one that is
// skipped with a subtest, one that fails; of one that does not compile; of one that ends
// early.
const events = `{"Action":"start","Package":"github.com/saedb/saedb/loader"}
{"Action":"output","Package":"github.com/saedb/saedb/loader","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"pass","Package":"github.com/saedb/saedb/loader","Test":"TestA","Elapsed":2.5}
{"Action":"output","Package":"github.com/saedb/saedb/loader","Test":"TestB/large","Output":"    b_test.go:7: needs the larger fixtures: not there\n"}
{"Action":"skip","Package":"github.com/saedb/saedb/loader","Test":"TestB/large"}
{"Action":"pass","Package":"github.com/saedb/saedb/loader","Test":"TestB"}
{"Action":"output","Package":"github.com/saedb/saedb/loader","Test":"TestC","Output":"    c_test.go:9: got 1, want 2\n"}
{"Action":"fail","Package":"github.com/saedb/saedb/loader","Test":"TestC"}
{"Action":"output","Package":"github.com/saedb/saedb/loader","Output":"FAIL\tgithub.com/saedb/saedb/loader\t0.1s\n"}
{"Action":"fail","Package":"github.com/saedb/saedb/loader"}
{"Action":"build-output","ImportPath":"github.com/saedb/saedb/udf","Output":"udf/x.go:1:1: syntax error\n"}
{"Action":"fail","Package":"github.com/saedb/saedb/udf"}
{"Action":"output","Package":"github.com/saedb/saedb/sql","Test":"TestD","Output":"panic: out of words\n"}
{"Action":"fail","Package":"github.com/saedb/saedb/sql"}
{"Action":"output","Package":"github.com/saedb/saedb/bench","Output":"ok  \tgithub.com/saedb/saedb/bench\t1.0s\n"}
{"Action":"pass","Package":"github.com/saedb/saedb/bench"}
`

func summarise(t *testing.T, events, list string) (said string, ok bool) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "skips.txt")
	if err := os.WriteFile(file, []byte(list), 0o644); err != nil {
		t.Fatal(err)
	}
	known, err := readSkips(file)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	s := newSummary(&out)
	if err := s.read(strings.NewReader(events)); err != nil {
		t.Fatal(err)
	}
	ok = s.write(known)
	return out.String(), ok
}

func TestCounts(t *testing.T) {
	said, ok := summarise(t, events, "# known\nloader TestB needs the larger fixtures\n")
	for _, want := range []string{
		"    c_test.go:9: got 1, want 2\n", "udf/x.go:1:1: syntax error\n", "panic: out of words\n", "ok  \tgithub.com/saedb/saedb/bench\t1.0s\n",
		"\nslow: loader TestA: 2.5 s\nslow: loader TestB: 0.0 s\n", "\nskipped: loader TestB/large: needs the larger fixtures: not there\n",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("lacks %q:\n%s", want, said)
		}
	}
	if ok || !strings.HasSuffix(said, "\n2 passed, 3 failed, 1 skipped\n") || strings.Contains(said, "RUN") {
		t.Errorf("ok %v:\n%s", ok, said)
	}
}

// TestUnknownSkip: a skip is known by its package, its test and its reason.
func TestUnknownSkip(t *testing.T) {
	passing := strings.Join(strings.SplitAfter(events, "\n")[:6], "")
	for list, want := range map[string]bool{
		"loader TestB needs the larger fixtures\n": true, "loader Test* larger": true,
		"": false, "loader TestB no root\n": false, "loader TestA larger": false, "udf TestB larger": false,
	} {
		said, ok := summarise(t, passing, list)
		if ok != want || strings.Contains(said, "not on the list: loader TestB/large") == want || !strings.HasSuffix(said, "\n2 passed, 0 failed, 1 skipped\n") {
			t.Errorf("with %q: ok %v:\n%s", list, ok, said)
		}
	}
}

func TestBadList(t *testing.T) {
	file := filepath.Join(t.TempDir(), "skips.txt")
	for _, list := range []string{"loader TestB", "loader TestB (", "loader [ x"} {
		if err := os.WriteFile(file, []byte("# known\n"+list+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := readSkips(file); err == nil || !strings.Contains(err.Error(), "skips.txt:2: ") {
			t.Errorf("%q: %v", list, err)
		}
	}
}

// TestListOfTheRepository: every line is of a test that is there.
func TestListOfTheRepository(t *testing.T) {
	known, err := readSkips("../skips.txt")
	if err != nil || len(known) == 0 {
		t.Fatalf("%d known skips, %v", len(known), err)
	}
	declared := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	for _, k := range known {
		files, _ := filepath.Glob(filepath.Join("../..", k.in, "*_test.go"))
		there := slices.ContainsFunc(files, func(file string) bool {
			source, _ := os.ReadFile(file)
			return slices.ContainsFunc(declared.FindAllStringSubmatch(string(source), -1), func(name []string) bool {
				matched, _ := path.Match(k.tests, name[1])
				return matched
			})
		})
		if !there {
			t.Errorf("no test %s in %s", k.tests, k.in)
		}
	}
}
