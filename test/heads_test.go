package test

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/saedb/saedb"
)

// floatsOfNPY are the values of a float32 array of numpy's format 1.0.
func floatsOfNPY(t *testing.T, path string) []float32 {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data := content[10+int(binary.LittleEndian.Uint16(content[8:])):]
	values := make([]float32, len(data)/4)
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return values
}

// TestHeadsInSQL: through_head and query_key are TransformerLens's OV and QK, of GPT-2, of a Llama
// and a Gemma with grouped-query attention, and of others.
func TestHeadsInSQL(t *testing.T) {
	for name, of := range map[string]struct{ layer, heads, d int }{
		"gpt2": {0, 2, 32}, "llama-grouped": {1, 4, 16}, "gemma-grouped": {1, 4, 16}, "gemma2": {0, 2, 32}, "bloom": {1, 2, 16}, "phi3": {1, 2, 16},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "heads.db")
			mustRun(t, "--db", path, "load", "model", modelOf(t, name, ""), "--name", "m", "--attention", fmt.Sprint(of.layer))
			db, err := saedb.Open(t.Context(), path, saedb.Options{ReadOnly: true})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			expected := filepath.Join("..", "loader", "model", "testdata", name)
			ov, qk := floatsOfNPY(t, expected+".expected_ov.npy"), floatsOfNPY(t, expected+".expected_qk.npy")
			unit := fmt.Sprintf("list_transform(range(%d), lambda j: if(j = i, 1, 0))::FLOAT[]", of.d)
			for call, want := range map[string]func(head, i, j int) float32{
				"through_head(w, 'm', %d, h)":       func(h, i, j int) float32 { return ov[(h*of.d+i)*of.d+j] },
				"query_key(w, 'm', %d, h)":          func(h, i, j int) float32 { return qk[(h*of.d+j)*of.d+i] },
				"query_key(w, 'm', %d, h, 'query')": func(h, i, j int) float32 { return qk[(h*of.d+i)*of.d+j] },
			} {
				rows, err := db.QueryContext(t.Context(), fmt.Sprintf(`SELECT h, i, unnest(v) AS v, generate_subscripts(v, 1) - 1 AS j FROM (
					SELECT h, i, `+call+` AS v FROM (SELECT i, h::INTEGER AS h, `+unit+` AS w FROM range(%d) a(i), range(%d) b(h)))`, of.layer, of.d, of.heads))
				if err != nil {
					t.Fatal(err)
				}
				n, worst := 0, 0.0
				for ; rows.Next(); n++ {
					var h, i, j int
					var v float64
					if err := rows.Scan(&h, &i, &v, &j); err != nil {
						t.Fatal(err)
					}
					worst = max(worst, math.Abs(v-float64(want(h, i, j))))
				}
				if err := rows.Err(); err != nil || n != of.heads*of.d*of.d || !(worst <= 1e-5) {
					t.Errorf("%s: %d values, largest difference %g, %v", call, n, worst, err)
				}
			}
		})
	}
}

