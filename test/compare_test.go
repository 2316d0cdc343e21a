package test

import (
	"cmp"
	"math"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// A comparison is the explorer's answer about two features.
type comparison struct {
	Features []featureRow
	Likeness []struct {
		Cosine          float64
		RankCorrelation float64 `json:"rank_correlation"`
	}
	Tokens []struct {
		Direction        string
		Difference       float64
		LogitWeight      float64 `json:"logit_weight"`
		OtherLogitWeight float64 `json:"other_logit_weight"`
	}
	Sets []comparedSet
}

type comparedSet struct {
	TokenSet    string `json:"token_set"`
	Effect      float64
	OtherEffect float64 `json:"other_effect"`
}

func (s comparedSet) difference() float64 { return math.Abs(s.Effect - s.OtherEffect) }

// An saeComparison is the explorer's answer about two SAEs.
type saeComparison struct {
	Command string
	Cosines []struct {
		SAE    string
		Mutual int
	}
	Histogram []struct{ Features int }
	Mutual    []struct {
		Cosine     float64
		One, Other featureRow
	}
	Alone      []featureRow
	OtherAlone []featureRow `json:"other_alone"`
}

const (
	layer14 = "smollm2-demo/blocks.14.hook_resid_pre"
	layer19 = "smollm2-demo/blocks.19.hook_resid_pre"
)

func comparing(values ...string) string {
	q := url.Values{}
	for i, key := range []string{"sae", "other_sae", "feature", "other"}[:len(values)] {
		q.Set(key, values[i])
	}
	return q.Encode()
}

// withNeighbours is the example with the nearest features of two of its SAEs.
func withNeighbours(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "neighbours.db")
	copyFile(t, example, path)
	mustRun(t, "--db", path, "compute", "--neighbours", "--from", "layer_14", "--to", "layer_19")
	return path
}

