package test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/internal/check"
	"github.com/saedb/saedb/internal/compute"
)

// smallDatabase makes a database of a model of 500 columns, 64 of them tokens, two
// SAEs of 24 features, and four token sets, all computed. It takes a second.
func smallDatabase(t *testing.T) (db string) {
	t.Helper()
	dir := t.TempDir()
	db = filepath.Join(dir, "small.db")
	tinySAE(t, filepath.Join(dir, "blocks.0.hook_resid_pre"), 0)
	tinySAE(t, filepath.Join(dir, "blocks.1.hook_resid_pre"), 1)
	mustRun(t, "--db", db, "load", "model", modelOf(t, "gpt2", ""), "--name", "small")
	mustRun(t, "--db", db, "load", "sae", dir, "--release", "r")
	for name, condition := range map[string]string{"first": "token_id < 10", "third": "token_id % 3 = 0 AND NOT is_padding", "one": "token_id = 5", "most": "token_id <> 5 AND NOT is_padding"} {
		mustRun(t, "--db", db, "load", "sets", "--name", name, "--sql", "SELECT token_id FROM tokens WHERE "+condition)
	}
	mustRun(t, "--db", db, "compute")
	return db
}

// change runs statements on a database that is not open.
func change(t *testing.T, path, statements string) {
	t.Helper()
	db, err := saedb.Open(t.Context(), path, saedb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), statements); err != nil {
		t.Fatalf("%s: %v", statements, err)
	}
}

