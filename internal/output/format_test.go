package output

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/plaintext"
)

// tokens is a result with what vocabularies have: blanks, controls, wide characters.
const tokens = `SELECT * FROM (VALUES
	(7::BIGINT, ' the', 0.1::FLOAT, [' a', 'b,c']),
	(-24576, E'a|b\n"c"', 1.23456789::FLOAT, NULL),
	(NULL, '日本', NULL, []),
	(3, '', 'inf'::FLOAT, ['<eos>'])) t(id, token, weight, list)`

func written(t *testing.T, format Format, query string) string {
	t.Helper()
	rows, err := openDuckDB(t).Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var b strings.Builder
	if _, err := Write(&b, format, rows); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestSpreadsheet: text that a spreadsheet would compute has an apostrophe before it, in
// both ways in which that is made, and nothing else has.
func TestSpreadsheet(t *testing.T) {
	const query = `SELECT * FROM (VALUES ('=1+1'), ('+x'), ('-x'), ('@x'), (chr(9) || 'x'), (chr(13) || 'x'), ('a=b'), (' =x'), (''), (NULL), (chr(39) || '=x')) t(v)`
	want := "\ufeffv,n\n'=1+1,-1\n'+x,-1\n'-x,-1\n'@x,-1\n'\tx,-1\n\"'\rx\",-1\na=b,-1\n\" =x\",-1\n\"\",-1\n,-1\n'=x,-1\n"
	if got := written(t, Spreadsheet, "SELECT v, -1 AS n FROM ("+query+")"); got != want {
		t.Errorf("got\n%q\nexpected\n%q", got, want)
	}
	if got := plaintext.ByteOrderMark + written(t, CSV, "SELECT "+plaintext.GuardedSQL("v")+" AS v, -1 AS n FROM ("+query+")"); got != want {
		t.Errorf("by SQL, got\n%q\nexpected\n%q", got, want)
	}
}

func TestFormats(t *testing.T) {
	for _, test := range []struct {
		format Format
		want   string
	}{
		{Table, `
┌────────┬──────────┬─────────┬───────────────┐
│     id │ token    │  weight │ list          │
├────────┼──────────┼─────────┼───────────────┤
│      7 │  the     │     0.1 │ [' a', 'b,c'] │
│ -24576 │ a|b\n"c" │ 1.23457 │ NULL          │
│   NULL │ 日本     │    NULL │ []            │
│      3 │          │     inf │ [<eos>]       │
└────────┴──────────┴─────────┴───────────────┘
`},
		{CSV, `
id,token,weight,list
7," the",0.1,"[' a', 'b,c']"
-24576,"a|b
""c""",1.2345679,
,日本,,[]
3,"",inf,[<eos>]
`},
		{JSON, `
[{"id":7,"token":" the","weight":0.1,"list":[" a","b,c"]},
{"id":-24576,"token":"a|b\n\"c\"","weight":1.2345679,"list":null},
{"id":null,"token":"日本","weight":null,"list":[]},
{"id":3,"token":"","weight":null,"list":["<eos>"]}]
`},
		{Markdown, `
| id | token | weight | list |
| ---: | --- | ---: | --- |
| 7 |  the | 0.1 | [' a', 'b,c'] |
| -24576 | a\|b\\n"c" | 1.23457 | NULL |
| NULL | 日本 | NULL | [] |
| 3 |  | inf | [\<eos>] |
`},
	} {
		got := written(t, test.format, tokens)
		if want := test.want[1:]; got != want {
			t.Errorf("%s: got\n%swant\n%s", test.format, got, want)
		}
	}
}

func TestNoRows(t *testing.T) {
	for format, want := range map[Format]string{
		Table:    "┌───┬───┐\n│ a │ b │\n├───┼───┤\n└───┴───┘\n0 rows\n",
		CSV:      "a,b\n",
		JSON:     "[]\n",
		Markdown: "| a | b |\n| ---: | --- |\n",
	} {
		if got := written(t, format, "SELECT 1 AS a, 'x' AS b WHERE false"); got != want {
			t.Errorf("%s: got\n%swant\n%s", format, got, want)
		}
	}
}

func TestJSONNestsAndKeepsNamesApart(t *testing.T) {
	got := written(t, JSON, `SELECT 1 AS a, 2 AS a_1, 3 AS a, 4 AS a, {'y': 1.50::DECIMAL(4,2), 'x': [NULL, 'nan'::DOUBLE]} AS s,
		MAP {1: 'one'} AS m, union_value(k := DATE '2024-01-01') AS u, 170141183460469231731687303715884105727::HUGEINT AS h,
		UUID '12345678-1234-1234-1234-123456789abc' AS id, '{"k": [1]}'::JSON AS j, '\xFF'::BLOB AS b`)
	const want = `[{"a":1,"a_1":2,"a_2":3,"a_3":4,"s":{"y":1.50,"x":[null,null]},"m":{"1":"one"},"u":{"k":"2024-01-01"},` +
		`"h":170141183460469231731687303715884105727,"id":"12345678-1234-1234-1234-123456789abc","j":{"k":[1]},"b":"\\xFF"}]` + "\n"
	if got != want {
		t.Errorf("got  %swant %s", got, want)
	}
	if !json.Valid([]byte(got)) {
		t.Error("not valid JSON")
	}
}

// What is read back from CSV and JSON must have the bits that DuckDB computed.
func TestNumbersKeepTheirBits(t *testing.T) {
	const query = "SELECT sin(i) * pow(10, i % 60 - 30) AS d, (cos(i) * pow(10, i % 60 - 30))::FLOAT AS f FROM range(2000) t(i)"
	rows, err := openDuckDB(t).Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	type row struct {
		D float64
		F float32
	}
	var want, fromJSON []row
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.D, &r.F); err != nil {
			t.Fatal(err)
		}
		want = append(want, r)
	}
	if err := json.Unmarshal([]byte(written(t, JSON, query)), &fromJSON); err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(strings.NewReader(written(t, CSV, query))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i, w := range want {
		var fromCSV row
		if err := json.Unmarshal([]byte(`{"D":`+records[i+1][0]+`,"F":`+records[i+1][1]+`}`), &fromCSV); err != nil {
			t.Fatal(err)
		}
		for _, got := range []row{fromJSON[i], fromCSV} {
			if math.Float64bits(got.D) != math.Float64bits(w.D) || math.Float32bits(got.F) != math.Float32bits(w.F) {
				t.Fatalf("row %d: got %v, want %v", i, got, w)
			}
		}
	}
}

