package test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// explanation is a row of Neuronpedia's export, with what stands beside.
func explanation(source, index, description, explainer string) string {
	text, err := json.Marshal(map[string]any{
		"id": "clx" + index, "modelId": "smollm2", "layer": source, "index": index, "authorId": "a", "description": description,
		"typeName": "oai_token-act-pair", "explanationModelName": explainer, "embedding": []float64{0.5, -0.25}, "umap_x": nil,
	})
	if err != nil {
		panic(err)
	}
	return string(text) + "\n"
}

// activations is a row of the export of features, with NaN as Python writes it.
func activations(index string, maxActivation, density string) string {
	return fmt.Sprintf(`{"modelId": "smollm2", "layer": "29-res", "index": "%s", "maxActApprox": %s, "frac_nonzero": %s, `+
		`"hasVector": false, "freq_hist_data_bar_heights": [1, NaN], "pos_str": [" a", "\u0000"]}`+"\n", index, maxActivation, density)
}

func zipped(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestExplanations: rows of several kinds of file join the features of the SAE with
// their Neuronpedia id, loaded before or after; the same again changes nothing.
func TestExplanations(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	// Batches are in the order of the index as text, and one is not whole features.
	batch0 := write(t, dir, "batch-0.jsonl.gz", zipped(t, explanation("29-res", "0", "zero\x00es", "gpt-4o")+
		explanation("29-res", "1", "one", "gpt-4o")+explanation("29-res", "1328", "closing brackets", "gpt-4o")))
	batch1 := write(t, dir, "batch [1]*.jsonl", []byte(explanation("29-res", "1328", "closing brackets", "claude")+
		"\n"+explanation("29-res", "2", "tab\tand \"quotes\" and é", "gpt-4o")+explanation("24-res", "5", "elsewhere", "gpt-4o")))
	features := write(t, dir, "features", zipped(t, activations("1328", "12.5", "0.001")+activations("2", "0", "NaN")+activations("3", "null", "null")))
	array := write(t, dir, "former.json", []byte(`[{"modelId": "smollm2", "layer": "29-res", "index": 63, "description": "number words"},
		{"modelId": "smollm2", "layer": "29-res", "index": "64", "description": ""}]`))

	db := filepath.Join(dir, "copy.db")
	copyFile(t, example, db)
	r := saedbRun(t, "", "--db", db, "load", "explanations", batch0, batch1, features, array)
	if r.code != 0 || !strings.Contains(r.stderr, "no SAE is loaded that has the Neuronpedia id smollm2/24-res or smollm2/29-res") {
		t.Fatalf("exit %d, %q", r.code, r.stderr)
	}
	for _, want := range []string{"smollm2/24-res: 1 explanations, activations of 0 features", "smollm2/29-res: 7 explanations, activations of 2 features", "4 files"} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("%q does not say %q", r.stdout, want)
		}
	}
	if n := count(t, db, "SELECT count(*) FROM explanations"); n != 0 {
		t.Errorf("%d explanations of no SAE", n)
	}
	mustRun(t, "--db", db, "load", "sae", filepath.Join(exampleSAEs, "blocks.29.hook_resid_pre"), "--release", "smollm2-demo", "--neuronpedia-id", "smollm2/29-res")
	for query, want := range map[string]int{
		`SELECT count(*) FROM layer_29 JOIN explanations USING (sae, feature)`:                                                                                  7,
		`SELECT count(*) FROM layer_29 JOIN explanations USING (release, sae, layer, feature) WHERE feature = 1328 AND top_tokens[1] = ')'`:                     2,
		`SELECT feature FROM explanations WHERE explainer = 'claude' AND type = 'oai_token-act-pair' AND description = 'closing brackets'`:                      1328,
		`SELECT feature FROM explanations WHERE description = 'zero es'`:                                                                                        0,
		`SELECT feature FROM explanations WHERE description = 'tab' || chr(9) || 'and "quotes" and é'`:                                                          2,
		`SELECT feature FROM explanations WHERE explainer IS NULL AND type IS NULL AND description <> ''`:                                                       63,
		`SELECT count(*) FROM neuronpedia_features JOIN features USING (sae, feature) WHERE feature = 1328 AND max_activation = 12.5 AND density = 0.001`:       1,
		`SELECT count(*) FROM neuronpedia_features WHERE max_activation = 0 AND isnan(density)`:                                                                 1,
		`SELECT count(*) FROM loads WHERE kind = 'explanations' AND replaced_by IS NULL AND seconds IS NOT NULL`:                                                4,
		`SELECT count(*) FROM loads JOIN load_files USING (load_id, sha256) WHERE path = 'batch [1]*.jsonl' AND conventions = 'smollm2/24-res, smollm2/29-res'`: 1,
	} {
		if got := count(t, db, query); got != want {
			t.Errorf("%s gives %d, expected %d", query, got, want)
		}
	}
	if said := mustRun(t, "--db", db, "info"); !strings.Contains(said, "blocks.29.hook_resid_pre") || !strings.Contains(said, "Explanations") {
		t.Errorf("info said %q", said)
	}
	before := hash(t, db)
	if said := mustRun(t, "--db", db, "load", "explanations", features, batch0); !strings.Contains(said, "already loaded, with the same SHA-256: 2 files") {
		t.Errorf("load explanations said %q", said)
	}
	if hash(t, db) != before {
		t.Error("loading the same again changed the file")
	}
}