// plants are statements that damage a small database, and what check says of each.
// The SAE with sae_id 3 is r/blocks.1.hook_resid_pre.
var plants = []struct{ statements, want string }{
	{"DELETE FROM stored_decoders WHERE sae_id = 3 AND feature = 7", "stored_decoders: SAE r/blocks.1.hook_resid_pre, feature 7: its row is missing"},
	{"INSERT INTO stored_decoders SELECT * FROM stored_decoders WHERE sae_id = 3 AND feature = 7", "stored_decoders: SAE r/blocks.1.hook_resid_pre, feature 7: expected 1 row, found 2"},
	{"UPDATE stored_decoders SET feature = 24 WHERE sae_id = 3 AND feature = 7", "stored_decoders: SAE r/blocks.1.hook_resid_pre, feature 24: expected numbers from 0 to 23"},
	{"UPDATE stored_decoders SET w_dec = w_dec[:31] WHERE sae_id = 3 AND feature = 7", "feature 7: expected 32 values in w_dec, found 31"},
	{"UPDATE stored_decoders SET w_dec = list_concat(w_dec[:31], ['nan'::FLOAT]) WHERE sae_id = 3 AND feature = 7", "feature 7: expected finite values in w_dec"},
	{"UPDATE stored_decoders SET w_dec = list_concat(['-inf'::FLOAT], w_dec[2:]) WHERE sae_id = 3 AND feature = 7", "feature 7: expected finite values in w_dec"},
	{"UPDATE stored_decoders SET w_dec = list_concat(w_dec[:31], [NULL::FLOAT]) WHERE sae_id = 3 AND feature = 7", "feature 7: expected finite values in w_dec"},
	// One last bit of one weight, which no figure shows.
	{"UPDATE stored_decoders SET w_dec = list_concat([w_dec[1] * 1.0000001::FLOAT], w_dec[2:]) WHERE sae_id = 3 AND feature = 7",
		"stored_decoders: SAE r/blocks.1.hook_resid_pre: its rows are not those that were loaded: expected hash"},
	{"UPDATE stored_decoders SET log_sparsity = -3 WHERE sae_id = 3 AND feature = 7", "stored_decoders: SAE r/blocks.1.hook_resid_pre: its rows are not those that were loaded"},
	{"INSERT INTO stored_decoders SELECT 99, feature, w_dec, log_sparsity FROM stored_decoders WHERE sae_id = 3", "stored_decoders: sae_id 99: 24 rows, but no such SAE"},
	{"DELETE FROM stored_unembeddings WHERE token_id = 60", "stored_unembeddings: model small, token 60: its row is missing"},
	{"UPDATE stored_unembeddings SET w_u = list_concat([1e30::FLOAT], w_u[2:]) WHERE token_id = 60", "stored_unembeddings: model small: its rows are not those that were loaded"},
	{"UPDATE stored_unembeddings SET w_u = list_concat(w_u, w_u) WHERE token_id = 60", "stored_unembeddings: model small, token 60: expected 32 values in w_u, found 64"},
	{"DELETE FROM stored_tokens WHERE token_id = 60", "stored_tokens: model small, token 60: its row is missing"},
	{"UPDATE stored_tokens SET text = 'other' WHERE token_id = 60", "stored_tokens: model small: its rows are not those that were loaded"},
	{"UPDATE stored_tokens SET is_special = true WHERE token_id = 60", "stored_tokens: model small: its rows are not those that were loaded"},
	{"UPDATE stored_saes SET d_sae = 25 WHERE sae_id = 3", "stored_decoders: SAE r/blocks.1.hook_resid_pre, feature 24: its row is missing"},
	{"UPDATE stored_saes SET d_model = 16 WHERE sae_id = 3", "stored_saes: SAE r/blocks.1.hook_resid_pre: expected d_model 32, that of model small, found 16"},
	{"UPDATE stored_saes SET model_id = 7 WHERE sae_id = 3", "stored_saes: SAE r/blocks.1.hook_resid_pre: its model, model_id 7, is not there"},
	{"UPDATE stored_saes SET sae = 'r/blocks.0.hook_resid_pre' WHERE sae_id = 3", "stored_saes: SAE r/blocks.0.hook_resid_pre: 2 SAEs have that name"},
	{"DELETE FROM stored_models", "stored_loads: load 1, model small: it is current, but nothing that it loaded is there"},
	{"DELETE FROM stored_loads WHERE load_id = 3", "stored_saes: SAE r/blocks.1.hook_resid_pre: load 3 is not there"},
	{"DELETE FROM stored_load_files WHERE load_id = 3 AND path = 'cfg.json'", "stored_loads: load 3, sae r/blocks.1.hook_resid_pre: expected"},
	{"UPDATE stored_loads SET sha256 = 'abc' WHERE load_id = 3", "stored_loads: sae r/blocks.1.hook_resid_pre: expected sha256"},
	{"UPDATE stored_explanations SET description = 'ones' WHERE feature = 0", "stored_explanations: explanations batch-0.jsonl: its rows are not those that were loaded: expected hash"},
	{"UPDATE stored_explanations SET feature = 1 WHERE description = 'zeroes'", "stored_explanations: explanations batch-0.jsonl: its rows are not those that were loaded"},
	{"UPDATE stored_explanations SET explainer = NULL WHERE feature = 0", "stored_explanations: explanations batch-0.jsonl: its rows are not those that were loaded"},
	{"DELETE FROM stored_explanations WHERE feature = 0", "stored_explanations: explanations batch-0.jsonl: expected 3 rows, as its load wrote, found 0"},
	// In bit_xor the two that are equal would leave no trace.
	{"UPDATE stored_explanations SET description = 'twice changed' WHERE description = 'twice'", "stored_explanations: explanations batch-0.jsonl: its rows are not those that were loaded"},
	{"UPDATE stored_neuronpedia_features SET density = 0.5", "stored_neuronpedia_features: explanations batch-1.jsonl: its rows are not those that were loaded"},
	{"UPDATE stored_neuronpedia_features SET max_activation = NULL", "stored_neuronpedia_features: explanations batch-1.jsonl: its rows are not those that were loaded"},
	{"DELETE FROM stored_contents WHERE stored_table = 'stored_explanations'", "stored_contents: explanations batch-0.jsonl: expected the hash of its rows of stored_explanations, found none"},
	{"UPDATE stored_contents SET stored_table = 'loads' WHERE stored_table = 'stored_tokens'", "stored_contents: model small: expected a table of weights, tokens or explanations, found loads"},
	{"INSERT INTO stored_schema FROM stored_schema", "stored_schema: expected 1 row, found 2"},
	{"INSERT INTO stored_explanations VALUES (99, 'm/0', 0, 'x', NULL, NULL)", "stored_explanations: load_id 99: 1 rows, but no such load"},
	{"DELETE FROM stored_contents WHERE load_id = 3", "stored_contents: sae r/blocks.1.hook_resid_pre: expected the hash of its rows of stored_decoders, found none"},
	{"UPDATE stored_statistics SET skewness = skewness + 0.001 WHERE sae_id = 3 AND feature = 7", "stored_statistics: SAE r/blocks.1.hook_resid_pre, feature 7: skewness: expected"},
	{"UPDATE stored_statistics SET cos_std = cos_std * 1.0001 WHERE sae_id = 3 AND feature = 7", "stored_statistics: SAE r/blocks.1.hook_resid_pre, feature 7: cos_std: expected"},
	{"UPDATE stored_statistics SET mean = NULL WHERE sae_id = 3 AND feature = 7", "feature 7: some of its figures are NULL"},
	{"UPDATE stored_statistics SET kurtosis = NULL WHERE sae_id = 3 AND feature = 7", "feature 7: expected skewness and kurtosis to be NULL where std is 0, and nowhere else"},
	{"UPDATE stored_statistics SET kurtosis = 0.5 WHERE sae_id = 3 AND feature = 7", "feature 7: no distribution has skewness"},
	{"UPDATE stored_statistics SET std = 'inf' WHERE sae_id = 3 AND feature = 7", "feature 7: expected finite figures with std from 0 on, found mean"},
	{"INSERT INTO stored_statistics SELECT * FROM stored_statistics WHERE sae_id = 3 AND feature = 7", "stored_statistics: SAE r/blocks.1.hook_resid_pre, feature 7: expected 1 row, found 2"},
	{"UPDATE stored_statistics SET top_token_ids = list_concat([500], top_token_ids[2:]) WHERE sae_id = 3 AND feature = 7", "feature 7: top token with id 500, which the model does not have"},
	{"UPDATE stored_statistics SET bottom_token_ids = bottom_token_ids[:9] WHERE sae_id = 3 AND feature = 7", "feature 7: expected 10 bottom tokens, found 10 texts, 9 ids and 10 logit weights"},
	{"UPDATE stored_statistics SET top_tokens = list_concat(['no'], top_tokens[2:]) WHERE sae_id = 3 AND feature = 7", "as text of top token"},
	{"UPDATE stored_statistics SET top_logit_weights = list_reverse(top_logit_weights) WHERE sae_id = 3 AND feature = 7", "feature 7: its top_logit_weights are not in order"},
	{"UPDATE stored_statistics SET bottom_logit_weights = list_transform(bottom_logit_weights, lambda x: x - 0.001) WHERE sae_id = 3 AND feature = 7", "feature 7: bottom_logit_weights: expected"},
	{"UPDATE stored_statistics SET top_tokens = top_tokens[2:] || bottom_tokens[1:1], top_token_ids = top_token_ids[2:] || bottom_token_ids[1:1], top_logit_weights = top_logit_weights[2:] || bottom_logit_weights[1:1] WHERE sae_id = 3 AND feature = 7",
		"feature 7: top_token_ids: expected token"},
	{"DELETE FROM stored_computations WHERE sae_id = 3", "stored_statistics: sae_id 3: 24 rows, but no such row of stored_computations"},
	{"UPDATE stored_computations SET tokens = 'some' WHERE sae_id = 3", "stored_computations: sae_id 3: expected tokens all or real, found some"},
	{"UPDATE stored_computations SET tokens = 'real' WHERE sae_id = 3", "stored_statistics: SAE r/blocks.1.hook_resid_pre, feature 0: mean: expected"},
	{"UPDATE stored_token_sets SET token_ids = [1, 500] WHERE token_set = 'first'", "stored_token_sets: token set first: expected ids of tokens from 0 to 499, found 500"},
	{"UPDATE stored_token_sets SET token_ids = [2, 1] WHERE token_set = 'first'", "stored_token_sets: token set first: its token ids are not ascending, each once"},
	{"UPDATE stored_token_sets SET token_ids = list_concat(token_ids[2:], [63]) WHERE token_set = 'first'", "token set first: expected es"},
	{"DELETE FROM stored_token_sets WHERE token_set = 'first'", "rows, but no such token set"},
	{"UPDATE stored_enrichment SET es = es / 2 WHERE sae_id = 3 AND feature = 7", "stored_enrichment: SAE r/blocks.1.hook_resid_pre, feature 7, token set first: expected es"},
	{"UPDATE stored_enrichment SET es = 1.5 WHERE sae_id = 3 AND feature = 7", "feature 7, token set first: expected es and auc from 0 to 1"},
	{"UPDATE stored_enrichment SET auc = NULL WHERE sae_id = 3 AND feature = 7", "feature 7, token set first: some of its figures are NULL"},
	{"UPDATE stored_enrichment SET log10_q = log10_q - 0.1 WHERE sae_id = 3 AND feature = 7", "feature 7, token set first: expected log10_q"},
	{"INSERT INTO stored_enrichment SELECT * FROM stored_enrichment WHERE sae_id = 3 AND feature = 7", "feature 7, token set first: expected 1 row, found 2"},
	{"INSERT INTO stored_enrichment SELECT 99, * EXCLUDE (sae_id) FROM stored_enrichment WHERE sae_id = 3", "stored_enrichment: sae_id 99: 96 rows, but no such SAE"},
	{"DELETE FROM stored_statistics WHERE sae_id = 3 AND feature = 7", "stored_computations: SAE r/blocks.1.hook_resid_pre: expected 24 rows of stored_statistics, as its computation recorded, found 23"},
	{"DELETE FROM stored_enrichment WHERE sae_id = 3 AND feature = 7", "stored_computations: SAE r/blocks.1.hook_resid_pre: expected 96 rows of stored_enrichment, as its computation recorded, found 92"},
	{"DELETE FROM stored_enrichment WHERE set_id = (SELECT set_id FROM stored_token_sets WHERE token_set = 'first')", "expected 96 rows of stored_enrichment, as its computation recorded, found 72"},
	{"DELETE FROM stored_enrichment WHERE set_id = (SELECT set_id FROM stored_token_sets WHERE token_set = 'first'); DELETE FROM stored_token_sets WHERE token_set = 'first'", "expected 96 rows of stored_enrichment, as its computation recorded, found 72"},
	{"UPDATE stored_computations SET features = 23 WHERE sae_id = 3", "expected 23 rows of stored_statistics, as its computation recorded, found 24"},
	{"UPDATE stored_computations SET counted_tokens = 499 WHERE sae_id = 3", "stored_computations: SAE r/blocks.1.hook_resid_pre: expected 500 counted tokens, found 499"},
	{"UPDATE stored_token_sets SET token_set = 'other' WHERE token_set = 'first'", "stored_token_sets: token set other: it is not the set that was stored: expected hash"},
	{"UPDATE stored_token_sets SET family = 'other' WHERE token_set = 'first'", "stored_token_sets: token set first: it is not the set that was stored"},
	{"UPDATE stored_token_sets SET description = 'other' WHERE token_set = 'first'", "stored_token_sets: token set first: it is not the set that was stored"},
	{"UPDATE stored_token_sets SET real_size = 9 WHERE token_set = 'first'", "stored_token_sets: token set first: expected real_size 10, found 9"},
	{"UPDATE stored_statistics SET top_share = top_share + 1e-6 WHERE sae_id = 3 AND feature = 7", "feature 7: expected top_share"},
	{"UPDATE stored_statistics SET top_share = NULL WHERE sae_id = 3 AND feature = 7", "feature 7: expected top_share"},
	{"UPDATE stored_statistics SET mean = mean + 1e-4 WHERE sae_id = 3 AND feature = 7", "feature 7: expected top_share"},
	{"UPDATE stored_statistics SET kurtosis = kurtosis * 1.00003 WHERE sae_id = 3 AND feature = 7", "feature 7: kurtosis: expected"},
	{"UPDATE stored_statistics SET cos_skewness = -cos_skewness WHERE sae_id = 3 AND feature = 7", "feature 7: cos_skewness: expected"},
	{"UPDATE stored_statistics SET skewness = NULL, kurtosis = NULL WHERE sae_id = 3 AND feature = 7", "feature 7: expected skewness and kurtosis to be NULL where std is 0"},
	{"UPDATE stored_enrichment SET es = es + 1e-6 WHERE sae_id = 3 AND feature = 7", "feature 7, token set first: expected es"},
	{"UPDATE stored_enrichment SET auc = auc + 1e-6 WHERE sae_id = 3 AND feature = 7", "feature 7, token set first: expected es"},
	{"UPDATE stored_enrichment SET promoted = NOT promoted WHERE sae_id = 3 AND feature = 7", "feature 7, token set first: expected es"},
	{"UPDATE stored_enrichment SET log10_ks_p = log10_ks_p * 1.0001 WHERE sae_id = 3 AND feature = 7", "feature 7, token set third: expected es"},
	{"UPDATE stored_enrichment SET log10_p = log10_p * 1.0001 WHERE sae_id = 3 AND feature = 7", "feature 7, token set third: expected log10_p"},
	{"UPDATE stored_enrichment SET log10_q_all = log10_q_all - 0.1 WHERE sae_id = 3 AND feature = 7", "expected log10_q"},
	{"UPDATE stored_baseline_enrichment SET scale = -scale", "expected scores that descend"},
	{"UPDATE stored_baseline_statistics SET sorted_values = list_reverse(sorted_values)", "its values are not finite and ascending"},
	{"UPDATE stored_baseline_statistics SET direction_rows = list_append(direction_rows[2:], direction_rows[2])", "expected a row of its random directions for each value"},
	{"UPDATE stored_computations SET baseline_id = 99", "baseline 99 is not there"},
	{"UPDATE stored_significance SET kurtosis_q = 0 WHERE feature = 3", "expected p- and q-values above 0 and at most 1"},
	{"UPDATE stored_statistics SET decoder_norm = decoder_norm * 1.001 WHERE sae_id = 3 AND feature = 7", "feature 7: expected decoder_norm"},
	{"UPDATE stored_statistics SET decoder_norm = NULL WHERE sae_id = 3 AND feature = 7", "feature 7: expected decoder_norm"},
	{"DELETE FROM stored_labels; INSERT INTO stored_labels SELECT 3, 7, set_id, 'promotes nothing' FROM stored_token_sets WHERE token_set = 'first'", "stored_labels: SAE r/blocks.1.hook_resid_pre, feature 7: expected "},
	{"INSERT INTO stored_labels SELECT 99, 7, set_id, 'promotes nothing' FROM stored_token_sets WHERE token_set = 'first'", "stored_labels: sae_id 99: 1 rows, but no such SAE"},
	{"UPDATE stored_set_enrichment SET beyond_chance = beyond_chance + 1 WHERE sae_id = 3", "stored_set_enrichment: SAE r/blocks.1.hook_resid_pre, token set first, promoted: expected "},
	{"UPDATE stored_set_enrichment SET auc = auc / 2 WHERE sae_id = 3 AND NOT promoted", "token set first, suppressed: expected "},
	{"DELETE FROM stored_set_enrichment WHERE sae_id = 3 AND promoted", "by its scores, found none"},
	{"INSERT INTO stored_set_enrichment FROM stored_set_enrichment WHERE sae_id = 3", "expected 1 row each way, found 2"},
	{"INSERT INTO stored_set_enrichment SELECT * REPLACE (99 AS sae_id) FROM stored_set_enrichment WHERE sae_id = 3", "stored_set_enrichment: sae_id 99: "},
	{"UPDATE stored_enrichment SET es = NULL, promoted = NULL, log10_ks_p = NULL, log10_p = NULL, log10_q = NULL, log10_q_all = NULL, auc = NULL WHERE sae_id = 3 AND feature = 7", "feature 7, token set first: expected es"},
	{"UPDATE stored_enrichment SET es = 0.1, promoted = true, auc = 0.5, log10_ks_p = 0, log10_p = 0, log10_q = 0 WHERE sae_id = 3 AND feature = 7", "feature 7, token set first: expected es"},
	{"UPDATE stored_enrichment SET feature = 23 - feature WHERE sae_id = 3 AND set_id = (SELECT set_id FROM stored_token_sets WHERE token_set = 'one')", "feature 7, token set one: expected es"},
	{"DROP VIEW features CASCADE; DROP TABLE stored_enrichment", "stored_enrichment: the table is missing"},
}

