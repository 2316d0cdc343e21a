package udf_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/saedb/saedb"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf"
)

// callForms is how each function is called, every overload of it. w is a
// direction, m a model, r a reader of features, s a text, l a list of texts, i an INTEGER, is a list of them,
// d a DOUBLE, b a BOOLEAN, and p the path of a small file, or one that is not there.
var callForms = []string{
	"logit_stats(w, m)", "logit_stats(w, m, b)", "logit_stats(w, m, s)", "logit_stats(w, m, b, s)", "l_moments(w, m)", "l_moments(w, m, s)", "top_tokens(w, m, i, s)", "enrichment_score(w, m, s, s)",
	"enrich(w, m, s)", "enrich(w, m, l, s)", "leading_edge(w, m, s, s)", "leading_edge(w, m, s, d, s)", "weighted_enrichment(w, m, l, d, i, s)", "weighted_enrichment(w, m, l, d, i, i, s)",
	"rank_correlation(w, r, w)", "rank_correlation(w, r, w, s)", "top_tokens(w, m, i)", "bottom_tokens(w, m, i)", "top_features(w, r)", "top_features(w, r, i)", "bottom_features(w, r)", "bottom_features(w, r, i)", "top_neurons(w, r)", "top_neurons(w, r, i)", "bottom_neurons(w, r)", "bottom_neurons(w, r, i)", "logit_weight(w, m, i)", "logit_weights(w, m)",
	"feature_statistics(w, m)", "feature_statistics(w, m, s)", "feature_statistics(w, m, s, is)", "enrichment_score(w, m, s)", "enrich(w, m)", "enrich(w, m, l)",
	"enrichment_values(w, m, is, s)", "leading_edge(w, m, s)", "leading_edge(w, m, s, d)", "weighted_enrichment(w, m, l, d, i)", "weighted_enrichment(w, m, l, d, i, i)",
	"row_hash(i, w)", "reader_row(r, i)", "token_text(s, s)", "random_direction(i, i, i)", "random_direction_like(i, i, s)", "baseline_log10_p(m, i, i, d)", "ks_log10_p(i, i, d)",
	"FROM read_sae(p)", "FROM read_encoder(p)", "FROM sae_info(p)", "FROM read_unembedding(p)", "FROM read_unembedding(p, processing := s)", "FROM read_embedding(p)", "FROM read_vocab(p)",
	"linked_features(w, r)", "linked_features(w, r, i)", "nearest_features(w, r)", "nearest_features(w, r, i)",
	"logit_difference(w, m, s, s)", "logit_difference(w, m, l, l)", "set_logit_difference(w, m, s, s)", "through_head(w, m, i, i)", "query_key(w, m, i, i)", "query_key(w, m, i, i, s)",
	"FROM head_composition(s, s)",
	"FROM feature_families()", "FROM feature_families(cosine := d)", "FROM match_saes(s, s)", "FROM match_saes(s, s, cosine := d)", "FROM match_saes(s, s, folded := b)",
	"FROM saedb_model(s, p)", "FROM saedb_model(s, p, processing := s)", "FROM releases()", "FROM opened(s)", "through_lens(w, s, i)",
}

// TestCallForms: every function is among the forms, and each form is one.
func TestCallForms(t *testing.T) {
	for _, f := range udf.Documentation() {
		if !slices.ContainsFunc(callForms, func(form string) bool { return strings.HasPrefix(strings.TrimPrefix(form, "FROM "), f.Name+"(") }) {
			t.Errorf("%s has no form", f.Name)
		}
	}
}

// arguments are what a fuzzer gives the functions.
type arguments struct {
	shape   byte   // of the direction
	weights []byte // float32
	text    string
	number  int64
	real    float64
	rows    byte
}

// render writes a query that calls a form with these arguments.
func (a *arguments) render(form string) string {
	values := map[string]string{
		"m": []string{"'llama'", "'gpt2'", "NULL", text(a.text)}[a.rows>>6], "s": a.oneText(), "i": fmt.Sprintf("CAST(%d AS INTEGER)", int32(a.number)),
		"r":  []string{"'small#decoder'", "'small#encoder'", "'gpt2'", text(a.text)}[a.rows>>6],
		"l":  []string{"['first', " + text(a.text) + "]", "['first', 'third']", "['third', NULL]", "[]"}[a.number&3],
		"is": fmt.Sprintf("[%d, 1, NULL, 2]::INTEGER[]", int32(a.number)), "d": fmt.Sprintf("'%v'::DOUBLE", a.real), "b": fmt.Sprint(a.number&1 == 1),
		"p": text(filepath.Join("..", "loader", []string{"sae/testdata/saelens-standard-bf16", "model/testdata/llama", "vocab/testdata/gpt2", "sae/testdata/" + plainName(a.text)}[a.number&3])),
		"w": a.direction(),
	}
	name, rest, _ := strings.Cut(form, "(")
	list := strings.Split(strings.TrimSuffix(rest, ")"), ", ")
	for i, argument := range list {
		option, kind, named := strings.Cut(argument, " := ")
		if !named {
			option, kind = "", argument
		} else {
			option += " := "
		}
		if value, known := values[kind]; known { // or a literal
			list[i] = option + value
		}
	}
	call := name + "(" + strings.Join(list, ", ") + ")"
	if strings.HasPrefix(form, "FROM ") {
		return "SELECT count(*) FROM (" + call + " LIMIT 3000)"
	}
	// More than one row, some of them NULL, and a chunk and a half at times.
	n := []int{1, 3, 7, 3000}[a.rows&3]
	return fmt.Sprintf("SELECT count(hash(%s)) FROM range(%d) r(i)", call, n)
}

