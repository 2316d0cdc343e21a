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
		got, _, err := ReadFile(writeFile(t, test.name, test.content), fileTokens, Options{})
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

// TestReadFileNotes: files as spreadsheets and Enrichr leave them give the sets that they
// show, and a line for each kind of thing that is in no set.
func TestReadFileNotes(t *testing.T) {
	words := tokensOf("word1", "word1", "word2", "word2", "word3", "word3", "word4", "word4", "word5", "word5", "5", "5", "5,0.5", "5,0.5")
	set := func(name string, ids ...int32) Set { return Set{Name: name, Family: FamilyUser, IDs: ids} }
	first, second := set("first", 0, 1), set("second", 2)
	const gmtHint = " (members are tokens as the vocabulary stores them, or texts, not ids)"
	const wordHint = " (words count only if they are one token; --multi-token all takes all tokens of each)"
	for _, test := range []struct {
		name, content string
		want          []Set
		notes         []string // after the path
	}{
		{"mac.gmt", "first\t\tword1\tword2\rsecond\t\tword3\r", []Set{first, second}, nil},
		{"dos.gmt", "\uFEFFfirst\t\tword1\tword2\t\t\r\n\r\nsecond\t\tword3\t\t\t\r\n\t\t\t\t\t\r\n", []Set{first, second}, nil},
		{"mixed.gmt", "first\t\tword1\tword2\n\rsecond\t\tword3", []Set{first, second}, nil},
		{"mac.csv", "set,token\rfirst,word1\rfirst,word2\rsecond,word3\r,\r", []Set{first, second}, nil},
		{"mac ids.csv", "\uFEFFset,token_id,\rfirst,0,\rfirst,1,\r,,\rsecond,2,", []Set{first, second}, nil},
		{"mac.json", "\uFEFF{\r\"first\": [0,\r1],\r\"second\": [2]\r}\r", []Set{first, second}, nil},
		{"mac.regex", "first\tword[12]\t\rsecond\tword3\t\t\r\t\r", []Set{
			{Name: "first", Family: FamilyUser, Description: "word[12]", IDs: []int32{0, 1}},
			{Name: "second", Family: FamilyUser, Description: "word3", IDs: []int32{2}},
		}, nil},
		{"first.txt", "word1\t\rword2\r\r", []Set{first}, nil},

		{"enrichr.gmt", "first\t\tword1,1.0\tword2,-2.5e-05\t\nsecond\t\tword3, 7\n", []Set{first, second},
			[]string{`3 of 3 members are taken without the weight after the comma: "word1,1.0", "word2,-2.5e-05", "word3, 7"`}},
		// What is a token as it stands is that token, and 5,000 is no 5 with a weight.
		{"numbers.gmt", "a\t\t5,0.5\t5,000\t5,5\t5,000.5\t5,000,000\t5,1.0\n", []Set{set("a", 5, 6)}, []string{
			`4 of 6 members are no token of m: "5,000", "5,5", "5,000.5", "5,000,000"` + gmtHint,
			`1 of 6 members is taken without the weight after the comma: "5,1.0"`}},
		{"a.txt", "word1,0.5\nword2,x\n", []Set{set("a", 0)}, []string{
			`1 of 2 members is no token of m: "word2,x"` + wordHint,
			`1 of 2 members is taken without the weight after the comma: "word1,0.5"`}},
		{"weights.json", `{"a": ["word1,1.0", 1]}`, []Set{set("a", 0, 1)}, []string{`1 of 2 members is taken without the weight after the comma: "word1,1.0"`}},

		{"cased.gmt", "cased\t\tWord1\tWORD2\tword5\tnothere\n", []Set{set("cased", 4)},
			[]string{`3 of 4 members are no token of m: "Word1", "WORD2", "nothere"` + gmtHint}},
		{"many.gmt", "a\t\tword1\tA\tB\tA\tC\tD\tE\tF\tG\n", []Set{set("a", 0)},
			[]string{`8 of 9 members are no token of m: "A", "B", "C", "D", "E", …` + gmtHint}},
		{"empty.gmt", "ok\tna\tword1\nempty\tna\nnone\tna\tA\tB\nname\nfilled\t\t\t\t\n", []Set{{Name: "ok", Family: FamilyUser, Description: "na", IDs: []int32{0}}}, []string{
			`2 of 3 members are no token of m: "A", "B"` + gmtHint,
			`4 of 5 sets are left out, without a token of m: "empty" (line 2: no members, found 1 tab), "none" (line 3: none of its 2 members), ` +
				`"name" (line 4: no members, found no tab), "filled" (line 5: no members, found 4 tabs)`}},
		{"empty.json", `{"ok": [0], "empty": [], "none": ["A"]}`, []Set{set("ok", 0)}, []string{
			`1 of 2 members is no token of m: "A"` + wordHint,
			`2 of 3 sets are left out, without a token of m: "empty" (no members), "none" (none of its 1 members)`}},
		{"empty.csv", "set,token\nok,word1\nempty,\nnone,A\n", []Set{set("ok", 0)}, []string{
			`1 of 2 members is no token of m: "A"` + wordHint,
			`2 of 3 sets are left out, without a token of m: "empty" (no members), "none" (none of its 1 members)`}},
		{"empty.regex", "ok\tword1\nnone\txyzzy\n", []Set{{Name: "ok", Family: FamilyUser, Description: "word1", IDs: []int32{0}}},
			[]string{`1 of 2 sets is left out, without a token of m: "none" (line 2: its pattern matches no token)`}},
	} {
		path := writeFile(t, test.name, test.content)
		got, notes, err := ReadFile(path, words, Options{Model: "m"})
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if !slices.EqualFunc(got, test.want, equal) {
			t.Errorf("%s: got %+v, want %+v", test.name, got, test.want)
		}
		for i := range test.notes {
			test.notes[i] = path + ": " + test.notes[i]
		}
		if !slices.Equal(notes, test.notes) {
			t.Errorf("%s: got notes\n%s\nwant\n%s", test.name, strings.Join(notes, "\n"), strings.Join(test.notes, "\n"))
		}
	}
}

