package test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/saedb/saedb/loader/safetensors/safetensorstest"
)

// TestInputEnrichmentAgainstFloat64: scores of the input side are those of the definition, of
// products in float64 of the encoder and the embedding as their files have them; the view of the
// output side, and labels of SAEs without encoders, are what they were before.
func TestInputEnrichmentAgainstFloat64(t *testing.T) {
	t.Parallel() // the definition in float64 is one thread's
	const features = 16
	path := withInputSide(t)
	outputSide := func() []string {
		return textsIn(t, path, `SELECT CAST(md5(string_agg(CAST(e AS VARCHAR), '' ORDER BY sae, token_set, feature)) AS VARCHAR) FROM enrichment e
			UNION ALL SELECT md5(string_agg(concat_ws(' ', sae, feature, label, skewness_q), '' ORDER BY sae, feature)) FROM features WHERE layer <> 4
			UNION ALL SELECT CAST(md5(string_agg(CAST(b AS VARCHAR), '' ORDER BY token_set)) AS VARCHAR) FROM baseline_enrichment b
			UNION ALL SELECT CAST(md5(string_agg(CAST(l AS VARCHAR), '' ORDER BY sae)) AS VARCHAR) FROM layers l`)
	}
	before := outputSide()
	said := mustRun(t, "--db", path, "compute", "--side", "input", "--baseline", "1024")
	for _, want := range []string{
		"computed baseline of input side of smollm2-135m: 1024 random directions in 16 token sets",
		"computed input side of smollm2-demo/blocks.4.hook_resid_pre: 1536 features and their enrichment in 16 token sets, all tokens, ",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("said %q, expected %q", said, want)
		}
	}
	if after := outputSide(); !slices.Equal(before, after) {
		t.Errorf("the output side is another one: %v, was %v", after, before)
	}
	products := inputProducts(t, features)
	members := map[string][]int{}
	for _, row := range textsIn(t, path, "SELECT token_set || '|' || array_to_string(tokens, ' ') FROM token_sets") {
		name, list, _ := strings.Cut(row, "|")
		for _, id := range strings.Fields(list) {
			n, err := strconv.Atoi(id)
			if err != nil {
				t.Fatal(err)
			}
			members[name] = append(members[name], n)
		}
	}
	compared := 0
	for _, row := range textsIn(t, path, fmt.Sprintf(`SELECT concat_ws('|', feature, token_set, es, auc, direction, side, effect) FROM input_enrichment WHERE feature < %d`, features)) {
		column := strings.Split(row, "|")
		feature, _ := strconv.Atoi(column[0])
		es, auc, direction := definedScore(products[feature], members[column[1]])
		got := [3]float64{}
		for i, text := range []string{column[2], column[3], column[6]} {
			var err error
			if got[i], err = strconv.ParseFloat(text, 64); err != nil {
				t.Fatal(err)
			}
		}
		// Neighbours that float32 products have the other way round move a score by 1/members or 1/tokens.
		if math.Abs(got[0]-es) > 5e-5 || math.Abs(got[1]-auc) > 5e-6 || math.Abs(got[2]-(2*auc-1)) > 1e-5 || column[4] != direction || column[5] != "input" {
			t.Errorf("%s: expected es %.7f, auc %.7f, %s", row, es, auc, direction)
		}
		compared++
	}
	if compared != 16*features {
		t.Errorf("%d scores, expected %d", compared, 16*features)
	}
	for query, want := range map[string]string{
		// p-values are counted among the random directions by hand, where they are not of the tail.
		`SELECT count(*) FROM (SELECT e.*, len(list_filter(c.chance, lambda s: s >= e.es)) AS reached FROM input_enrichment e,
				(SELECT list(enrichment_score(random_direction(1, range, 576), 'smollm2-135m#embedding', 'all_caps')) AS chance FROM range(1024)) c
				WHERE token_set = 'all_caps' AND e.es < (SELECT es_q99 FROM input_baseline_enrichment WHERE token_set = 'all_caps'))
			WHERE reached < 128 AND abs(p_value - (1 + reached) / 1025) > 1e-6 OR reached = 0`: "0", // of the highest eighth all are kept
		"SELECT count(*) > 1400 FROM input_enrichment WHERE token_set = 'all_caps' AND p_value > 0.01":                                                                           "true",
		"SELECT count(*) FROM input_enrichment WHERE p_value > q_value OR q_value > 1 OR q_value IS NULL OR es_z IS NULL":                                                        "0",
		"SELECT string_agg(column_name, ' ') = (SELECT string_agg(column_name, ' ') FROM (DESCRIBE enrichment)) FROM (DESCRIBE input_enrichment)":                                "true",
		"SELECT string_agg(column_name, ' ') = (SELECT string_agg(column_name, ' ') FROM (DESCRIBE baseline_enrichment)) FROM (DESCRIBE input_baseline_enrichment)":              "true",
		"SELECT string_agg(side || ' ' || n, ', ' ORDER BY side) FROM (SELECT side, count(*) AS n FROM (FROM enrichment UNION ALL BY NAME FROM input_enrichment) GROUP BY side)": "input 24576, output 147456",
		"SELECT string_agg(s, ', ' ORDER BY s) FROM (SELECT DISTINCT side || ' ' || starts_with(statistic, 'input_') AS s FROM baseline_statistics)":                             "input true, output false",
	} {
		if got := textsIn(t, path, "SELECT CAST(("+query+") AS VARCHAR)"); got[0] != want {
			t.Errorf("%s: %s, expected %s", query, got[0], want)
		}
	}
	mustRun(t, "--db", path, "check")
	// A set that comes later is scored alone, and one that goes takes its scores along.
	mustRun(t, "--db", path, "load", "sets", "--name", "late", "--sql", "SELECT token_id FROM tokens WHERE token_id % 777 = 5")
	if said := mustRun(t, "--db", path, "compute", "--side", "input"); !strings.Contains(said, "scored input side of smollm2-demo/blocks.4.hook_resid_pre: 1536 features in 1 token sets") {
		t.Errorf("said %q", said)
	}
	mustRun(t, "--db", path, "check", "--sample", "1")
	mustRun(t, "--db", path, "unload", "sets", "late")
	if said := mustRun(t, "--db", path, "compute", "--side", "input"); !strings.Contains(said, "adjusted p- and q-values of input side of smollm2-demo/blocks.4.hook_resid_pre") {
		t.Errorf("said %q", said)
	}
	mustRun(t, "--db", path, "check", "--sample", "1")
}

