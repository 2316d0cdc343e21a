package test

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/loader/tensor"
	"github.com/saedb/saedb/loader/torch/torchtest"
	schema "github.com/saedb/saedb/sql"
)

const lensWidth = 32 // d_model of the model that modelOf calls gpt2

// half is a matrix [d_model, d_model] of binary16 as torch.save writes it, by the bits of each.
func half(bits func(i, j int) uint16) torchtest.Tensor { return halfOf(lensWidth, bits) }

func halfOf(width int, bits func(i, j int) uint16) torchtest.Tensor {
	var data []byte
	for i := range width {
		for j := range width {
			data = binary.LittleEndian.AppendUint16(data, bits(i, j))
		}
	}
	return torchtest.Tensor{Storage: "HalfStorage", Shape: []int{width, width}, Data: data, Width: 2}
}

// exampleWithLens is a copy of the example with a lens jlens of its last layer, through which that is
// computed: what documentation shows of lenses runs there.
func exampleWithLens(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	db, lens := filepath.Join(dir, "lens.db"), filepath.Join(dir, "jlens.pt")
	copyFile(t, example, db)
	torchtest.Write(t, lens, torchtest.Dict{"J", torchtest.Dict{28, halfOf(576, func(i, j int) uint16 { return identityBits(28, i, j) })}})
	mustRun(t, "--db", db, "load", "lens", lens)
	mustRun(t, "--db", db, "compute", "--lens", "jlens", "--sae", "layer_29", "--baseline", "0")
	return db
}

// lensFile writes a Jacobian lens with a matrix of each layer.
func lensFile(t *testing.T, name string, layers []int, bits func(layer, i, j int) uint16) string {
	t.Helper()
	var j torchtest.Dict
	for _, layer := range layers {
		j = append(j, layer, half(func(i, k int) uint16 { return bits(layer, i, k) }))
	}
	path := filepath.Join(t.TempDir(), name+".pt")
	torchtest.Write(t, path, torchtest.Dict{"J", j, "d_model", lensWidth, "n_prompts", 3})
	return path
}

func identityBits(_, i, j int) uint16 {
	if i == j {
		return 0x3c00 // 1
	}
	return 0
}

// randomBits are of numbers of many sizes, up to 2, which a layer and a place determine.
func randomBits(layer, i, j int) uint16 {
	r := rand.New(rand.NewPCG(uint64(layer+2), uint64(i*lensWidth+j)))
	return uint16(r.IntN(2)<<15 | (8+r.IntN(8))<<10 | r.IntN(1<<10))
}

// lensDatabase makes a small database of a model, SAEs that write behind each of its three blocks,
// and two token sets.
func lensDatabase(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	db := filepath.Join(dir, "lens.db")
	config, err := os.ReadFile("../loader/model/testdata/gpt2/config.json")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile(`"n_layer": *\d+`).ReplaceAllString(string(config), `"n_layer": 3`)
	mustRun(t, "--db", db, "load", "model", modelOf(t, "gpt2", blocks), "--name", "small")
	for layer := range 3 {
		at := filepath.Join(dir, fmt.Sprintf("sae.%d", layer))
		narrowSAE(t, at, layer, 24)
		mustRun(t, "--db", db, "load", "sae", at, "--hook", fmt.Sprintf("blocks.%d.hook_resid_post", layer))
	}
	for name, condition := range map[string]string{"first": "token_id < 10", "third": "token_id % 3 = 0 AND NOT is_padding"} {
		mustRun(t, "--db", db, "load", "sets", "--name", name, "--sql", "SELECT token_id FROM tokens WHERE "+condition)
	}
	return db
}

// lensDifferences counts the rows of a view that what the macro of a lens gives has not, bit for bit.
func lensDifferences(t *testing.T, db, view, lens, more string) int {
	t.Helper()
	return count(t, db, fmt.Sprintf(`SELECT count(*) FROM ((FROM %[1]s) EXCEPT ALL (SELECT * EXCLUDE (%[3]s) FROM %[1]s_through('%[2]s')))`, view, lens, more))
}

