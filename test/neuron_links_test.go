package test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	schema "github.com/saedb/saedb/sql"
)

// TestNeuronLinks: links of features to the neurons of an MLP, and of neurons to features, are what
// all products are in float64, multiplied by DuckDB; check computes them again; what does not
// belong together is refused with what there is.
func TestNeuronLinks(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "neurons.db")
	mustRun(t, "--db", db, "load", "model", modelOf(t, "llama", ""), "--name", "small", "--mlp", "0")
	const directions = "SELECT list_transform(range(0, %d), lambda j: CAST(sin(i * 7.1 + j * (1 + i %% 5) * 1.3) AS FLOAT)) AS w_dec FROM range(%d) t(i) ORDER BY i"
	width := count(t, db, "SELECT d_model FROM models")
	for name, hook := range map[string]string{"before": "blocks.0.hook_resid_mid", "behind": "blocks.0.hook_mlp_out"} {
		mustRun(t, "--db", db, "load", "directions", "--sql", fmt.Sprintf(directions, width, 40), "--name", name, "--hook", hook, "--model", "small")
	}
	const top = 5
	compute := func(more ...string) []string { return append([]string{"--db", db, "compute", "--links"}, more...) }
	for _, matrix := range []string{"in", "gate"} {
		reader := "small#mlp_" + matrix + ".0"
		said := mustRun(t, compute("--from", "*", "--to", reader, "--top", fmt.Sprint(top))...)
		for _, says := range []string{
			"skipped behind to " + reader + ": blocks.0.hook_mlp_in is read before blocks.0.hook_mlp_out is written",
			"computed before: the 5 strongest targets of each of 40 features in " + reader,
			"computed " + reader + ": the 5 strongest sources of each of 48 neurons in before",
		} {
			if !strings.Contains(said, says) {
				t.Errorf("%s\ndoes not say %q", said, says)
			}
		}
		if said := mustRun(t, compute("--from", "before", "--to", reader, "--top", "3")...); !strings.Contains(said, "nothing to compute") {
			t.Error(said)
		}
	}
	const products = `(SELECT w.matrix, d.feature, w.neuron, list_inner_product(CAST(d.w_dec AS DOUBLE[]), CAST(w.w_in AS DOUBLE[])) AS weight
		FROM decoder_directions d, stored_mlp_weights w WHERE d.sae = 'before')`
	ranked := func(by, direction, order, rankedFor string) string {
		return fmt.Sprintf(`SELECT matrix, feature, neuron, weight, row_number() OVER (PARTITION BY matrix, %s ORDER BY weight %s, feature, neuron) AS rank,
			'%s' AS direction, '%s' AS ranked_for, (weight - avg(weight) OVER (PARTITION BY matrix)) / stddev_pop(weight) OVER (PARTITION BY matrix) AS z
			FROM %s`, by, order, direction, rankedFor, products)
	}
	all := strings.Join([]string{
		ranked("feature", "excites", "DESC", "source"), ranked("feature", "inhibits", "ASC", "source"),
		ranked("neuron", "excites", "DESC", "neuron"), ranked("neuron", "inhibits", "ASC", "neuron"),
	}, " UNION ALL ")
	for query, want := range map[string]int{
		"SELECT count(*) FROM neuron_links": 2 * 2 * top * (40 + 48),
		fmt.Sprintf(`SELECT count(*) FROM neuron_links l JOIN (%s) e ON e.matrix = l.matrix AND e.feature = l.source_feature AND e.neuron = l.neuron AND e.direction = l.direction
			AND e.ranked_for = l.ranked_for AND e.rank = l.rank AND abs(e.weight - l.weight) < 1e-12 AND abs(e.z - l.z) < 1e-6
			WHERE l.neuron_layer = 0 AND l.source_layer = 0 AND l.source_sae = 'before' AND l.model = 'small' AND l.nominal_p > 0 AND l.nominal_p <= 1`, all): 2 * 2 * top * (40 + 48),
	} {
		if got := count(t, db, query); got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
	// More of each end take the place of fewer.
	mustRun(t, compute("--from", "before", "--to", "small#mlp_in.0", "--top", "8")...)
	if n := count(t, db, "SELECT count(*) FROM neuron_links WHERE matrix = 'in'"); n != 2*8*(40+48) {
		t.Errorf("%d links of 8 at each end", n)
	}
	mustRun(t, "--db", db, "check")
	imported(t, db)
	for statement, says := range map[string]string{
		"UPDATE stored_neuron_links SET top_weights = [w * (1 + 1e-6) FOR w IN top_weights] WHERE number = 0":              "of top_weights, computed again",
		"UPDATE stored_neuron_links SET bottom_numbers = [99999] || bottom_numbers[2:] WHERE number = 0":                   "expected in bottom_features",
		"DELETE FROM stored_neuron_links WHERE number = 3":                                                                 "rows, as its computation recorded",
		"UPDATE stored_neuron_pairs SET layer = 5":                                                                         "expected an MLP of that model",
		"UPDATE stored_neuron_pairs SET std = NULL":                                                                        "expected a mean and a std",
		"UPDATE stored_neuron_pairs SET kind = 'neighbours'":                                                               "expected kind outgoing or incoming",
		"INSERT INTO stored_neuron_links SELECT 77, * EXCLUDE (pair_id) FROM stored_neuron_links LIMIT 1":                  "stored_neuron_links",
		"INSERT INTO stored_neuron_pairs SELECT pair_id + 100, * EXCLUDE (pair_id) FROM stored_neuron_pairs WHERE top = 8": "expected 1 pair of that kind",
	} {
		damaged := filepath.Join(t.TempDir(), "damaged.db")
		copyFile(t, db, damaged)
		change(t, damaged, statement)
		if r := saedbRun(t, "", "--db", damaged, "check", "--all"); r.code != 3 || !strings.Contains(r.stdout, says) {
			t.Errorf("%s: exit %d, %s%s\nwant %q", statement, r.code, r.stdout, r.stderr, says)
		}
	}
	for to, says := range map[string]string{
		"small#mlp_in.1":  "no such MLP is loaded (saedb load model … --mlp 1 adds that of a layer; there are: 'small#mlp_in.0')",
		"other#mlp_in.0":  "no such MLP is loaded",
		"before#decoder":  "expected words for SAEs, 'MODEL#mlp_in.LAYER' or 'MODEL#mlp_gate.LAYER', found 'before#decoder'",
		"small#mlp_out.0": "found 'small#mlp_out.0'",
	} {
		if r := saedbRun(t, "", compute("--to", to)...); r.code != 1 || !strings.Contains(r.stderr, says) {
			t.Errorf("%s: exit %d, %s\nwant %q", to, r.code, r.stderr, says)
		}
	}
	if r := saedbRun(t, "", compute("--from", "behind", "--to", "small#mlp_in.0")...); r.code != 1 || !strings.Contains(r.stderr, "no pair of these has products that stand for anything") {
		t.Errorf("exit %d, %s", r.code, r.stderr)
	}
	mustRun(t, "--db", db, "unload", "directions", "before")
	for _, table := range schema.Tables() {
		if strings.HasPrefix(table, "stored_neuron_") && count(t, db, "SELECT count(*) FROM "+table) != 0 {
			t.Errorf("%s: rows of an SAE that is gone", table)
		}
	}
}

