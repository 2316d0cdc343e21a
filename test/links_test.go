package test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/loader/safetensors/safetensorstest"
	schema "github.com/saedb/saedb/sql"
)

const linkedWidth = 32 // d_model of the small GPT-2

// transcoder writes one of SAELens's, which reads block's MLP input and writes its output.
func transcoder(t *testing.T, dir string, block int, encoder, decoder []float32) {
	t.Helper()
	n := len(decoder) / linkedWidth
	turned := make([]float32, len(encoder)) // W_enc is [d_in, d_sae]
	for i := range n {
		for j := range linkedWidth {
			turned[j*n+i] = encoder[i*linkedWidth+j]
		}
	}
	write(t, dir, "sae_weights.safetensors", safetensorstest.Bytes(
		safetensorstest.F32("W_enc", []int{linkedWidth, n}, turned...), safetensorstest.F32("W_dec", []int{n, linkedWidth}, decoder...),
		safetensorstest.F32("b_enc", []int{n}, make([]float32, n)...), safetensorstest.F32("b_dec", []int{linkedWidth}, make([]float32, linkedWidth)...)))
	write(t, dir, "cfg.json", []byte(fmt.Sprintf(`{"d_in": %[1]d, "d_out": %[1]d, "d_sae": %[2]d, "dtype": "float32", "architecture": "transcoder", "apply_b_dec_to_input": false,
		"normalize_activations": "none", "metadata": {"model_name": "small", "hook_name": "blocks.%[3]d.ln2.hook_normalized", "hook_name_out": "blocks.%[3]d.hook_mlp_out"}}`, linkedWidth, n, block)))
}

func gaussian(seed uint64, n int) []float32 {
	r := rand.New(rand.NewPCG(seed, 1))
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(r.NormFloat64())
	}
	return values
}

func rowOf(matrix []float32, i int) []float32 { return matrix[i*linkedWidth : (i+1)*linkedWidth] }

func product(a, b []float32) float64 {
	var sum float64
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}

// list is a row of lists as SQL has them: features and values.
type list struct {
	features []int32
	values   []float64
}

// best are the k highest of values times sign, equal ones by the lower index, without those that
// are NaN.
func best(values []float64, k int, sign float64) list {
	var order []int
	for i, v := range values {
		if !math.IsNaN(v) {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case sign*values[a] > sign*values[b]:
			return -1
		case sign*values[a] < sign*values[b]:
			return 1
		}
		return 0
	})
	var l list
	for _, i := range order[:min(k, len(order))] {
		l.features, l.values = append(l.features, int32(i)), append(l.values, values[i])
	}
	return l
}

// lists reads a query's rows: feature, features, values, ordered by feature.
func lists(t *testing.T, db, query string) []list {
	t.Helper()
	opened, err := saedb.Open(t.Context(), db, saedb.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	type row struct {
		feature  int
		features schema.ListOf[int32]
		values   schema.ListOf[float64]
	}
	rows, err := schema.Rows(t.Context(), opened.DB, func(r *row) []any { return []any{&r.feature, &r.features, &r.values} }, query)
	if err != nil {
		t.Fatal(err)
	}
	var all []list
	for i, r := range rows {
		if r.feature != i {
			t.Fatalf("%s: feature %d at place %d", query, r.feature, i)
		}
		all = append(all, list{r.features, r.values})
	}
	return all
}

func sameLists(t *testing.T, what string, got, want []list, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d rows, expected %d", what, len(got), len(want))
	}
	for i := range want {
		if !slices.Equal(got[i].features, want[i].features) {
			t.Fatalf("%s, feature %d: %v %v, expected %v %v", what, i, got[i].features, got[i].values, want[i].features, want[i].values)
		}
		for j, v := range want[i].values {
			if !(math.Abs(got[i].values[j]-v) <= tolerance*max(1, math.Abs(v))) {
				t.Fatalf("%s, feature %d, place %d: %.17g, expected %.17g", what, i, j, got[i].values[j], v)
			}
		}
	}
}