// TestCheckFindsDamage plants one kind of damage after the other, and all of them
// are found and named.
func TestCheckFindsDamage(t *testing.T) {
	t.Parallel() // checks of small databases are one thread's
	small, exports := smallDatabase(t), t.TempDir()
	write(t, exports, "batch-0.jsonl", []byte(explanation("29-res", "0", "zeroes", "gpt-4o")+explanation("29-res", "0", "twice", "gpt-4o")+explanation("29-res", "0", "twice", "gpt-4o")))
	write(t, exports, "batch-1.jsonl", []byte(activations("0", "4.5", "0.25")))
	for _, export := range []string{"batch-0.jsonl", "batch-1.jsonl"} {
		if r := saedbRun(t, "", "--db", small, "load", "explanations", filepath.Join(exports, export)); r.code != 0 { // it notes that no SAE has that id
			t.Fatal(r.stderr)
		}
	}
	if said := mustRun(t, "--db", small, "check", "--all"); !strings.Contains(said, "1 model, 2 SAEs with 48 features: statistics of 48 features computed again in float64, 192 enrichment scores again, 9 source files unchanged\n"+small+" is sound\n") {
		t.Fatalf("before any damage check says:\n%s", said)
	}
	for _, plant := range plants {
		db := filepath.Join(t.TempDir(), "damaged.db")
		copyFile(t, small, db)
		change(t, db, plant.statements)
		before := hash(t, db)
		r := saedbRun(t, "", "--db", db, "check", "--all")
		if r.code != 3 || !strings.Contains(r.stdout, plant.want) || !strings.HasPrefix(r.stderr, "saedb: check: "+db+": expected a sound database, found ") {
			t.Errorf("%s:\nexit %d, expected 1 and %q, found\n%s%s", plant.statements, r.code, plant.want, r.stdout, r.stderr)
		}
		if hash(t, db) != before {
			t.Errorf("%s: check changed the file", plant.statements)
		}
	}
}

