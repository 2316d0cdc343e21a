package udf_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/loader/safetensors/safetensorstest"
)

// An SAE of 300 features for the small models of 32 dimensions.
const smallFeatures, smallWidth = 300, 32

// smallSAE writes an SAE in SAELens's format, of Gaussian weights that the seed gives, and returns
// its encoder and its decoder, a row a feature.
func smallSAE(t testing.TB, dir string, layer int, seed uint64) (encoder, decoder [][]float32) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 0))
	rows := func() [][]float32 {
		all := make([][]float32, smallFeatures)
		for i := range all {
			all[i] = make([]float32, smallWidth)
			for j := range all[i] {
				all[i][j] = float32(random.NormFloat64())
			}
		}
		return all
	}
	encoder, decoder = rows(), rows()
	var turned []float32 // W_enc is [d_in, d_sae]
	for j := range smallWidth {
		for _, row := range encoder {
			turned = append(turned, row[j])
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	safetensorstest.Write(t, filepath.Join(dir, "sae_weights.safetensors"),
		safetensorstest.F32("W_dec", []int{smallFeatures, smallWidth}, slices.Concat(decoder...)...),
		safetensorstest.F32("W_enc", []int{smallWidth, smallFeatures}, turned...),
		safetensorstest.F32("b_enc", []int{smallFeatures}, make([]float32, smallFeatures)...))
	cfg, err := json.Marshal(map[string]any{
		"architecture": "standard", "d_in": smallWidth, "d_sae": smallFeatures, "dtype": "float32",
		"hook_point": fmt.Sprintf("blocks.%d.hook_resid_pre", layer), "model_name": "gpt2-small",
	})
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "cfg.json"), cfg, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	return encoder, decoder
}

func loadSmallSAE(t testing.TB, db *saedb.DB, r saedb.SAERequest) {
	t.Helper()
	r.Model = "gpt2"
	if _, err := db.LoadSAE(t.Context(), r); err != nil {
		t.Fatal(err)
	}
}

// TestReadersOfFeatures: products with an encoder and a decoder, their moments and both ends are
// those of a plain computation in float64.
func TestReadersOfFeatures(t *testing.T) {
	db := withModels(t, saedb.Options{})
	dir := filepath.Join(t.TempDir(), "small")
	encoder, decoder := smallSAE(t, dir, 0, 1)
	loadSmallSAE(t, db, saedb.SAERequest{Path: dir, Release: "demo", Encoder: true})
	direction := decoder[7]
	for name, rows := range map[string][][]float32{
		"demo/small#encoder": encoder, "demo/small#decoder": decoder,
		"small#encoder": encoder, "layer_0#decoder": decoder, "models.demo/small#encoder": encoder,
	} {
		products := make([]float64, len(rows))
		order := make([]int, len(rows))
		var mean, square float64
		for i, row := range rows {
			for j, w := range row {
				products[i] += float64(w) * float64(direction[j])
			}
			order[i] = i
			mean += products[i] / float64(len(rows))
		}
		for _, p := range products {
			square += (p - mean) * (p - mean) / float64(len(rows))
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(products[b], products[a]) })
		var gotMean, std, last, sum float64
		var top, bottom string
		err := db.QueryRowContext(t.Context(), `SELECT s.mean, s.std, logit_weight(w_dec, $1, 299), list_sum(logit_weights(w_dec, $1)::DOUBLE[]),
				list_transform(top_features(w_dec, $1), lambda f: f.feature)::VARCHAR, list_transform(bottom_features(w_dec, $1, 3), lambda f: f.feature)::VARCHAR
			FROM (SELECT w_dec, logit_stats(w_dec, $1) AS s FROM decoder_directions WHERE feature = 7)`, name).Scan(&gotMean, &std, &last, &sum, &top, &bottom)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		near := func(what string, got, want float64) {
			t.Helper()
			if math.Abs(got-want) > 1e-5*math.Max(1, math.Abs(want)) {
				t.Errorf("%s: %s %g, expected %g", name, what, got, want)
			}
		}
		near("mean", gotMean, mean)
		near("std", std, math.Sqrt(square))
		near("weight of the last", last, products[299])
		near("sum", sum, mean*float64(len(rows)))
		if want := listed(order[:10]); top != want {
			t.Errorf("%s: top %s, expected %s", name, top, want)
		}
		slices.Reverse(order)
		if want := listed(order[:3]); bottom != want {
			t.Errorf("%s: bottom %s, expected %s", name, bottom, want)
		}
	}
}

