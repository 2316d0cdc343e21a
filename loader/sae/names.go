package sae

import (
	"path/filepath"
	"regexp"
	"strings"
)

// hubDirectory is how the Hub's cache names the directory of a repository.
var hubDirectory = regexp.MustCompile(`^models--([^/]+)--([^/]+)$`)

// pathElements returns the names of path and of the directories above it, the
// outermost first. In the Hub's cache, a repository's is its name alone.
func pathElements(path string) []string {
	if absolute, err := filepath.Abs(path); err == nil {
		path = absolute
	}
	elements := strings.Split(strings.Trim(filepath.ToSlash(path), "/"), "/")
	for i, element := range elements {
		if match := hubDirectory.FindStringSubmatch(element); match != nil {
			elements[i] = match[2]
		}
	}
	return elements
}

// Names returns what the SAEs at these paths are called when they are loaded together: the names
// that they have, with as many of the directories above before them as tell those apart
// that have the same, as checkpoints of several runs do. A path that cannot be opened has
// the name "": its load says why.
func Names(paths []string) []string {
	names, above := make([]string, len(paths)), make([][]string, len(paths))
	for i, path := range paths {
		s, err := Open(path)
		if err != nil {
			continue
		}
		names[i] = s.Info().Name
		s.Close()
		whole, _ := splitPart(path)
		above[i] = directoriesAbove(whole, names[i])
	}
	for {
		holders := map[string]map[string]bool{} // paths by names: a path may be there twice
		for i, name := range names {
			if holders[name] == nil {
				holders[name] = map[string]bool{}
			}
			holders[name][paths[i]] = true
		}
		changed := false
		for i, name := range names {
			if n := len(above[i]); n > 0 && len(holders[name]) > 1 {
				names[i], above[i], changed = above[i][n-1]+"/"+name, above[i][:n-1], true
			}
		}
		if !changed {
			return names
		}
	}
}

// directoriesAbove are the directories above those that a name, of one or several elements,
// stands for: its last element may be that of the file or of the file's directory.
func directoriesAbove(path, name string) []string {
	elements := pathElements(path)
	whole, _, _ := strings.Cut(name, "#")
	first, _, _ := strings.Cut(whole, "/")
	above := elements[:max(0, len(elements)-1-strings.Count(whole, "/"))]
	if n := len(above); n > 0 && above[n-1] == first {
		above = above[:n-1]
	}
	return above
}

// closest returns what pattern finds in the innermost of elements that it matches, nil
// when it matches none.
func closest(elements []string, pattern *regexp.Regexp) []string {
	for i := len(elements) - 1; i >= 0; i-- {
		if match := pattern.FindStringSubmatch(elements[i]); match != nil {
			return match
		}
	}
	return nil
}