// TestCheckScores: scores of the kernels that the processor has, and of kernels that rank
// float32 products, are sound; any that is changed is found, also of a set of nearly all
// tokens, and also where the vocabulary is large enough for float32 products.
func TestCheckScores(t *testing.T) {
	t.Parallel() // checks are one thread's
	kernels := compute.Kernels()
	with := func(t *testing.T, kernel string, args ...string) string {
		t.Helper()
		r := saedbRunIn(t, append(os.Environ(), compute.KernelVariable+"="+kernel), "", args...)
		if r.code != 0 || r.stderr != "" {
			t.Fatalf("%s: saedb %v: exit %d: %s", kernel, args, r.code, r.stderr)
		}
		return r.stdout
	}
	t.Run("of several kernels", func(t *testing.T) {
		db, last := smallDatabase(t), kernels[len(kernels)-1]
		mustRun(t, "--db", db, "load", "sets", "--name", "later", "--sql", "SELECT token_id FROM tokens WHERE token_id BETWEEN 7 AND 30")
		with(t, last, "--db", db, "compute", "--baseline", "256")
		with(t, last, "--db", db, "compute", "--baseline", "256")
		opened := openReadOnly(t, db)
		got, want := texts(t, opened.DB, "SELECT DISTINCT kernel FROM stored_computations"), []string{kernels[0] + ", " + last}
		opened.Close()
		if !slices.Equal(got, want) {
			t.Errorf("kernels %q, expected %q", got, want)
		}
		with(t, last, "--db", db, "check", "--all")
	})
	dir := t.TempDir()
	loaded := filepath.Join(dir, "loaded.db")
	mustRun(t, "--db", loaded, "load", "model", exampleModel, "--name", "smollm2-135m")
	mustRun(t, "--db", loaded, "load", "directions", "--sql", "SELECT w_dec FROM read_sae('"+exampleSAEs+"/blocks.29.hook_resid_pre') WHERE feature < 8", "--name", "few")
	mustRun(t, "--db", loaded, "load", "sets", "--family", "regex")
	mustRun(t, "--db", loaded, "load", "sets", "--name", "nearly all", "--sql", "SELECT token_id FROM tokens WHERE token_id NOT BETWEEN 1000 AND 1016 AND NOT is_special")
	mustRun(t, "--db", loaded, "load", "sets", "--name", "few", "--sql", "SELECT token_id FROM tokens WHERE token_id BETWEEN 1000 AND 1016")
	for _, kernel := range kernels {
		db := filepath.Join(dir, kernel+".db")
		copyFile(t, loaded, db)
		with(t, kernel, "--db", db, "compute", "--tokens", "real", "--baseline", "256")
		if said := with(t, kernel, "--db", db, "check", "--all"); !strings.HasSuffix(said, " is sound\n") {
			t.Errorf("%s: %s", kernel, said)
		}
	}
	db := filepath.Join(dir, kernels[0]+".db")
	// What the same kernel makes again it makes to the last bit. Of another kernel, tokens that
	// lie close may be the other way round.
	for _, kernel := range []string{kernels[0], "another"} {
		exact := filepath.Join(dir, "exact-"+kernel+".db")
		copyFile(t, db, exact)
		change(t, exact, `UPDATE stored_computations SET kernel = '`+kernel+`';
			UPDATE stored_enrichment SET es = es * 1.0000002 WHERE feature = 6 AND set_id IN (SELECT set_id FROM stored_token_sets WHERE token_set = 'starts_with_space');
			UPDATE stored_enrichment SET auc = auc * 1.0000002 WHERE feature = 7 AND set_id IN (SELECT set_id FROM stored_token_sets WHERE token_set = 'starts_with_space')`)
		want := 0
		if compute.Repeats(kernel) {
			want = 2
		}
		if r := saedbRun(t, "", "--db", exact, "check", "--all"); strings.Count(r.stdout, "token set starts_with_space: expected es") != want {
			t.Errorf("%s: of last bits, expected %d findings:\n%s", kernel, want, r.stdout)
		}
	}
	changes, statements := []string{"es = es + 0.1", "es = es - 0.0004", "auc = auc + 0.1", "auc = auc - 0.0005", "promoted = NOT promoted", "log10_ks_p = log10_ks_p - 0.009"}, ""
	for feature, changed := range changes {
		statements += fmt.Sprintf(`UPDATE stored_enrichment SET %s WHERE feature = %d
			AND set_id IN (SELECT set_id FROM stored_token_sets WHERE token_set IN ('nearly all', 'few'));`, changed, feature)
	}
	for _, kernel := range []string{kernels[0], "another"} {
		change(t, db, statements+`UPDATE stored_computations SET kernel = '`+kernel+`'`)
		statements = ""
		r := saedbRun(t, "", "--db", db, "check", "--all")
		for feature, changed := range changes[:5] { // of twelve, ten are named
			for _, set := range []string{"nearly all", "few"} {
				if !strings.Contains(r.stdout, fmt.Sprintf("feature %d, token set %s: expected es", feature, set)) {
					t.Errorf("%s: %s of set %s is not found", kernel, changed, set)
				}
			}
		}
		if n := strings.Count(r.stdout, "computed again in float64, found"); r.code != 3 || n != 10 || !strings.Contains(r.stdout, "stored_enrichment: and 2 more of this kind") {
			t.Errorf("%s: exit %d, %d findings of 12 are named:\n%s", kernel, r.code, n, r.stdout)
		}
	}
}

