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