// inputProducts are the products of the first features' encoder rows with all rows of the
// embedding, in float64, from the files.
func inputProducts(t *testing.T, features int) [][]float64 {
	t.Helper()
	embedding, d := embeddingOfFiles(t)
	directions := encoderOfFiles(t, features, d)
	all := make([][]float64, features)
	for f := 0; f < features; f += together {
		products := make([][]float64, together)
		for i := range products {
			products[i] = make([]float64, len(embedding)/d)
		}
		multiply(directions[f*d:(f+together)*d], embedding, d, products)
		copy(all[f:], products)
	}
	return all
}

// definedScore is the largest distance of the running sum over the ranking, +1/m at a member and
// -1/(V-m) elsewhere, which way it lies, and the Mann-Whitney AUC, of a set of m tokens of V.
func definedScore(weights []float64, members []int) (es, auc float64, direction string) {
	order := make([]int, len(weights))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case weights[a] > weights[b]:
			return -1
		case weights[a] < weights[b]:
			return 1
		}
		return 0
	})
	isMember := make([]bool, len(weights))
	for _, m := range members {
		isMember[m] = true
	}
	in, out := 1/float64(len(members)), 1/float64(len(weights)-len(members))
	var sum, highest, lowest, below float64
	others := float64(len(weights) - len(members))
	for _, token := range order {
		if isMember[token] {
			sum += in
			below += others
		} else {
			sum -= out
			others--
		}
		highest, lowest = max(highest, sum), min(lowest, sum)
	}
	es, direction = highest, "excites"
	if -lowest > highest {
		es, direction = -lowest, "holds back"
	}
	return es, below / float64(len(members)) / float64(len(weights)-len(members)), direction
}