// linked is a database with two transcoders, and their weights.
type linked struct {
	db                                             string
	decoder, encoder, targetDecoder, targetEncoder []float32
}

const (
	linkedSource, linkedTarget = "r/early", "r/late"
	linkedFeatures             = 2048
	// The circuit that is planted.
	plantedSource, plantedTarget = 1234, 77
)

func linkedDatabase(t *testing.T) linked {
	t.Helper()
	dir, n := t.TempDir(), linkedFeatures*linkedWidth
	l := linked{filepath.Join(dir, "linked.db"), gaussian(1, n), gaussian(2, n), gaussian(3, n), gaussian(4, n)}
	for _, m := range [][]float32{l.decoder, l.targetDecoder} {
		copy(rowOf(m, 9), rowOf(m, 5)) // twice
		clear(rowOf(m, 17))            // dead
	}
	for i, w := range rowOf(l.decoder, 5) { // thrice, but longer
		rowOf(l.decoder, 2000)[i] = 4 * w
	}
	copy(rowOf(l.targetEncoder, 1003), rowOf(l.targetEncoder, 1002))
	for i, w := range rowOf(l.decoder, plantedSource) {
		rowOf(l.targetEncoder, plantedTarget)[i] = 8 * w
	}
	transcoder(t, filepath.Join(dir, "early"), 1, l.encoder, l.decoder)
	transcoder(t, filepath.Join(dir, "late"), 3, l.targetEncoder, l.targetDecoder)
	mustRun(t, "--db", l.db, "load", "model", modelOf(t, "gpt2", ""), "--name", "small")
	for _, name := range []string{"early", "late"} {
		mustRun(t, "--db", l.db, "load", "sae", filepath.Join(dir, name), "--release", "r", "--encoder")
	}
	return l
}