// TestCheckPassesWhatIsWhole: what a program may leave at any moment is sound: before
// anything is computed, with half of it, and with sets that are new or gone.
func TestCheckPassesWhatIsWhole(t *testing.T) {
	t.Parallel()
	db := smallDatabase(t)
	explained := write(t, t.TempDir(), "batch-0.jsonl", []byte(explanation("29-res", "0", "zeroes", "gpt-4o")))
	if r := saedbRun(t, "", "--db", db, "load", "explanations", explained); r.code != 0 { // it notes that no SAE has that id
		t.Fatal(r.stderr)
	}
	// As an interrupted computation leaves it.
	change(t, db, `DELETE FROM stored_statistics WHERE feature > 11; DELETE FROM stored_enrichment WHERE feature > 3;
		UPDATE stored_computations SET features = 12, scores = 4 * 4`)
	mustRun(t, "--db", db, "check", "--all")
	for _, step := range [][]string{
		{"load", "sets", "--name", "second", "--sql", "SELECT 2"},
		{"load", "sets", "--name", "one", "--sql", "SELECT 6", "--replace"},
		{"compute"},
		{"compute", "--tokens", "real"},
		{"load", "directions", "--sql", "SELECT w_dec FROM decoder_directions WHERE feature < 3", "--name", "d"},
		{"load", "model", modelOf(t, "gpt2", ""), "--name", "small", "--processing", "none", "--replace"},
		{"compute"},
	} {
		mustRun(t, append([]string{"--db", db}, step...)...)
		if r := saedbRun(t, "", "--db", db, "check", "--all"); r.code != 0 || !strings.HasSuffix(r.stdout, " is sound\n") {
			t.Errorf("after %v: exit %d\n%s%s", step, r.code, r.stdout, r.stderr)
		}
	}
}