// TestLoadAttention: --attention loads heads with a model, or to one that is loaded without them,
// by layer; check finds what is wrong with them, results are exported without, unload and
// --replace take them away.
func TestLoadAttention(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := filepath.Join(dir, "heads.db")
	load := []string{"--db", db, "load", "model", modelOf(t, "phi3", ""), "--name", "small"}
	const ask = "SELECT through_head(list_resize([1]::FLOAT[], 16, 0), 'small', 1, 1)"
	mustRun(t, load...)
	fails := func(query, want string) {
		t.Helper()
		if r := saedbRun(t, "", "--db", db, "sql", query); r.code == 0 || !strings.Contains(r.stderr, want) {
			t.Errorf("%s: exit %d, %s\nexpected %s", query, r.code, r.stderr, want)
		}
	}
	fails(ask, "through_head: model small: the heads of layer 1 are not loaded (saedb load model … --attention 1 adds them)")
	if said := mustRun(t, append(load, "--attention", "1")...); !strings.Contains(said, "; the heads of 1 layer are loaded now\n") {
		t.Errorf("said %q", said)
	}
	if said := mustRun(t, append(load, "--attention", "1")...); !strings.Contains(said, "; nothing changed\n") {
		t.Errorf("the second time, said %q", said)
	}
	mustRun(t, "--db", db, "sql", ask)
	for query, want := range map[string]string{
		strings.Replace(ask, "1, 1)", "0, 1)", 1):                                        "the heads of layer 0 are not loaded (loaded: layers 1; saedb load model",
		strings.Replace(ask, "1, 1)", "1, 2)", 1):                                        "layer 1 of model small: head: expected 0 to 1, found 2",
		strings.Replace(ask, "16", "15", 1):                                              "w_dec: expected 16 values, the d_model of model small, found 15",
		"SELECT query_key([1]::FLOAT[], 'small', 1, 0, 'keys')":                          "query_key: at: expected 'key' or 'query', found 'keys'",
		"SELECT query_key([1]::FLOAT[], 'small#embedding', 1, 0)":                        "the model was loaded without its embedding",
		"SELECT query_key([1]::FLOAT[], 'other', 1, 0)":                                  "no such model in this database (loaded: small)",
		"SELECT logit_difference(list_resize([1]::FLOAT[], 16, 0), 'small', 'T1', 't2')": "no token is 'T1' (there is 't1' (token 1))",
	} {
		fails(query, want)
	}
	if r := saedbRun(t, "", append(load, "--attention", "0-2")...); r.code != 1 || !strings.Contains(r.stderr, "layers: expected all, or layers from 0 to 1, one, a range FIRST-LAST") {
		t.Errorf("exit %d, %s", r.code, r.stderr)
	}
	if said := mustRun(t, append(load, "--attention", "all", "--embedding")...); !strings.Contains(said, "; its embedding is loaded now, the heads of 1 layer are loaded now\n") {
		t.Errorf("said %q", said)
	}
	const whole = "SELECT count(*) FROM head_weights JOIN attention USING (model, layer) WHERE len(weights) = 16 AND n_heads = 2 AND n_kv_heads = 1 AND len(sha256) = 64 AND norm_folded"
	if n := count(t, db, whole); n != 2*(16+8+8+16) {
		t.Errorf("%d rows of heads", n)
	}
	mustRun(t, "--db", db, "check", "--sample", "1")
	for statement, want := range map[string]string{
		"UPDATE stored_head_weights SET weights = list_reverse(weights) WHERE head_row = 7 AND layer = 0 AND matrix = 'q'": "stored_head_weights: model small: its rows are not those that were loaded",
		"UPDATE stored_head_weights SET matrix = if(matrix = 'q', 'o', 'q') WHERE matrix IN ('q', 'o') AND layer = 1":      "stored_head_weights: model small: its rows are not those that were loaded",
		"DELETE FROM stored_head_weights WHERE head_row = 7 AND layer = 0 AND matrix = 'v'":                                "stored_head_weights: model small, layer 0, matrix v: expected rows 0 to 7, each once, found 7",
		"UPDATE stored_head_weights SET head_row = 99 WHERE head_row = 7 AND layer = 0 AND matrix = 'v'":                   "stored_head_weights: model small, layer 0, matrix v: expected rows 0 to 7, each once, found 8",
		"UPDATE stored_head_weights SET weights = weights[2:] WHERE head_row = 7":                                          "stored_head_weights: model small, row 7: expected 16",
		"DELETE FROM stored_attention WHERE layer = 1":                                                                     "stored_head_weights: model_id 1, layer 1: 48 rows, but no heads of that layer in stored_attention",
		"UPDATE stored_attention SET n_kv_heads = 3":                                                                       "stored_attention: model small, layer 0: expected heads that share key-value heads evenly, found 2, 3 of width 8",
		"DELETE FROM stored_contents WHERE stored_table = 'stored_head_weights'":                                           "expected the hash of its rows of stored_head_weights, found none",
	} {
		damaged := filepath.Join(t.TempDir(), "damaged.db")
		copyFile(t, db, damaged)
		change(t, damaged, statement)
		if r := saedbRun(t, "", "--db", damaged, "check", "--sample", "1"); r.code != 3 || !strings.Contains(r.stdout, want) {
			t.Errorf("%s: exit %d, expected 3 and %q, found\n%s", statement, r.code, want, r.stdout)
		}
	}

	mustRun(t, "--db", db, "load", "directions", "--heads")
	if n := count(t, db, "SELECT count(*) FROM decoder_directions WHERE sae IN ('blocks.0.attn.heads', 'blocks.1.attn.heads')"); n != 32 {
		t.Errorf("%d singular directions, expected 32", n)
	}
	mustRun(t, "--db", db, "compute", "--baseline", "0")
	out := filepath.Join(dir, "results")
	mustRun(t, "--db", db, "export", "--to", out, "--format", "duckdb")
	results := filepath.Join(out, "results.duckdb")
	if n := count(t, results, "SELECT count(*) FROM head_weights WHERE weights IS NULL"); n != 96 {
		t.Errorf("%d rows without weights in the results, expected 96", n)
	}
	mustRun(t, "--db", results, "check", "--sample", "1")
	db, results = results, db
	fails(ask, "the heads of layer 1 are not in this database, which has results alone")
	db = results

	mustRun(t, "--db", db, "unload", "directions", "blocks.0.attn.heads")
	mustRun(t, "--db", db, "load", "model", modelOf(t, "bloom", ""), "--name", "small", "--replace")
	fails(ask, "the heads of layer 1 are not loaded")
	mustRun(t, "--db", db, "load", "model", modelOf(t, "bloom", ""), "--name", "small", "--attention", "0")
	mustRun(t, "--db", db, "unload", "model", "small", "--cascade")
	if n := count(t, db, "SELECT (SELECT count(*) FROM stored_attention) + (SELECT count(*) FROM stored_head_weights) + (SELECT count(*) FROM stored_contents)"); n != 0 {
		t.Errorf("%d rows left of a model that is unloaded", n)
	}
}