// TestLinks: what is stored of two transcoders is what all products are in float64, both ways; a
// planted circuit comes first; the other way round there is nothing to multiply.
func TestLinks(t *testing.T) {
	t.Parallel()
	l := linkedDatabase(t)
	compute := func(more ...string) []string { return append([]string{"--db", l.db, "compute", "--links"}, more...) }
	if r := saedbRun(t, "", compute("--from", linkedTarget, "--to", linkedSource)...); r.code != 1 || !strings.Contains(r.stderr, "blocks.1.ln2.hook_normalized is read before blocks.3.hook_mlp_out is written") {
		t.Errorf("from the later to the earlier: exit %d, %s", r.code, r.stderr)
	}
	const top = 7
	if said := mustRun(t, compute("--top", fmt.Sprint(top))...); strings.Count(said, "skipped ") != 3 || strings.Count(said, "computed ") != 2 {
		t.Errorf("said %s", said)
	}
	var products, transposed [linkedFeatures][linkedFeatures]float64
	var mean, square float64
	for i := range linkedFeatures {
		for j := range linkedFeatures {
			w := product(rowOf(l.decoder, i), rowOf(l.targetEncoder, j))
			products[i][j], transposed[j][i] = w, w
			mean += w / linkedFeatures / linkedFeatures
		}
	}
	var out, in [2][]list
	for i := range linkedFeatures {
		for j := range linkedFeatures {
			square += (products[i][j] - mean) * (products[i][j] - mean) / linkedFeatures / linkedFeatures
		}
		for end, sign := range []float64{1, -1} {
			out[end], in[end] = append(out[end], best(products[i][:], top, sign)), append(in[end], best(transposed[i][:], top, sign))
		}
	}
	std := math.Sqrt(square)
	same := func() {
		t.Helper()
		for end, direction := range []string{"excites", "inhibits"} {
			sameLists(t, "targets "+direction, lists(t, l.db, `SELECT source_feature, list(target_feature ORDER BY rank), list(weight ORDER BY rank) FROM feature_links
				WHERE ranked_for = 'source' AND direction = '`+direction+`' AND source_sae = '`+linkedSource+`' GROUP BY source_feature ORDER BY source_feature`), out[end], 1e-13)
			sameLists(t, "sources "+direction, lists(t, l.db, `SELECT target_feature, list(source_feature ORDER BY rank), list(weight ORDER BY rank) FROM feature_links
				WHERE ranked_for = 'target' AND direction = '`+direction+`' AND target_sae = '`+linkedTarget+`' GROUP BY target_feature ORDER BY target_feature`), in[end], 1e-13)
		}
	}
	same()
	for query, want := range map[string]int{
		fmt.Sprintf("SELECT count(*) FROM feature_links WHERE abs(z - (weight - %.17g) / %.17g) > 1e-6", mean, std):                                                    0,
		"SELECT count(*) FROM feature_links WHERE z IS NULL OR nominal_p IS NULL":                                                                                      0,
		"SELECT count(*) FROM feature_links":                                                                                                                           4 * top * linkedFeatures,
		fmt.Sprintf("SELECT count(*) FROM feature_links WHERE source_feature = %d AND target_feature = %d AND rank = 1", plantedSource, plantedTarget):                 2,
		"SELECT arg_max(source_feature, z) * 10000 + arg_max(target_feature, z) FROM feature_links":                                                                    plantedSource*10000 + plantedTarget,
		"SELECT count(*) FROM stored_links WHERE pair_id = (SELECT pair_id FROM stored_sae_pairs WHERE kind = 'outgoing') AND feature = 17 AND (std = 0 AND mean = 0)": 1,
	} {
		if got := count(t, l.db, query); got != want {
			t.Errorf("%s: %d, expected %d", query, got, want)
		}
	}
	for _, row := range textsIn(t, l.db, "SELECT z || ' ' || nominal_p FROM feature_links USING SAMPLE reservoir(200 ROWS) REPEATABLE (1)") {
		var z, p float64
		if _, err := fmt.Sscan(row, &z, &p); err != nil {
			t.Fatal(err)
		}
		if want := math.Erfc(math.Abs(z) / math.Sqrt2); !(math.Abs(p-want) <= 2e-7*want) {
			t.Errorf("z %g: nominal_p %g, expected %g", z, p, want)
		}
	}
	mustRun(t, "--db", l.db, "check", "--sample", "5")

	// What was interrupted goes on; what is there is not done again, and fewer are there with more.
	if said := mustRun(t, compute("--from", linkedSource, "--to", linkedTarget, "--top", "3")...); said != "nothing to compute: 1 pairs of SAEs have their links\n" {
		t.Errorf("the second time, said %s", said)
	}
	change(t, l.db, "DELETE FROM stored_links WHERE feature BETWEEN 1000 AND 1500; UPDATE stored_sae_pairs SET features = features - 501, mean = NULL, std = NULL")
	if n := count(t, l.db, "SELECT count(z) + count(nominal_p) FROM feature_links"); n != 0 {
		t.Errorf("%d have a z before all are computed", n)
	}
	mustRun(t, compute("--from", linkedSource, "--to", linkedTarget, "--top", fmt.Sprint(top))...)
	same()
	mustRun(t, "--db", l.db, "check", "--sample", "3")
	for statement, want := range map[string]string{
		"UPDATE stored_links SET top_weights = [w * (1 + 1e-6) FOR w IN top_weights] WHERE feature = 0":                                      "stored_links: pair",
		"UPDATE stored_links SET top_features = [top_features[2], top_features[1]] || top_features[3:] WHERE feature = 0":                    "of top_weights, computed again in float64",
		"UPDATE stored_links SET bottom_features = bottom_features[:2], bottom_weights = bottom_weights[:2] WHERE feature = 0":               "expected in bottom_features as many features",
		"DELETE FROM stored_links WHERE feature = 5":                                                                                         "rows, as its computation recorded, found 2047",
		"UPDATE stored_sae_pairs SET other_id = 99":                                                                                          "rows, but no such SAE",
		"UPDATE stored_sae_pairs SET mean = NULL WHERE kind = 'incoming'":                                                                    "expected a mean and a std of all its products",
		"UPDATE stored_links SET top_features = [2048] || top_features[2:] WHERE feature = 0":                                                "of 0 to 2047",
		"INSERT INTO stored_sae_pairs SELECT pair_id + 100, * EXCLUDE (pair_id) REPLACE (0 AS features, NULL AS mean) FROM stored_sae_pairs": "expected 1 pair of that kind and these SAEs, found 2",
	} {
		damaged := filepath.Join(t.TempDir(), "damaged.db")
		copyFile(t, l.db, damaged)
		change(t, damaged, statement)
		if r := saedbRun(t, "", "--db", damaged, "check", "--sample", "2"); r.code != 3 || !strings.Contains(r.stdout, want) {
			t.Errorf("%s: exit %d, expected 3 and %q, found\n%s", statement, r.code, want, r.stdout)
		}
	}
	mustRun(t, compute("--top", fmt.Sprint(top+1))...)
	if n := count(t, l.db, "SELECT count(*) FROM feature_links"); n != 4*(top+1)*linkedFeatures {
		t.Errorf("%d links with one more at each end", n)
	}
	mustRun(t, "--db", l.db, "unload", "sae", linkedTarget)
	if n := count(t, l.db, "SELECT (SELECT count(*) FROM stored_links) + (SELECT count(*) FROM stored_sae_pairs)"); n != 0 {
		t.Errorf("%d rows left of an SAE that is unloaded", n)
	}
}