// TestCheckExample: the example is sound, by default in a sample, and a source that
// is gone or has changed is no damage.
func TestCheckExample(t *testing.T) {
	t.Parallel()
	if said := mustRun(t, "--db", example, "check", "--sample", "3"); !strings.HasSuffix(said, " is sound\n") {
		t.Error(said)
	}
	dir := t.TempDir()
	db := filepath.Join(dir, "moved.db")
	tinySAE(t, filepath.Join(dir, "a"), 0)
	tinySAE(t, filepath.Join(dir, "b"), 1)
	mustRun(t, "--db", db, "load", "model", modelOf(t, "gpt2", ""), "--name", "small")
	mustRun(t, "--db", db, "load", "sae", filepath.Join(dir, "a"), filepath.Join(dir, "b"))
	if err := os.RemoveAll(filepath.Join(dir, "a")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "b"), "cfg.json", []byte("{}"))
	said := mustRun(t, "--db", db, "check")
	for _, want := range []string{
		"note: no longer where they were loaded from: 2 files\n",
		"note: source of sae b: " + filepath.Join(dir, "b", "cfg.json") + " has changed since it was loaded\n",
		" is sound\n",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("expected %q, found\n%s", want, said)
		}
	}
}

// TestCheckFlippedBytes flips one byte at many places of the file. Where DuckDB
// reads what lies there its checksum tells; nothing crashes, and nothing
// that is wrong passes as sound.
func TestCheckFlippedBytes(t *testing.T) {
	t.Parallel()
	small := smallDatabase(t)
	whole, err := os.ReadFile(small)
	if err != nil {
		t.Fatal(err)
	}
	const flips = 24
	found := 0
	for i := range flips {
		at := len(whole) * i / flips
		if i == 0 {
			at = 4096 + 100 // of the first header
		}
		flipped := bytes.Clone(whole)
		flipped[at] ^= 0x10
		db := write(t, t.TempDir(), "flipped.db", flipped)
		switch r := saedbRun(t, "", "--db", db, "check", "--all"); {
		case r.code == 3 && strings.Count(r.stderr, "\n") == 1 && regexp.MustCompile(`(?i)checksum|corrupt|damaged|not a DuckDB database|expected a sound database`).MatchString(r.stdout+r.stderr):
			found++
		case r.code != 0 || !strings.HasSuffix(r.stdout, " is sound\n"):
			t.Errorf("byte %d of %d: exit %d\n%s%s", at, len(whole), r.code, r.stdout, r.stderr)
		}
	}
	t.Logf("%d of %d flipped bytes lie where something is stored, and were found", found, flips)
	if found < flips/3 {
		t.Errorf("%d of %d flipped bytes were found, expected a third at least: is all of the file read?", found, flips)
	}
}