// TestSingularDirections: those of a head are orthogonal, as long as its singular values, and
// what W_Oᵀ·W_Vᵀ makes of an orthonormal basis, whatever the signs: the sums of their squares
// over a head are those of OV.
func TestSingularDirections(t *testing.T) {
	db := filepath.Join(t.TempDir(), "heads.db")
	mustRun(t, "--db", db, "load", "model", modelOf(t, "llama-grouped", ""), "--name", "m", "--attention", "1")
	mustRun(t, "--db", db, "load", "directions", "--heads", "--layer", "1")
	ov := floatsOfNPY(t, filepath.Join("..", "loader", "model", "testdata", "llama-grouped.expected_ov.npy"))
	rows := rowsOf(t, db, "blocks.1.attn.heads")
	const d, width = 16, 4
	for head := range 4 {
		directions := rows[head*width*d : (head+1)*width*d]
		last := math.Inf(1)
		for i := range width {
			var norm float64
			largest := float32(0)
			for j := range d {
				v := directions[i*d+j]
				norm += float64(v) * float64(v)
				if math.Abs(float64(v)) > math.Abs(float64(largest)) {
					largest = v
				}
			}
			if largest < 0 || norm > last {
				t.Errorf("head %d, direction %d: largest component %g, squared length %g after %g", head, i, largest, norm, last)
			}
			last = norm
		}
		for j := range d {
			for k := range d {
				var got, want float64 // of OVᵀ·OV
				for i := range width {
					got += float64(directions[i*d+j]) * float64(directions[i*d+k])
				}
				for i := range d {
					want += float64(ov[(head*d+i)*d+j]) * float64(ov[(head*d+i)*d+k])
				}
				if math.Abs(got-want) > 1e-6 {
					t.Fatalf("head %d: %g, expected %g", head, got, want)
				}
			}
		}
	}
}

