package test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/loader/model"
	saefile "github.com/saedb/saedb/loader/sae"
	"github.com/saedb/saedb/loader/safetensors/safetensorstest"
)

const outlierZ = 5.5 // of WeightLens, arXiv 2510.14936

// withInputSide makes a copy of the example with its embedding and one SAE's encoder.
func withInputSide(t *testing.T) string {
	t.Helper()
	db := filepath.Join(t.TempDir(), "input.db")
	copyFile(t, example, db)
	mustRun(t, "--db", db, "load", "model", exampleModel, "--name", "smollm2-135m", "--embedding")
	mustRun(t, "--db", db, "load", "sae", exampleSAEs+"/blocks.4.hook_resid_pre", "--release", "smollm2-demo", "--encoder")
	return db
}

// TestInputSideAgainstFloat64: moments and ends of the input weights of features are those of a
// plain computation in float64 from the same files, and so are WeightLens's outliers. It takes
// 200 features, or with SAEDB_TEST_OUTLIERS=1000 as many, which takes two minutes.
func TestInputSideAgainstFloat64(t *testing.T) {
	t.Parallel()
	outlierFeatures := 200
	if given := os.Getenv("SAEDB_TEST_OUTLIERS"); given != "" {
		var err error
		if outlierFeatures, err = strconv.Atoi(given); err != nil || outlierFeatures%together != 0 {
			t.Fatalf("SAEDB_TEST_OUTLIERS: expected a multiple of %d, found %q", together, given)
		}
	}
	path := withInputSide(t)
	said := mustRun(t, "--db", path, "compute", "--side", "input", "--baseline", "0", "--sae", "layer_4")
	if !strings.Contains(said, "computed input side of smollm2-demo/blocks.4.hook_resid_pre: 1536 features and their enrichment in 16 token sets, all tokens, ") {
		t.Errorf("said %q", said)
	}
	db, err := saedb.Open(t.Context(), path, saedb.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	want := inputSideInFloat64(t, outlierFeatures)
	outliers := make([][]int, outlierFeatures)
	rows, err := db.QueryContext(t.Context(), `SELECT feature, token_id FROM (
			SELECT feature, mean, std, unnest(w) AS p, unnest(range(len(w))) AS token_id
			FROM (SELECT t.*, logit_weights(w_enc, 'smollm2-135m#embedding') AS w FROM stored_input_statistics t JOIN stored_encoders USING (sae_id, feature) WHERE feature < $1))
		WHERE (p - mean) / std > $2 ORDER BY ALL`, outlierFeatures, outlierZ)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var feature, token int
		if err := rows.Scan(&feature, &token); err != nil {
			t.Fatal(err)
		}
		outliers[feature] = append(outliers[feature], token)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	rows, err = db.QueryContext(t.Context(), `SELECT mean, std, skewness, kurtosis, CAST(to_json(top_token_ids) AS VARCHAR)
		FROM stored_input_statistics WHERE feature < $1 ORDER BY feature`, outlierFeatures)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	feature, agree, withOutliers := 0, 0, 0
	for ; rows.Next(); feature++ {
		var got inputSide
		var top string
		if err := rows.Scan(&got.moments[0], &got.moments[1], &got.moments[2], &got.moments[3], &top); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(top), &got.top); err != nil {
			t.Fatal(err)
		}
		w := want[feature]
		for i, name := range []string{"mean", "std", "skewness", "kurtosis"} {
			if math.Abs(got.moments[i]-w.moments[i]) > 1e-5*max(1, math.Abs(w.moments[i])) {
				t.Errorf("feature %d: %s %g, expected %g", feature, name, got.moments[i], w.moments[i])
			}
		}
		if !slices.Equal(got.top, w.top) {
			t.Errorf("feature %d: tokens %v, expected %v", feature, got.top, w.top)
		}
		if slices.Equal(outliers[feature], w.outliers) {
			agree++
		}
		if len(w.outliers) > 0 {
			withOutliers++
		}
	}
	if err := rows.Err(); err != nil || feature != outlierFeatures {
		t.Fatalf("%d features (%v)", feature, err)
	}
	t.Logf("outliers of %d of %d features agree; %d features have some", agree, feature, withOutliers)
	if agree < feature*99/100 || withOutliers == 0 {
		t.Errorf("outliers of %d of %d features agree, %d have some", agree, feature, withOutliers)
	}
}

