package sae

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/saedb/saedb/loader/npy/npytest"
	"github.com/saedb/saedb/loader/safetensors/safetensorstest"
	"github.com/saedb/saedb/loader/torch/torchtest"
)

// A matrix, a transposed one and a vector, of every kind of file.
func TestDirections(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	values, turned := numbered(6), []float32{0, 3, 1, 4, 2, 5}
	npytest.Write(t, at("probe.npy"), npytest.Bytes(npytest.Floats("", []int{2, 3}, values...)))
	npytest.Write(t, at("fortran.npy"), npytest.Bytes(npytest.Fortran("", 2, 3, values...)))
	npytest.Write(t, at("vector.npy"), npytest.Bytes(npytest.Floats("", []int{6}, values...)))
	safetensorstest.Write(t, at("two.safetensors"),
		safetensorstest.F32("up", []int{2, 3}, values...), safetensorstest.F32("down", []int{3, 2}, turned...))
	torchtest.Write(t, at("alone.pt"), torchtest.F32([]int{2, 3}, values...))
	torchtest.Write(t, at("nested.pt"), torchtest.Dict{
		"layer.3", torchtest.Dict{"steer", torchtest.F32([]int{6}, values...)}, "k", 5,
	})
	torchtest.Write(t, at("state.bin"), torchtest.OrderedDict{"w.weight", torchtest.F32([]int{2, 3}, values...)})
	for _, test := range []struct {
		file, tensor string
		transposed   bool
		rows         int
		name, format string
	}{
		{"probe.npy", "", false, 2, "probe", "npy"},
		{"fortran.npy", "", false, 2, "fortran", "npy"},
		{"vector.npy", "", false, 1, "vector", "npy"},
		{"two.safetensors", "up", false, 2, "two.up", "safetensors"},
		{"two.safetensors", "down", true, 2, "two.down", "safetensors"},
		{"alone.pt", "", false, 2, "alone", "pt"},
		{"state.bin", "w.weight", false, 2, "state.w.weight", "bin"},
		{"nested.pt", "", false, 1, "nested", "pt"},
	} {
		s, err := OpenDirections(Directions{Path: at(test.file), Tensor: test.tensor, Transposed: test.transposed, Hook: "blocks.4.hook_resid_post"})
		if err != nil {
			t.Errorf("%s: %v", test.file, err)
			continue
		}
		if i := s.Info(); i.DSAE != test.rows || i.DModel != 6/test.rows || i.Name != test.name || i.Format != test.format ||
			i.Architecture != "directions" || i.Layer != 4 || i.DType != "F32" {
			t.Errorf("%s: %+v", test.file, i)
		}
		sameBits(t, test.file, readAll(t, s), values)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestDirectionsErrors(t *testing.T) {
	dir := t.TempDir()
	two, cube, whole := filepath.Join(dir, "two.safetensors"), filepath.Join(dir, "cube.npy"), filepath.Join(dir, "whole.npy")
	safetensorstest.Write(t, two, safetensorstest.F32("a", []int{1, 1}, 1), safetensorstest.F32("b", []int{1, 1}, 2))
	npytest.Write(t, cube, npytest.Bytes(npytest.Floats("", []int{1, 2, 1}, 1, 2)))
	text := filepath.Join(dir, "a.txt")
	if err := os.WriteFile(text, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for want, d := range map[string]Directions{
		"expected one tensor, or the name of one, found a, b (choose one with --tensor)": {Path: two},
		"tensor c: is missing":                                  {Path: two, Tensor: "c"},
		"expected a matrix [d_sae, d_model], found F32 [1 2 1]": {Path: cube},
		"no such file":                                          {Path: whole},
		`expected a .npy, .npz, .safetensors, .pt, .pth or .bin file, found ".txt"`: {Path: text},
	} {
		if _, err := OpenDirections(d); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
}