// TestHeadComposition: scores are norms of products over products of norms, by SQL on the heads
// and on TransformerLens's QK and OV through query_key and through_head; random directions have
// the mean and the spread that the _z columns take them to have.
func TestHeadComposition(t *testing.T) {
	path := filepath.Join(t.TempDir(), "heads.db")
	mustRun(t, "--db", path, "load", "model", modelOf(t, "gpt2", ""), "--name", "m", "--attention", "0")
	mustRun(t, "--db", path, "load", "directions", "--sql", "SELECT random_direction(1, i::INTEGER, 32) AS w_dec FROM range(20000) r(i)", "--name", "random", "--hook", "blocks.0.hook_resid_pre")
	const agree = `WITH unit AS (SELECT i, list_transform(range(32), lambda j: if(j = i, 1, 0))::FLOAT[] AS w FROM range(32) r(i)),
		norms AS (SELECT h::INTEGER AS head, sqrt(sum(list_inner_product(query_key(w, 'm', 0, h::INTEGER)::DOUBLE[], query_key(w, 'm', 0, h::INTEGER)::DOUBLE[]))) AS qk,
			sqrt(sum(list_inner_product(through_head(w, 'm', 0, h::INTEGER)::DOUBLE[], through_head(w, 'm', 0, h::INTEGER)::DOUBLE[]))) AS ov FROM unit, range(2) b(h) GROUP BY h),
		length AS (SELECT *, sqrt(list_inner_product(w_dec::DOUBLE[], w_dec::DOUBLE[])) AS norm FROM decoder_directions),
		expected AS (SELECT feature, head, sqrt(list_sum(list_transform(query_key(w_dec, 'm', 0, head, 'query'), lambda x: x::DOUBLE * x))) / qk / norm AS q,
			sqrt(list_sum(list_transform(query_key(w_dec, 'm', 0, head), lambda x: x::DOUBLE * x))) / qk / norm AS k,
			sqrt(list_sum(list_transform(through_head(w_dec, 'm', 0, head), lambda x: x::DOUBLE * x))) / ov / norm AS v FROM length, norms WHERE feature < 200)
		SELECT count(*) FROM expected e JOIN head_composition('random', '0') c USING (feature, head)
		WHERE abs(e.q - c.q) < 1e-6 AND abs(e.k - c.k) < 1e-6 AND abs(e.v - c.v) < 1e-6 AND c.o IS NULL AND c.o_z IS NULL AND c.layer = 0 AND c.sae = 'random'`
	if n := count(t, path, agree); n != 400 {
		t.Errorf("%d scores agree, expected 400", n)
	}
	const chance = `SELECT count(*) FROM (SELECT head, avg(q * q) * 32 AS q, avg(v * v) * 32 AS v, avg(q_z) AS qz, stddev(q_z) AS qs, stddev(k_z) AS ks, stddev(v_z) AS vs
		FROM head_composition('random', 'all') GROUP BY head) WHERE abs(q - 1) < 0.02 AND abs(v - 1) < 0.02 AND abs(qz) < 0.05 AND abs(qs - 1) < 0.05 AND abs(ks - 1) < 0.05 AND abs(vs - 1) < 0.05`
	if n := count(t, path, chance); n != 2 {
		t.Errorf("the random directions of %d heads are as expected, expected 2", n)
	}
	for query, want := range map[string]string{
		"FROM head_composition('random', '1')": "layers: expected all, or layers from 0 to 0",
		"FROM head_composition('other', '0')":  "no SAE of that name is in this database (loaded: random)",
	} {
		if r := saedbRun(t, "", "--db", path, "sql", query); r.code == 0 || !strings.Contains(r.stderr, want) {
			t.Errorf("%s: exit %d, %s", query, r.code, r.stderr)
		}
	}
}

// TestLogitDifference: of tokens, lists of them and sets it is the difference of mean logit
// weights.
func TestLogitDifference(t *testing.T) {
	path := filepath.Join(t.TempDir(), "difference.db")
	mustRun(t, "--db", path, "load", "model", modelOf(t, "gpt2", ""), "--name", "m")
	change(t, path, "INSERT INTO stored_token_sets SELECT n, 1, s, 'user', NULL, ids, 'test', now()::TIMESTAMP, len(ids), 0 FROM (VALUES (1, 'few', [1, 2, 5]), (2, 'others', [7, 9])) v(n, s, ids)")
	const agree = `SELECT count(*) FROM (SELECT w, logit_weights(w, 'm') AS l FROM (SELECT random_direction(1, i::INTEGER, 32) AS w FROM range(100) r(i)))
		WHERE abs(logit_difference(w, 'm', 't3', 't60') - (l[4] - l[61])) < 1e-5
		AND abs(logit_difference(w, 'm', ['t3', 't4'], ['t60']) - ((l[4] + l[5]) / 2 - l[61])) < 1e-5
		AND abs(set_logit_difference(w, 'm', 'few', 'others') - ((l[2] + l[3] + l[6]) / 3 - (l[8] + l[10]) / 2)) < 1e-5
		AND logit_difference(w, 'm', NULL, 't1') IS NULL AND logit_difference(NULL, 'm', 't2', 't1') IS NULL AND logit_difference(w, 'm', 't1', 't1') = 0`
	if n := count(t, path, agree); n != 100 {
		t.Errorf("%d of 100 directions agree", n)
	}
	for call, want := range map[string]string{
		"logit_difference(w, 'm', 'none', 't1')":          "logit_difference: model m: no token is 'none' (the view tokens has all texts and spellings)",
		"logit_difference(w, 'm', ' t2 ', 't1')":          "no token is ' t2 ' (there is 't2' (token 2))",
		"logit_difference(w, 'm', [], ['t1'])":            "expected at least one token on each side, found none",
		"set_logit_difference(w, 'm', 'few', 'nobody')":   `token set "nobody": no such set of model m (there are: few, others)`,
		"set_logit_difference(w, 'nobody', 'few', 'few')": "no such model in this database",
	} {
		query := "SELECT " + call + " FROM (SELECT random_direction(1, 1, 32) AS w)"
		if r := saedbRun(t, "", "--db", path, "sql", query); r.code == 0 || !strings.Contains(r.stderr, want) {
			t.Errorf("%s: exit %d, %s\nexpected %s", query, r.code, r.stderr, want)
		}
	}
}
