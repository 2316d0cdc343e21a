package sae

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// golden opens the SAE at path below the fixtures, those of this repository or the
// larger ones, and holds its description, its decoder and its sparsity against
// what is expected of the fixture name. All fixtures have 96 features of 48 values.
func golden(t *testing.T, name, path string, want func(path string) Info) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		root := fixtures(t, path)
		path := filepath.Join(root, filepath.FromSlash(path))
		found, err := Find(path)
		if err != nil || len(found) != 1 || found[0] != path {
			t.Fatalf("found %q, %v; expected the path itself", found, err)
		}
		s := open(t, path)
		expected := want(path)
		expected.DSAE, expected.DModel = 96, 48
		if got := s.Info(); fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", expected) {
			t.Errorf("got  %+v\nwant %+v", got, expected)
		}
		sameBits(t, "W_dec", readAll(t, s), npyValues(t, filepath.Join(root, name+".expected_w_dec.npy")))
		log, err := s.LogSparsity()
		if err != nil {
			t.Fatal(err)
		}
		if path := filepath.Join(root, name+".expected_log_sparsity.npy"); isFile(path) {
			sameBits(t, "log sparsity", log, npyValues(t, path))
		} else if log != nil {
			t.Errorf("log sparsity %v of an SAE without", log)
		}
	})
}

// fixtures is the directory that has path: testdata, or that of the larger fixtures.
func fixtures(t *testing.T, path string) string {
	t.Helper()
	for _, root := range []string{"testdata", filepath.Join(shared, "sae-formats")} {
		if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(path))); err == nil {
			return root
		}
	}
	t.Skip("needs the larger fixtures, which are not part of the project")
	return ""
}

// Every one of the larger fixtures is detected and read, whatever its format.
func TestEveryFixture(t *testing.T) {
	root := filepath.Join(shared, "sae-formats")
	text, err := os.ReadFile(filepath.Join(root, "index.json"))
	if err != nil {
		t.Skip("needs the larger fixtures, which are not part of the project")
	}
	var entries []struct {
		Name, Path string
		Features   int `json:"d_sae"`
		DModel     int `json:"d_model"`
		Layer      int
	}
	if err := json.Unmarshal(text, &entries); err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		t.Run(e.Name, func(t *testing.T) {
			found, err := Find(filepath.Join(root, e.Name))
			if err != nil {
				t.Fatal(err)
			}
			if want := filepath.Join(root, filepath.FromSlash(e.Path)); len(found) != 1 || found[0] != want {
				t.Fatalf("found %q below it, expected %q", found, want)
			}
			s := open(t, found[0])
			if i := s.Info(); i.DSAE != e.Features || i.DModel != e.DModel || i.Layer != e.Layer || i.Space != ResidualStream {
				t.Errorf("%+v", i)
			}
			sameBits(t, "W_dec", readAll(t, s), npyValues(t, filepath.Join(root, e.Name+".expected_w_dec.npy")))
		})
	}
}