// TestInputLabels: an encoder that reads what a set's tokens have in common is labelled by it, one
// that reads the reverse too, beside what the output side has; an SAE may be called as a column is.
func TestInputLabels(t *testing.T) {
	t.Parallel()
	path := withInputSide(t)
	embedding, d := embeddingOfFiles(t)
	var mean [2][]float64 // of the embedding's rows of a set, and of all
	for i, query := range []string{"SELECT CAST(unnest(tokens) AS VARCHAR) FROM token_sets WHERE token_set = 'all_digits'", "SELECT CAST(token_id AS VARCHAR) FROM tokens"} {
		mean[i] = make([]float64, d)
		ids := textsIn(t, path, query)
		for _, text := range ids {
			id, err := strconv.Atoi(text)
			if err != nil {
				t.Fatal(err)
			}
			for j := range d {
				mean[i][j] += float64(embedding[id*d+j]) / float64(len(ids))
			}
		}
	}
	const features = 4
	decoder, encoder := make([]float32, features*d), make([]float32, d*features)
	for f := range features {
		for j := range d {
			decoder[f*d+j] = float32(math.Sin(float64(f*d+j) * 1.7))
			encoder[j*features+f] = float32(math.Cos(float64(j*(f+2)) * 0.9))
			switch f {
			case 1:
				encoder[j*features+f] = float32(mean[0][j] - mean[1][j])
			case 2:
				encoder[j*features+f] = float32(mean[1][j] - mean[0][j])
			}
		}
	}
	dir := filepath.Join(t.TempDir(), "w_dec")
	write(t, dir, "cfg.json", fmt.Appendf(nil, `{"architecture": "standard", "d_in": %d, "d_sae": %d, "hook_name": "blocks.3.hook_resid_pre", "model_name": "m", "dtype": "float32"}`, d, features))
	safetensorstest.Write(t, filepath.Join(dir, "sae_weights.safetensors"), safetensorstest.F32("W_dec", []int{features, d}, decoder...),
		safetensorstest.F32("W_enc", []int{d, features}, encoder...), safetensorstest.F32("b_enc", []int{features}, make([]float32, features)...))
	mustRun(t, "--db", path, "load", "sae", dir, "--release", "stored_labels", "--encoder")
	mustRun(t, "--db", path, "compute", "--side", "both", "--sae", "stored_labels/w_dec")
	got := textsIn(t, path, "SELECT feature || ' ' || coalesce(label, '') FROM features WHERE sae = 'stored_labels/w_dec' ORDER BY feature")
	for i, want := range []string{"0 ", "1 excited by numbers of 1 digit (", "2 held back by numbers of 1 digit (", "3 "} {
		if !strings.HasPrefix(got[i], want) || len(want) == 2 && strings.Contains(got[i], "excited by") {
			t.Errorf("label %q, expected %q", got[i], want)
		}
	}
	for query, want := range map[string]string{
		// Of the same features, what the output side says stands after it, as without the input side.
		"SELECT count(*) FROM features f LEFT JOIN stored_labels l ON l.feature = f.feature AND l.sae_id = (SELECT load_id FROM saes WHERE sae = f.sae) WHERE layer = 3 AND NOT ends_with(coalesce(f.label, ''), coalesce(l.label, ''))": "0",
		"SELECT both_sides('excited by months', 'promotes numbers') || ' / ' || both_sides(NULL, 'promotes numbers') || ' / ' || both_sides('excited by months', NULL) || ' / ' || coalesce(both_sides(NULL, NULL), 'none')":             "excited by months; promotes numbers / promotes numbers / excited by months / none",
		"SELECT string_agg(DISTINCT direction, ' ' ORDER BY direction) FROM input_enrichment WHERE q_value < 0.05 AND token_set = 'all_digits' AND feature IN (1, 2)":                                                                    "excites holds back",
	} {
		if got := textsIn(t, path, "SELECT CAST(("+query+") AS VARCHAR)"); got[0] != want {
			t.Errorf("%s: %s, expected %s", query, got[0], want)
		}
	}
	for feature, want := range map[int]string{1: "excites", 2: "holds back"} {
		got := textsIn(t, path, fmt.Sprintf("SELECT token_set || ' ' || beyond_chance FROM strongest_of_feature('stored_labels/w_dec', %d, k := 1, side := 'input') WHERE direction = '%s'", feature, want))
		if !slices.Equal(got, []string{"1 digit true"}) {
			t.Errorf("feature %d: what %s it most is %q, expected 1 digit", feature, want, got)
		}
	}
	expectFailure(t, saedbRun(t, "", "--db", path, "sql", "FROM strongest_of_feature('layer_29', 63, side := 'inside')"), 1, "side: expected output or input, found inside")
	mustRun(t, "--db", path, "check", "--sample", "4")
	mustRun(t, "--db", path, "unload", "sae", "stored_labels/w_dec")
	if n := count(t, path, "SELECT (SELECT count(*) FROM stored_input_labels) + (SELECT count(*) FROM stored_input_enrichment) + (SELECT count(*) FROM stored_input_statistics)"); n != 0 {
		t.Errorf("%d rows left of an SAE that is unloaded", n)
	}
}

