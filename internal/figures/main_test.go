package figures

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"testing"

	_ "github.com/duckdb/duckdb-go/v2"
	schema "github.com/saedb/saedb/sql"
)

// hostile are texts that tokens may have.
var hostile = []string{
	`</script><script>alert(1)</script>`, `<img src=x onerror=alert(1)>`, "\x00\x1b[31m\u2028\u2029\u202e", `"'` + "`${1}\\", "{{.Title}}",
	"<!--", "]]>", " leading", "日本語", "\ufffd", "& amp; &lt;", "a very long token indeed, much longer than anyone would want to see in a tooltip",
}

// open returns a database with tables in place of saedb's views: 500 features in
// each of two SAEs, with hostile tokens, and two whose statistics are NULL.
func open(t testing.TB) *sql.DB {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	macros := func(name string) string {
		text, err := os.ReadFile("../../sql/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return schema.Marks.Replace(string(text))
	}
	for _, statement := range []string{
		`CREATE TABLE saes (release VARCHAR, sae VARCHAR, short_name VARCHAR, model VARCHAR, layer INTEGER, tokens VARCHAR, load_id INTEGER)`,
		`INSERT INTO saes VALUES ('local', 'one', 'one', 'm', 1, 'all', 1), ('local', 'two', 'two', 'm', 2, 'all', 2)`,
		`CREATE VIEW stored_saes AS SELECT * RENAME (load_id AS sae_id) FROM saes`,
		macros("macros/01_saes.sql"),
		macros("views/00_meaning.sql"),
		`ALTER TABLE saes ADD COLUMN d_sae INTEGER DEFAULT 500`, `ALTER TABLE saes ADD COLUMN architecture VARCHAR`,
		`CREATE TABLE models AS SELECT 'm' AS model, 'llama' AS architecture, 64 AS d_model, 1000 AS d_vocab, 1 AS load_id`,
		`CREATE TABLE loads AS SELECT load_id, 'folded' AS conventions, '/models/<b>' AS source, 'abc' AS sha256, TIMESTAMP '2026-01-02 03:04:05' AS loaded_at FROM saes`,
		`CREATE TABLE features AS SELECT 'local' AS release, s.sae, s.model, s.layer, CAST(f.f AS INTEGER) AS feature,
			0.1 + (f.f * 37 % 101) / 100 AS std, CASE WHEN f.f < 2 THEN NULL ELSE sin(f.f * s.layer) * 3 END AS skewness,
			CASE WHEN f.f < 2 THEN NULL ELSE 2 + exp(cos(f.f) * s.layer) END AS kurtosis,
			[t.t, t.t] AS top_tokens, CASE WHEN f.f % 2 = 0 THEN 'promotes <b>even</b>' END AS label, CASE WHEN f.f % 5 = 0 THEN 'partition' END AS role, ['down'] AS bottom_tokens, 1.0 AS decoder_norm, -2.5 AS log_sparsity, CASE WHEN f.f % 3 = 0 THEN NULL ELSE 'https://www.neuronpedia.org/m/' || s.layer || '/' || f.f END AS neuronpedia_url
			FROM saes s, range(500) f(f), (SELECT CAST(NULL AS VARCHAR) AS t) t`,
		`CREATE TABLE stored_computations (sae_id INTEGER, baseline_id INTEGER)`,
		`CREATE TABLE stored_baseline_statistics (baseline_id INTEGER, statistic VARCHAR, sorted_values DOUBLE[], direction_rows INTEGER[])`,
		`CREATE TABLE stored_in_place (sae_id INTEGER)`,
		`CREATE TABLE decoder_directions (sae VARCHAR, feature INTEGER, w_dec FLOAT[])`,
		`CREATE TABLE token_sets (model VARCHAR, token_set VARCHAR, family VARCHAR, members BIGINT, tokens INTEGER[])`,
		`INSERT INTO token_sets VALUES ('m', 'even', 'test', 500, range(0, 1000, 2)), ('m', 'low', 'test', 250, range(250))`,
		`CREATE TABLE enrichment AS SELECT *, CASE WHEN effect < 0 THEN 'suppressed' ELSE 'promoted' END AS direction FROM (
			SELECT f.release, f.sae, f.model, f.layer, f.feature, t.token_set, t.members AS size,
				CAST(abs(sin(f.feature * (1 + length(t.token_set)) / 3.0)) * 0.95 AS FLOAT) AS es,
				CAST(sin(f.feature * (1 + length(t.token_set)) / 3.0) * 0.9 AS FLOAT) AS effect,
				pow(10.0, -(f.feature % 50) - 0.5) AS p_value, pow(10.0, -(f.feature * 7 % 500) / 100.0) AS q_value, 0.75 AS auc
			FROM features f, token_sets t)`,
		`ALTER TABLE enrichment ADD COLUMN side VARCHAR DEFAULT 'output'`, `CREATE TABLE input_enrichment AS FROM enrichment LIMIT 0`,
		`CREATE VIEW set_enrichment AS SELECT layer, token_set, direction, count(*) FILTER (beyond_chance(q_value)) AS beyond_chance, size, sae, model,
			unnest(arg_max({'feature': feature, 'effect': effect, 'q_value': q_value}, row(beyond_chance(q_value), abs(effect), -q_value, -feature)))
			FROM enrichment WHERE effect IS NOT NULL GROUP BY layer, token_set, direction, size, sae, model`,
		macros("macros/04_strongest.sql"),
		`CREATE TABLE layers AS SELECT layer, 500 AS features, CAST(layer * 100 AS BIGINT) AS beyond_chance, layer / 3.0 AS expected_by_chance, sae, release, model FROM saes`,
	} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	for i, token := range hostile {
		if _, err := db.Exec(`UPDATE features SET top_tokens = [?, 'x'] WHERE feature % ? = ?`, token, len(hostile), i); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

func build(t testing.TB, db *sql.DB, r Request) *Figure {
	t.Helper()
	f, err := Build(context.Background(), db, r)
	if err != nil {
		t.Fatalf("%s: %v", r.Name, err)
	}
	return f
}

// ask returns the one number that a query gives.
func ask(t testing.TB, db *sql.DB, query string, args ...any) float64 {
	t.Helper()
	var v float64
	if err := db.QueryRow(query, args...).Scan(&v); err != nil {
		t.Fatal(fmt.Errorf("%s: %w", query, err))
	}
	return v
}

// everyFigure has a request for each kind of figure.
var everyFigure = map[string]Request{
	"skewness":      {Name: "skewness"},
	"kurtosis":      {Name: "kurtosis", SAE: "two"},
	"skew-kurtosis": {Name: "skew-kurtosis"},
	"manhattan":     {Name: "manhattan", SAE: "one"},
	"sets":          {Name: "sets", SAE: "one", Sets: []string{"even", "low"}},
	"feature":       {Name: "feature", Sets: []string{"even"}, Query: "SELECT sin(i) AS logit_weight, i % 2 = 0 AS member, chr(CAST(33 + i AS INTEGER)) AS text FROM range(1000) r(i)"},
	"layers":        {Name: "layers"},
	"layer-box":     {Name: "layer-box"},
	"layer-scatter": {Name: "layer-scatter"},
	"running-sum":   {Name: "running-sum", Query: "SELECT i + 1 AS rank, i % 7 = 0 OR i < 5 AS member, 1.0 - i / 500.0 AS logit_weight, 'x' AS text FROM range(1000) r(i)"},
}