func TestCheckUsage(t *testing.T) {
	for _, args := range [][]string{{"check", "x"}, {"check", "--sample", "-1"}, {"check", "--all", "--sample", "3"}} {
		if r := saedbRun(t, "", append([]string{"--db", example}, args...)...); r.code != 2 {
			t.Errorf("%v: exit %d: %s", args, r.code, r.stderr)
		}
	}
	missing := filepath.Join(t.TempDir(), "none.db")
	if r := saedbRun(t, "", "--db", missing, "check"); r.code != 1 || !strings.Contains(r.stderr, "no such file") {
		t.Errorf("exit %d: %s", r.code, r.stderr)
	}
	begun := time.Now()
	if code, stderr, stopped := stopAfter(t, syscall.SIGINT, 700*time.Millisecond, "--db", example, "check", "--all"); !stopped || code != 130 || time.Since(begun) > 15*time.Second {
		t.Errorf("interrupted after %v: exit %d: %s", time.Since(begun), code, fmt.Sprint(stderr))
	}
}

// TestCheckCouldNot: where memory is short or the file is locked, check does not call a sound
// database damaged, and says so with an exit code of its own.
func TestCheckCouldNot(t *testing.T) {
	t.Parallel()
	path := smallDatabase(t)
	short := 0
	for limit := int64(1 << 18); limit <= 1<<24; limit *= 2 {
		db, err := saedb.Open(t.Context(), path, saedb.Options{ReadOnly: true, MemoryLimit: limit})
		if err != nil {
			if saedb.IsDamage(err) {
				t.Errorf("with %d bytes: %v", limit, err)
			}
			continue
		}
		found := ""
		checker := check.Checker{DB: db.DB, Sample: 2, Report: func(f check.Finding) { found += f.String() + "\n" }, Note: func(string) {}}
		r, err := checker.Run(t.Context())
		db.Close()
		if r.Findings > 0 {
			t.Errorf("with %d bytes: %s", limit, found)
		}
		if err != nil {
			if short++; !strings.Contains(err.Error(), "could not be checked") || !strings.Contains(err.Error(), "with more memory") {
				t.Errorf("with %d bytes: %v", limit, err)
			}
		}
	}
	if short == 0 {
		t.Error("memory was never short")
	}
	db, err := saedb.Open(t.Context(), path, saedb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := saedbRun(t, "", "--db", path, "check")
	db.Close()
	if r.code != 1 || !strings.Contains(r.stderr, "has it open to write") || strings.Contains(r.stderr, "restore") {
		t.Errorf("locked: exit %d: %s", r.code, r.stderr)
	}
}