func TestCSVReadsBackInDuckDB(t *testing.T) {
	path := t.TempDir() + "/tokens.csv"
	if err := os.WriteFile(path, []byte(written(t, CSV, tokens)), 0o600); err != nil {
		t.Fatal(err)
	}
	db := openDuckDB(t)
	const read = "FROM read_csv(?, columns = {'id': 'BIGINT', 'token': 'VARCHAR', 'weight': 'FLOAT', 'list': 'VARCHAR[]'}, header = true, allow_quoted_nulls = false)"
	var different int
	if err := db.QueryRow("SELECT count(*) FROM ((SELECT * "+read+") EXCEPT ("+tokens+"))", path).Scan(&different); err != nil {
		t.Fatal(err)
	}
	if different != 0 {
		t.Errorf("%d of 4 rows came back different", different)
	}
}

func TestParseType(t *testing.T) {
	typ := parseType(`STRUCT("x y""z" DECIMAL(4,2)[3], "m" MAP(VARCHAR, UNION("k" INTEGER, "l" DATE[])))`)
	if len(typ.fields) != 2 || typ.fields[0].name != `x y"z` || typ.fields[0].typ.elem.name != "DECIMAL" {
		t.Fatalf("got %+v", typ)
	}
	if m := typ.member("m"); m.key.name != "VARCHAR" || m.elem.member("l").elem.name != "DATE" {
		t.Errorf("got %+v", m)
	}
	for _, name := range []string{"", "UNKNOWN TYPE (39)", "STRUCT(", `STRUCT("a`, "MAP(INTEGER", "DECIMAL(4", "INTEGER[", "X(1)", `UNION("a" )x`} {
		if typ := parseType(name); typ.name != name || typ.fields != nil || typ.elem != nil {
			t.Errorf("%q was read as %+v", name, typ)
		}
	}
}

