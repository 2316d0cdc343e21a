package test

import (
	"database/sql"
	"os"
	"strings"
	"testing"
)

// meaning is a DuckDB with the macros that views call, and nothing else.
func meaning(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	text, err := os.ReadFile("../sql/views/00_meaning.sql")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(string(text)); err != nil {
		t.Fatal(err)
	}
	return db
}

// TestMeaningInWords compares labels, phrases and roles with those made by hand.
func TestMeaningInWords(t *testing.T) {
	db := meaning(t)
	for query, want := range map[string]string{
		"set_phrase('letter_q', 'letters')":             "words that begin with q",
		"set_phrase('letter_q', 'user')":                "letter q",
		"set_phrase('boy_names', 'names')":              "boys' names",
		"set_phrase('number_words', 'words')":           "number words",
		"set_phrase('starts_with_space', 'regex')":      "tokens with a space in front",
		"set_phrase('1 digit', 'regex')":                "numbers of 1 digit",
		"set_phrase('length_12', 'regex')":              "tokens of 12 characters",
		"set_phrase('nltk_pos_NNS', 'parts of speech')": "plural nouns",
		"set_phrase('nltk_pos_)', 'parts of speech')":   "words tagged )",
		"set_phrase('my own set', 'user')":              "my own set",
		"feature_label('promoted', 'number words', [' five', 'Five', ' years', ' four', ' eight', ' nine', 'x'], [true, true, false, true, true, true, false])": "promotes number words (five, four, eight)",
		"feature_label('suppressed', 'boys'' names', ['a', 'b'], [false, false])":                                                                               "suppresses boys' names",
		// At least half, three, and the first are signs with a closing bracket.
		"feature_label('promoted', 'x', [' )', '?)', ').', '),', 'a', ' b'], [true, true, true, true, true, true])":      "promotes ) and its variants",
		"feature_label('promoted', 'x', ['a', ' )', '?)', ').', '),', ' b'], [true, false, false, false, false, false])": "promotes x (a)",
		"feature_label('promoted', 'x', [' )', '?)'], [true, false])":                                                    `promotes x (")")`,
		// Words: inflections of three letters and more, and nothing that only begins so.
		"feature_label('suppressed', 'x', [' Caps', 'cap', ' CAP', ' cany'], [false, false, false, false])": "suppresses cap and its variants",
		"feature_label('promoted', 'x', [' card', ' cargo', ' carbon', 'car'], [true, true, true, true])":   "promotes x (card, cargo, carbon)",
		"feature_label('promoted', 'letters', ['L', ' L', 'l', 'LL'], [true, true, true, true])":            "promotes letters (L, LL)",
		// What cannot be read in a line is no example; NULL is padding.
		"feature_label('promoted', 'x', [chr(27) || 'z', '  ', NULL, 'a b', 'ok'], [true, true, true, true, true])": `promotes x ("a b", ok)`,
		"coalesce(feature_label('promoted', 'x', [], []), 'none')":                                                  "promotes x",

		"feature_role(10.1, 0.5, 0.1)":                          "prediction",
		"feature_role(10.1, -0.5, 0.1)":                         "suppression",
		"feature_role(10, 0.5, 0.0051)":                         "partition",
		"coalesce(feature_role(10, 0.5, 0.005), 'none')":        "none",
		"coalesce(feature_role(NULL, NULL, NULL), 'none')":      "none",
		"feature_role(9, 0.5, 0.001, least_kurtosis := 8)":      "prediction",
		"feature_role(3, 0.5, 0.002, least_variance := 0.0015)": "partition",
	} {
		var got string
		if err := db.QueryRow("SELECT " + query).Scan(&got); err != nil || got != want {
			t.Errorf("%s: got %q, %v, expected %q", query, got, err, want)
		}
	}
}

// TestMeaningOfTheExample: labels are of the set that strongest_of_feature has first, of
// each feature with a set beyond chance and no other; roles are those of the moments of the
// cosines, of a direction of any length; layers counts.
func TestMeaningOfTheExample(t *testing.T) {
	db := openExample(t).DB
	const sae = "smollm2-demo/blocks.29.hook_resid_pre"
	for query, want := range map[string]string{
		"SELECT label FROM features WHERE sae = '" + sae + "' AND feature = 1328": "promotes ) and its variants",
		"SELECT role FROM features WHERE sae = '" + sae + "' AND feature = 63":    "prediction",
		`SELECT count(*) FROM features f FULL JOIN (SELECT DISTINCT sae, feature, true AS beyond FROM enrichment WHERE q_value < 0.05) b USING (sae, feature)
			WHERE (f.label IS NOT NULL) <> coalesce(b.beyond, false)`: "0",
		`SELECT count(*) FROM layers JOIN (SELECT sae, count(DISTINCT feature) FILTER (q_value < 0.05) AS n FROM enrichment GROUP BY sae) USING (sae) WHERE beyond_chance <> n`: "0",
		"SELECT string_agg(beyond_chance > 20, ' ' ORDER BY layer) FROM layers WHERE layer IN (4, 29)":                                                                          "false true",
		// Of as many random directions: in each family, pairs times the highest p-value beyond chance.
		`SELECT count(*) FROM layers JOIN (SELECT sae, sum(n * p) AS expected FROM (SELECT sae, family, count(q_value) AS n, coalesce(max(p_value) FILTER (q_value < 0.05), 0) AS p
			FROM enrichment GROUP BY ALL) GROUP BY sae) USING (sae) WHERE abs(expected - expected_by_chance) > 1e-6 * (1 + expected)`: "0",
		"SELECT count(*) FROM features WHERE role = 'partition' AND NOT pow(cos_std / decoder_norm, 2) > 0.005":                                                                                          "0",
		`SELECT count(*) FROM features f JOIN decoder_directions d USING (sae, feature) WHERE abs(f.decoder_norm - sqrt(list_sum(list_transform(d.w_dec, lambda w: pow(CAST(w AS DOUBLE), 2))))) > 1e-9`: "0",
		"SELECT count(*) FROM (SELECT token_set FROM strongest_of_feature('" + sae + "', 63, k := 20) WHERE token_set IN ('1 digit', 'all_digits'))":                                                     "1",
	} {
		if got := answer(t, db, query); got != want {
			t.Errorf("%s: got %q, expected %q", query, got, want)
		}
	}
	// Some features that suppress, and some that promote.
	for _, row := range texts(t, db, `SELECT l.feature || '|' || t.token_set || ' ' || starts_with(l.label, 'promotes') FROM stored_labels l JOIN saes s ON s.load_id = l.sae_id
		JOIN stored_token_sets t USING (set_id) WHERE s.sae = '`+sae+`' AND l.feature % 40 = 5 ORDER BY ALL`) {
		feature, got, _ := strings.Cut(row, "|")
		want := answer(t, db, "SELECT token_set || ' ' || (direction = 'promoted') FROM strongest_of_feature('"+sae+"', "+feature+") ORDER BY beyond_chance DESC, abs(effect) DESC, q_value, token_set LIMIT 1")
		if got != want {
			t.Errorf("feature %s: the label is of %s, expected %s", feature, got, want)
		}
	}
}

// answer is the one value that a query gives, as text.
func answer(t *testing.T, db *sql.DB, query string) string {
	t.Helper()
	var value sql.NullString
	if err := db.QueryRow("SELECT CAST(v AS VARCHAR) FROM (" + query + ") t(v)").Scan(&value); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return value.String
}
