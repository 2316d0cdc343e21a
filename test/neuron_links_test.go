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