// TestInputBaselineLikeSAE: random directions of the input side are like the encoder, not the
// decoder, where compute --baseline-like sae says so, and the SAE keeps to them.
func TestInputBaselineLikeSAE(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "like.db")
	inputDatabase(t, db)
	mustRun(t, "--db", db, "compute", "--side", "input", "--baseline", "300")
	isotropic := textsIn(t, db, "SELECT concat_ws(' ', feature, token_set, p_value, q_value) FROM input_enrichment ORDER BY ALL")
	if said := mustRun(t, "--db", db, "compute", "--side", "input", "--baseline-like", "sae", "--baseline", "300"); !strings.Contains(said, "computed baseline of input side of small: 300 random directions like blocks.1.hook_resid_pre in 3 token sets") {
		t.Errorf("said %q", said)
	}
	if said := mustRun(t, "--db", db, "compute", "--side", "input"); !strings.Contains(said, "nothing to compute") {
		t.Errorf("the second time, said %q", said)
	}
	for query, want := range map[string]string{
		`SELECT count(*) FROM input_baseline_enrichment b WHERE kind = 'sae' AND like_sae = 'blocks.1.hook_resid_pre' AND abs(expected_es -
			(SELECT median(enrichment_score(random_direction_like(1, range, 'blocks.1.hook_resid_pre#encoder'), 'small#embedding', 'third')) FROM range(300))) < 1e-7 AND token_set = 'third'`: "1",
		`SELECT count(*) FROM baseline_statistics WHERE kind = 'sae' AND statistic = 'input_kurtosis' AND abs(q50 -
			(SELECT quantile_disc((logit_stats(random_direction_like(1, range, 'blocks.1.hook_resid_pre#encoder'), 'small#embedding')).kurtosis, 0.5) FROM range(300))) < 1e-9`: "1",
		"SELECT random_direction_like(1, 3, 'blocks.1.hook_resid_pre') = random_direction_like(1, 3, 'blocks.1.hook_resid_pre#decoder')": "true",
		"SELECT random_direction_like(1, 3, 'blocks.1.hook_resid_pre') = random_direction_like(1, 3, 'blocks.1.hook_resid_pre#encoder')": "false",
		"SELECT count(DISTINCT kind) FROM baseline_enrichment":                                                                           "0",
	} {
		if got := textsIn(t, db, "SELECT CAST(("+query+") AS VARCHAR)"); got[0] != want {
			t.Errorf("%s: %s, expected %s", query, got[0], want)
		}
	}
	fresh := filepath.Join(t.TempDir(), "fresh.db")
	mustRun(t, "--db", fresh, "import", "--parquet", exported(t, db))
	sameInputSide(t, db, fresh)
	mustRun(t, "--db", fresh, "check", "--all")
	mustRun(t, "--db", db, "compute", "--side", "input", "--baseline-like", "isotropic")
	if again := textsIn(t, db, "SELECT concat_ws(' ', feature, token_set, p_value, q_value) FROM input_enrichment ORDER BY ALL"); !slices.Equal(again, isotropic) {
		t.Error("p-values are other ones after the way back")
	}
	mustRun(t, "--db", db, "check", "--all")
	expectFailure(t, saedbRun(t, "", "--db", db, "sql", "SELECT random_direction_like(1, 1, 'small#embedding')"), 1, "expected an SAE, or SAE#encoder, found small#embedding")
	mustRun(t, "--db", db, "unload", "sae", "blocks.0.hook_resid_pre", "blocks.1.hook_resid_pre")
	if n := count(t, db, "SELECT count(*) FROM stored_baselines WHERE sae_id IS NOT NULL"); n != 0 {
		t.Errorf("%d baselines left that are like SAEs which are gone", n)
	}
}

