package test

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/loader/model"
)

// blockModel makes a small GPT-2 with its block, d_model 32, and a vocabulary for its
// 500 tokens: a, b, … aa, ab, ….
func blockModel(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "small")
	copyTree(t, "../loader/model/testdata/gpt2", dir)
	words := map[string]int{}
	for id := range 500 {
		word := string(rune('a' + id%26))
		for n := id / 26; n > 0; n /= 26 {
			word += string(rune('a' + n%26))
		}
		words[word] = id
	}
	text, err := json.Marshal(map[string]any{"version": "1.0", "model": map[string]any{"type": "WordLevel", "vocab": words, "unk_token": "a"}})
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "tokenizer.json", text)
	return dir
}

// matrixFile writes a safetensors file with one matrix of random values.
func matrixFile(t *testing.T, dir, name, tensor string, rows, cols int) (path string, values []float32) {
	t.Helper()
	r := rand.New(rand.NewPCG(7, uint64(rows)))
	values = make([]float32, rows*cols)
	for i := range values {
		values[i] = float32(r.NormFloat64())
	}
	header, err := json.Marshal(map[string]any{tensor: map[string]any{"dtype": "F32", "shape": []int{rows, cols}, "data_offsets": []int{0, 4 * len(values)}}})
	if err != nil {
		t.Fatal(err)
	}
	file := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	file = append(file, header...)
	for _, v := range values {
		file = binary.LittleEndian.AppendUint32(file, math.Float32bits(v))
	}
	return write(t, dir, name, file), values
}

// blockDatabase loads a small model.
func blockDatabase(t *testing.T) (db, modelPath string) {
	t.Helper()
	db, modelPath = filepath.Join(t.TempDir(), "small.db"), blockModel(t)
	mustRun(t, "--db", db, "load", "model", modelPath)
	return db, modelPath
}