// TestNeighbours: nearest directions are what all cosines are in float64, within an SAE and
// between two; similar_features has the same answers with them and without.
func TestNeighbours(t *testing.T) {
	t.Parallel()
	l := linkedDatabase(t)
	const top = 12 // the explorer shows ten
	const similar = "SELECT string_agg(sae || ' ' || feature || ' ' || round(cosine, 12), ', ' ORDER BY cosine DESC, sae, feature) FROM similar_features('r/early', 5, k := 12)"
	before := textsIn(t, l.db, similar)
	without := filepath.Join(t.TempDir(), "without.db")
	copyFile(t, l.db, without)
	mustRun(t, "--db", l.db, "compute", "--neighbours", "--top", fmt.Sprint(top))
	mustRun(t, "--db", l.db, "compute", "--neighbours", "--top", fmt.Sprint(top), "--from", "r/*", "--to", "r/*")
	decoders := map[string][]float32{linkedSource: l.decoder, linkedTarget: l.targetDecoder}
	nearest := map[string]map[string]list{} // of a feature, in an SAE
	for of, decoder := range decoders {
		for in, other := range decoders {
			var want []list
			var absolute float64
			for i := range linkedFeatures {
				cosines := make([]float64, linkedFeatures)
				for j := range linkedFeatures {
					a, b := rowOf(decoder, i), rowOf(other, j)
					cosines[j] = product(a, b) / math.Sqrt(product(a, a)) / math.Sqrt(product(b, b))
					if of == in && i == j {
						cosines[j] = math.NaN()
					}
					if !math.IsNaN(cosines[j]) {
						absolute += math.Abs(cosines[j])
					}
				}
				near := best(cosines, top, 1)
				for a := 1; a < len(near.values); a++ { // the multiple of a row is as near, but for the rounding here
					if math.Abs(near.values[a]-near.values[a-1]) < 1e-15 && near.features[a] < near.features[a-1] {
						near.features[a], near.features[a-1] = near.features[a-1], near.features[a]
					}
				}
				want = append(want, near)
				if node := fmt.Sprint(of, " ", i); nearest[node] == nil {
					nearest[node] = map[string]list{in: near}
				} else {
					nearest[node][in] = near
				}
			}
			got := lists(t, l.db, fmt.Sprintf(`SELECT feature, neighbours, cosines FROM stored_neighbours JOIN stored_sae_pairs USING (pair_id)
				WHERE sae_id = (SELECT load_id FROM saes WHERE sae = '%s') AND other_id = (SELECT load_id FROM saes WHERE sae = '%s') ORDER BY feature`, of, in))
			sameLists(t, of+" in "+in, got, want, 1e-14)
			if of == in {
				mean := absolute / (linkedFeatures - 1) / (linkedFeatures - 2) // one is zero
				if n := count(t, l.db, fmt.Sprintf("SELECT count(*) FROM sae_health WHERE sae = '%s' AND abs(mean_absolute_cosine - %.17g) < 1e-8 AND zero_decoders = 1 AND duplicates BETWEEN 2 AND 3", of, mean)); n != 1 {
					t.Errorf("%s: health %v, expected mean magnitude %g", of, textsIn(t, l.db, "SELECT CAST(h AS VARCHAR) FROM sae_health h"), mean)
				}
			}
		}
	}
	if after := textsIn(t, l.db, similar); !slices.Equal(before, after) || !strings.Contains(before[0], "r/early 9 1.0, r/early 2000 1.0") {
		t.Errorf("similar features: %v, and from what is stored %v", before, after)
	}
	sameFamilies(t, l.db, nearest, 0.6)
	explorers := [2]string{exploreDatabase(t, without), exploreDatabase(t, l.db)}
	for _, asked := range []string{"sae=r/early&feature=5", "sae=r/early&feature=5&of=r/late", "sae=r/late&feature=100&of=r/early", "sae=r/early&feature=17"} {
		var found [2][]featureRow
		for i, address := range explorers {
			found[i] = ask[[]featureRow](t, address, "similar?"+asked)
		}
		if len(found[0]) != len(found[1]) {
			t.Fatalf("%s: %d rows, and from what is stored %d", asked, len(found[0]), len(found[1]))
		}
		for i := range found[0] {
			a, b := found[0][i], found[1][i]
			if a.SAE != b.SAE || a.Feature != b.Feature || math.Abs(a.Cosine-b.Cosine) > 1e-14 {
				t.Errorf("%s, place %d: %v, and from what is stored %v", asked, i, a, b)
			}
		}
	}
	for query, want := range map[string]int{
		"SELECT count(*) FROM similar_features('r/early', 17)":                                      0,
		"SELECT count(*) FROM similar_features('r/early', 5, k := 5, within := 'r')":                5,
		"SELECT count(*) FROM similar_features('r/early', 5, k := 100)":                             100, // more than is stored
		"SELECT count(*) FROM feature_neighbours WHERE feature = 17 OR neighbour = 17":              0,
		"SELECT count(*) FROM feature_neighbours WHERE sae = neighbour_sae AND feature = neighbour": 0,
		"SELECT count(*) FROM nearest_between('r/early', 'r/late') n JOIN feature_neighbours f ON f.sae = n.sae AND f.feature = n.feature AND f.neighbour_sae = n.other_sae AND f.neighbour = n.nearest AND f.cosine = n.cosine WHERE f.rank = 1": 2 * (linkedFeatures - 1), // not of the zero directions
		"SELECT count(*) FROM r.feature_neighbours":                                                             4 * top * (linkedFeatures - 1),
		"SELECT count(*) FROM sae_health WHERE abs(random_absolute_cosine - 0.1421) < 1e-4":                     2,
		"SELECT count(*) FROM sae_health WHERE kurtosis_beyond_chance IS NULL AND encoder_decoder_cosine < 0.5": 2,
	} {
		if got := count(t, l.db, query); got != want {
			t.Errorf("%s: %d, expected %d", query, got, want)
		}
	}
	mustRun(t, "--db", l.db, "check", "--sample", "5")
	damaged := filepath.Join(t.TempDir(), "damaged.db")
	copyFile(t, l.db, damaged)
	change(t, damaged, "UPDATE stored_neighbours SET neighbours = neighbours[2:], cosines = cosines[2:] WHERE feature = 0")
	if r := saedbRun(t, "", "--db", damaged, "check", "--sample", "2"); r.code != 3 || !strings.Contains(r.stdout, "at place 1 of cosines, computed again in float64") {
		t.Errorf("without the nearest: exit %d\n%s", r.code, r.stdout)
	}
}

