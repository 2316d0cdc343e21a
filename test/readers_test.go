package test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestReadersOnlyRead: what reads files of strangers starts no program, loads no code,
// opens no connection and writes no file, whatever a name in an archive is: but for
// npy/unpack.go, which unpacks a member into a temporary file of a name of its own. The
// client of the Hub, which keeps a cache, is apart.
func TestReadersOnlyRead(t *testing.T) {
	forbidden := map[string][]string{
		"os": {"Create", "CreateTemp", "WriteFile", "OpenFile", "Mkdir", "MkdirAll", "MkdirTemp", "Rename", "Remove", "RemoveAll", "Link", "Symlink", "Chmod", "Truncate", "StartProcess", "CopyFS"},
	}
	read := 0
	err := filepath.WalkDir("../loader", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (path == "../loader/hub" || strings.HasSuffix(entry.Name(), "test") || entry.Name() == "testdata") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		read++
		for _, i := range file.Imports {
			name, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			if slices.Contains([]string{"os/exec", "plugin", "net", "net/http"}, name) {
				t.Errorf("%s imports %s", path, name)
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if of, ok := s.X.(*ast.Ident); ok && slices.Contains(forbidden[of.Name], s.Sel.Name) && path != "../loader/npy/unpack.go" {
					t.Errorf("%s calls %s.%s", path, of.Name, s.Sel.Name)
				}
			}
			return true
		})
		return nil
	})
	if err != nil || read < 30 {
		t.Errorf("%d files read: %v", read, err)
	}
}
