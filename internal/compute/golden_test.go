package compute

import (
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
)

// The golden figures are for a real SAE and model: float64 moments and rankings
// beside those of SAELens; README.md of the fixtures says how they were made.
const (
	fixture     = "../../../shared/fixtures/smollm2-135m"
	fixtureHook = "blocks.12.hook_resid_pre"
)

func TestGolden(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector takes minutes for it, and other tests run the same goroutines")
	}
	if _, err := os.Stat(fixture); err != nil {
		t.Skipf("needs the larger fixtures: %v", err)
	}
	model := readTensors(t, filepath.Join(fixture, "model.safetensors"))
	sae := readTensors(t, filepath.Join(fixture, "saes", fixtureHook, "sae_weights.safetensors"))
	directions, norm := sae["W_dec"], model["model.norm.weight"]
	w := model["model.embed_tokens.weight"]
	foldAndCentre(w, norm)
	tokens := goldenTokens(t)
	var all, some []int // features; the slower kernels take some, with all that have golden tokens
	for f := range len(directions) / len(norm) {
		all = append(all, f)
		if f%16 == 0 || slices.ContainsFunc(tokens, func(r goldenRanking) bool { return r.Feature == f }) {
			some = append(some, f)
		}
	}
	for i, k := range kernelsUnderTest() {
		t.Run(k.name(), func(t *testing.T) {
			features := some
			if i == 0 {
				features = all
			}
			var chosen []float32
			for _, f := range features {
				chosen = append(chosen, directions[f*len(norm):(f+1)*len(norm)]...)
			}
			s := summarized(t, built(t, k, w, len(norm), nil), chosen, Options{TopK: 10, Cosine: true})
			checkGoldenMoments(t, "logit", len(all), features, s.Plain)
			checkGoldenMoments(t, "cosine", len(all), features, s.Cosine)
			checkGoldenTokens(t, tokens, features, s)
		})
	}
}

// foldAndCentre multiplies rows of w by the final norm's weights and takes the mean
// over the vocabulary off, as TransformerLens does for this family.
func foldAndCentre(w, norm []float32) {
	d := len(norm)
	mean := make([]float64, d)
	for i, v := range w {
		w[i] = v * norm[i%d]
		mean[i%d] += float64(w[i])
	}
	for i := range w {
		w[i] = float32(float64(w[i]) - mean[i%d]/float64(len(w)/d))
	}
}

func checkGoldenMoments(t *testing.T, kind string, all int, features []int, m Moments) {
	t.Helper()
	file, err := os.Open(filepath.Join(fixture, "golden", "stats_"+fixtureHook+"_"+kind+".csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	records, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := all, len(records)-1; got != want {
		t.Fatalf("%s: got %d features, want %d", kind, got, want)
	}
	if got, want := len(m.Mean), len(features); got != want {
		t.Fatalf("%s: got the moments of %d features, want %d", kind, got, want)
	}
	for name, values := range map[string][]float64{"mean64": m.Mean, "std64": m.Std, "skewness64": m.Skewness, "kurtosis64": m.Kurtosis} {
		column := slices.Index(records[0], name)
		for i, feature := range features {
			want, err := strconv.ParseFloat(records[1+feature][column], 64)
			if err != nil {
				t.Fatal(err)
			}
			scale := max(1, math.Abs(want))
			if name == "std64" {
				scale = want
			}
			near(t, kind+" "+name, feature, values[i], want, scale)
		}
	}
}

// A goldenRanking is both ends of a feature's ranking.
type goldenRanking struct {
	Feature     int
	Top, Bottom []int32
	TopLogits   []float64 `json:"top_logits"`
}

// goldenTokens are the rankings of some features.
func goldenTokens(t *testing.T) (rankings []goldenRanking) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(fixture, "golden", "top_tokens_"+fixtureHook+".json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &rankings); err != nil {
		t.Fatal(err)
	}
	return rankings
}

func checkGoldenTokens(t *testing.T, rankings []goldenRanking, features []int, s *Summary) {
	t.Helper()
	for _, r := range rankings {
		place := slices.Index(features, r.Feature)
		if place < 0 {
			t.Fatalf("feature %d, which has golden tokens, was not computed", r.Feature)
		}
		at := place * 10
		if got := s.Top.IDs[at : at+10]; !slices.Equal(got, r.Top) {
			t.Errorf("top of feature %d: got %v, want %v", r.Feature, got, r.Top)
		}
		if got := s.Bottom.IDs[at : at+10]; !slices.Equal(got, r.Bottom) {
			t.Errorf("bottom of feature %d: got %v, want %v", r.Feature, got, r.Bottom)
		}
		for rank, want := range r.TopLogits {
			near(t, "logit weight", r.Feature, s.Top.Logits[at+rank], want, math.Max(1, math.Abs(want)))
		}
	}
}

// readTensors returns a safetensors file's F32 and BF16 tensors as float32.
func readTensors(t *testing.T, path string) map[string][]float32 {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	header := file[8 : 8+binary.LittleEndian.Uint64(file)]
	data := file[8+len(header):]
	var entries map[string]struct {
		DType   string `json:"dtype"`
		Offsets [2]int `json:"data_offsets"`
	}
	if err := json.Unmarshal(header, &entries); err != nil {
		t.Fatal(err)
	}
	tensors := make(map[string][]float32)
	for name, entry := range entries {
		content := data[entry.Offsets[0]:entry.Offsets[1]]
		var values []float32
		switch entry.DType {
		case "F32":
			for ; len(content) > 0; content = content[4:] {
				values = append(values, math.Float32frombits(binary.LittleEndian.Uint32(content)))
			}
		case "BF16":
			for ; len(content) > 0; content = content[2:] {
				values = append(values, math.Float32frombits(uint32(binary.LittleEndian.Uint16(content))<<16))
			}
		}
		tensors[name] = values
	}
	return tensors
}
