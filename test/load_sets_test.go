package test

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/saedb/saedb"
)

// smallVocabulary is byte-level BPE: "red" is one token inside a text, "blue" four.
var smallVocabulary = []string{"Ġ", "r", "e", "d", "b", "l", "u", "Ġr", "ed", "Ġred", "Ġb", "1", "12", "Red", ":", "::", "2", "<|endoftext|>"}

// tinyModel writes a GPT-2 directory of that vocabulary and loads it into a new database.
func tinyModel(t *testing.T) (db string) {
	t.Helper()
	const dModel = 3
	dir := filepath.Join(t.TempDir(), "tiny")
	ids := map[string]int{}
	for id, token := range smallVocabulary {
		ids[token] = id
	}
	end := len(smallVocabulary) - 1
	for name, content := range map[string]any{
		"config.json": map[string]any{"model_type": "gpt2", "architectures": []string{"GPT2LMHeadModel"}, "n_embd": dModel, "vocab_size": len(ids)},
		"tokenizer.json": map[string]any{
			"version": "1.0", "decoder": map[string]any{"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
			"pre_tokenizer": map[string]any{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
			"model":         map[string]any{"type": "BPE", "vocab": ids, "merges": []string{"Ġ r", "e d", "Ġr ed", "Ġ b", "1 2", ": :"}},
			"added_tokens": []any{map[string]any{
				"id": end, "content": smallVocabulary[end], "special": true,
				"single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
			}},
		},
	} {
		text, err := json.Marshal(content)
		if err != nil {
			t.Fatal(err)
		}
		write(t, dir, name, text)
	}
	weights(t, dir, len(ids), dModel)
	db = filepath.Join(dir, "tiny.db")
	mustRun(t, "--db", db, "load", "model", dir)
	return db
}

// weights writes the tensors of a GPT-2 model that are read: its embedding, where
// every value is another, and the final norm.
func weights(t *testing.T, dir string, vocabulary, dModel int) {
	t.Helper()
	matrix := 4 * vocabulary * dModel
	header, err := json.Marshal(map[string]any{
		"wte.weight":  map[string]any{"dtype": "F32", "shape": []int{vocabulary, dModel}, "data_offsets": []int{0, matrix}},
		"ln_f.weight": map[string]any{"dtype": "F32", "shape": []int{dModel}, "data_offsets": []int{matrix, matrix + 4*dModel}},
		"ln_f.bias":   map[string]any{"dtype": "F32", "shape": []int{dModel}, "data_offsets": []int{matrix + 4*dModel, matrix + 8*dModel}},
	})
	if err != nil {
		t.Fatal(err)
	}
	file := append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...)
	for i := range vocabulary*dModel + 2*dModel {
		file = binary.LittleEndian.AppendUint32(file, math.Float32bits(float32(math.Sin(float64(i)))))
	}
	write(t, dir, "model.safetensors", file)
}

// members is the stored tokens of a set, in the order of their ids.
func members(t *testing.T, path, set string) string {
	t.Helper()
	db, err := saedb.Open(t.Context(), path, saedb.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var tokens string
	if err := db.QueryRowContext(t.Context(), `SELECT coalesce(string_agg(token, ' ' ORDER BY token_id), '')
		FROM token_set_members WHERE token_set = ?`, set).Scan(&tokens); err != nil {
		t.Fatal(err)
	}
	return tokens
}

// TestLoadSetsFiles: every kind of file, and every way to make a set without one.
func TestLoadSetsFiles(t *testing.T) {
	t.Parallel()
	db, dir := tinyModel(t), t.TempDir()
	for _, c := range []struct {
		name string
		args []string // a name and a content make a file
		want map[string]string
	}{
		{"word list", []string{"my colours.txt", "# What I see\nred\n"}, map[string]string{"my colours": "Ġred"}},
		{"GMT", []string{"a.gmt", "gmt reds\tdescription\tĠred\tRed\ngmt digits\t\t1\t12\n"},
			map[string]string{"gmt reds": "Ġred Red", "gmt digits": "1 12"}},
		{"JSON", []string{"a.json", `{"ids": [9, 13], "tokens": ["Ġred", ":"], "words": ["red"]}`},
			map[string]string{"ids": "Ġred Red", "tokens": "Ġred :", "words": "Ġred"}},
		{"CSV of ids", []string{"ids.csv", "set,token_id\ncsv ids,9\ncsv ids,13\n"}, map[string]string{"csv ids": "Ġred Red"}},
		{"CSV of tokens", []string{"tokens.csv", "token,set\nred,csv tokens\n::,csv tokens\n"}, map[string]string{"csv tokens": "Ġred ::"}},
		{"patterns", []string{"a.regex", "regex reds\tĠ?[rR]ed\nregex colons\t:+$\n"},
			map[string]string{"regex reds": "Ġred Red", "regex colons": ": ::"}},
		{"--regex", []string{"--name", "one pattern", "--regex", `\d`}, map[string]string{"one pattern": "1 12 2"}},
		{"--sql", []string{"--name", "one query", "--sql", "SELECT token_id FROM tokens WHERE text LIKE '%:%'"}, map[string]string{"one query": ": ::"}},
		{"--family", []string{"--family", "regex"}, map[string]string{"all_digits": "1 12 2", "starts_with_space": "Ġ Ġr Ġred Ġb"}},
		{"--multi-token all", []string{"all tokens.txt", "red\nblue\n", "--multi-token", "all"},
			map[string]string{"all tokens": "e l u Ġred Ġb"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := append([]string{"--db", db, "load", "sets"}, c.args...)
			if !strings.HasPrefix(c.args[0], "--") {
				args = append([]string{"--db", db, "load", "sets", write(t, dir, c.args[0], []byte(c.args[1]))}, c.args[2:]...)
			}
			if buildTags == "" && slices.Contains(args, "--multi-token") {
				expectFailure(t, saedbRun(t, "", args...), 1, "which this saedb is built without", "make build", "go build -tags tokenizers")
				return
			}
			contains(t, mustRun(t, args...), "0 replaced, 0 unchanged")
			for set, want := range c.want {
				if got := members(t, db, set); got != want {
					t.Errorf("set %q has %q, expected %q", set, got, want)
				}
			}
			contains(t, mustRun(t, args...), "0 added, 0 replaced")
		})
	}
	listAndExport(t, db, dir)
}

// listAndExport: what was loaded is listed, and comes back from a GMT file as it was.
func listAndExport(t *testing.T, db, dir string) {
	contains(t, mustRun(t, "--db", db, "sets"), "my colours", "one query", "[':', '::']")
	file := filepath.Join(dir, "export.gmt")
	mustRun(t, "--db", db, "sets", "--gmt", file)
	again := tinyModel(t)
	mustRun(t, "--db", again, "load", "sets", file)
	n := count(t, db, "SELECT count(*) FROM token_sets")
	if found := count(t, again, "SELECT count(*) FROM token_sets"); found != n || n < 12 {
		t.Errorf("%d sets came back of %d", found, n)
	}
	sets := []string{"my colours", "gmt digits", "one query", "starts_with_space"}
	if buildTags != "" {
		sets = append(sets, "all tokens")
	}
	for _, set := range sets {
		if got, want := members(t, again, set), members(t, db, set); got != want || got == "" {
			t.Errorf("set %q came back as %q, was %q", set, got, want)
		}
	}
}

// TestLoadSetsRefused: one line that names the file and says what was expected, the
// exit code of the contract, and a database that is the same file.
func TestLoadSetsRefused(t *testing.T) {
	db, dir := tinyModel(t), t.TempDir()
	mustRun(t, "--db", db, "load", "sets", write(t, dir, "reds.txt", []byte("red\n")))
	before := hash(t, db)
	for _, c := range []struct {
		name string
		args []string // a first one with a dot is a file, the second its content
		code int
		says []string
	}{
		{"no such file", []string{"load", "sets", filepath.Join(dir, "absent.gmt")}, 1, []string{"read token sets", "absent.gmt", "no such file"}},
		{"unknown kind", []string{"sets.xlsx", "PK"}, 1, []string{"sets.xlsx", "unknown kind of file", ".gmt", ".regex"}},
		{"no UTF-8", []string{"a.gmt", "\xff\xfe"}, 1, []string{"a.gmt", "UTF-8"}},
		{"GMT without members", []string{"short.gmt", "x\tonly a description\n"}, 1, []string{"short.gmt", "holds no token set with a token of tiny", `"x" (line 1: no members, found 1 tab)`}},
		{"GMT without tabs", []string{"list.gmt", "red\nblue\n"}, 1, []string{"list.gmt", "line 1", "expected a name, a description and members", "found no tab"}},
		{"unknown id in JSON", []string{"a.json", `{"a": [18]}`}, 1, []string{"a.json", `set "a"`, "token id 18", "another model"}},
		{"not a list", []string{"b.json", `{"a": 1}`}, 1, []string{"b.json", "expected a list"}},
		{"broken JSON", []string{"c.json", `{"a": [1`}, 1, []string{"c.json", "is not JSON"}},
		{"unknown words", []string{"d.txt", "xyzzy\nplugh\n"}, 1, []string{"d.txt", "none of its 2 members", "--multi-token all"}},
		{"CSV header", []string{"a.csv", "name,token\na,b\n"}, 1, []string{"a.csv", "expected the columns set and token_id or token"}},
		{"CSV id", []string{"b.csv", "set,token_id\na,x\n"}, 1, []string{"b.csv", "line 2", "expected a whole number"}},
		{"pattern without a tab", []string{"a.regex", "red\n"}, 1, []string{"a.regex", "line 1", "expected a name, a tab and a pattern"}},
		{"unsupported pattern", []string{"load", "sets", "--name", "x", "--regex", "(?=red)"}, 1, []string{"look-ahead", "in SQL"}},
		{"pattern of nothing", []string{"load", "sets", "--name", "x", "--regex", "xyzzy"}, 1, []string{"matches no token"}},
		{"no name", []string{"load", "sets", "--name", "", "--sql", "SELECT 1"}, 1, []string{"no name"}},
		{"query of nothing", []string{"load", "sets", "--name", "x", "--sql", "SELECT token_id FROM tokens WHERE false"}, 1, []string{"query of set x", "gives no token"}},
		{"query of other ids", []string{"load", "sets", "--name", "x", "--sql", "SELECT 99"}, 1, []string{"query of set x", "tokens of model tiny", "found 99"}},
		{"no query", []string{"load", "sets", "--name", "x", "--sql", "SELEC"}, 1, []string{"query of set x: syntax error", "token ids"}},
		{"other tokens, same name", []string{"load", "sets", "--name", "reds", "--sql", "SELECT 1"}, 1, []string{"token set reds", "already loaded", "--replace"}},
		{"no such model", []string{"load", "sets", "--model", "gpt2"}, 1, []string{`"gpt2"`, "no such model"}},
		{"no such family", []string{"load", "sets", "--family", "verbs"}, 1, []string{"unknown family", `"verbs"`, "parts of speech"}},
		{"a name alone", []string{"load", "sets", "--name", "x"}, 2, []string{"--name goes with either --regex or --sql"}},
		{"a pattern without a name", []string{"load", "sets", "--regex", "x"}, 2, []string{"--name"}},
		{"pattern and query", []string{"load", "sets", "--name", "x", "--regex", "x", "--sql", "SELECT 1"}, 2, []string{"either"}},
		{"a file and a pattern", []string{"load", "sets", "a.gmt", "--name", "x", "--regex", "x"}, 2, []string{"one run each"}},
		{"which words", []string{"load", "sets", "--multi-token", "some"}, 2, []string{"expected single or all", `"some"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := c.args
			if args[0] != "load" {
				args = []string{"load", "sets", write(t, dir, args[0], []byte(args[1]))}
			}
			expectFailure(t, saedbRun(t, "", append([]string{"--db", db}, args...)...), c.code, c.says...)
		})
	}
	if hash(t, db) != before {
		t.Error("the file was changed")
	}
}

// TestLoadSetsSaysWhatIsLeftOut: members that are no token, weights, and sets without a
// token are counted and named, and cost no other set.
func TestLoadSetsSaysWhatIsLeftOut(t *testing.T) {
	db, dir := tinyModel(t), t.TempDir()
	odd := write(t, dir, "odd.gmt", []byte("reds\t\tĠred,1.0\tRed,0.5\tRED\rempty\tna\rcolons\t\t:\t\t\r"))
	list := write(t, dir, "my words.txt", []byte("red\rblue\r"))
	r := saedbRun(t, "", "--db", db, "load", "sets", odd, list)
	if r.code != 0 || r.stdout != "token sets of model tiny: 3 added, 0 replaced, 0 unchanged\n" {
		t.Errorf("code %d, said %q", r.code, r.stdout)
	}
	want := "saedb: note: " + odd + `: 1 of 4 members is no token of tiny: "RED" (members are tokens as the vocabulary stores them, or texts, not ids)` + "\n" +
		"saedb: note: " + odd + `: 2 of 4 members are taken without the weight after the comma: "Ġred,1.0", "Red,0.5"` + "\n" +
		"saedb: note: " + odd + `: 1 of 3 sets is left out, without a token of tiny: "empty" (line 2: no members, found 1 tab)` + "\n" +
		"saedb: note: " + list + `: 1 of 2 members is no token of tiny: "blue" (words count only if they are one token; --multi-token all takes all tokens of each)` + "\n"
	if r.stderr != want {
		t.Errorf("noted\n%swant\n%s", r.stderr, want)
	}
	for set, want := range map[string]string{"reds": "Ġred Red", "colons": ":", "my words": "Ġred"} {
		if got := members(t, db, set); got != want {
			t.Errorf("set %q has %q, expected %q", set, got, want)
		}
	}
	for source, want := range map[string]int{"file odd.gmt": 2, "file my words.txt": 1} {
		if got := count(t, db, `SELECT count(*) FROM stored_token_sets WHERE source = '`+source+`'`); got != want {
			t.Errorf("%d sets of %s, expected %d", got, source, want)
		}
	}
	r = saedbRun(t, "", "--db", db, "load", "sets", "--name", "nulls", "--sql", "SELECT unnest([1, NULL, 2])")
	if r.code != 0 || r.stderr != "saedb: note: query of set nulls: 1 of its 3 rows have no token id, but NULL\n" {
		t.Errorf("code %d, noted %q", r.code, r.stderr)
	}
}

// TestReplaceSetOfTwoFiles: the later of two files counts where sets are replaced, and is
// refused where they are not.
func TestReplaceSetOfTwoFiles(t *testing.T) {
	db, dir := tinyModel(t), t.TempDir()
	args := []string{
		"--db", db, "load", "sets", write(t, dir, "a.gmt", []byte("x\t\tRed\nsame\t\t1\n")), write(t, dir, "b.gmt", []byte("new\t\t::\nx\t\t:\nsame\t\t1\n")),
	}
	before := hash(t, db)
	expectFailure(t, saedbRun(t, "", args...), 1, "token set x: already loaded for model tiny, with other tokens")
	if hash(t, db) != before {
		t.Error("the file was changed")
	}
	contains(t, mustRun(t, append(args, "--replace")...), "3 added, 1 replaced, 1 unchanged")
	if got := members(t, db, "x"); got != ":" {
		t.Errorf("the set has %q", got)
	}
}

// TestMultiTokenNeedsATokenizer: a GGUF file has a vocabulary, and no encoder of ours.
func TestMultiTokenNeedsATokenizer(t *testing.T) {
	db := filepath.Join(t.TempDir(), "copy.db")
	copyFile(t, example, db)
	expectFailure(t, saedbRun(t, "", "--db", db, "load", "sets", "--family", "words", "--multi-token", "all"), 1,
		"smollm2-135m", "tokenizer.json", "leave out --multi-token")
}

// TestReplaceSet: with --replace a set gets other tokens, and its scores are computed
// anew, alone.
func TestReplaceSet(t *testing.T) {
	t.Parallel()
	db := oneLayer(t)
	args := []string{"--db", db, "load", "sets", "--name", "mine", "--sql"}
	mustRun(t, append(args, "SELECT token_id FROM tokens WHERE text LIKE '%:%'")...)
	mustRun(t, "--db", db, "compute")
	if said := mustRun(t, append(args, "SELECT token_id FROM tokens WHERE text LIKE '%)%'", "--replace")...); !strings.Contains(said, "0 added, 1 replaced, 0 unchanged") {
		t.Errorf("load sets said %q", said)
	}
	if n := count(t, db, "SELECT count(*) FROM enrichment WHERE token_set = 'mine'"); n != 0 {
		t.Errorf("%d scores of the old tokens are left", n)
	}
	contains(t, mustRun(t, "--db", db, "compute"), "1536 features in 1 token sets")
	if n := count(t, db, `SELECT feature FROM enrichment WHERE token_set = 'mine' AND direction = 'promoted' ORDER BY es DESC, feature LIMIT 1`); n != 1328 {
		t.Errorf("feature %d is the most enriched for closing brackets, expected 1328", n)
	}
}