// sameFamilies holds feature_families against a search from every feature, along those that are
// each other's nearest.
func sameFamilies(t *testing.T, db string, nearest map[string]map[string]list, least float64) {
	t.Helper()
	seen := map[string]bool{}
	var want []string
	for start := range nearest {
		var family []string
		for next := []string{start}; len(next) > 0; next = next[1:] {
			node := next[0]
			if seen[node] {
				continue
			}
			seen[node] = true
			family = append(family, node)
			of, _, _ := strings.Cut(node, " ")
			for in, near := range nearest[node] {
				if len(near.values) == 0 || near.values[0] < least {
					continue
				}
				other := fmt.Sprint(in, " ", near.features[0])
				if back := nearest[other][of]; fmt.Sprint(of, " ", back.features[0]) == node {
					next = append(next, other)
				}
			}
		}
		if len(family) > 1 {
			slices.Sort(family)
			want = append(want, fmt.Sprint(len(family), " ", strings.Join(family, ", ")))
		}
	}
	slices.Sort(want)
	got := textsIn(t, db, fmt.Sprintf("SELECT any_value(size) || ' ' || string_agg(sae || ' ' || feature, ', ' ORDER BY sae || ' ' || feature) AS f FROM feature_families(cosine := %g) GROUP BY family ORDER BY f", least))
	if !slices.Equal(got, want) || len(want) < 20 {
		t.Errorf("%d families, expected %d", len(got), len(want))
	}
	if n := count(t, db, fmt.Sprintf("SELECT count(*) FROM (SELECT size, lead(size) OVER (ORDER BY family) AS next FROM (SELECT DISTINCT family, size FROM feature_families(cosine := %g))) WHERE next > size", least)); n != 0 {
		t.Errorf("%d families are larger than the one before", n)
	}
}