// inputDatabase makes a small database of a model with its embedding, an SAE without its encoder
// and one with it, and three token sets.
func inputDatabase(t *testing.T, db string) {
	t.Helper()
	dir := t.TempDir()
	mustRun(t, "--db", db, "load", "model", modelOf(t, "gpt2", ""), "--name", "small", "--embedding")
	for layer := range 2 {
		at := filepath.Join(dir, fmt.Sprintf("blocks.%d.hook_resid_pre", layer))
		encodedSAE(t, at, layer, 24)
		args := []string{"--db", db, "load", "sae", at}
		if layer == 1 {
			args = append(args, "--encoder")
		}
		mustRun(t, args...)
	}
	for name, condition := range map[string]string{"first": "token_id < 10", "third": "token_id % 3 = 0 AND NOT is_padding", "most": "token_id <> 5 AND NOT is_padding"} {
		mustRun(t, "--db", db, "load", "sets", "--name", name, "--sql", "SELECT token_id FROM tokens WHERE "+condition)
	}
}

// sameInputSide holds what two databases show of the input side against each other.
func sameInputSide(t *testing.T, a, b string) {
	t.Helper()
	rows := func(path string) []string {
		return textsIn(t, path, `SELECT concat_ws(' ', sae, feature, label, input_tokens, input_bottom_tokens, input_skewness, input_kurtosis, input_skewness_p, input_skewness_q,
				input_kurtosis_p, input_kurtosis_q, input_mean, input_std) FROM features
			UNION ALL SELECT CAST(e AS VARCHAR) FROM input_enrichment e UNION ALL SELECT CAST(e AS VARCHAR) FROM enrichment e
			UNION ALL SELECT CAST(k AS VARCHAR) FROM feature_input_tokens k UNION ALL SELECT CAST(n AS VARCHAR) FROM input_baseline_enrichment n
			UNION ALL SELECT CAST(s AS VARCHAR) FROM baseline_statistics s
			UNION ALL SELECT concat_ws(' ', tokens, kernel, counted_tokens, features, scores) FROM stored_input_computations
			UNION ALL SELECT CAST(t AS VARCHAR) FROM (SELECT feature, cos_mean, cos_std, cos_skewness, cos_kurtosis, top_token_ids, top_logit_weights, bottom_token_ids, bottom_logit_weights
				FROM stored_input_statistics) t ORDER BY ALL`)
	}
	was, is := rows(a), rows(b)
	if missing, added := difference(was, is); len(missing)+len(added) > 0 || len(is) < 100 {
		t.Errorf("of %d rows %d are missing and %d are other ones: %.300v", len(was), len(missing), len(added), added)
	}
}

