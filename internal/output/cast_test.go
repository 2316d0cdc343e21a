package output

import (
	"database/sql"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	_ "github.com/duckdb/duckdb-go/v2"
)

func openDuckDB(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// textAndCast returns the value of a one-row query as this package writes it, and
// as DuckDB's cast to VARCHAR does.
func textAndCast(t *testing.T, db *sql.DB, expression string) (text, cast string) {
	t.Helper()
	query := func(sql string) string {
		rows, err := db.Query(sql)
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		defer rows.Close()
		source, err := newReader(rows)
		if err != nil {
			t.Fatal(err)
		}
		values := make([]any, 1)
		if more, err := source.next(values); !more {
			t.Fatalf("%s: no row: %v", sql, err)
		}
		return texter{}.text(values[0], source.columns[0].typ)
	}
	return query("SELECT " + expression), query("SELECT CAST((" + expression + ") AS VARCHAR)")
}

func TestTextEqualsDuckDBsCast(t *testing.T) {
	db := openDuckDB(t)
	for _, expression := range []string{
		"true", "127::TINYINT", "(-9223372036854775808)::BIGINT", "18446744073709551615::UBIGINT",
		"170141183460469231731687303715884105727::HUGEINT", "(-5)::HUGEINT", "12345678901234567890123456789012345678901234567890::BIGNUM",
		"1.50::DECIMAL(4,2)", "-0.05::DECIMAL(4,2)", "0::DECIMAL(4,2)", "12345678901234567890.123456789::DECIMAL(38,9)", "7::DECIMAL(9,0)",
		"0.1::FLOAT", "0.1::DOUBLE", "1::DOUBLE", "-0.0::DOUBLE", "'nan'::FLOAT", "'inf'::DOUBLE", "'-inf'::DOUBLE",
		"1e15::DOUBLE", "1e16::DOUBLE", "1e-4::DOUBLE", "1e-5::DOUBLE", "1.7976931348623157e308::DOUBLE", "5e-324::DOUBLE", "16777216::FLOAT", "1e7::FLOAT", "1e16::FLOAT",
		"DATE '2024-02-29'", "DATE '12345-01-01'", "'0044-03-15 (BC)'::DATE", "'infinity'::DATE", "'-infinity'::DATE",
		"TIMESTAMP '2024-01-01 12:00:00'", "TIMESTAMP '2024-01-01 12:00:00.5'", "TIMESTAMP '1969-12-31 23:59:59.999999'", "'0044-03-15 (BC) 01:02:03'::TIMESTAMP",
		"'infinity'::TIMESTAMP", "'-infinity'::TIMESTAMP_S", "'infinity'::TIMESTAMP_MS", "'-infinity'::TIMESTAMP_NS", "'infinity'::TIMESTAMPTZ",
		"TIMESTAMP_NS '2024-01-01 12:00:00.123456789'", "TIMESTAMP_MS '2024-01-01 12:00:00.120'", "TIMESTAMP_S '2024-01-01 12:00:00'",
		"TIME '01:02:03'", "TIME '01:02:03.000450'", "TIMETZ '01:02:03.5+05:30:10'", "TIMETZ '24:00:00-08'", "TIMETZ '01:02:03-00:30'",
		"INTERVAL '1 year 2 months 3 days 04:05:06.7'", "INTERVAL '-1 year'", "INTERVAL '-14 months'", "INTERVAL 0 SECOND", "INTERVAL '-3 seconds'", "INTERVAL '100 hours'", "INTERVAL '-1 day -00:00:00.5'",
		"UUID '12345678-1234-1234-1234-123456789abc'", "'a\\xFF\\x00''b'::BLOB", "'1''\\x22~ '::BLOB", "'10101'::BIT", "'b'::ENUM('a', 'b')",
		"[1, NULL, 3]", "[]::INTEGER[]", "[[1.5], []]", "array_value(1::FLOAT, 2::FLOAT)", "[TRUE, NULL]",
		"['a', '', ' the', 'the ', 'it''s', 'a,b', 'null', 'NULL', 'x y', 'back\\slash', chr(10), 'nullx', 'ü', '日本']",
		"[UUID '12345678-1234-1234-1234-123456789abc']", "['101'::BIT]", "['a'::BLOB, '\\xFF'::BLOB]", "['a'::ENUM('a', 'b')]",
		"[DATE '2024-01-01']", "[TIMESTAMP '2024-01-01 12:00:00']", "[TIME '01:02:03']", "[INTERVAL '1 day']", "[TIMESTAMPTZ '2024-01-01 12:00:00+00']",
		"[1.50::DECIMAL(4,2)]", "['nan'::FLOAT]", "[NULL::VARCHAR]",
		"{'b': 1, 'a': {'x y\"z': [1, 2]}}", "{'it''s': 'q', 'back\\slash': NULL}", "[{'a': 'x'}, NULL]", "{'s': ['a b', 'c,d']}",
		"MAP {'k': 1, 'a b': NULL}", "MAP {1: 'x', 2: 'a=b'}", "MAP {}", "MAP {'k': [1, 2]}", "MAP {DATE '2024-01-01': TIME '01:02:03'}",
		"union_value(k := 1)", "union_value(k := 'a,b')", "[union_value(k := 'a,b')]", "{'u': union_value(k := [1, 2])}",
		`'{"a": [1, "x<y"]}'::JSON`, `'"text"'::JSON`,
	} {
		text, cast := textAndCast(t, db, expression)
		if strings.HasSuffix(expression, "::JSON") { // DuckDB keeps the blanks of the text
			cast = strings.ReplaceAll(strings.ReplaceAll(cast, ": ", ":"), ", ", ",")
		}
		if text != cast {
			t.Errorf("%s: got %q, DuckDB casts to %q", expression, text, cast)
		}
	}
}

func TestNestedQuotingEqualsDuckDBs(t *testing.T) {
	db := openDuckDB(t)
	for code := 1; code < 0x100; code++ {
		expression := strings.ReplaceAll("{'f': @, 'l': [@, 'a' || @, @ || 'a', 'a' || @ || 'b'], 'm': MAP {@: 'a' || @ || 'b'}}",
			"@", fmt.Sprintf("chr(%d)", code))
		if text, cast := textAndCast(t, db, expression); text != cast {
			t.Errorf("%s: got %q, DuckDB casts to %q", expression, text, cast)
		}
	}
}

func TestFloatsReadBack(t *testing.T) {
	db := openDuckDB(t)
	random := rand.New(rand.NewPCG(1, 2))
	var doubles, singles []string
	for range 4000 {
		f := math.Float64frombits(random.Uint64())
		if text := string(appendFloat(nil, f, 64)); !math.IsNaN(f) {
			if back, err := strconv.ParseFloat(text, 64); err != nil || math.Float64bits(back) != math.Float64bits(f) {
				t.Fatalf("%x was written %s, which reads back as %x", math.Float64bits(f), text, math.Float64bits(back))
			}
			doubles = append(doubles, text)
		}
		// DuckDB's own cast is compared over magnitudes that statistics have.
		doubles = append(doubles, string(appendFloat(nil, random.NormFloat64()*math.Pow10(random.IntN(40)-20), 64)))
		single := math.Float32frombits(random.Uint32())
		if text := string(appendFloat(nil, float64(single), 32)); single == single {
			if back, err := strconv.ParseFloat(text, 32); err != nil || math.Float32bits(float32(back)) != math.Float32bits(single) {
				t.Fatalf("%x was written %s", math.Float32bits(single), text)
			}
			singles = append(singles, text)
		}
	}
	for typ, texts := range map[string][]string{"DOUBLE": doubles, "FLOAT": singles} {
		for _, text := range texts {
			if !strings.ContainsAny(text, ".e") {
				t.Errorf("%s looks like an integer", text)
			}
		}
		list := "['" + strings.Join(texts, "', '") + "']::" + typ + "[]"
		text, cast := textAndCast(t, db, list)
		got, want := strings.Split(text, ", "), strings.Split(cast, ", ")
		for i := range got {
			// DuckDB writes some FLOATs with more digits than they need.
			bits := map[string]int{"DOUBLE": 64, "FLOAT": 32}[typ]
			ours, _ := strconv.ParseFloat(got[i], bits)
			theirs, _ := strconv.ParseFloat(want[i], bits)
			if got[i] != want[i] && (typ == "DOUBLE" || ours != theirs || len(got[i]) > len(want[i])) {
				t.Errorf("%s: got %s, DuckDB casts to %s", typ, got[i], want[i])
			}
		}
	}
}

func TestShortFloat(t *testing.T) {
	for _, test := range []struct {
		f    float64
		bits int
		want string
	}{
		{0, 64, "0.0"},
		{3, 64, "3.0"},
		{0.1, 64, "0.1"},
		{float64(float32(0.1)), 64, "0.100000"},
		{float64(float32(0.1)), 32, "0.1"},
		{-1.23456789, 64, "-1.23457"},
		{1234567, 64, "1234567.0"},
		{1234567.8, 64, "1234568"},
		{99999.96, 64, "100000.0"},
		{0.000123456789, 64, "0.000123457"},
		{1.23456789e-7, 64, "1.23457e-07"},
		{1.23456789e20, 64, "1.23457e+20"},
		{1e300, 64, "1e+300"},
		{math.Inf(-1), 64, "-inf"},
		{math.NaN(), 64, "nan"},
	} {
		if got := string(appendShortFloat(nil, test.f, test.bits)); got != test.want {
			t.Errorf("%v: got %s, want %s", test.f, got, test.want)
		}
	}
}