// TestIdentityLens: through the identity every figure is the direct one bit for bit, p- and
// q-values against its own random directions included, also in a client without saedb's functions;
// the direct figures stay what they were, and nothing is left of a lens that is taken out.
func TestIdentityLens(t *testing.T) {
	t.Parallel()
	db := lensDatabase(t)
	mustRun(t, "--db", db, "load", "lens", lensFile(t, "eye", []int{0, 1}, identityBits))
	mustRun(t, "--db", db, "compute")
	before := textsIn(t, db, "SELECT CAST(f AS VARCHAR) FROM features f UNION ALL SELECT CAST(e AS VARCHAR) FROM enrichment e ORDER BY ALL")
	if said := mustRun(t, "--db", db, "compute", "--lens", "eye"); !strings.Contains(said, " through lens eye: 24 features and their enrichment in 2 token sets, all tokens") {
		t.Errorf("said %q", said)
	}
	if said := mustRun(t, "--db", db, "compute", "--lens", "eye"); !strings.Contains(said, "nothing to compute: every feature of 3 SAEs has its figures") {
		t.Errorf("again: %q", said)
	}
	const features, tokens = "top_overlap, bottom_overlap, rank_correlation, lens, lens_layer", "lens, lens_layer"
	same := func() {
		t.Helper()
		for view, more := range map[string]string{"features": features, "enrichment": tokens, "feature_tokens": tokens} {
			if n := lensDifferences(t, db, view, "eye", more); n > 0 {
				t.Errorf("%s: %d rows differ", view, n)
			}
		}
	}
	same()
	if n := count(t, db, "SELECT count(rank_correlation) FROM features_through('eye')"); n > 0 {
		t.Errorf("%d rank correlations, which nobody asked for", n)
	}
	if said := mustRun(t, "--db", db, "compute", "--lens", "eye", "--rank-correlation"); !strings.Contains(said, " through lens eye with the direct logit weights: 24 features, all tokens, ") {
		t.Errorf("said %q", said)
	}
	plainDB := plain(t, db)
	for query, want := range map[string]string{
		"SELECT CAST(count(*) AS VARCHAR) FROM features_through('eye') WHERE rank_correlation = 1":                                        "72",
		"SELECT CAST(count(*) AS VARCHAR) FROM features_through('eye') WHERE top_overlap = 10 AND bottom_overlap = 10 AND kurtosis_p > 0": "72",
		"SELECT CAST(count(*) AS VARCHAR) FROM enrichment_through('eye') WHERE p_value > 0 AND q_value > 0":                               "144",
		"SELECT CAST(count(*) AS VARCHAR) FROM feature_tokens_through('eye')":                                                             "1440",
		"SELECT string_agg(concat(sae, ' ', lens_layer), ', ' ORDER BY sae) FROM saes_through('eye')":                                     "sae.0 0, sae.1 1, sae.2 2",
	} {
		if got := texts(t, plainDB, query); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %v, want %s", query, got, want)
		}
	}
	plainDB.Close()
	if after := textsIn(t, db, "SELECT CAST(f AS VARCHAR) FROM features f UNION ALL SELECT CAST(e AS VARCHAR) FROM enrichment e ORDER BY ALL"); strings.Join(after, "\n") != strings.Join(before, "\n") {
		t.Error("the direct figures are not what they were")
	}
	// A set that comes later is scored by itself, and other tokens begin anew.
	mustRun(t, "--db", db, "load", "sets", "--name", "second", "--sql", "SELECT token_id FROM tokens WHERE token_id % 2 = 0 AND NOT is_padding")
	for _, more := range [][]string{nil, {"--tokens", "real"}, {"--baseline-like", "sae"}, {"--baseline", "0"}} {
		mustRun(t, append([]string{"--db", db, "compute"}, more...)...)
		mustRun(t, append([]string{"--db", db, "compute", "--lens", "eye"}, more...)...)
		same()
	}
	if n := count(t, db, "SELECT count(*) FROM stored_lens_correlations"); n > 0 {
		t.Errorf("%d rank correlations over other tokens are left", n)
	}
	mustRun(t, "--db", db, "compute", "--lens", "eye", "--rank-correlation")
	if r := saedbRun(t, "", "--db", db, "check"); r.code != 0 {
		t.Errorf("%s%s", r.stdout, r.stderr)
	}
	mustRun(t, "--db", db, "unload", "lens", "eye")
	for _, table := range []string{"stored_statistics", "stored_significance", "stored_enrichment", "stored_set_enrichment", "stored_labels", "stored_computations", "stored_lens_correlations"} {
		if n := count(t, db, "SELECT count(*) FROM "+table+" WHERE sae_id < 0"); n > 0 {
			t.Errorf("%d rows are left in %s", n, table)
		}
	}
	if n := count(t, db, "SELECT count(*) FROM stored_baselines WHERE lens_id IS NOT NULL") + count(t, db, "SELECT count(*) FROM stored_lens_saes"); n > 0 {
		t.Errorf("%d baselines and SAEs are left", n)
	}
	if r := saedbRun(t, "", "--db", db, "check"); r.code != 0 {
		t.Errorf("%s%s", r.stdout, r.stderr)
	}
}