// inputPlants are statements that damage what is stored of the input side, and what check says.
var inputPlants = []struct{ statements, want string }{
	{"UPDATE stored_input_statistics SET mean = mean + 0.001 WHERE feature = 7", "stored_input_statistics: SAE blocks.1.hook_resid_pre, feature 7: mean: expected"},
	{"UPDATE stored_input_statistics SET skewness = skewness + 0.001 WHERE feature = 7", "feature 7: skewness: expected"},
	{"UPDATE stored_input_statistics SET cos_std = cos_std * 1.0001 WHERE feature = 7", "feature 7: cos_std: expected"},
	{"UPDATE stored_input_statistics SET bottom_logit_weights = list_transform(bottom_logit_weights, lambda x: x - 0.001) WHERE feature = 7", "feature 7: bottom_logit_weights: expected"},
	{"UPDATE stored_input_statistics SET top_tokens = top_tokens[2:] || bottom_tokens[1:1], top_token_ids = top_token_ids[2:] || bottom_token_ids[1:1], top_logit_weights = top_logit_weights[2:] || bottom_logit_weights[1:1] WHERE feature = 7",
		"feature 7: top_token_ids: expected token"},
	{"UPDATE stored_input_statistics SET feature = 23 - feature", "stored_input_statistics: SAE blocks.1.hook_resid_pre, feature 0: mean: expected"},
	{"UPDATE stored_input_computations SET tokens = 'real'", "stored_input_statistics: SAE blocks.1.hook_resid_pre, feature 0: mean: expected"},
	{"UPDATE stored_input_computations SET baseline_id = (SELECT baseline_id FROM stored_baselines WHERE side = 'output')", "stored_input_computations: sae_id 3: baseline"},
	{"UPDATE stored_computations SET baseline_id = (SELECT baseline_id FROM stored_baselines WHERE side = 'input') WHERE sae_id = 3", " is of side input, expected output"},
	{"UPDATE stored_baselines SET side = 'inside' WHERE side = 'input'", "expected side output or input, found inside"},
	{"UPDATE stored_input_enrichment SET es = es + 1e-6 WHERE feature = 7", "stored_input_enrichment: SAE blocks.1.hook_resid_pre, feature 7, token set first: expected es"},
	{"UPDATE stored_input_enrichment SET auc = auc + 1e-6 WHERE feature = 7", "feature 7, token set first: expected es"},
	{"UPDATE stored_input_enrichment SET promoted = NOT promoted WHERE feature = 7", "feature 7, token set first: expected es"},
	{"UPDATE stored_input_enrichment SET log10_ks_p = log10_ks_p * 1.0001 WHERE feature = 7", "feature 7, token set third: expected es"},
	{"UPDATE stored_input_enrichment SET log10_p = log10_p * 1.0001 WHERE feature = 7", "feature 7, token set most: expected log10_p"},
	{"UPDATE stored_input_enrichment SET log10_q_all = log10_q_all - 0.1 WHERE feature = 7", "expected log10_q"},
	{"UPDATE stored_input_enrichment SET feature = 24 WHERE feature = 7", "expected features from 0 to 23"},
	{"DELETE FROM stored_input_enrichment WHERE feature = 7", "stored_input_computations: SAE blocks.1.hook_resid_pre: expected 72 rows of stored_input_enrichment, as its computation recorded, found 69"},
	{"INSERT INTO stored_input_enrichment SELECT 99, * EXCLUDE (sae_id) FROM stored_input_enrichment", "stored_input_enrichment: sae_id 99: 72 rows, but no such SAE"},
	{"DELETE FROM stored_input_labels; INSERT INTO stored_input_labels SELECT 3, 7, set_id, 'excited by nothing' FROM stored_token_sets WHERE token_set = 'first'", "stored_input_labels: SAE blocks.1.hook_resid_pre, feature 7: expected "},
	{"UPDATE stored_token_sets SET token_ids = list_concat(token_ids[2:], [63]) WHERE token_set = 'first'", "stored_input_enrichment: SAE blocks.1.hook_resid_pre, feature 0, token set first: expected es"},
	{"UPDATE stored_embeddings SET w_e = list_transform(w_e, lambda x: x * 1.1::FLOAT) WHERE token_id = 7; UPDATE stored_unembeddings SET w_u = list_transform(w_u, lambda x: x * 1.1::FLOAT) WHERE token_id = 7", "stored_input_statistics: SAE blocks.1.hook_resid_pre, feature "},
}

