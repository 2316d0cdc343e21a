package sae

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
)

const (
	maxDepth       = 8       // levels below the root; a release with its hook points and widths has three or four
	maxDirectories = 100_000 // looked into before giving up, as when someone names their home directory
)

// Find returns root when it is an SAE, and otherwise every SAE at most eight
// levels below it, in natural order: layer 4 comes before layer 14. Where one path
// holds several, each is PATH#PART. Links to directories are followed, each
// directory once. Hidden directories are left out, and so is what an SAE's own
// directory holds.
func Find(root string) ([]string, error) {
	if whole, part := splitPart(root); part != "" && detect(whole) != nil {
		return []string{root}, nil // Open says whether there is such a part
	}
	info, err := os.Stat(root)
	if err != nil {
		return nil, unreadable(root, err)
	}
	s := search{seen: make(map[string]bool)}
	if f := detect(root); f != nil {
		return f.all(root)
	}
	if info.IsDir() {
		if err := s.descend(root, 0); err != nil {
			return nil, err
		}
	}
	if err := unreadableCheckpoint(root); err != nil {
		return nil, err
	}
	if len(s.found) == 0 {
		return nil, unrecognised("find SAEs", root)
	}
	slices.SortFunc(s.found, compareNatural)
	return s.found, nil
}

// search is the state of one Find.
type search struct {
	seen  map[string]bool // directories looked into, by their path without links
	found []string
}

// descend looks at everything in dir, which is no SAE itself.
func (s *search) descend(dir string, depth int) error {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return unreadable(dir, err)
	}
	if s.seen[real] {
		return nil
	}
	s.seen[real] = true
	if len(s.seen) > maxDirectories {
		return &fault.Error{
			Op: "find SAEs", Subject: dir, Expected: fmt.Sprintf("at most %d directories", maxDirectories), Found: "more",
			Hint: "name a directory closer to the SAEs",
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return unreadable(dir, err)
	}
	slices.SortFunc(entries, func(a, b os.DirEntry) int { return compareNatural(a.Name(), b.Name()) })
	for _, entry := range entries {
		if err := s.visit(filepath.Join(dir, entry.Name()), depth+1); err != nil {
			return err
		}
	}
	return nil
}

// visit takes path for an SAE or, if it is a directory, looks below it.
func (s *search) visit(path string, depth int) error {
	if strings.HasPrefix(filepath.Base(path), ".") {
		return nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil // a link to nowhere
	}
	if f := detect(path); f != nil {
		real, err := filepath.EvalSymlinks(path)
		if err != nil {
			return unreadable(path, err)
		}
		if s.seen[real] {
			return nil
		}
		s.seen[real] = true
		all, err := f.all(path)
		s.found = append(s.found, all...)
		return err
	}
	if !info.IsDir() || depth >= maxDepth {
		return nil
	}
	return s.descend(path, depth)
}

// all returns the paths of the SAEs in path, which has the format.
func (f *format) all(path string) ([]string, error) {
	if f.parts == nil {
		return []string{path}, nil
	}
	parts, err := f.parts(path)
	if err != nil {
		return nil, err
	}
	all := slices.Clone(parts)
	for i, part := range parts {
		all[i] = withPart(path, part)
	}
	return all, nil
}

// compareNatural orders strings with the numbers in them by value: "layer_4"
// before "layer_14". Strings that differ only in leading zeros are ordered as bytes.
func compareNatural(a, b string) int {
	x, y := a, b
	for x != "" && y != "" {
		xDigits, yDigits := digits(x), digits(y)
		if xDigits == 0 || yDigits == 0 {
			if c := cmp.Compare(x[0], y[0]); c != 0 {
				return c
			}
			x, y = x[1:], y[1:]
			continue
		}
		xNumber := strings.TrimLeft(x[:xDigits], "0")
		yNumber := strings.TrimLeft(y[:yDigits], "0")
		if c := cmp.Or(cmp.Compare(len(xNumber), len(yNumber)), strings.Compare(xNumber, yNumber)); c != 0 {
			return c
		}
		x, y = x[xDigits:], y[yDigits:]
	}
	return cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(a, b))
}

// digits is the number of decimal digits that s begins with.
func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}