func FuzzParseType(f *testing.F) {
	f.Add(`STRUCT("x" DECIMAL(4,2)[3], "m" MAP(VARCHAR, UNION("k" INTEGER)))`)
	f.Fuzz(func(t *testing.T, name string) {
		if parseType(name) == nil {
			t.Error("no type")
		}
	})
}

func TestUnreadableTypeSaysWhatToDo(t *testing.T) {
	rows, err := openDuckDB(t).Query("SELECT MAP {[1]: 2}")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	_, err = Write(io.Discard, CSV, rows)
	var e *fault.Error
	if !errors.As(err, &e) || !strings.Contains(e.Hint, "VARCHAR") {
		t.Errorf("got %v", err)
	}
}

// screenTable draws the result of a query as a terminal of a width would show it.
func screenTable(t *testing.T, query string, columns int) string {
	t.Helper()
	rows, err := openDuckDB(t).Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	source, err := newReader(rows)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	w := bufio.NewWriter(&b)
	if err := writeTable(w, source, Screen{Columns: columns, Rows: 6}); err != nil {
		t.Fatal(err)
	}
	w.Flush()
	return b.String()
}

func TestTerminalShowsFirstAndLastRows(t *testing.T) {
	const want = `
┌──────┐
│    i │
├──────┤
│    0 │
│    1 │
│    2 │
│    · │
│ 1231 │
│ 1232 │
│ 1233 │
└──────┘
1,234 rows (6 shown)
`
	if got := screenTable(t, "SELECT i FROM range(1234) t(i)", 80); got != want[1:] {
		t.Errorf("got\n%s", got)
	}
	for n := range 20 {
		var whole []string
		for i := range n {
			if n <= 6 || i < 3 || i >= n-3 {
				whole = append(whole, fmt.Sprint(i))
			}
		}
		got := screenTable(t, fmt.Sprintf("SELECT i FROM range(%d) t(i)", n), 80)
		if shown := regexp.MustCompile(`\d+ │`).FindAllString(got, -1); strings.Join(shown, "") != strings.Join(append(whole, ""), " │") {
			t.Errorf("%d rows: got\n%s", n, got)
		}
		if strings.Contains(got, "shown") != (n > 6) {
			t.Errorf("%d rows: got\n%s", n, got)
		}
	}
}

func TestTerminalCutsToItsWidth(t *testing.T) {
	const want = `
┌────┬───────────────┬───────────────┐
│  i │ a             │ b             │
├────┼───────────────┼───────────────┤
│ 42 │ xxxxxxxxxxxx… │ 日本日本日本… │
└────┴───────────────┴───────────────┘
`
	if got := screenTable(t, "SELECT 42 AS i, repeat('x', 100) AS a, repeat('日本', 50) AS b", 38); got != want[1:] {
		t.Errorf("got\n%s", got)
	}
	for columns := 1; columns < 30; columns++ {
		var list []string
		for range columns {
			list = append(list, "repeat('ab', 20)")
		}
		for _, width := range []int{20, 40, 80, 81, 200} {
			got := screenTable(t, "SELECT "+strings.Join(list, ", "), width)
			for line := range strings.Lines(got) {
				if length := cellWidth.StringWidth(strings.TrimSuffix(line, "\n")); length > max(width, 27) {
					t.Fatalf("%d columns on %d: a line of %d\n%s", columns, width, length, got)
				}
			}
		}
	}
}

