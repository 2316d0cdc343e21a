package test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/saedb/saedb"
)

// Golden figures: SAELens 6.54.12's and, beside them, float64 ones; how they
// were made is in golden/README.md.
const (
	goldenDir = "golden/smollm2-135m-gguf"
	tolerance = 1e-5 // |x - reference| ≤ tolerance·max(1, |reference|); of std, relative
)

// goldenStatistics reads feature → mean, std, skewness, kurtosis in float64.
func goldenStatistics(t *testing.T, path string) map[int][4]float64 {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	records, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	first := slices.Index(records[0], "mean64")
	all := map[int][4]float64{}
	for _, record := range records[1:] {
		feature, err := strconv.Atoi(record[0])
		if err != nil {
			t.Fatal(err)
		}
		var figures [4]float64
		for i := range figures {
			if figures[i], err = strconv.ParseFloat(record[first+i], 64); err != nil {
				t.Fatal(err)
			}
		}
		all[feature] = figures
	}
	return all
}

// compare checks a query of feature, mean, std, skewness, kurtosis against
// golden figures, every feature.
func compare(t *testing.T, db *saedb.DB, golden map[int][4]float64, query string, args ...any) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	names := [4]string{"mean", "std", "skewness", "kurtosis"}
	var worst [4]float64
	seen := 0
	for rows.Next() {
		var feature int
		var x [4]float64
		if err := rows.Scan(&feature, &x[0], &x[1], &x[2], &x[3]); err != nil {
			t.Fatal(err)
		}
		seen++
		for i, reference := range golden[feature] {
			scale := max(1, math.Abs(reference))
			if names[i] == "std" {
				scale = math.Abs(reference)
			}
			off := math.Abs(x[i]-reference) / scale
			worst[i] = max(worst[i], off)
			if !(off <= tolerance) {
				t.Errorf("feature %d: %s is %g, float64 reference %g", feature, names[i], x[i], reference)
			}
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if seen != len(golden) {
		t.Errorf("%d features, golden has %d", seen, len(golden))
	}
	t.Logf("largest differences of mean, std, skewness, kurtosis: %.1e", worst)
}

func hooks(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(goldenDir + "/stats_*_logit.csv")
	if err != nil || len(files) != 6 {
		t.Fatalf("expected 6 files of golden figures in %s, found %d (%v)", goldenDir, len(files), err)
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(strings.TrimPrefix(filepath.Base(f), "stats_"), "_logit.csv")
	}
	return files
}

// TestStatistics compares what saedb compute stored, and what the SQL functions
// give, with the golden figures.
func TestStatistics(t *testing.T) {
	db := openExample(t)
	for _, hook := range hooks(t) {
		plain := goldenStatistics(t, filepath.Join(goldenDir, "stats_"+hook+"_logit.csv"))
		cosine := goldenStatistics(t, filepath.Join(goldenDir, "stats_"+hook+"_cosine.csv"))
		t.Run(hook, func(t *testing.T) {
			compare(t, db, plain, `SELECT feature, mean, std, skewness, kurtosis FROM features WHERE sae = ?`, demoRelease+hook)
			compare(t, db, cosine, `SELECT feature, cos_mean, cos_std, cos_skewness, cos_kurtosis FROM features WHERE sae = ?`, demoRelease+hook)
		})
	}
	hook := "blocks.29.hook_resid_pre"
	t.Run("functions", func(t *testing.T) {
		for cosine, golden := range map[bool]string{false: "logit", true: "cosine"} {
			compare(t, db, goldenStatistics(t, filepath.Join(goldenDir, "stats_"+hook+"_"+golden+".csv")),
				`SELECT feature, s.mean, s.std, s.skewness, s.kurtosis FROM (
					SELECT feature, logit_stats(w_dec, 'smollm2-135m', ?) AS s FROM decoder_directions WHERE sae = ?)`, cosine, demoRelease+hook)
		}
	})
}

// TestStoredEqualsFunctions: through SQL and through saedb compute the same
// figures, bit for bit.
func TestStoredEqualsFunctions(t *testing.T) {
	db := openExample(t)
	var features, different int
	err := db.QueryRowContext(t.Context(), `SELECT count(*), count(*) FILTER (
			(s.mean, s.std, s.skewness, s.kurtosis, s.cos_kurtosis, s.top_tokens, s.bottom_tokens)
			IS DISTINCT FROM (f.mean, f.std, f.skewness, f.kurtosis, f.cos_kurtosis, f.top_tokens, f.bottom_tokens))
		FROM layer_29 f JOIN (SELECT feature, feature_statistics(w_dec, model) AS s FROM decoder_directions WHERE layer = 29) d USING (feature)`).Scan(&features, &different)
	if err != nil {
		t.Fatal(err)
	}
	if features != 1536 || different != 0 {
		t.Errorf("%d of %d features differ", different, features)
	}
}

// TestTopTokens compares the ends of the rankings with float64's.
func TestTopTokens(t *testing.T) {
	db := openExample(t)
	for _, hook := range hooks(t) {
		var golden []struct {
			Feature     int       `json:"feature"`
			Top, Bottom []int32   // token ids
			Logits      []float64 `json:"top_logits"`
		}
		text, err := os.ReadFile(filepath.Join(goldenDir, "top_tokens_"+hook+".json"))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &golden); err != nil {
			t.Fatal(err)
		}
		if len(golden) != 50 {
			t.Fatalf("%s: expected 50 golden features, found %d", hook, len(golden))
		}
		for _, g := range golden {
			var top, bottom duckdb.Composite[[]int32]
			var weights duckdb.Composite[[]float64]
			err := db.QueryRowContext(t.Context(), `SELECT top_token_ids, top_logit_weights, bottom_token_ids
				FROM stored_statistics t JOIN saes s ON s.load_id = t.sae_id WHERE s.sae = ? AND t.feature = ?`, demoRelease+hook, g.Feature).
				Scan(&top, &weights, &bottom)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(top.Get(), g.Top) {
				t.Errorf("%s feature %d: top tokens %v, golden %v", hook, g.Feature, top.Get(), g.Top)
			}
			if !slices.Equal(bottom.Get(), g.Bottom) {
				t.Errorf("%s feature %d: bottom tokens %v, golden %v", hook, g.Feature, bottom.Get(), g.Bottom)
			}
			for i, w := range weights.Get() {
				if math.Abs(w-g.Logits[i]) > tolerance*max(1, math.Abs(g.Logits[i])) {
					t.Errorf("%s feature %d: logit weight %d is %g, golden %g", hook, g.Feature, i, w, g.Logits[i])
				}
			}
		}
	}
}