// TestCompare: two features, and two SAEs, side by side are what SQL says of each; what cannot
// be compared is refused, and what is not stored is answered with the command that stores it.
func TestCompare(t *testing.T) {
	path := withNeighbours(t)
	address, db := exploreDatabase(t, path), openReadOnly(t, path)

	two := ask[comparison](t, address, "compare?"+comparing(layer14, layer19, "1535", "1279"))
	if len(two.Features) != 2 || two.Features[0].Feature != 1535 || two.Features[1].Feature != 1279 || two.Features[0].TopTokens[0] != ")" {
		t.Fatalf("the features are %+v", two.Features)
	}
	var cosine float64
	if err := db.QueryRow(`SELECT list_cosine_similarity(a.w_dec::DOUBLE[], b.w_dec::DOUBLE[]) FROM decoder_directions a, decoder_directions b
		WHERE a.sae = ? AND a.feature = 1535 AND b.sae = ? AND b.feature = 1279`, layer14, layer19).Scan(&cosine); err != nil {
		t.Fatal(err)
	}
	if like := two.Likeness[0]; math.Abs(like.Cosine-cosine) > 1e-12 || like.RankCorrelation < 0.5 || like.RankCorrelation > 0.7 {
		t.Errorf("likeness %+v, the cosine is %v", like, cosine)
	}
	if len(two.Tokens) != 40 {
		t.Errorf("%d tokens, expected 20 of either direction", len(two.Tokens))
	}
	for _, token := range two.Tokens {
		if math.Abs(token.LogitWeight-token.OtherLogitWeight-token.Difference) > 1e-12 || token.Difference > 0 != (token.Direction == "higher") {
			t.Errorf("token %+v", token)
		}
	}
	for _, set := range two.Sets {
		var effect, other float64
		if err := db.QueryRow(`SELECT max(effect) FILTER (sae = $1 AND feature = 1535), max(effect) FILTER (sae = $2 AND feature = 1279) FROM enrichment
			WHERE token_set = $3 AND feature IN (1535, 1279)`, layer14, layer19, set.TokenSet).Scan(&effect, &other); err != nil || effect != set.Effect || other != set.OtherEffect {
			t.Errorf("%+v, in SQL %v and %v (%v)", set, effect, other, err)
		}
	}
	if !slices.IsSortedFunc(two.Sets, func(a, b comparedSet) int { return cmp.Compare(b.difference(), a.difference()) }) || len(two.Sets) < 10 {
		t.Errorf("%d sets, not by their difference", len(two.Sets))
	}

	saes := ask[saeComparison](t, address, "compare-saes?"+comparing(layer14, layer19))
	mutual := count(t, path, `SELECT count(*) FROM feature_neighbours a JOIN feature_neighbours b ON a.sae = b.neighbour_sae AND a.feature = b.neighbour AND b.sae = a.neighbour_sae AND b.feature = a.neighbour
		WHERE a.rank = 1 AND b.rank = 1 AND a.sae = '`+layer14+`' AND b.sae = '`+layer19+`'`)
	if len(saes.Cosines) != 2 || saes.Cosines[0].SAE != layer14 || saes.Cosines[0].Mutual != mutual || saes.Cosines[1].Mutual != mutual {
		t.Errorf("%+v, expected %d features that are each other's nearest", saes.Cosines, mutual)
	}
	features := 0
	for _, bin := range saes.Histogram {
		features += bin.Features
	}
	if features != 2*1536 {
		t.Errorf("the histogram has %d features", features)
	}
	for i, pair := range saes.Mutual {
		if pair.One.SAE != layer14 || pair.Other.SAE != layer19 || i > 0 && pair.Cosine > saes.Mutual[i-1].Cosine || len(pair.Other.TopTokens) == 0 {
			t.Errorf("pair %d: %+v", i, pair)
		}
	}
	if len(saes.Mutual) != 25 || len(saes.Alone) != 25 || len(saes.OtherAlone) != 25 || saes.Alone[0].SAE != layer14 || saes.OtherAlone[0].SAE != layer19 {
		t.Errorf("%d pairs, %d and %d features alone", len(saes.Mutual), len(saes.Alone), len(saes.OtherAlone))
	}
	missing := ask[saeComparison](t, address, "compare-saes?"+comparing(layer14, "smollm2-demo/blocks.29.hook_resid_pre"))
	if want := "saedb --db neighbours.db compute --neighbours --from '" + layer14 + "' --to 'smollm2-demo/blocks.29.hook_resid_pre'"; missing.Command != want {
		t.Errorf("what is not stored: %q, expected %q", missing.Command, want)
	}
	for asked, want := range map[string]string{
		"compare?" + comparing(layer14, layer14, "3", "3"):    "expected two features, found feature 3",
		"compare?" + comparing(layer14, layer19, "3", "1536"): "no feature 1536 of " + layer19 + ", which has 0 to 1535",
		"compare?" + comparing(layer14, "x", "3", "3"):        "no SAE x",
		"compare?" + comparing(layer14, layer19, "3"):         "no feature -1",
		"compare-saes?" + comparing(layer14, layer14):         "expected two SAEs, found " + layer14 + " twice",
	} {
		if status, body := request(t, "GET", address+"/api/"+asked); status == 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s, expected %q", asked, status, body, want)
		}
	}
}

func TestCompareInABrowser(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	address := exploreDatabase(t, withNeighbours(t))
	b.run(t, chromedp.Navigate(address+"/#/compare"))
	b.until(t, `document.querySelectorAll("main form select").length === 2`)
	b.run(t, chromedp.Click(chromedp.CSS("main form button")))
	b.until(t, `document.querySelector("main pre")?.textContent.includes("compute --neighbours")`)
	b.run(t, chromedp.Navigate(address+"/#/compare?"+comparing(layer14, layer19)))
	b.until(t, `document.querySelectorAll("[aria-label=\"Each other's nearest\"] tbody tr").length === 25`)
	b.run(t, chromedp.Click(chromedp.CSS(`[aria-label="Each other's nearest"] tbody a`)))
	b.until(t, `document.querySelectorAll(".chart").length === 2 && document.querySelectorAll("[aria-label='Token sets'] tbody tr").length >= 10`)
	b.nameless(t)
	b.picture(t, "explorer-compare")
}