func listed(features []int) string {
	return "[" + strings.Trim(strings.ReplaceAll(fmt.Sprint(features), " ", ", "), "[]") + "]"
}

// TestReaderReplaced: a function sees an encoder that was added and an SAE that was replaced, and
// two readers of one SAE are apart with room for one alone.
func TestReaderReplaced(t *testing.T) {
	db := withModels(t, saedb.Options{ModelMemory: 1})
	parent := t.TempDir()
	dir, other := filepath.Join(parent, "a", "small"), filepath.Join(parent, "b", "small")
	encoder, decoder := smallSAE(t, dir, 0, 1)
	newEncoder, newDecoder := smallSAE(t, other, 0, 2)
	first := func(name string) (weight float64, err error) {
		err = db.QueryRowContext(t.Context(), "SELECT logit_weight(list_resize([1]::FLOAT[], 32, 0), ?, 5)", name).Scan(&weight)
		return weight, err
	}
	expect := func(name string, want float32) {
		t.Helper()
		if got, err := first(name); err != nil || got != float64(want) {
			t.Errorf("%s: %g (%v), expected %g", name, got, err, want)
		}
	}
	loadSmallSAE(t, db, saedb.SAERequest{Path: dir})
	if _, err := first("small#encoder"); err == nil || !strings.Contains(err.Error(), "loaded without its encoder") {
		t.Errorf("without an encoder: %v", err)
	}
	expect("small#decoder", decoder[5][0])
	loadSmallSAE(t, db, saedb.SAERequest{Path: dir, Encoder: true})
	for range 2 {
		expect("small#encoder", encoder[5][0])
		expect("small#decoder", decoder[5][0])
	}
	loadSmallSAE(t, db, saedb.SAERequest{Path: other, Encoder: true, Replace: true})
	expect("small#encoder", newEncoder[5][0])
	expect("small#decoder", newDecoder[5][0])
}

// TestReaderNames: what no reader is called says what there is.
func TestReaderNames(t *testing.T) {
	db := withModels(t, saedb.Options{})
	parent := t.TempDir()
	for i, release := range []string{"one", "two"} {
		dir := filepath.Join(parent, release, "small")
		smallSAE(t, dir, 0, uint64(i))
		loadSmallSAE(t, db, saedb.SAERequest{Path: dir, Release: release})
	}
	for call, want := range map[string]string{
		"logit_weights(w, 'small#decoder')":                `reader "small#decoder": 2 SAEs are called so (name one: one/small, two/small)`,
		"logit_weights(w, 'large#decoder')":                `reader "large#decoder": no SAE of that name is in this database (loaded: one/small, two/small)`,
		"logit_weights(w, 'one/small#encoder')":            "the encoder of SAE one/small: the SAE was loaded without its encoder (saedb load sae … --encoder adds it)",
		"logit_weights(w, 'one/small')":                    `model "one/small": no such model in this database (it is the name of an SAE: say 'one/small#encoder' or 'one/small#decoder')`,
		"logit_weights(w, 'gpt2#neurons')":                 `model "gpt2#neurons": no such model in this database (a reader is `,
		"logit_weights([1]::FLOAT[], 'one/small#decoder')": "expected 32 values, the d_model of the decoder of SAE one/small, found 1",
		"logit_weight(w, 'one/small#decoder', 300)":        "expected 0 to 299, the features of SAE one/small, found 300",
		"logit_stats(w, 'one/small#decoder', 'real')":      "its rows are features, of which none are padding or special",
		"top_tokens(w, 'one/small#decoder', 3)":            "the decoder of SAE one/small: its rows are features, and this function needs tokens (top_features",
		"enrich(w, 'one/small#decoder')":                   "its rows are features, and this function needs tokens",
		"feature_statistics(w, 'one/small#decoder')":       "its rows are features, and this function needs tokens",
		"baseline_log10_p('one/small#decoder', 1, 1, .5)":  "its rows are features, and this function needs tokens",
		"top_features(w, 'gpt2')":                          "model gpt2: its rows are tokens, and this function needs features (top_tokens",
		"top_features(w, 'one/small#decoder', 0)":          "k: expected 1 to 1000, found 0",
	} {
		_, err := db.ExecContext(t.Context(), "SELECT "+call+" FROM (SELECT list_resize([1]::FLOAT[], 32, 0) AS w)")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n%v\nexpected %s", call, err, want)
		}
	}
}