// TestHuggingFaceDirectory runs the whole way on the larger fixture: the same
// model as a Hugging Face directory, an SAE of 4,608 features.
func TestHuggingFaceDirectory(t *testing.T) {
	t.Parallel()
	model := filepath.Join(shared, "smollm2-135m")
	if _, err := os.Stat(model); err != nil {
		t.Skipf("needs the larger fixtures: %v", err)
	}
	db := filepath.Join(t.TempDir(), "hf.db")
	const hook = "blocks.12.hook_resid_pre"
	for _, args := range [][]string{
		{"load", "model", model}, {"load", "sae", filepath.Join(model, "saes", hook)}, {"compute"},
	} {
		if r := saedbRun(t, "", append([]string{"--db", db}, args...)...); r.code != 0 {
			t.Fatalf("saedb %v: exit %d: %s", args, r.code, r.stderr)
		}
	}
	opened, err := saedb.Open(t.Context(), db, saedb.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	for kind, columns := range map[string]string{
		"logit": "mean, std, skewness, kurtosis", "cosine": "cos_mean, cos_std, cos_skewness, cos_kurtosis",
	} {
		compare(t, opened, goldenStatistics(t, filepath.Join(model, "golden", fmt.Sprintf("stats_%s_%s.csv", hook, kind))),
			"SELECT feature, "+columns+" FROM layer_12")
	}
}
