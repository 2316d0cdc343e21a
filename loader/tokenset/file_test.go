package tokenset

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/vocab"
)

// fileTokens has what is hard to write to a file: white space, a backslash, digits.
var fileTokens = tokensOf("Ġred", " red", "1", "1", "\t", "\t", "a\nb", "a\nb", `\`, `\`, `\n`, `\n`, "Ã©", "é",
	"Ġblue", " blue", "#", "#", "\r", "\r", `a,"b"`, `a,"b"`)

func writeFile(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReadFile(t *testing.T) {
	tests := []struct {
		name, content string
		want          []Set // without Family
	}{
		{"a.gmt", "x\twhat x is\tĠred\t1\tĠred\tunknown\n\ny\t\té\t\\t\t\\\\n\t\t\r\n", []Set{
			{Name: "x", Description: "what x is", IDs: []int32{0, 1}},
			{Name: "y", IDs: []int32{2, 5, 6}},
		}},
		{"a.json", `{"ids": [7, 0, 7], "empty": [], "tokens": ["Ã©", "é", "1"], "words": ["red", "xyzzy"]}`, []Set{
			{Name: "ids", IDs: []int32{0, 7}}, {Name: "tokens", IDs: []int32{1, 6}}, {Name: "words", IDs: []int32{0}},
		}},
		{"sets.dat", "\n {\"a\": [1]}", []Set{{Name: "a", IDs: []int32{1}}}},
		{"a.CSV", "Token_ID, set ,token\n7,b,ignored\n0,a,\n0,b,\n", []Set{
			{Name: "b", IDs: []int32{0, 7}}, {Name: "a", IDs: []int32{0}},
		}},
		{"a.csv", "set,token\na,Ġred\na,blue\na,\"a,\"\"b\"\"\"\na,xyzzy\n", []Set{{Name: "a", IDs: []int32{0, 7, 10}}}},
		{"my colours.txt", "\uFEFF# What I see\n# by me\nred\n\n  blue \r\nred\nxyzzy\n", []Set{
			{Name: "my colours", Description: "What I see", IDs: []int32{0, 7}},
		}},
		{"a.regex", "# mine\nred\tĠr\n\ndigit\t\\d\r\n", []Set{
			{Name: "red", Description: "Ġr", IDs: []int32{0}}, {Name: "digit", Description: `\d`, IDs: []int32{1}},
		}},
	}
	for _, test := range tests {
		got, err := ReadFile(writeFile(t, test.name, test.content), fileTokens, Options{})
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		for i := range test.want {
			test.want[i].Family = FamilyUser
		}
		if !slices.EqualFunc(got, test.want, equal) {
			t.Errorf("%s: got %+v, want %+v", test.name, got, test.want)
		}
	}
}

func equal(a, b Set) bool {
	return a.Name == b.Name && a.Family == b.Family && a.Description == b.Description && slices.Equal(a.IDs, b.IDs)
}

func TestReadFileErrors(t *testing.T) {
	tests := []struct{ name, content, want string }{
		{"a.gmt", "x\tonly a description\n", "line 1: expected a name, a description and members"},
		{"a.gmt", "x\t\tred\nx\t\tblue\n", `set "x": the file has two sets`},
		{"a.gmt", "x\t\t7\n", `set "x": none of its 1 members`},
		{"a.gmt", "\t\tĠred\n", "line 1: a token set has no name"},
		{"a.gmt", "", "holds no token set"},
		{"a.gmt", "\xff", "UTF-8"},
		{"a.json", `[1, 2]`, "expected an object of names and lists"},
		{"a.json", `{"a": [1], "a": [2]}`, "two sets of this name"},
		{"a.json", `{"a": 1}`, `set "a": expected a list`},
		{"a.json", `{"a": [[1]]}`, `set "a": expected ids, tokens or words, found [`},
		{"a.json", `{"a": [true]}`, "found true"},
		{"a.json", `{"a": [1.5]}`, "expected a whole number"},
		{"a.json", `{"a": [999]}`, "token id 999 is not in the vocabulary"},
		{"a.json", `{"a": [-1]}`, "token id -1"},
		{"a.json", `{"a": [99999999999999999999]}`, "expected a whole number"},
		{"a.json", `{"a": [1]} {}`, "something follows"},
		{"a.json", `{"a": [1]`, "is not JSON: unexpected EOF"},
		{"a.json", `{"a": ["xyzzy", "plugh"]}`, "none of its 2 members is a token"},
		{"a.json", `{"a": []}`, "holds no token set"},
		{"a.json", ``, "is not JSON"},
		{"a.csv", "", "an empty file"},
		{"a.csv", "name,token\na,b\n", "header: expected the columns set and token_id or token"},
		{"a.csv", "set,token_id\na,b\n", `line 2: token id: expected a whole number, found "b"`},
		{"a.csv", "set,token_id\na,1\na,99\n", "line 3: token id 99"},
		{"a.csv", "set,token_id\na\n", "wrong number of fields"},
		{"a.csv", "set,token\na,\"b\n", "quoted"},
		{"a.csv", "set,token\n,Ġred\n", "line 2: a token set has no name"},
		{"a.txt", "xyzzy\nplugh\n", "none of its 2 members is a token"},
		{"a.txt", "x\tĠred\n", "line 1: expected one word, found a tab"},
		{"a.txt", "# nothing\n", "holds no token set"},
		{"a.regex", "red\n", "line 1: expected a name, a tab and a pattern"},
		{"a.regex", "# x\na\t(?=b)\n", "line 2: pattern"},
		{"a.regex", "a\tnothing\n", "matches no token"},
		{"a.regex", "a\t1\na\tĠ\n", "two sets of this name"},
		{"a.xlsx", "PK", "unknown kind of file: expected .gmt"},
	}
	for _, test := range tests {
		path := writeFile(t, test.name, test.content)
		_, err := ReadFile(path, fileTokens, Options{})
		var e *fault.Error
		if !errors.As(err, &e) || e.Op == "" || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s %q: got %v, want %q", test.name, test.content, err, test.want)
		}
	}
	for path, want := range map[string]string{"absent.gmt": "no such file", t.TempDir(): "a directory"} {
		if _, err := ReadFile(path, fileTokens, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", path, err, want)
		}
	}
	large := writeFile(t, "a.txt", "")
	if err := os.Truncate(large, maxFile+1); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFile(large, fileTokens, Options{}); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("a file over the bound: %v", err)
	}
}

func TestGMTRoundTrip(t *testing.T) {
	var all []int32
	for _, token := range fileTokens {
		all = append(all, int32(token.ID))
	}
	sets := []Set{
		{Name: "all", Family: FamilyUser, Description: "every\ttoken \\ of \n them", IDs: all},
		{Name: "empty", Family: FamilyUser},
		{Name: `back\slash`, Family: FamilyUser, IDs: []int32{4}},
	}
	want := []Set{sets[0], sets[2]}
	assertRoundTrip(t, sets, want, fileTokens)

	tokens := readVocabulary(t, smolLM2)
	sets = builtin(t, tokens)
	for i := range sets {
		sets[i].Family = FamilyUser
	}
	assertRoundTrip(t, sets, sets, tokens)
}

func assertRoundTrip(t *testing.T, sets, want []Set, tokens []vocab.Token) {
	t.Helper()
	var out bytes.Buffer
	if err := WriteGMT(&out, sets, tokens); err != nil {
		t.Fatal(err)
	}
	got, err := ReadFile(writeFile(t, "sets.gmt", out.String()), tokens, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.EqualFunc(got, want, equal) {
		t.Errorf("%d sets came back otherwise than %d were written", len(got), len(want))
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errors.New("disk is full") }

func TestWriteGMTErrors(t *testing.T) {
	err := WriteGMT(&bytes.Buffer{}, []Set{{Name: "a", IDs: []int32{99}}}, fileTokens)
	if err == nil || !strings.Contains(err.Error(), "token id 99") {
		t.Errorf("an id outside the vocabulary: %v", err)
	}
	err = WriteGMT(failingWriter{}, []Set{{Name: "a", IDs: []int32{1}}}, fileTokens)
	if err == nil || !strings.Contains(err.Error(), "disk is full") {
		t.Errorf("a writer that fails: %v", err)
	}
}

// The sets of the reference, as a person would load them.
func TestReadReferenceSets(t *testing.T) {
	const path = "../../../shared/fixtures/demo/golden/token_sets.json"
	if _, err := os.Stat(path); err != nil {
		t.Skipf("needs the larger fixtures: %v", err)
	}
	sets, err := ReadFile(path, readVocabulary(t, smolLM2), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := find(t, sets, "emotions"); len(sets) != 65 || len(got.IDs) != 17 {
		t.Errorf("%d sets, %d emotions", len(sets), len(got.IDs))
	}
}

func FuzzReaders(f *testing.F) {
	f.Add(0, "x\td\tĠred\t1\n")
	f.Add(1, `{"a": [1, "red"]}`)
	f.Add(2, "set,token\na,red\n")
	f.Add(3, "# words\nred\n")
	f.Add(4, "a\tĠr\n")
	words, err := newWordFinder(newVocabulary(fileTokens), Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, kind int, content string) {
		if kind < 0 || kind >= len(formats) {
			return
		}
		sets, err := formats[kind].read("name", []byte(content), words)
		if err != nil {
			return
		}
		for _, set := range sets {
			if len(set.IDs) == 0 || !slices.IsSorted(set.IDs) || CheckName(set.Name) != nil {
				t.Errorf("%q gives %+v", content, set)
			}
			for _, id := range set.IDs {
				if !words.vocabulary.ids[int(id)] {
					t.Errorf("%q gives the unknown id %d", content, id)
				}
			}
		}
	})
}