// TestCSVKeepsQuotedCR: a CR is the end of a line only outside of quotes.
func TestCSVKeepsQuotedCR(t *testing.T) {
	got, notes, err := ReadFile(writeFile(t, "a.csv", "set,token\ra,\"\r\"\ra,1\r"), fileTokens, Options{})
	if err != nil || notes != nil || len(got) != 1 || !slices.Equal(got[0].IDs, []int32{1, 9}) {
		t.Errorf("got %+v, notes %v, %v", got, notes, err)
	}
}

// TestWeightsOfWords: where all tokens of a word count, those of its weight do not.
func TestWeightsOfWords(t *testing.T) {
	o := Options{MultiToken: MultiTokenAll, Encoder: letters{}}
	got, _, err := ReadFile(writeFile(t, "a.txt", "ab,1.0\n"), tokensOf("a", "a", "b", "b", ",", ",", "1", "1", ".", ".", "0", "0"), o)
	if err != nil || len(got) != 1 || !slices.Equal(got[0].IDs, []int32{0, 1}) {
		t.Errorf("got %+v, %v", got, err)
	}
}

// letters encodes each of "ab,1.0" as the token at its place.
type letters struct{}

func (letters) Encode(text string) (ids []int) {
	for _, char := range strings.TrimSpace(text) {
		ids = append(ids, strings.IndexRune("ab,1.0", char))
	}
	return ids
}

func equal(a, b Set) bool {
	return a.Name == b.Name && a.Family == b.Family && a.Description == b.Description && slices.Equal(a.IDs, b.IDs)
}

func TestReadFileErrors(t *testing.T) {
	tests := []struct{ name, content, want string }{
		{"a.gmt", "x\n\ny\n", "line 1: expected a name, a description and members with tabs between them, found no tab"},
		{"a.gmt", "x\t\tred\n" + strings.Repeat("spaces for tabs ", 20) + "\n", "line 2: expected a name, a description and members with tabs between them, found no tab"},
		{"a.gmt", "x\tonly a description\n", `holds no token set with a token of this vocabulary: found "x" (line 1: no members, found 1 tab)`},
		{"a.gmt", "x\t\t7\ny\t\t\n", `"x" (line 1: none of its 1 members), "y" (line 2: no members, found 2 tabs)`},
		{"a.gmt", "x\tna\tred\n\r\r\n\t\t1\r", "line 4: a token set has no name"},
		{"a.gmt", "x\t\tred\nx\t\tblue\n", `set "x": the file has two sets`},
		{"a.gmt", "x\t\t7\n", `set "x": none of its 1 members`},
		{"a.gmt", "\t\tĠred\n", "line 1: a token set has no name"},
		{"a.gmt", "", "holds no token set"},
		{"a.gmt", "\xff", "expected text in UTF-8, found bytes that are no UTF-8"},
		{"a.gmt", "\xff\xfex\x00", "found UTF-16, by its byte order mark (save it as UTF-8)"},
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
		{"a.json", `{}`, "holds no token set"},
		{"a.json", `{"a": []}`, `holds no token set with a token of this vocabulary: found "a" (no members)`},
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
		{"a.txt", "# nothing\n", `found "a" (no members)`},
		{"a.regex", "red\n", "line 1: expected a name, a tab and a pattern"},
		{"a.regex", "# x\na\t(?=b)\n", "line 2: pattern"},
		{"a.regex", "a\tnothing\n", `"a" (line 1: its pattern matches no token)`},
		{"a.regex", "# x\ra\t1\rb\n", "line 3: expected a name, a tab and a pattern, found no tab"},
		{"a.csv", "set,token_id\ra,1\ra,99\r", "line 3: token id 99"},
		{"a.regex", "a\t1\na\tĠ\n", "two sets of this name"},
		{"a.xlsx", "PK", "unknown kind of file: expected .gmt"},
	}
	for _, test := range tests {
		path := writeFile(t, test.name, test.content)
		_, _, err := ReadFile(path, fileTokens, Options{})
		var e *fault.Error
		if !errors.As(err, &e) || e.Op == "" || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s %q: got %v, want %q", test.name, test.content, err, test.want)
		}
	}
	for path, want := range map[string]string{"absent.gmt": "no such file", t.TempDir(): "a directory"} {
		if _, _, err := ReadFile(path, fileTokens, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", path, err, want)
		}
	}
	large := writeFile(t, "a.txt", "")
	if err := os.Truncate(large, maxFile+1); err != nil {
		t.Fatal(err)
	}
	if _, _, err := ReadFile(large, fileTokens, Options{}); err == nil || !strings.Contains(err.Error(), "too large") {
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
	got, notes, err := ReadFile(writeFile(t, "sets.gmt", out.String()), tokens, Options{})
	if err != nil || notes != nil {
		t.Fatal(err, notes)
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
	sets, _, err := ReadFile(path, readVocabulary(t, smolLM2), Options{})
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
		read, err := formats[kind].read("name", []byte(content), words)
		if err != nil {
			return
		}
		sets, notes, err := read.finish("m")
		if err != nil {
			return
		}
		if strings.ContainsAny(strings.Join(notes, ""), "\r\n") {
			t.Errorf("%q gives notes of several lines: %q", content, notes)
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