// rowsOf are the directions of one SAE, a row after the other.
func rowsOf(t *testing.T, db, sae string) []float32 {
	t.Helper()
	opened, err := saedb.Open(t.Context(), db, saedb.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	rows, err := opened.QueryContext(t.Context(), `SELECT w FROM (SELECT feature, unnest(w_dec) AS w, generate_subscripts(w_dec, 1) AS i
		FROM decoder_directions WHERE sae = ?) ORDER BY feature, i`, sae)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all []float32
	for rows.Next() {
		var v float32
		if err := rows.Scan(&v); err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// A decoder of attention heads, or of MLP activations, is stored as what it writes
// to the residual stream: its product with W_O or W_out. Oracle: sums in float64.
func TestOtherSpaces(t *testing.T) {
	db, small := blockDatabase(t)
	for hook, kind := range map[string]model.BlockKind{"attn.hook_z": model.AttentionOut, "attn.hook_v": model.AttentionOut, "mlp.hook_post": model.MLPOut} {
		block, err := model.OpenBlock(small, kind, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer block.Close()
		in, out := block.Rows(), block.Cols()
		weights := make([]float32, in*out)
		if err := block.ReadRows(0, weights); err != nil {
			t.Fatal(err)
		}
		const features = 5
		dir := filepath.Join(t.TempDir(), hook)
		_, decoder := matrixFile(t, dir, "sae_weights.safetensors", "W_dec", features, in)
		write(t, dir, "cfg.json", fmt.Appendf(nil, `{"architecture": "standard", "d_in": %d, "d_sae": %d, "metadata": {"hook_name": "blocks.0.%s"}}`, in, features, hook))
		mustRun(t, "--db", db, "load", "sae", dir)
		got := rowsOf(t, db, hook)
		for f := range features {
			for j := range out {
				var want float64
				for i := range in {
					want += float64(decoder[f*in+i]) * float64(weights[i*out+j])
				}
				if math.Abs(float64(got[f*out+j])-want) > 1e-6 {
					t.Fatalf("%s: feature %d, position %d: %v, expected %v", hook, f, j, got[f*out+j], want)
				}
			}
		}
		if n := count(t, db, "SELECT count(*) FROM saes WHERE hook = 'blocks.0."+hook+"' AND d_model = 32 AND scale LIKE 'as-stored; mapped by W_%c_proj.weight)'"); n != 1 {
			t.Errorf("%s: %d SAEs that say how they were mapped, expected 1", hook, n)
		}
	}
}

// What cannot be mapped is refused, and says why.
func TestOtherSpacesRefused(t *testing.T) {
	db, _ := blockDatabase(t)
	for hook, want := range map[string]string{
		"blocks.9.attn.hook_z": "layer: expected one from 0 to 0, found 9 (it has to be mapped by W_O, read from the files of model small)",
		"hook_z":               "hook point \"hook_z\"",
		"blocks.0.attn.hook_z": "expected rows of 32 values, as W_O",
	} {
		dir := filepath.Join(t.TempDir(), "sae")
		matrixFile(t, dir, "sae_weights.safetensors", "W_dec", 3, 24)
		write(t, dir, "cfg.json", fmt.Appendf(nil, `{"metadata": {"hook_name": "%s"}}`, hook))
		r := saedbRun(t, "", "--db", db, "load", "sae", dir)
		if r.code != 1 || !strings.Contains(r.stderr, want) {
			t.Errorf("%s: exit %d, %q does not say %q", hook, r.code, r.stderr, want)
		}
	}
	if n := count(t, db, "SELECT count(*) FROM saes"); n != 0 {
		t.Errorf("%d SAEs were loaded", n)
	}
}

// Files, neurons and queries become directions with statistics and enrichment.
func TestDirections(t *testing.T) {
	t.Parallel()
	db, small := blockDatabase(t)
	dir := t.TempDir()
	probe, values := matrixFile(t, dir, "probe.safetensors", "w", 3, 32)
	mustRun(t, "--db", db, "load", "directions", probe, "--layer", "2")
	if got := rowsOf(t, db, "probe"); fmt.Sprint(got) != fmt.Sprint(values) {
		t.Error("the rows of a file changed on the way")
	}
	mustRun(t, "--db", db, "load", "directions", probe, "--name", "unit", "--decoder", "unit-norm")
	if n := count(t, db, "SELECT count(*) FROM decoder_directions WHERE sae = 'unit' AND abs(list_inner_product(w_dec, w_dec) - 1) < 1e-6"); n != 3 {
		t.Errorf("%d rows of unit length, expected 3", n)
	}
	mustRun(t, "--db", db, "load", "directions", small)
	if n := count(t, db, "SELECT count(*) FROM decoder_directions WHERE sae = 'blocks.0.mlp.neurons' AND layer = 0 AND len(w_dec) = 32"); n != 128 {
		t.Errorf("%d neurons, expected 128", n)
	}
	if said := mustRun(t, "--db", db, "load", "directions", "--neurons", "--layer", "0"); !strings.Contains(said, "nothing changed") {
		t.Errorf("the neurons of the loaded model are those of its directory, yet: %q", said)
	}
	query := "SELECT w_dec, feature FROM decoder_directions WHERE sae = 'probe' AND feature > 0 ORDER BY feature DESC;"
	mustRun(t, "--db", db, "load", "directions", "--sql", query, "--name", "picked", "--hook", "blocks.7.hook_resid_pre")
	if got := rowsOf(t, db, "picked"); fmt.Sprint(got) != fmt.Sprint(append(append([]float32{}, values[64:]...), values[32:64]...)) {
		t.Error("the rows of a query are not its rows in their order")
	}
	if said := mustRun(t, "--db", db, "load", "directions", "--sql", query, "--name", "picked", "--hook", "blocks.7.hook_resid_pre"); !strings.Contains(said, "nothing changed") {
		t.Errorf("the same query again: %q", said)
	}
	mustRun(t, "--db", db, "load", "sets", "--family", "letters")
	mustRun(t, "--db", db, "compute")
	if n := count(t, db, "SELECT count(*) FROM layer_7 JOIN enrichment USING (sae, feature) WHERE token_set = 'letter_a' AND es > 0 AND std > 0"); n != 2 {
		t.Errorf("%d directions of a query with statistics and enrichment, expected 2", n)
	}
	for want, args := range map[string][]string{
		"found row 0 has 2 values":                  {"--sql", "SELECT [1.0, 2.0] AS w", "--name", "x"},
		"found row 1 has no direction (NULL)":       {"--sql", "SELECT w_dec FROM decoder_directions WHERE sae = 'unit' AND feature = 0 UNION ALL SELECT NULL", "--name", "x"},
		"a value that is NULL or not finite":        {"--sql", "SELECT list_prepend('inf'::FLOAT, w_dec[2:]) FROM decoder_directions WHERE sae = 'unit'", "--name", "x"},
		"expected a row a direction, found no rows": {"--sql", "SELECT w_dec FROM decoder_directions WHERE false", "--name", "x"},
		"found token VARCHAR":                       {"--sql", "SELECT token FROM tokens", "--name", "x"},
		"with other content":                        {"--sql", "SELECT w_dec FROM decoder_directions WHERE sae = 'unit'", "--name", "picked"},
		"layer: expected one from 0 to 0, found 3":  {small, "--layer", "3"},
		"tensor nothing: is missing":                {probe, "--tensor", "nothing"},
	} {
		r := saedbRun(t, "", append([]string{"--db", db, "load", "directions"}, args...)...)
		if r.code != 1 || !strings.Contains(r.stderr, want) || strings.Count(r.stderr, "\n") != 1 {
			t.Errorf("%v: exit %d, %q does not say %q in one line", args, r.code, r.stderr, want)
		}
	}
	for _, args := range [][]string{{}, {probe, "--sql", "SELECT 1"}, {"--sql", "SELECT 1"}, {small, "--name", "x"}, {probe, "--hook", "h", "--layer", "1"}, {probe, "--decoder", "x"}} {
		if r := saedbRun(t, "", append([]string{"--db", db, "load", "directions"}, args...)...); r.code != 2 {
			t.Errorf("%v: exit %d, expected 2: %q", args, r.code, r.stderr)
		}
	}
}
