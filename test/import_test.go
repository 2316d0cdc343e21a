package test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/saedb/saedb"
)

// exported writes the Parquet files of a database, and returns their directory.
func exported(t *testing.T, db string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "out")
	mustRun(t, "--db", db, "export", "--to", dir, "--format", "parquet")
	return dir
}

// TestImport: what is exported is the same again after an import into a new database, and
// into one that has the weights, which keeps them.
func TestImport(t *testing.T) {
	t.Parallel()
	db := oddDatabase(t)
	dir := exported(t, db)
	fresh := filepath.Join(t.TempDir(), "new.db")
	said := mustRun(t, "--db", fresh, "import", "--parquet", dir)
	if !strings.HasPrefix(said, "imported 112 features of 4 SAEs, 4 of them without weights, and 352 enrichment scores") {
		t.Errorf("it says %q", said)
	}
	if n := different(t, db, fresh); n != 0 {
		t.Errorf("%d rows differ", n)
	}
	mustRun(t, "--db", fresh, "check")
	if said := mustRun(t, "--db", fresh, "compute"); !strings.Contains(said, "nothing to compute") {
		t.Errorf("compute says %q", said)
	}
	if again := exported(t, fresh); different(t, db, fresh) != 0 {
		t.Errorf("an export of the import differs: %s", again)
	}

	// Weights can come later, the figures again after them.
	for _, load := range [][]string{{"model", "small"}, {"sae", "r/blocks.1.hook_resid_pre"}} {
		var source string
		opened, err := saedb.Open(t.Context(), db, saedb.Options{ReadOnly: true})
		if err == nil {
			err = opened.QueryRowContext(t.Context(), "SELECT source FROM loads WHERE kind = ? AND name = ?", load[0], load[1]).Scan(&source)
			opened.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		args := []string{"--db", fresh, "load", load[0], source, "--name", strings.TrimPrefix(load[1], "r/"), "--replace"}
		if load[0] == "sae" {
			args = append(args, "--release", "r")
		}
		mustRun(t, args...)
	}
	if said := mustRun(t, "--db", fresh, "import", "--parquet", dir); different(t, db, fresh) != 0 {
		t.Errorf("with weights loaded after it: %q", said)
	}
	if n := count(t, fresh, "SELECT count(w_dec) FROM decoder_directions"); n != 24 {
		t.Errorf("%d directions have weights, expected 24", n)
	}
	mustRun(t, "--db", fresh, "check", "--all")

	weights := filepath.Join(t.TempDir(), "weights.db")
	copyFile(t, db, weights)
	change(t, weights, "DELETE FROM stored_statistics; DELETE FROM stored_enrichment; DELETE FROM stored_computations")
	said = mustRun(t, "--db", weights, "import", "--parquet", dir)
	if !strings.HasPrefix(said, "imported 112 features of 4 SAEs, 0 of them without weights") || different(t, db, weights) != 0 {
		t.Errorf("it says %q", said)
	}
	mustRun(t, "--db", weights, "check", "--all")
	said = mustRun(t, "--db", weights, "import", "--parquet", dir)
	if strings.Count(said, "has figures already; nothing changed") != 3 { // the fourth has none
		t.Errorf("again it says %q", said)
	}
	mustRun(t, "--db", weights, "import", "--parquet", dir, "--replace")
	if different(t, db, weights) != 0 {
		t.Error("replaced, it differs")
	}
}

// TestImportFromJob: files as another program writes them: many in a partition, in any
// order, beside what is no data, without what may be left out.
func TestImportFromJob(t *testing.T) {
	t.Parallel()
	db := smallDatabase(t)
	from, dir := exported(t, db), t.TempDir()
	for _, table := range []string{"saes", "models", "tokens", "token_sets", "baseline_statistics", "baseline_enrichment"} {
		if err := os.Rename(filepath.Join(from, table), filepath.Join(dir, table)); err != nil {
			t.Fatal(err)
		}
	}
	for table, columns := range map[string]string{"features": "* EXCLUDE (kernel, computed_at, neuronpedia_url, hook, scale, processing)", "enrichment": "* EXCLUDE (log10_q, log10_q_all, q_value, q_all, p_value, ks_p_value, size, family, effect, es_z, expected_es)"} {
		for _, half := range []string{"feature < 9", "feature >= 9"} {
			mustRun(t, "sql", "COPY (SELECT "+columns+" FROM read_parquet('"+from+"/"+table+"/**/*.parquet', hive_partitioning = true, hive_types = {'release': VARCHAR, 'layer': INTEGER}) WHERE "+half+
				" ORDER BY hash(feature)) TO '"+filepath.Join(dir, table)+"' (FORMAT parquet, PARTITION_BY (release, layer), FILENAME_PATTERN 'part-{uuid}', OVERWRITE_OR_IGNORE, ROW_GROUP_SIZE 10)")
		}
		write(t, filepath.Join(dir, table), "_SUCCESS", nil)
		write(t, filepath.Join(dir, table, "_temporary", "0"), "part.parquet", []byte("unfinished"))
	}
	fresh := filepath.Join(t.TempDir(), "new.db")
	mustRun(t, "--db", fresh, "import", "--parquet", dir)
	if n := count(t, fresh, "SELECT count(*) FROM enrichment WHERE q_value IS NOT NULL"); n != 0 {
		t.Errorf("%d q-values before compute", n)
	}
	if said := mustRun(t, "--db", fresh, "compute"); strings.Count(said, "adjusted p- and q-values") != 2 {
		t.Errorf("compute says %q", said)
	}
	if n := different(t, db, fresh); n != 0 {
		t.Errorf("%d rows differ", n)
	}
	mustRun(t, "--db", fresh, "check")
}

// TestImportOfBefore: an export of an saedb before there were baselines has the closed form's
// p-values, and q-values of those, under the names of today's.
func TestImportOfBefore(t *testing.T) {
	t.Parallel()
	db := smallDatabase(t)
	dir := exported(t, db)
	for _, table := range []string{"baseline_statistics", "baseline_enrichment"} {
		if err := os.RemoveAll(filepath.Join(dir, table)); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*", "*", "*", "*.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, filepath.Join(dir, "saes", "saes.parquet")) {
		query := map[string]string{
			"features": "SELECT * EXCLUDE (skewness_p, skewness_q, kurtosis_p, kurtosis_q)", "feature_tokens": "SELECT *",
			"enrichment": `SELECT feature, token_set, es, direction, ks_p_value AS p_value, 0.5 AS q_value, auc, size, sae, model,
				log10_ks_p AS log10_p, CAST(-0.3 AS FLOAT) AS log10_q`,
			"saes": "SELECT * EXCLUDE (baseline_seed, baseline_directions, baseline_kind)",
		}[strings.Split(strings.TrimPrefix(file, dir+"/"), "/")[0]]
		mustRun(t, "sql", "CREATE TABLE t AS FROM '"+file+"'; COPY ("+query+" FROM t) TO '"+file+"' (FORMAT parquet)")
	}
	fresh := filepath.Join(t.TempDir(), "new.db")
	mustRun(t, "--db", fresh, "import", "--parquet", dir)
	if n := count(t, fresh, "SELECT count(*) FROM enrichment WHERE p_value IS NOT NULL OR q_value IS NOT NULL OR es_z IS NOT NULL"); n != 0 {
		t.Errorf("%d rows are against a baseline that there is not", n)
	}
	if n := count(t, fresh, "ATTACH '"+db+"' AS other (READ_ONLY); SELECT count(*) FROM enrichment a JOIN other.enrichment b USING (sae, feature, token_set) WHERE a.ks_p_value = b.ks_p_value AND a.es = b.es"); n != 192 {
		t.Errorf("%d of 192 rows have the closed form's p-value", n)
	}
	if said := mustRun(t, "--db", fresh, "compute"); !strings.Contains(said, "nothing to compute") {
		t.Errorf("compute says %q", said)
	}
	// With its weights it is held against a baseline.
	weights := filepath.Join(t.TempDir(), "weights.db")
	copyFile(t, db, weights)
	mustRun(t, "--db", weights, "import", "--parquet", dir, "--replace")
	mustRun(t, "--db", weights, "compute")
	if n := different(t, db, weights); n != 0 {
		t.Errorf("%d rows differ after compute", n)
	}
}

// TestImportRefuses what is not whole, or not of the same files; nothing of it stays.
func TestImportRefuses(t *testing.T) {
	t.Parallel()
	db := smallDatabase(t)
	whole := exported(t, db)
	other := filepath.Join(t.TempDir(), "other.db")
	mustRun(t, "--db", other, "load", "model", modelOf(t, "gpt2", ""), "--name", "small", "--processing", "none")
	chance := filepath.Join(t.TempDir(), "chance.db")
	copyFile(t, db, chance)
	mustRun(t, "--db", chance, "unload", "sae", "*")
	change(t, chance, "UPDATE stored_baseline_statistics SET sorted_values = list_append(sorted_values[2:], sorted_values[-1]) WHERE statistic = 'std'")
	rewrite := func(table, query string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			files, err := filepath.Glob(filepath.Join(dir, table, "*", "*", "*.parquet"))
			if err != nil || len(files) == 0 {
				files = []string{filepath.Join(dir, table, table+".parquet")}
			}
			mustRun(t, "sql", "CREATE TABLE t AS FROM '"+files[0]+"'; COPY ("+query+") TO '"+files[0]+"' (FORMAT parquet)")
		}
	}
	remove := func(table string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			if err := os.RemoveAll(filepath.Join(dir, table)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, c := range map[string]struct {
		damage func(t *testing.T, dir string)
		into   string
		says   []string
	}{
		"a feature is missing":     {rewrite("features", "FROM t WHERE feature <> 7"), "", []string{"r/blocks.0.hook_resid_pre", "expected 24 features, one row each, found 23 rows of 23 features"}},
		"a feature is there twice": {rewrite("features", "FROM t UNION ALL FROM t WHERE feature = 7"), "", []string{"found 25 rows of 24 features"}},
		"half of the figures":      {rewrite("features", "SELECT * REPLACE (CASE WHEN feature <> 3 THEN std END AS std) FROM t"), "", []string{"1 rows lack some of their figures"}},
		"two kinds of tokens":      {rewrite("features", "SELECT * REPLACE (CASE feature WHEN 3 THEN 'real' ELSE tokens END AS tokens) FROM t"), "", []string{"expected figures for all or for real tokens"}},
		"rows of another file":     {rewrite("features", "SELECT * REPLACE (CASE WHEN feature <> 3 THEN sae_sha256 ELSE '00' END AS sae_sha256) FROM t"), "", []string{"1 rows are of other files"}},
		"an unknown token set":     {rewrite("token_sets", "FROM t WHERE token_set <> 'first'"), "", []string{"24 of 96 rows of enrichment are of features that it does not have, or of sets"}},
		"a token of no model":      {rewrite("token_sets", "SELECT * REPLACE (list_append(tokens, 4711) AS tokens) FROM t"), "", []string{"ids of tokens that the model does not have"}},
		"no baseline":              {remove("baseline_statistics"), "", []string{"expected in baseline_statistics the baseline of its p-values, 4096 directions of seed 1 for all tokens, side output, found none"}},
		"a torn baseline":          {rewrite("baseline_enrichment", "SELECT * REPLACE (CASE WHEN token_set <> 'first' THEN counts ELSE counts[2:] END AS counts) FROM t"), "", []string{"1 rows of baseline_enrichment are not whole"}},
		"half of a baseline":       {rewrite("baseline_statistics", "SELECT * REPLACE (CASE WHEN statistic <> 'std' THEN sorted_values END AS sorted_values) FROM t"), "", []string{"1 rows of baseline_statistics are not whole"}},
		"a row of it twice":        {rewrite("baseline_statistics", "SELECT * REPLACE (CASE WHEN statistic <> 'std' THEN direction_rows ELSE list_append(direction_rows[2:], direction_rows[2]) END AS direction_rows) FROM t"), "", []string{"1 rows of baseline_statistics are not whole"}},
		"no row of the SAE":        {rewrite("saes", "FROM t WHERE sae LIKE '%.1.%'"), "", []string{"expected one whole row of it in saes, found 0"}},
		"no row of the model":      {rewrite("models", "FROM t WHERE false"), "", []string{"expected one whole row of its model small in models, found 0"}},
		"tokens are missing":       {rewrite("tokens", "FROM t WHERE token_id > 0"), "", []string{"expected 500 tokens in tokens, found 499 rows"}},
		"a column is missing":      {rewrite("models", "SELECT * EXCLUDE (sha256) FROM t"), "", []string{"models", "the column sha256 is missing", "docs/export.md"}},
		"no table":                 {remove("saes"), "", []string{"saes", "expected Parquet files, found none"}},
		"sets, but no table":       {remove("token_sets"), "", []string{"token_sets", "found none"}},
		"not in partitions": {func(t *testing.T, dir string) {
			copyFile(t, filepath.Join(dir, "saes", "saes.parquet"), filepath.Join(dir, "features", "one.parquet"))
		}, "", []string{"features/one.parquet", "release=…/layer=…"}},
		"no Parquet": {func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "features", "release=r", "layer=0"), "bad.parquet", []byte("no magic"))
		}, "", []string{"bad.parquet"}},
		"another baseline":           {func(*testing.T, string) {}, chance, []string{"another baseline of the same seed", "new database"}},
		"another model of that name": {func(*testing.T, string) {}, other, []string{"its model small is another than the one in this database", "new database"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "out")
			if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
				t.Fatal(err)
			}
			c.damage(t, dir)
			into := filepath.Join(t.TempDir(), "new.db")
			if c.into != "" {
				copyFile(t, c.into, into)
			}
			expectFailure(t, saedbRun(t, "", "--db", into, "import", "--parquet", dir), 1, c.says...)
			if n := count(t, into, "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'stored_saes'"); n > 0 && count(t, into, "SELECT count(*) FROM saes") > 0 {
				t.Error("something of it stayed")
			}
		})
	}
	expectFailure(t, saedbRun(t, "", "--db", other, "import"), 2, "--parquet DIRECTORY")
	expectFailure(t, saedbRun(t, "", "--db", other, "import", "--parquet", filepath.Join(whole, "no such")), 1, "found none")
}