// TestReplaceExplanations: other explanations of the same features, by the same
// explainer, only with --replace, which drops whole files.
func TestReplaceExplanations(t *testing.T) {
	dir, db := t.TempDir(), onNeuronpedia(t)
	batch0 := write(t, dir, "batch-0.jsonl", []byte(explanation("29-res", "0", "zero", "gpt-4o")+explanation("29-res", "1", "one", "gpt-4o")))
	batch1 := write(t, dir, "batch-1.jsonl", []byte(explanation("29-res", "2", "two", "gpt-4o")+activations("2", "1", "0.5")))
	mustRun(t, "--db", db, "load", "explanations", batch0)
	mustRun(t, "--db", db, "load", "explanations", batch1)
	newer := write(t, dir, "newer.jsonl", []byte(explanation("29-res", "1", "a better one", "gpt-4o")))
	before := hash(t, db)
	expectFailure(t, saedbRun(t, "", "--db", db, "load", "explanations", newer), 1, "already loaded", batch0, "--replace")
	if hash(t, db) != before {
		t.Error("the database changed")
	}
	if said := mustRun(t, "--db", db, "load", "explanations", "--replace", newer); !strings.Contains(said, "1 replaced") {
		t.Errorf("load explanations said %q", said)
	}
	if n := count(t, db, `SELECT count(*) FROM explanations WHERE description IN ('a better one', 'two')`); n != 2 || count(t, db, `SELECT count(*) FROM explanations`) != 2 {
		t.Errorf("%d of the explanations that should be there", n)
	}
	if n := count(t, db, `SELECT count(*) FROM loads l JOIN loads n ON l.replaced_by = n.load_id WHERE l.name = 'batch-0.jsonl' AND n.name = 'newer.jsonl'`); n != 1 {
		t.Errorf("%d loads are recorded as replaced, expected 1", n)
	}
	// What was replaced may come back, in the same way.
	mustRun(t, "--db", db, "load", "explanations", "--replace", batch0)
	if n := count(t, db, `SELECT count(*) FROM explanations WHERE description IN ('zero', 'one', 'two')`); n != 3 {
		t.Errorf("%d explanations, expected 3", n)
	}
	moreActivations := write(t, dir, "features.jsonl", []byte(activations("2", "2", "0.25")))
	expectFailure(t, saedbRun(t, "", "--db", db, "load", "explanations", moreActivations), 1, "already loaded", batch1)
}

