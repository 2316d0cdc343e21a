package sae

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/tensor"
)

// Bounds of the search for tensors in files of no known format: enough to name a decoder,
// and few enough that a directory of anything else is left soon.
const (
	maxSeenFiles   = 4
	maxSeenTensors = 1000 // of a file
	maxSeenEntries = 10_000
)

// tensorEndings are the endings of files whose tensors load directions reads.
var tensorEndings = []string{".npy", ".npz", ".safetensors", ".pt", ".pth", ".bin"}

// Seen is a tensor of a file that no format takes for an SAE.
type Seen struct {
	Path  string
	Name  string // as load directions --tensor has it, "" for a file that is a tensor itself
	DType string
	Shape []int
}

// Unrecognised is the error of a path that holds no SAE of a known format. It names the tensors
// that are there all the same.
type Unrecognised struct {
	Fault *fault.Error
	Seen  []Seen
}

func (u *Unrecognised) Error() string { return u.Fault.Error() }
func (u *Unrecognised) Unwrap() error { return u.Fault }

// unrecognised makes the error of a path that holds no SAE.
func unrecognised(op, path string) error {
	u := &Unrecognised{Fault: &fault.Error{Op: op, Subject: path, Expected: lookedFor() + ", here or in a directory below"}}
	files := tensorFiles(path)
	for _, file := range files {
		seen, err := seenIn(file)
		if err != nil && file == path {
			return fault.At(op, path, err) // damaged, or a pointer
		}
		u.Seen = append(u.Seen, seen...)
	}
	if ending := filepath.Ext(path); len(files) == 0 && isFile(path) {
		u.Fault.Found, u.Fault.Hint = fmt.Sprintf("a file that ends in %q", ending), "tensors are read from "+strings.Join(tensorEndings, ", ")
		return u
	}
	if len(u.Seen) == 0 {
		u.Fault.Found, u.Fault.Hint = "none", "give the directory of one SAE, or one above several; an incomplete download looks like this too"
		return u
	}
	u.Fault.Found = "tensors of no format that is known: " + shown(u.Seen)
	u.Fault.Hint = "saedb load directions FILE --tensor NAME reads one that holds directions, [n, d_model] or with --transposed [d_model, n]"
	return u
}

// tensorFiles returns path if it is a file of tensors, or the first of them below.
func tensorFiles(path string) []string {
	var files []string
	visited := 0
	// What cannot be read is passed over: the error says what was found, and not more.
	_ = filepath.WalkDir(path, func(at string, entry fs.DirEntry, err error) error {
		if visited++; visited > maxSeenEntries || len(files) == maxSeenFiles {
			return filepath.SkipAll
		}
		if err != nil {
			return nil
		}
		if at != path && strings.HasPrefix(entry.Name(), ".") {
			if entry.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		if slices.Contains(tensorEndings, strings.ToLower(filepath.Ext(at))) && isFile(at) {
			files = append(files, at)
		}
		return nil
	})
	return files
}

// seenIn lists the tensors of a file.
func seenIn(path string) ([]Seen, error) {
	file, err := openTensors(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var seen []Seen
	for _, name := range file.Names() {
		if len(seen) == maxSeenTensors {
			break
		}
		t, err := file.Tensor(name)
		if err != nil {
			continue
		}
		seen = append(seen, Seen{path, name, t.DType, slices.Clone(t.Shape)})
	}
	return seen, nil
}

// shown lists tensors by file, the first few of each.
func shown(seen []Seen) string {
	var files []string
	for len(seen) > 0 {
		path := seen[0].Path
		var tensors []string
		for len(seen) > 0 && seen[0].Path == path {
			tensors = append(tensors, strings.TrimSpace(fmt.Sprintf("%s %s %v", seen[0].Name, seen[0].DType, seen[0].Shape)))
			seen = seen[1:]
		}
		files = append(files, fmt.Sprintf("%s has %s", baseName(path), tensor.Shortened(tensors, 0)))
	}
	return strings.Join(files, "; ")
}

// Candidate is a tensor that could be a decoder of a model, by its shape.
type Candidate struct {
	Seen
	Transposed bool // it is [d_model, n]
}

// Candidates returns which tensors could be decoders of a model of a width: matrices that have
// it as one dimension. Those that are called decoders come alone where there are any; where
// there are none, a file of many tensors, such as a model's own, has no candidates.
func (u *Unrecognised) Candidates(dModel int) []Candidate {
	const few = 16
	count := map[string]int{}
	for _, s := range u.Seen {
		count[s.Path]++
	}
	var named, others []Candidate
	for _, s := range u.Seen {
		if len(s.Shape) != 2 || s.Shape[0] != dModel && s.Shape[1] != dModel {
			continue
		}
		c := Candidate{s, s.Shape[1] != dModel}
		switch name := strings.ToLower(s.Name); {
		case name == "w_d" || strings.HasSuffix(name, ".w_d") || strings.Contains(name, "dec") && !strings.Contains(name, "decoder.layers"):
			named = append(named, c)
		case count[s.Path] <= few && !strings.Contains(name, "enc"):
			others = append(others, c)
		}
	}
	if len(named) > 0 {
		return named
	}
	return others
}

// Command is how the directions of a candidate are loaded.
func (c Candidate) Command() string {
	words := []string{"saedb", "load", "directions", quoted(c.Path)}
	if c.Name != "" {
		words = append(words, "--tensor", quoted(c.Name))
	}
	if c.Transposed {
		words = append(words, "--transposed")
	}
	return strings.Join(words, " ")
}

// quoted is a word as shells read it.
func quoted(word string) string {
	if word != "" && !strings.ContainsFunc(word, func(r rune) bool { return !strings.ContainsRune(plainInShells, r) }) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

const plainInShells = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=+,@%"