// imported holds links to neurons that went through an export against those that it was made of,
// in a new database, which has no weights, and in one that lost them and has the MLP's; another
// MLP in their place is refused. A database of results has none of their weights either.
func imported(t *testing.T, db string) {
	t.Helper()
	const links = "SELECT count(*) || ' ' || coalesce(bit_xor(hash(l)), 0) FROM neuron_links l"
	ask := func(db, query string) string {
		t.Helper()
		lines := strings.Split(strings.TrimSpace(mustRun(t, "--db", db, "sql", "--format", "csv", query)), "\n")
		return lines[len(lines)-1]
	}
	want, dir := ask(db, links), t.TempDir()
	results := filepath.Join(dir, "results")
	mustRun(t, "--db", db, "compute")
	mustRun(t, "--db", db, "export", "--to", results)
	other := filepath.Join(dir, "other.db")
	for _, more := range [][]string{nil, nil, {"--replace"}} { // the second changes nothing
		mustRun(t, append([]string{"--db", other, "import", "--parquet", results}, more...)...)
		if got := ask(other, links); got != want {
			t.Errorf("imported %v: %s, want %s", more, got, want)
		}
	}
	mustRun(t, "--db", other, "check")
	if got := ask(other, "SELECT string_agg(layer || ' ' || d_mlp || ' ' || gated, ', ') FROM mlps"); got != "0 48 true" {
		t.Errorf("imported MLPs: %s", got)
	}
	// Where the MLP is with its weights, the links alone come back.
	lost := filepath.Join(dir, "lost.db")
	copyFile(t, db, lost)
	change(t, lost, "DELETE FROM stored_neuron_links; DELETE FROM stored_neuron_pairs")
	mustRun(t, "--db", lost, "import", "--parquet", results)
	if got := ask(lost, links); got != want {
		t.Errorf("imported again: %s, want %s", got, want)
	}
	mustRun(t, "--db", lost, "check", "--all")
	change(t, lost, "UPDATE stored_mlps SET norm_folded = NOT norm_folded")
	expectFailure(t, saedbRun(t, "", "--db", lost, "import", "--parquet", results, "--replace"), 1, "small, layer 0: its MLP is another than the one in this database")
	mustRun(t, "--db", db, "export", "--to", filepath.Join(dir, "alone"), "--format", "duckdb")
	alone := filepath.Join(dir, "alone", "results.duckdb")
	if got := ask(alone, "SELECT count(*) || ' ' || count(w_in) FROM stored_mlp_weights"); got != "96 0" {
		t.Errorf("rows of MLPs, and those with weights, in the results: %s", got)
	}
	mustRun(t, "--db", alone, "check")
}