// TestImportOfBaselineLikeSAE: a baseline that is like an SAE goes with an export and comes
// back as that SAE's, beside the isotropic one.
func TestImportOfBaselineLikeSAE(t *testing.T) {
	t.Parallel()
	db := smallDatabase(t)
	mustRun(t, "--db", db, "compute", "--sae", "r/blocks.1.*", "--baseline-like", "sae", "--baseline", "300")
	fresh := filepath.Join(t.TempDir(), "fresh.db")
	mustRun(t, "--db", fresh, "import", "--parquet", exported(t, db))
	rows := func(path string) []string {
		return textsIn(t, path, `SELECT CAST(b AS VARCHAR) FROM baseline_enrichment b UNION ALL SELECT CAST(s AS VARCHAR) FROM baseline_statistics s
			UNION ALL SELECT concat_ws(' ', sae, feature, token_set, p_value, q_value, expected_es, es_z) FROM enrichment ORDER BY ALL`)
	}
	was, is := rows(db), rows(fresh)
	if missing, added := difference(was, is); len(missing)+len(added) > 0 || len(is) < 50 {
		t.Errorf("of %d rows %d are missing and %d are other ones: %.300v", len(was), len(missing), len(added), added)
	}
	if n := count(t, fresh, "SELECT count(DISTINCT like_sae) FROM baseline_statistics WHERE kind = 'sae'"); n != 1 {
		t.Errorf("%d SAEs have a baseline of their own, expected 1", n)
	}
	mustRun(t, "--db", fresh, "check", "--all")
}