// direction is a list of the weights, of one of many types, and of the right length
// where shape says so.
func (a *arguments) direction() string {
	var elements []string
	for at := 0; at+4 <= len(a.weights); at += 4 {
		f := math.Float32frombits(binary.LittleEndian.Uint32(a.weights[at:]))
		if f == 77 {
			elements = append(elements, "NULL")
			continue
		}
		elements = append(elements, fmt.Sprintf("'%v'", f))
	}
	if a.shape&8 != 0 && len(elements) > 0 {
		for len(elements) < 32 {
			elements = append(elements, elements[len(elements)%max(1, len(a.weights)/4)])
		}
		elements = elements[:32]
	}
	list := "[" + strings.Join(elements, ", ") + "]"
	kind := []string{"FLOAT[]", "DOUBLE[]", fmt.Sprintf("FLOAT[%d]", max(1, len(elements))), fmt.Sprintf("DOUBLE[%d]", max(1, len(elements))), "FLOAT[]", "VARCHAR[]", "FLOAT[][]", "NULL"}[a.shape&7]
	switch {
	case kind == "NULL":
		return "NULL"
	case kind == "FLOAT[][]":
		list = "[" + list + "]"
	}
	whole := list + "::" + kind
	if a.shape&16 != 0 {
		return "CASE WHEN i % 3 = 1 THEN NULL ELSE " + whole + " END"
	}
	return whole
}

// oneText is the text, or one that means something.
func (a *arguments) oneText() string {
	return []string{text(a.text), "'first'", "'real'", "'none'"}[a.rows>>2&3]
}

// text is s as a SQL string, whatever it holds.
func text(s string) string {
	return strings.ReplaceAll(schema.Literal(strings.ToValidUTF8(s, "\uFFFD")), "\x00", "' || chr(0) || '")
}

// plainName keeps a path where it is: no separators, and no dots before anything.
func plainName(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '/' || r == '.' || r == utf8.RuneError {
			return '_'
		}
		return r
	}, s)
}

// withSets opens a new database with the small models, and two token sets of each.
func withSets(t testing.TB) *saedb.DB {
	t.Helper()
	db := withModels(t, saedb.Options{MemoryLimit: 256 << 20})
	dir := filepath.Join(t.TempDir(), "small")
	smallSAE(t, dir, 0, 1)
	loadSmallSAE(t, db, saedb.SAERequest{Path: dir, Encoder: true})
	for _, statement := range []string{
		"INSERT INTO stored_token_sets SELECT m.n, model_id, token_set, 'user', NULL, ids, 'test', now()::TIMESTAMP, len(ids), 0 FROM (SELECT model_id, row_number() OVER () * 10 AS n FROM stored_models) m, " +
			"(VALUES ('first', [0, 1, 2, 3]), ('third', [3, 6, 9, 12])) s(token_set, ids)",
		"UPDATE stored_token_sets SET set_id = CASE token_set WHEN 'first' THEN 1 ELSE 2 END WHERE set_id = 10",
		"SET threads = 1",
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

// FuzzArguments: whatever the functions are called with, they answer or end in an
// error of their own: none of them panics, and DuckDB finds nothing wrong with what
// they write.
func FuzzArguments(f *testing.F) {
	db := withSets(f)
	ones := []byte{0, 0, 128, 63, 0, 0, 154, 66, 0, 0, 192, 127, 0, 0, 128, 191} // 1, 77, NaN, -1
	for form := range callForms {
		f.Add(byte(form), byte(8), ones[:4], "first", int64(3), 1.0, byte(0))
		f.Add(byte(form), byte(form), ones, "a\x00'b", int64(-1), math.Inf(1), byte(form*37))
	}
	f.Fuzz(func(t *testing.T, form, shape byte, weights []byte, text string, number int64, real float64, rows byte) {
		a := arguments{shape, weights[:min(len(weights), 160)], text[:min(len(text), 200)], number, real, rows}
		if called := callForms[int(form)%len(callForms)]; strings.HasPrefix(called, "weighted_enrichment") {
			a.number, a.rows = a.number%50, a.rows&^2 // permutations, and rows with them
		}
		query := a.render(callForms[int(form)%len(callForms)])
		var n int64
		err := db.QueryRowContext(t.Context(), query).Scan(&n)
		if err != nil && (strings.Contains(strings.ToLower(err.Error()), "internal error") || strings.Contains(err.Error(), "Parser Error")) {
			t.Errorf("%s\n%v", query, err)
		}
	})
}