// TestCheckFindsInputDamage: figures of the input side are computed again from the definition, and
// one kind of damage after the other is found and named.
func TestCheckFindsInputDamage(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "input.db")
	inputDatabase(t, db)
	mustRun(t, "--db", db, "compute", "--side", "both")
	if said := mustRun(t, "--db", db, "check", "--all"); !strings.Contains(said, "2 SAEs with 48 features: statistics of 72 features computed again in float64, 216 enrichment scores again") {
		t.Fatalf("before any damage check says:\n%s", said)
	}
	for _, plant := range inputPlants {
		damaged := filepath.Join(t.TempDir(), "damaged.db")
		copyFile(t, db, damaged)
		change(t, damaged, plant.statements)
		if r := saedbRun(t, "", "--db", damaged, "check", "--all"); r.code != 3 || !strings.Contains(r.stdout, plant.want) {
			t.Errorf("%s:\nexit %d, expected 3 and %q, found\n%s%s", plant.statements, r.code, plant.want, r.stdout, r.stderr)
		}
	}
}

// TestImportOfInputSide: what is exported of the input side is the same again after an import, also
// beside figures that are there; results without it say nothing of it, and torn ones are refused.
func TestImportOfInputSide(t *testing.T) {
	t.Parallel()
	db, fresh := filepath.Join(t.TempDir(), "input.db"), filepath.Join(t.TempDir(), "fresh.db")
	inputDatabase(t, db)
	mustRun(t, "--db", db, "compute")
	outputAlone := exported(t, db)
	mustRun(t, "--db", db, "compute", "--side", "input", "--tokens", "real")
	both := exported(t, db)
	mustRun(t, "--db", fresh, "import", "--parquet", outputAlone)
	if n := count(t, fresh, "SELECT count(*) FROM stored_input_computations"); n != 0 {
		t.Errorf("%d computations of the input side of results without it", n)
	}
	if said := mustRun(t, "--db", fresh, "import", "--parquet", both); !strings.Contains(said, "72 enrichment scores") {
		t.Errorf("said %q", said)
	}
	sameInputSide(t, db, fresh)
	mustRun(t, "--db", fresh, "check", "--all")
	// Again is nothing new; results without it leave it, also in place of the output side's.
	mustRun(t, "--db", fresh, "import", "--parquet", both)
	mustRun(t, "--db", fresh, "import", "--parquet", outputAlone, "--replace")
	sameInputSide(t, db, fresh)
	// Without weights, compute leaves what is there, and says what it cannot do.
	if said := mustRun(t, "--db", fresh, "compute", "--side", "input"); !strings.Contains(said, "nothing to compute") {
		t.Errorf("said %q", said)
	}
	expectFailure(t, saedbRun(t, "", "--db", fresh, "compute", "--side", "input", "--tokens", "all"), 1, "is not in this database", "--encoder")
	mustRun(t, "--db", fresh, "compute", "--side", "input", "--baseline", "0")
	if n := count(t, fresh, "SELECT count(p_value) FROM input_enrichment"); n != 0 {
		t.Errorf("%d p-values without a baseline", n)
	}
	for name, c := range map[string]struct{ table, query, want string }{
		"half of a row": {"features", "SELECT * REPLACE (CASE WHEN feature <> 3 THEN input_weights END AS input_weights) FROM t", "rows lack some figures of their input side"},
		"no column":     {"features", "SELECT * EXCLUDE (input_weights) FROM t", "figures of its input side lack columns"},
		"which tokens":  {"saes", "SELECT * EXCLUDE (input_side_tokens) FROM t", "expected all or real as input_side_tokens of saes"},
		"another side":  {"baseline_statistics", "FROM t WHERE side = 'output'", "expected in baseline_statistics the baseline of its p-values"},
		"other sets":    {"token_sets", "FROM t WHERE token_set <> 'first'", "are of features that it does not have, or of sets that token_sets does not have"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "out")
			if err := os.CopyFS(dir, os.DirFS(both)); err != nil {
				t.Fatal(err)
			}
			files, err := filepath.Glob(filepath.Join(dir, c.table, "*", "*", "*.parquet"))
			if err != nil || len(files) == 0 {
				files = []string{filepath.Join(dir, c.table, c.table+".parquet")}
			}
			for _, file := range files {
				mustRun(t, "sql", "CREATE TABLE t AS FROM '"+file+"'; COPY ("+c.query+") TO '"+file+"' (FORMAT parquet)")
			}
			expectFailure(t, saedbRun(t, "", "--db", filepath.Join(t.TempDir(), "new.db"), "import", "--parquet", dir), 1, c.want)
		})
	}
}
