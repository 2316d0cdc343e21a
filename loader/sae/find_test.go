package sae

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tree makes empty weights files in directories below a new root. Find looks at names only.
func tree(t *testing.T, dirs ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, dir := range dirs {
		path := filepath.Join(root, filepath.FromSlash(dir))
		if err := os.MkdirAll(path, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(path, saelensWeightsFile), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// below returns the paths without root.
func below(root string, paths []string) []string {
	var names []string
	for _, path := range paths {
		names = append(names, filepath.ToSlash(strings.TrimPrefix(path, root+string(filepath.Separator))))
	}
	return names
}

func TestFind(t *testing.T) {
	root := tree(t,
		"blocks.14.hook_resid_pre", "blocks.4.hook_resid_pre", "blocks.4.hook_resid_pre/checkpoints/1",
		"wide/blocks.9.hook_resid_pre", ".cache/blocks.1.hook_resid_pre", "1/2/3/4/5/6/7/8", "1/2/3/4/5/6/7/9/10",
	)
	found, err := Find(root)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"1/2/3/4/5/6/7/8", "blocks.4.hook_resid_pre", "blocks.14.hook_resid_pre", "wide/blocks.9.hook_resid_pre"}
	if got := below(root, found); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	itself := filepath.Join(root, "blocks.4.hook_resid_pre")
	if found, err := Find(itself); err != nil || !slices.Equal(found, []string{itself}) {
		t.Errorf("an SAE itself: %q, %v", found, err)
	}
}

func TestFindFollowsLinksOnce(t *testing.T) {
	elsewhere := tree(t, "layer_2")
	root := tree(t, "layer_1")
	for link, target := range map[string]string{
		"elsewhere": elsewhere, "again": elsewhere, "loop": root, "layer_1/up": root, "nowhere": filepath.Join(root, "absent"),
	} {
		if err := os.Symlink(target, filepath.Join(root, link)); err != nil {
			t.Skipf("needs links: %v", err)
		}
	}
	found, err := Find(root)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := below(root, found), []string{"again/layer_2", "layer_1"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestFindAndOpenErrors(t *testing.T) {
	empty := t.TempDir()
	file := filepath.Join(empty, "notes.txt")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{empty, file} {
		_, err := Find(path)
		checkFault(t, err, path, "an SAE of one of the formats ")
		_, err = Open(path)
		checkFault(t, err, path, "an SAE of one of the formats ")
	}
	absent := filepath.Join(empty, "absent")
	_, err := Find(absent)
	checkFault(t, err, absent, "does not exist")
	_, err = Open(absent)
	checkFault(t, err, absent, "does not exist")

	damaged := tree(t, "")
	if err := os.WriteFile(filepath.Join(damaged, saelensConfigFile), []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = Open(damaged) // whose weights file is empty
	checkFault(t, err, damaged, saelensWeightsFile)
}

func TestCompareNatural(t *testing.T) {
	inOrder := []string{
		"", "4", "04", "14", "99999999999999999998", "99999999999999999999", "a", "a1", "a1b", "a02", "a2b", "a10", "b",
		"layer_4/width_16k", "layer_4/width_131k", "layer_14/width_16k",
	}
	for i, a := range inOrder {
		for j, b := range inOrder {
			got := compareNatural(a, b)
			if a == "4" && b == "04" || a == "04" && b == "4" {
				if got == 0 {
					t.Errorf("%q equals %q", a, b)
				}
				continue
			}
			if (got < 0) != (i < j) || (got > 0) != (i > j) {
				t.Errorf("compareNatural(%q, %q) = %d", a, b, got)
			}
		}
	}
}

// The demonstration's SAEs, in the order of their layers.
func TestDemonstration(t *testing.T) {
	root := filepath.Join(shared, "demo", "saes")
	if _, err := os.Stat(root); err != nil {
		t.Skipf("needs the larger fixtures: %v", err)
	}
	paths, err := Find(root)
	if err != nil {
		t.Fatal(err)
	}
	var layers []int
	for _, path := range paths {
		s := open(t, path)
		info := s.Info()
		layers = append(layers, info.Layer)
		if info.DSAE != 1536 || info.DModel != 576 || info.Architecture != "topk" || info.DType != "BF16" || info.ModelName != "smollm2-135m-instruct" {
			t.Errorf("%+v", info)
		}
		readAll(t, s)
		log, err := s.LogSparsity()
		if err != nil || len(log) != 1536 || slices.Max(log) > 0 || slices.Min(log) < -10 {
			t.Errorf("%s: log sparsity of %d features: %v", path, len(log), err)
		}
	}
	if want := []int{4, 9, 14, 19, 24, 29}; !slices.Equal(layers, want) {
		t.Errorf("layers %v, want %v", layers, want)
	}
}