// TestPairsTravel: links and neighbours go out with an export, without weights, and come back.
func TestPairsTravel(t *testing.T) {
	t.Parallel()
	l := linkedDatabase(t)
	mustRun(t, "--db", l.db, "compute", "--links", "--top", "3")
	mustRun(t, "--db", l.db, "compute", "--neighbours", "--top", "3", "--to", "*")
	dir := filepath.Join(t.TempDir(), "out")
	mustRun(t, "--db", l.db, "export", "--to", dir)
	back := filepath.Join(t.TempDir(), "back.db")
	mustRun(t, "--db", back, "import", "--parquet", dir)
	whole := map[string][]string{}
	for _, view := range []string{"feature_links", "feature_neighbours"} {
		query := "SELECT CAST(v AS VARCHAR) FROM " + view + " v ORDER BY ALL"
		if view == "feature_neighbours" {
			query = strings.Replace(query, "v ORDER", "v WHERE feature < 300 ORDER", 1)
		} else {
			query = strings.Replace(query, "v ORDER", "v WHERE source_feature < 100 ORDER", 1)
		}
		whole[query] = textsIn(t, l.db, query)
		for _, db := range []string{filepath.Join(dir, "results.duckdb"), back} {
			if got := textsIn(t, db, query); !slices.Equal(got, whole[query]) || len(got) == 0 {
				t.Errorf("%s in %s: %d rows, expected %d", query, db, len(got), len(whole[query]))
			}
		}
	}
	if n := count(t, back, "SELECT count(*) FROM similar_features('r/early', 5, k := 3)"); n != 3 {
		t.Errorf("%d similar features without weights", n)
	}
	mustRun(t, "--db", back, "check")
	if said := mustRun(t, "--db", back, "import", "--parquet", dir); !strings.Contains(said, "already") && count(t, back, "SELECT count(*) FROM stored_sae_pairs") != 6 {
		t.Errorf("twice: %s", said)
	}
	mustRun(t, "--db", back, "import", "--parquet", dir, "--replace")
	if n := count(t, back, "SELECT count(*) FROM stored_sae_pairs"); n != 6 {
		t.Errorf("%d pairs after the import was repeated", n)
	}
	if r := saedbRun(t, "", "--db", back, "compute", "--neighbours", "--top", "9"); r.code != 1 || !strings.Contains(r.stderr, "the weights of r/early are not in this database") {
		t.Errorf("without weights: exit %d, %s", r.code, r.stderr)
	}
}