// TestLensAgainstFloat64: through a random lens of binary16, and through a tuned one, all moments
// and both ends are those of W_U · J · w_dec in float64, to within 1e-5.
func TestLensAgainstFloat64(t *testing.T) {
	t.Parallel()
	db := lensDatabase(t)
	mustRun(t, "--db", db, "load", "lens", lensFile(t, "random", []int{0, 1}, randomBits))
	tuned := filepath.Join(t.TempDir(), "tuned")
	write(t, tuned, "config.json", []byte(`{"base_model_name_or_path": "small", "d_model": 32, "num_hidden_layers": 3, "lens_type": "linear_tuned_lens"}`))
	torchtest.Write(t, filepath.Join(tuned, "params.pt"), torchtest.OrderedDict{
		"0.weight", half(func(i, j int) uint16 { return randomBits(-1, i, j) }), "1.weight", half(func(i, j int) uint16 { return randomBits(0, i, j) }),
		"2.weight", half(func(i, j int) uint16 { return randomBits(1, i, j) }),
	})
	mustRun(t, "--db", db, "load", "lens", tuned)
	mustRun(t, "--db", db, "compute")
	mustRun(t, "--db", db, "compute", "--lens", "random", "--rank-correlation")
	mustRun(t, "--db", db, "compute", "--lens", "tuned", "--sae", "sae.0", "--rank-correlation")
	opened, err := saedb.Open(t.Context(), db, saedb.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	unembedding := floatRows(t, opened, "SELECT w_u FROM unembeddings ORDER BY token_id")
	for _, of := range []struct {
		lens, sae string
		layer     int
		residual  float64
	}{{"random", "sae.0", 0, 0}, {"random", "sae.1", 1, 0}, {"tuned", "sae.0", 0, 1}} {
		decoder := floatRows(t, opened, fmt.Sprintf("SELECT w_dec FROM decoder_directions WHERE sae = '%s' ORDER BY feature", of.sae))
		rows, err := opened.QueryContext(t.Context(), fmt.Sprintf(`SELECT f.mean, f.std, f.skewness, f.kurtosis, f.decoder_norm, f.rank_correlation, s.top_logit_weights, s.top_token_ids
			FROM features_through('%s') f JOIN saes_through('%[1]s') u USING (sae) JOIN stored_statistics s ON s.sae_id = u.lens_sae_id AND s.feature = f.feature
			WHERE f.sae = '%s' ORDER BY f.feature`, of.lens, of.sae))
		if err != nil {
			t.Fatal(err)
		}
		feature := 0
		for ; rows.Next(); feature++ {
			var got [6]float64
			var weights schema.ListOf[float64]
			var ids schema.ListOf[int32]
			if err := rows.Scan(&got[0], &got[1], &got[2], &got[3], &got[4], &got[5], &weights, &ids); err != nil {
				t.Fatal(err)
			}
			direction := make([]float64, lensWidth)
			norm := 0.0
			for i := range direction {
				direction[i] = of.residual * decoder[feature][i]
				for j, w := range decoder[feature] {
					direction[i] += float64(tensor.Half(randomBits(of.layer, i, j))) * w
				}
				norm += direction[i] * direction[i]
			}
			products, direct := make([]float64, len(unembedding)), make([]float64, len(unembedding))
			for token, row := range unembedding {
				for j, w := range row {
					products[token] += direction[j] * w
					direct[token] += decoder[feature][j] * w
				}
			}
			want := inputSideOf(products)
			for i, expected := range append(want.moments[:], math.Sqrt(norm), spearman(direct, products)) {
				if math.Abs(got[i]-expected) > 1e-5*max(1, math.Abs(expected)) {
					t.Errorf("%s, %s, feature %d: figure %d is %g, expected %g", of.lens, of.sae, feature, i, got[i], expected)
				}
			}
			for place, id := range ids {
				if int(id) != want.top[place] || math.Abs(weights[place]-products[id]) > 1e-5*math.Abs(products[id]) {
					t.Errorf("%s, %s, feature %d: place %d has token %d with %g, expected %d with %g", of.lens, of.sae, feature, place, id, weights[place], want.top[place], products[want.top[place]])
				}
			}
		}
		if err := rows.Err(); err != nil || feature != 24 {
			t.Errorf("%s, %s: %d features (%v)", of.lens, of.sae, feature, err)
		}
		rows.Close()
	}
	if n := count(t, db, "SELECT count(*) FROM features_through('random') WHERE sae = 'sae.2' AND rank_correlation <> 1"); n > 0 {
		t.Errorf("%d features of the last block have moved", n)
	}
	// Behind the last block there is no matrix: the direct figures, held against the direct baseline.
	if n := count(t, db, `SELECT count(*) FROM (FROM enrichment WHERE sae = 'sae.2' EXCEPT ALL SELECT * EXCLUDE (lens, lens_layer) FROM enrichment_through('random') WHERE sae = 'sae.2')`) +
		count(t, db, "SELECT count(*) FROM stored_computations c JOIN stored_lens_saes r ON r.lens_sae_id = c.sae_id JOIN stored_baselines b USING (baseline_id) WHERE (b.lens_id IS NULL) <> (r.layer = 2)"); n > 0 {
		t.Errorf("%d scores or baselines of the last block differ", n)
	}
	mustRun(t, "--db", db, "check", "--all")
	// A correlation that is another by little is found, and by its feature.
	opened.Close()
	plainly(t, db, "UPDATE stored_lens_correlations SET rank_correlation = rank_correlation + 0.001 WHERE feature = 7 AND sae_id = -1")
	if r := saedbRun(t, "", "--db", db, "check", "--all"); r.code == 0 || !strings.Contains(r.stdout+r.stderr, "stored_lens_correlations: SAE sae.0, through lens random, feature 7: rank_correlation: expected ") {
		t.Errorf("%d: %s%s", r.code, r.stdout, r.stderr)
	}
}

// spearman is Spearman's rank correlation of weights of which no two are equal, from its definition.
func spearman(a, b []float64) float64 {
	ranks := func(weights []float64) []int {
		order, ranks := make([]int, len(weights)), make([]int, len(weights))
		for i := range order {
			order[i] = i
		}
		slices.SortFunc(order, func(i, j int) int { return cmp.Compare(weights[i], weights[j]) })
		for rank, i := range order {
			ranks[i] = rank
		}
		return ranks
	}
	n, squares := float64(len(a)), 0.0
	second := ranks(b)
	for i, rank := range ranks(a) {
		squares += float64((rank - second[i]) * (rank - second[i]))
	}
	return 1 - 6*squares/(n*(n*n-1))
}

// floatRows is a query's only column of lists.
func floatRows(t *testing.T, db *saedb.DB, query string) [][]float64 {
	t.Helper()
	lists, err := schema.Collect[schema.ListOf[float32]](t.Context(), db, query)
	if err != nil {
		t.Fatal(err)
	}
	all := make([][]float64, len(lists))
	for i, list := range lists {
		for _, v := range list {
			all[i] = append(all[i], float64(v))
		}
	}
	return all
}

// TestLensRefused: what a lens cannot be asked is an error that names it and says the choices, and
// changes nothing.
func TestLensRefused(t *testing.T) {
	t.Parallel()
	db := lensDatabase(t)
	narrow := filepath.Join(t.TempDir(), "narrow.pt")
	torchtest.Write(t, narrow, torchtest.Dict{"J", torchtest.Dict{0, torchtest.F32([]int{2, 2}, 1, 0, 0, 1)}})
	other := filepath.Join(t.TempDir(), "other.pt")
	torchtest.Write(t, other, torchtest.Dict{"J", torchtest.Dict{0, half(func(i, j int) uint16 { return identityBits(0, i, j) })}, "metadata", torchtest.Dict{"model_name", "gpt-j"}})
	mustRun(t, "--db", db, "load", "lens", lensFile(t, "first", []int{0}, identityBits))
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"load", "lens", narrow}, "expected d_model 32, that of model small, found 2"},
		{[]string{"load", "lens", other}, "expected a lens of model small, which is loaded from "},
		{[]string{"load", "lens", other}, "found one that was fitted on gpt-j (where it is meant all the same, --model small says so)"},
		{[]string{"load", "lens", lensFile(t, "deep", []int{0, 40}, identityBits)}, "found layer 40"},
		{[]string{"compute", "--lens", "none"}, `lens "none": no such lens in this database (loaded: first)`},
		{[]string{"compute", "--lens", "first", "--side", "both"}, "a lens is of what features write"},
		{[]string{"compute", "--rank-correlation"}, "none is named (--lens NAME)"},
		{[]string{"unload", "lens", "none"}, "no lens is called so (there are first)"},
		{[]string{"unload", "model", "small"}, "3 SAEs, 1 lens of it would be of no use without it"},
		{[]string{"sql", "FROM features_through('none')"}, "no lens is called none (loaded: first)"},
		{[]string{"sql", "SELECT through_lens([1, 2]::FLOAT[], 'first', 0)"}, "expected 32 values, the d_model of lens first, found 2"},
	} {
		if r := saedbRun(t, "", append([]string{"--db", db}, test.args...)...); r.code == 0 || !strings.Contains(r.stderr, test.want) {
			t.Errorf("%v: exit %d, %s; want %q", test.args, r.code, r.stderr, test.want)
		}
	}
	if n := count(t, db, "SELECT count(*) FROM lenses") + count(t, db, "SELECT count(*) FROM stored_lens_saes"); n != 1 {
		t.Errorf("%d lenses and SAEs, expected the lens alone", n)
	}
	if r := saedbRun(t, "", "--db", db, "load", "lens", other, "--model", "small"); r.code != 0 || r.stderr != "saedb: note: it was fitted on gpt-j, and is loaded for model small\n" {
		t.Errorf("%+v", r)
	}
	mustRun(t, "--db", db, "unload", "model", "small", "--cascade")
	if n := count(t, db, "SELECT count(*) FROM lenses"); n != 0 {
		t.Errorf("%d lenses are left", n)
	}
}