// TestTerminalLeavesOutColumnsBeforeTheLast: of a wide view on 80 columns, what comes
// first is shown, then the last, and none of it too narrow to read.
func TestTerminalLeavesOutColumnsBeforeTheLast(t *testing.T) {
	const query = `SELECT 29 AS layer, 1328 AS feature, 4.205261::FLOAT AS skewness, 56.37642::FLOAT AS kurtosis, [')', '?)', ').', '),', ')?', '!)'] AS top_tokens,
		[' tort', 'ellar', ' imagin', 'aeus'] AS bottom_tokens, 0.1 AS mean, 0.2 AS std, 'release/blocks.29.hook_resid_pre' AS sae, 'release' AS release, 'smollm2-135m' AS model`
	const want = `
┌───────┬─────────┬──────────┬──────────┬───────────────────┬───┬──────────────┐
│ layer │ feature │ skewness │ kurtosis │ top_tokens        │ … │ model        │
├───────┼─────────┼──────────┼──────────┼───────────────────┼───┼──────────────┤
│    29 │    1328 │  4.20526 │  56.3764 │ [')', '?)', ').'… │ … │ smollm2-135m │
└───────┴─────────┴──────────┴──────────┴───────────────────┴───┴──────────────┘
11 columns (6 shown)
`
	if got := screenTable(t, query, 80); got != want[1:] {
		t.Errorf("got\n%s", got)
	}
	// Seven columns of eight characters fit, so none is left out.
	var list []string
	for range 7 {
		list = append(list, "repeat('ab', 20)")
	}
	if got := screenTable(t, "SELECT "+strings.Join(list, ", "), 80); strings.Contains(got, "shown") {
		t.Errorf("got\n%s", got)
	}
}

// TestRowsOfATable: the first and the last rows as far as they are asked for, whatever
// the width; other formats have all.
func TestRowsOfATable(t *testing.T) {
	for _, c := range []struct{ rows, all, shown int }{{1, 5, 1}, {2, 5, 2}, {3, 5, 3}, {4, 5, 4}, {5, 5, 5}, {6, 5, 5}, {0, 50, 50}, {40, 41, 40}, {1, 0, 0}} {
		for _, format := range Formats() {
			rows, err := openDuckDB(t).Query(fmt.Sprintf("SELECT 1000 + i AS i FROM range(%d) t(i)", c.all))
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			var kept Result
			n, err := WriteTo(&b, format, rows, Screen{Rows: c.rows}, &kept)
			rows.Close()
			if err != nil || n != c.all {
				t.Fatalf("%d rows, %v", n, err)
			}
			want := c.all
			if format == Table {
				want = c.shown
			}
			found := regexp.MustCompile(`\b1[0-9]{3}\b`).FindAllString(b.String(), -1)
			if len(found) != want || want > 1 && (found[0] != "1000" || found[want-1] != fmt.Sprint(999+c.all)) {
				t.Errorf("%s, %d of %d: got\n%s", format, c.rows, c.all, b.String())
			}
			if noted := strings.Contains(b.String(), fmt.Sprintf("%d rows (%d shown)", c.all, c.shown)); noted != (want < c.all) {
				t.Errorf("%s, %d of %d: got\n%s", format, c.rows, c.all, b.String())
			}
			var again strings.Builder
			if err := kept.Write(&again, CSV, Screen{}); err != nil || again.String() != written(t, CSV, fmt.Sprintf("SELECT 1000 + i AS i FROM range(%d) t(i)", c.all)) {
				t.Errorf("again: %q, %v", again.String(), err)
			}
		}
	}
}

func TestVisible(t *testing.T) {
	for s, want := range map[string]string{
		" the":       " the",
		"a\n\r\tb":   `a\n\r\tb`,
		"\x1b[31m":   `\x1b[31m`,
		"\u0085":     `\x85`,
		"\u202eabc":  `\u202eabc`,
		"\ufeff":     `\ufeff`,
		"\u2028":     `\u2028`,
		"👩\u200d🚀 é": "👩\u200d🚀 é",
	} {
		if got := plaintext.Visible(s); got != want {
			t.Errorf("%q: got %q, want %q", s, got, want)
		}
	}
}

func TestParseFormat(t *testing.T) {
	for _, format := range Formats() {
		if got, err := ParseFormat(strings.ToUpper(string(format))); err != nil || got != format {
			t.Errorf("%s: got %s, %v", format, got, err)
		}
	}
	if _, err := ParseFormat("xml"); err == nil || !strings.Contains(err.Error(), "csv") {
		t.Errorf("xml: %v", err)
	}
}

func TestWriteStopsWhenNobodyReads(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	read.Close()
	defer write.Close()
	rows, err := openDuckDB(t).Query("SELECT i FROM range(1000000) t(i)")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for _, format := range Formats() {
		n, err := Write(write, format, rows)
		if !ReaderGone(err) {
			t.Errorf("%s: %v", format, err)
		}
		if n > 200_000 {
			t.Errorf("%s: read %d rows for nobody", format, n)
		}
	}
}