// TestBadExplanations: an error names file and line, and nothing stays.
func TestBadExplanations(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := filepath.Join(dir, "copy.db")
	copyFile(t, example, db)
	before := hash(t, db)
	good := explanation("29-res", "1", "one", "gpt-4o")
	goodFile := write(t, dir, "good.jsonl", []byte(good))
	whole := zipped(t, strings.Repeat(good, 100))
	for name, c := range map[string]struct {
		content []byte
		says    []string
	}{
		"malformed.jsonl":     {[]byte(activations("7", "1", "NaN") + "\n" + good + "\n\n{\"modelId\": \n" + good), []string{"line 6", "expected a JSON object", `{\"modelId\":`}},
		"malformed.jsonl.gz":  {zipped(t, strings.Repeat(good, 3000)+"{bad}\n"), []string{"line 3001", `{bad}`}},
		"array-in-line.jsonl": {[]byte(good + "[1, 2]\n"), []string{"line 2", "expected a JSON object", `[1, 2]`}},
		"array.json":          {[]byte("[" + good + ", {bad}]"), []string{"array.json"}},
		"activations.jsonl":   {[]byte(good + "\n" + `{"modelId": "m", "layer": "s", "index": "1", "tokens": ["a"], "maxValue": 1}`), []string{"line 3", "description", "none of them"}},
		"no-model.jsonl":      {[]byte(`{"layer": "s", "index": "1", "description": "x"}`), []string{"line 1", "modelId", "found nothing"}},
		"model.jsonl":         {[]byte(`{"modelId": "a/b", "layer": "s", "index": "1", "description": "x"}`), []string{"modelId", `"a/b"`}},
		"no-layer.jsonl":      {[]byte(`{"modelId": "m", "index": "1", "description": "x"}`), []string{"layer", "found nothing"}},
		"index.jsonl":         {[]byte(good + `{"modelId": "m", "layer": "s", "index": "1.5", "description": "x"}`), []string{"line 2", "index", `"1.5"`}},
		"large-index.jsonl":   {[]byte(`{"modelId": "m", "layer": "s", "index": 4294967296, "description": "x"}`), []string{"index", "4294967296"}},
		"negative.jsonl":      {[]byte(`{"modelId": "m", "layer": "s", "index": -1, "description": "x"}`), []string{"index", `"-1"`}},
		"maximum.jsonl":       {[]byte(activations("1", `"high"`, "0")), []string{"line 1", "maxActApprox", "high"}},
		"density.jsonl":       {[]byte(activations("1", "1", `{"a": 1}`)), []string{"line 1", "frac_nonzero", "a"}},
		"twice.jsonl":         {[]byte(activations("1", "1", "0") + activations("1", "2", "0")), []string{"twice.jsonl", "feature 1", "twice"}},
		"cut.jsonl.gz":        {whole[:len(whole)/2], []string{"cut off or damaged", "unexpected EOF"}},
		"damaged.jsonl.gz":    {append(bytes.Clone(whole[:len(whole)-8]), 0, 0, 0, 0, 0, 0, 0, 0), []string{"cut off or damaged", "checksum"}},
		"empty.jsonl":         {nil, []string{"empty"}},
		"blank.jsonl":         {[]byte("\n \n"), []string{"empty"}},
		"empty-array.json":    {[]byte("[]"), []string{"no rows"}},
		"binary.jsonl":        {bytes.Repeat([]byte{0xff, 0, 1, '\n'}, 100), []string{"binary.jsonl"}},
		"one-byte.jsonl":      {[]byte{0x1f}, []string{"no rows"}},
		"cut.jsonl":           {[]byte(good + good[:len(good)/2]), []string{"line 2", "expected a JSON object"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, dir, name, c.content)
			// The good file goes with the bad one.
			r := saedbRun(t, "", "--db", db, "load", "explanations", goodFile, path)
			expectFailure(t, r, 1, append(c.says, "load explanations", name)...)
			if hash(t, db) != before {
				t.Error("the database changed")
			}
		})
	}
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	again := write(t, dir, "again.jsonl", []byte(good+"\n"))
	for _, c := range []struct {
		args []string
		code int
		says []string
	}{
		{nil, 2, []string{"FILE"}},
		{[]string{filepath.Join(dir, "absent.jsonl")}, 1, []string{"absent.jsonl", "no such file"}},
		{[]string{filepath.Join(dir, "folder")}, 1, []string{"folder", "expected a file"}},
		{[]string{goodFile, again}, 1, []string{again, "feature 1 of smollm2/29-res", goodFile}},
	} {
		expectFailure(t, saedbRun(t, "", append([]string{"--db", db, "load", "explanations"}, c.args...)...), c.code, c.says...)
	}
	if hash(t, db) != before {
		t.Error("the database changed")
	}
}
