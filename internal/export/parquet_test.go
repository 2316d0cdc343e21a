package export

import (
	"database/sql"
	"net/url"
	"strings"
	"testing"
)

// FuzzEscape: what a name is escaped to is one name of a visible directory, and any
// reader of URLs takes it back.
func FuzzEscape(f *testing.F) {
	for _, name := range []string{"gpt2-small-res-jb", "../a=b/c", ".hidden", "_temporary", "a b+c%2F", "ü\x00\n*?[1]\\", "2024"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		escaped := escape(name)
		if back, err := url.PathUnescape(escaped); err != nil || back != name {
			t.Errorf("%q became %q, which is read as %q, %v", name, escaped, back, err)
		}
		if strings.ContainsAny(escaped, "/\\=*?[ :+\x00") || escaped != "" && strings.ContainsRune("._", rune(escaped[0])) {
			t.Errorf("%q became %q", name, escaped)
		}
	})
}

// TestFile: names of any length and case have files of their own, and a release that is
// too long for a directory is an error.
func TestFile(t *testing.T) {
	long := strings.Repeat("ü", 300)
	seen := map[string]bool{}
	for id, name := range []string{"a", "A", long + "1", long + "2"} {
		s := sae{id: id, name: name, release: "r"}
		file, err := piece{sae: &s}.file()
		if err != nil || seen[strings.ToLower(file)] || !strings.HasPrefix(file, "release=r/layer="+nullPartition+"/") || len(file) > 300 {
			t.Errorf("%q: %q, %v", name, file, err)
		}
		seen[strings.ToLower(file)] = true
	}
	s := sae{name: "a", release: long, layer: sql.NullInt32{Int32: 3, Valid: true}}
	if _, err := (piece{sae: &s}).file(); err == nil || !strings.Contains(err.Error(), "too long for a directory") {
		t.Errorf("a release of 600 bytes: %v", err)
	}
}