type inputSide struct {
	moments       [4]float64
	top, outliers []int
}

// inputSideInFloat64 reads the files by themselves and multiplies in float64.
func inputSideInFloat64(t *testing.T, features int) []inputSide {
	t.Helper()
	embedding, d := embeddingOfFiles(t)
	tokens := len(embedding) / d
	directions := encoderOfFiles(t, features, d)
	all := make([]inputSide, features)
	next := make(chan int)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			products := make([][]float64, together)
			for i := range products {
				products[i] = make([]float64, tokens)
			}
			for f := range next {
				multiply(directions[f*d:(f+together)*d], embedding, d, products)
				for i, p := range products {
					all[f+i] = inputSideOf(p)
				}
			}
		})
	}
	for f := 0; f < features; f += together {
		next <- f
	}
	close(next)
	workers.Wait()
	return all
}

// embeddingOfFiles is the example's embedding, a row a token, and its d_model.
func embeddingOfFiles(t *testing.T) (embedding []float32, d int) {
	t.Helper()
	e, err := model.OpenEmbedding(exampleModel, model.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	d = e.Info().DModel
	embedding = make([]float32, d*e.Info().DVocab)
	if err := e.ReadRows(0, embedding); err != nil {
		t.Fatal(err)
	}
	return embedding, d
}

// encoderOfFiles is the encoder's rows of the first features of the example's layer 4.
func encoderOfFiles(t *testing.T, features, d int) []float32 {
	t.Helper()
	s, err := saefile.Open(exampleSAEs + "/blocks.4.hook_resid_pre")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	encoder, err := s.Encoder()
	if err != nil {
		t.Fatal(err)
	}
	directions := make([]float32, d*features)
	if err := encoder.ReadRows(0, directions); err != nil {
		t.Fatal(err)
	}
	return directions
}

// together is how many directions are multiplied at a time, whose sums do not wait for each other.
const together = 8

// multiply writes the products of as many directions with the rows of the embedding, in float64.
func multiply(directions, embedding []float32, d int, products [][]float64) {
	turned := make([][together]float64, d)
	for i, w := range directions {
		turned[i%d][i/d] = float64(w)
	}
	for token := range products[0] {
		var sums [together]float64
		for j, e := range embedding[token*d : (token+1)*d] {
			x, w := float64(e), &turned[j]
			for i := range sums {
				sums[i] += w[i] * x
			}
		}
		for i := range sums {
			products[i][token] = sums[i]
		}
	}
}

func inputSideOf(products []float64) (s inputSide) {
	var mean float64
	for _, p := range products {
		mean += p / float64(len(products))
	}
	var powers [3]float64
	for _, p := range products {
		x := p - mean
		powers[0] += x * x
		powers[1] += x * x * x
		powers[2] += x * x * x * x
	}
	n := float64(len(products))
	std := math.Sqrt(powers[0] / n)
	s.moments = [4]float64{mean, std, powers[1] / n / (std * std * std), powers[2] / n / (std * std * std * std)}
	for i, p := range products {
		if (p-mean)/std > outlierZ {
			s.outliers = append(s.outliers, i)
		}
		if len(s.top) == 10 && p <= products[s.top[9]] {
			continue
		}
		at, _ := slices.BinarySearchFunc(s.top, p, func(i int, p float64) int {
			if products[i] >= p {
				return -1
			}
			return 1
		})
		s.top = slices.Insert(s.top, at, i)
		s.top = s.top[:min(len(s.top), 10)]
	}
	return s
}

// encodedSAE writes an SAE as narrowSAE does, with an encoder.
func encodedSAE(t *testing.T, dir string, layer, features int) {
	t.Helper()
	const dModel = 32
	narrowSAE(t, dir, layer, features)
	decoder, encoder := make([]float32, features*dModel), make([]float32, features*dModel)
	for i := range decoder {
		decoder[i], encoder[i] = float32(math.Sin(float64(i*(layer+1)))), float32(math.Cos(float64(i*i)))
	}
	safetensorstest.Write(t, filepath.Join(dir, "sae_weights.safetensors"), safetensorstest.F32("W_dec", []int{features, dModel}, decoder...),
		safetensorstest.F32("W_enc", []int{dModel, features}, encoder...), safetensorstest.F32("b_enc", []int{features}, make([]float32, features)...))
}

// TestComputeInputSide: compute --side input computes what is lacking of SAEs with encoders,
// against its own baseline, and says what it needs; check finds what is wrong with it.
func TestComputeInputSide(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := filepath.Join(dir, "input.db")
	path := modelOf(t, "gpt2", "")
	mustRun(t, "--db", db, "load", "model", path, "--name", "small")
	for layer := range 2 {
		at := filepath.Join(dir, fmt.Sprintf("blocks.%d.hook_resid_pre", layer))
		encodedSAE(t, at, layer, 24)
		mustRun(t, "--db", db, "load", "sae", at)
	}
	refused := func(want string, args ...string) {
		t.Helper()
		if r := saedbRun(t, "", append([]string{"--db", db, "compute"}, args...)...); r.code == 0 || !strings.Contains(r.stderr, want) {
			t.Errorf("%v: exit %d, %s, expected %q", args, r.code, r.stderr, want)
		}
	}
	refused("side: expected output, input or both, found inside", "--side", "inside")
	refused("input side: expected SAEs that were loaded with their encoders, found none of 2 (saedb load sae … --encoder adds them)", "--side", "input")
	mustRun(t, "--db", db, "load", "sae", filepath.Join(dir, "blocks.1.hook_resid_pre"), "--encoder")
	refused("needs the embedding of model small, which was loaded without (saedb load model … --embedding adds it)", "--side", "both")
	mustRun(t, "--db", db, "load", "model", path, "--name", "small", "--embedding")
	said := mustRun(t, "--db", db, "compute", "--side", "both", "--tokens", "real")
	for _, want := range []string{"computed blocks.0.hook_resid_pre: 24 features", "computed input side of blocks.1.hook_resid_pre: 24 features, real tokens"} {
		if !strings.Contains(said, want) {
			t.Errorf("said %q, expected %q", said, want)
		}
	}
	if said := mustRun(t, "--db", db, "compute", "--side", "input"); !strings.Contains(said, "nothing to compute") {
		t.Errorf("the second time, said %q", said)
	}
	for query, want := range map[string]int{
		"SELECT count(*) FROM features WHERE layer = 0 AND skewness_p IS NOT NULL AND input_skewness IS NULL AND input_tokens IS NULL":                                         24,
		"SELECT count(*) FROM features WHERE layer = 1 AND input_skewness_p > 0 AND input_skewness_q >= input_skewness_p AND input_kurtosis_q <= 1 AND len(input_tokens) = 10": 24,
		"SELECT count(*) FROM feature_input_tokens WHERE layer = 1 AND direction = 'excites'":                                                                                  240,
		`SELECT count(*) FROM features JOIN encoder_directions USING (sae, feature)
			WHERE input_skewness = (logit_stats(w_enc, 'small#embedding', false, 'real')).skewness AND input_std = (logit_stats(w_enc, 'small#embedding', 'real')).std`: 24,
		// The p-value is counted among 4,096 random directions by hand.
		`SELECT count(*) FROM features, (SELECT list((logit_stats(random_direction(1, range, 32), 'small#embedding', 'real')).kurtosis) AS chance FROM range(4096))
			WHERE layer = 1 AND abs(input_kurtosis_p - (1 + len(list_filter(chance, lambda k: k >= input_kurtosis))) / 4097) < 1e-12`: 24,
		"SELECT count(*) FROM baseline_statistics WHERE statistic IN ('skewness', 'input_skewness') AND directions = 4096": 2,
	} {
		if got := count(t, db, query); got != want {
			t.Errorf("%s: %d, expected %d", query, got, want)
		}
	}
	mustRun(t, "--db", db, "check", "--sample", "1")
	for statement, want := range map[string]string{
		"UPDATE stored_input_statistics SET kurtosis = 0.5 WHERE feature = 7":                                         "no distribution has skewness",
		"DELETE FROM stored_input_statistics WHERE feature = 7":                                                       "expected 24 rows of stored_input_statistics, as its computation recorded, found 23",
		"UPDATE stored_input_computations SET baseline_id = 99":                                                       "stored_input_computations: sae_id 3: baseline 99 is not there",
		"UPDATE stored_input_significance SET skewness_p = 2 WHERE feature = 7":                                       "stored_input_significance: sae_id 3, feature 7: expected p- and q-values above 0 and at most 1",
		"UPDATE stored_input_statistics SET top_tokens = list_transform(top_tokens, lambda t: 'x') WHERE feature = 7": "as text of top token",
	} {
		damaged := filepath.Join(t.TempDir(), "damaged.db")
		copyFile(t, db, damaged)
		change(t, damaged, statement)
		if r := saedbRun(t, "", "--db", damaged, "check", "--sample", "1"); r.code != 3 || !strings.Contains(r.stdout, want) {
			t.Errorf("%s: exit %d, expected 3 and %q, found\n%s", statement, r.code, want, r.stdout)
		}
	}

	// Exports have the columns and the baseline.
	out, imported := filepath.Join(dir, "results"), filepath.Join(dir, "imported.db")
	mustRun(t, "--db", db, "export", "--to", out, "--format", "parquet,duckdb")
	if n := count(t, db, fmt.Sprintf("SELECT count(*) FROM features f JOIN read_parquet('%s/features/*/*/*.parquet') e USING (sae, feature) WHERE f.input_tokens = e.input_tokens AND f.input_skewness_p = e.input_skewness_p", out)); n != 24 {
		t.Errorf("%d features in the export, expected 24", n)
	}
	if n := count(t, filepath.Join(out, "results.duckdb"), "SELECT count(*) FROM feature_input_tokens"); n != 480 {
		t.Errorf("%d tokens in the exported database, expected 480", n)
	}
	mustRun(t, "--db", filepath.Join(out, "results.duckdb"), "check", "--sample", "1")
	mustRun(t, "--db", imported, "import", "--parquet", out)
	if n := count(t, imported, "SELECT count(*) FROM baseline_statistics WHERE statistic = 'input_kurtosis' AND side = 'input'"); n != 1 {
		t.Errorf("%d rows of the baseline are imported, expected 1", n)
	}
	mustRun(t, "--db", imported, "check", "--sample", "1")

	// Another baseline, none, and other tokens.
	if said := mustRun(t, "--db", db, "compute", "--side", "input", "--baseline", "0"); !strings.Contains(said, "took away p- and q-values of input side of blocks.1") {
		t.Errorf("said %q", said)
	}
	if n := count(t, db, "SELECT count(input_skewness_p) FROM features"); n != 0 {
		t.Errorf("%d p-values without a baseline", n)
	}
	mustRun(t, "--db", db, "compute", "--side", "input", "--baseline", "1024", "--tokens", "all")
	if n := count(t, db, `SELECT count(*) FROM features JOIN encoder_directions USING (sae, feature)
		WHERE input_skewness = (logit_stats(w_enc, 'small#embedding')).skewness AND input_skewness_p IS NOT NULL`); n != 24 {
		t.Errorf("%d features of all tokens", n)
	}
	mustRun(t, "--db", db, "check", "--sample", "1")
	mustRun(t, "--db", db, "unload", "sae", "blocks.1.hook_resid_pre")
	if n := count(t, db, "SELECT (SELECT count(*) FROM stored_input_statistics) + (SELECT count(*) FROM stored_input_computations) + (SELECT count(*) FROM stored_input_significance)"); n != 0 {
		t.Errorf("%d rows left of an SAE that is unloaded", n)
	}
}
