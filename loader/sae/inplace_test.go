package sae

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/saedb/saedb/internal/files"
)

// TestLayout holds every stored layout against what is read in place: ranges of rows, bit for bit
// those of the whole decoder. A compressed one is refused.
func TestLayout(t *testing.T) {
	for name, want := range map[string]string{
		"saelens-standard-bf16": "W_dec: BF16 [", "saelens-v5-flat": "W_dec: F32 [", "llama-scope": ", transposed", "openai": "F32 [", "gemma-scope-2": "w_dec: F32 [",
	} {
		path := filepath.Join("testdata", name)
		found, err := Find(path)
		if err != nil {
			t.Fatal(err)
		}
		whole := open(t, found[0])
		layout, err := Layout(whole)
		if err != nil || !strings.Contains(layout, want) {
			t.Errorf("%s: layout %q: %v, expected %q in it", name, layout, err, want)
		}
		in := kept(t, "one", found[0], UnitNorm)
		again, err := in.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer again.Close()
		scaled, err := Rescaled(whole, UnitNorm)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Layout(scaled); err != nil {
			t.Errorf("%s: at another scale: %v", name, err)
		}
		all, d := readAll(t, scaled), whole.Info().DModel
		for from := range whole.Info().DSAE {
			row := make([]float32, d)
			if err := again.ReadDecoder(from, row); err != nil {
				t.Fatal(err)
			}
			sameBits(t, name, row, all[from*d:(from+1)*d])
		}
	}
	deflated, err := Find(filepath.Join("testdata", "gemma-scope-deflated"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = Layout(open(t, deflated[0]))
	checkFault(t, err, "params.npz", "found one that is compressed (load it without --in-place)")
}

// kept is an SAE whose weights stay where they are now.
func kept(t *testing.T, name, path, decoder string) InPlace {
	t.Helper()
	opened := open(t, path)
	in := InPlace{Name: name, Path: path, Decoder: decoder}
	for _, path := range slices.Compact(slices.Sorted(slices.Values(opened.Info().Files))) {
		k, err := files.Look(path)
		if err != nil {
			t.Fatal(err)
		}
		if k.SHA256, _, err = files.Hash(t.Context(), path, nil); err != nil {
			t.Fatal(err)
		}
		in.Files = append(in.Files, k)
	}
	return in
}

// TestInPlaceChanged changes a file in every way.
func TestInPlaceChanged(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "sae")
	if err := os.CopyFS(dir, os.DirFS("testdata/saelens-standard-bf16")); err != nil {
		t.Fatal(err)
	}
	sparsity := filepath.Join(dir, "sparsity.safetensors")
	if err := os.Rename(sparsity, sparsity+".later"); err != nil {
		t.Fatal(err)
	}
	in := kept(t, "mine", dir, AsStored)
	weights := filepath.Join(dir, "sae_weights.safetensors")
	content, err := os.ReadFile(weights)
	if err != nil {
		t.Fatal(err)
	}
	modified := time.Now().Add(-time.Hour)
	write := func(content []byte) {
		t.Helper()
		modified = modified.Add(time.Second)
		if err := errors.Join(os.WriteFile(weights, content, 0o600), os.Chtimes(weights, modified, modified)); err != nil {
			t.Fatal(err)
		}
	}
	refused := func(words ...string) {
		t.Helper()
		for what, err := range map[string]error{"check": in.Check(t.Context()), "content": in.CheckContent(t.Context(), nil)} {
			if err == nil {
				t.Errorf("%s: no error", what)
				continue
			}
			for _, word := range append(words, "the weights of SAE mine stay in this file") {
				checkFault(t, err, weights, word)
			}
		}
		if _, err := in.Open(t.Context()); err == nil {
			t.Error("it opens")
		}
	}
	accepted := func() {
		t.Helper()
		if err := errors.Join(in.Check(t.Context()), in.CheckContent(t.Context(), nil)); err != nil {
			t.Error(err)
		}
	}
	accepted()
	write(content) // a copy that was put back, modified at another time
	accepted()
	changed := slices.Clone(content)
	changed[len(changed)-1] ^= 1
	write(changed)
	refused("it has changed since it was loaded", "with SHA-256 ", "found SHA-256 ", "load it again with --replace")
	write(content[:len(content)-2])
	refused("it has changed since it was loaded", "bytes")
	if err := os.Rename(weights, weights+".moved"); err != nil {
		t.Fatal(err)
	}
	refused("it is not there", "load it from where it is now")
	if err := in.Check(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v is no error of a file that is not there", err)
	}
	write(content)
	accepted()
	if err := os.Rename(sparsity+".later", sparsity); err != nil {
		t.Fatal(err)
	}
	_, err = in.Open(t.Context())
	checkFault(t, err, sparsity, "this file was not read when the SAE was loaded, and would be now")
	ended, end := context.WithCancel(t.Context())
	end()
	again := in
	again.Files = slices.Clone(in.Files)
	again.Files[0].Modified++
	write(content)
	if err := again.CheckContent(ended, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("expected an interrupted check, found %v", err)
	}
}
