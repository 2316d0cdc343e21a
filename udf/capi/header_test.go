package capi

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The declarations of api.h are those of DuckDB's own header, as the bindings in go.mod
// publish it, with every handle an opaque pointer and every enum an int.

// publishedHeader is duckdb.h of the version in go.mod, without comments.
func publishedHeader(t *testing.T) string {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/duckdb/duckdb-go-bindings").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	return source(t, filepath.Join(strings.TrimSpace(string(dir)), "include", "duckdb.h"))
}

var comment = regexp.MustCompile(`(?s)/\*.*?\*/|//[^\n]*`)

func source(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(comment.ReplaceAllString(string(text), ""), "\\\n", "\n")
}

var (
	handleType   = regexp.MustCompile(`typedef struct _\w+ \{\s*void \*internal_ptr;\s*\} \*\s*(\w+);`)
	enumType     = regexp.MustCompile(`typedef enum \w+ \{[^}]*\} (\w+);`)
	callbackType = regexp.MustCompile(`typedef ([\w \*]+?)\(\*(\w+)\)\(([^)]*)\);`)
	published    = regexp.MustCompile(`DUCKDB_C_API\s+([\w \*]+?)\b(duckdb_\w+)\(([^;]*)\);`)
	used         = regexp.MustCompile(`X\(([\w \*]+), (duckdb_\w+), \(([^()]*)\),`)
)

// types replaces the names of a header's types by what a call passes.
type types map[string]string

func typesOf(header string) types {
	plain := types{"duckdb_state": "int", "duckdb_type": "int"}
	for _, handle := range handleType.FindAllStringSubmatch(header, -1) {
		plain[handle[1]] = "void *"
	}
	plain["handle"] = "void *"
	for _, enum := range enumType.FindAllStringSubmatch(header, -1) {
		plain[enum[1]] = "int"
	}
	for _, c := range callbackType.FindAllStringSubmatch(header, -1) {
		plain[c[2]] = plain.signature(c[1], c[3])
	}
	return plain
}

// signature is a function's result and parameters without their names.
func (plain types) signature(result, parameters string) string {
	text := plain.of(result) + "("
	for i, p := range strings.Split(parameters, ",") {
		if p = strings.TrimSpace(p); p == "" || p == "void" {
			continue
		}
		if i > 0 {
			text += ", "
		}
		if !strings.HasSuffix(p, "*") { // it has a name
			p = p[:strings.LastIndexAny(p, " *")+1]
		}
		text += plain.of(p)
	}
	return text + ")"
}

func (plain types) of(name string) string {
	words := strings.Fields(strings.ReplaceAll(name, "*", " * "))
	for i, word := range words {
		if known, ok := plain[word]; ok {
			words[i] = known
		}
	}
	return strings.ReplaceAll(strings.Join(words, " "), " *", "*")
}

func TestDeclarationsAreDuckDBs(t *testing.T) {
	header, own := publishedHeader(t), source(t, "api.h")
	theirs, ours := typesOf(header), typesOf(own)
	declared := map[string]string{}
	for _, f := range published.FindAllStringSubmatch(header, -1) {
		declared[f[2]] = theirs.signature(f[1], f[3])
	}
	functions := used.FindAllStringSubmatch(own, -1)
	if all := strings.Count(own, "\n\tX("); len(functions) != all {
		t.Errorf("read %d of %d functions in api.h", len(functions), all)
	}
	for _, f := range functions {
		if want, got := declared[f[2]], ours.signature(f[1], f[3]); got != want {
			t.Errorf("%s: api.h has %s, duckdb.h %q", f[2], got, want)
		}
	}
	for _, layout := range []string{
		`struct duckdb_result \{\s*(?:idx_t \w+;\s*){3}duckdb_column \*\w+;\s*char \*\w+;\s*void \*internal_data;\s*\};`,
		`uint32_t length;\s*char prefix\[4\];\s*char \*ptr;`,
		`struct duckdb_timestamp \{\s*int64_t micros;\s*\};`,
		`struct duckdb_extension_access \{\s*void \(\*set_error\)\(duckdb_extension_info info, const char \*error\);\s*` +
			`duckdb_database \*\(\*get_database\)\(duckdb_extension_info info\);\s*` +
			`const void \*\(\*get_api\)\(duckdb_extension_info info, const char \*version\);\s*\};`,
		`DUCKDB_PENDING_RESULT_READY = 0,\s*DUCKDB_PENDING_RESULT_NOT_READY = 1,\s*DUCKDB_PENDING_ERROR = 2,\s*DUCKDB_PENDING_NO_TASKS_AVAILABLE = 3,`,
		`DuckDBSuccess = 0`,
	} {
		if !regexp.MustCompile(layout).MatchString(header) {
			t.Errorf("duckdb.h has no %s", layout)
		}
	}
}

func TestKindsAreDuckDBs(t *testing.T) {
	header := publishedHeader(t)
	for name, kind := range map[string]Kind{
		"BOOLEAN": KindBoolean, "INTEGER": KindInteger, "BIGINT": KindBigint, "UBIGINT": KindUBigint, "FLOAT": KindFloat, "DOUBLE": KindDouble,
		"TIMESTAMP": KindTimestamp, "HUGEINT": KindHugeint, "VARCHAR": KindVarchar, "BLOB": KindBlob, "LIST": KindList, "STRUCT": KindStruct,
		"ARRAY": KindArray, "ANY": KindAny, "SQLNULL": KindNull,
	} {
		found := regexp.MustCompile(`\bDUCKDB_TYPE_` + name + ` = (\d+)`).FindStringSubmatch(header)
		if found == nil || found[1] != strconv.Itoa(int(kind)) {
			t.Errorf("%s: %d here, %v in duckdb.h", name, kind, found)
		}
	}
}
