package hub

import (
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/saedb/saedb/internal/fault"
)

const opReference = "read Hub reference"

// DefaultRevision is the branch that counts when a reference names none.
const DefaultRevision = "main"

// Reference names a repository of models, or a file or directory of one, at a
// revision.
type Reference struct {
	Repo     string // org/name
	Path     string // below the repository's root, with slashes; empty for the root
	Revision string // branch, tag or commit; DefaultRevision when none was given
}

// ParseReference reads org/name[/path][@revision]. The revision comes last, as
// names of branches have slashes themselves: org/name@refs/pr/1.
func ParseReference(text string) (Reference, error) {
	location, revision, pinned := strings.Cut(text, "@")
	parts := strings.SplitN(location, "/", 3)
	if len(parts) < 2 {
		return Reference{}, badReference(text, "the repository's owner and name")
	}
	r := Reference{Repo: parts[0] + "/" + parts[1], Revision: DefaultRevision}
	if len(parts) == 3 {
		r.Path = strings.TrimSuffix(parts[2], "/")
	}
	if pinned {
		r.Revision = revision
	}
	return r, r.check(text)
}

func badReference(text, expected string) error {
	return &fault.Error{
		Op: opReference, Subject: fmt.Sprintf("%q", text), Expected: expected + ", as in org/name[/path][@revision]", Found: "none that is valid",
	}
}

// check refuses names that the Hub does not allow, or that are no file names here.
func (r Reference) check(text string) error {
	owner, name, _ := strings.Cut(r.Repo, "/")
	switch {
	case !isRepoPart(owner) || !isRepoPart(name) || len(r.Repo) > maxRepoName:
		return badReference(text, "the repository's owner and name")
	case r.Path != "" && !isLocal(r.Path):
		return badReference(text, "a path below the repository's root")
	case !isLocal(r.Revision) || len(r.Revision) > maxRevision:
		return badReference(text, "a branch, tag or commit after @")
	}
	return nil
}

// String is what ParseReference reads.
func (r Reference) String() string {
	text := r.Source()
	if r.Revision != "" && r.Revision != DefaultRevision {
		text += "@" + r.Revision
	}
	return text
}

// Source is the reference without its revision: org/name[/path].
func (r Reference) Source() string { return path.Join(r.Repo, r.Path) }

// At returns the reference to file, below the same repository's root.
func (r Reference) At(file string) Reference {
	r.Path = file
	return r
}

// Looks reports whether an argument reads as a reference and not as a path: two
// or more names with slashes between them, the first not "." or "..". A path that
// exists is for the caller to prefer.
func Looks(argument string) bool {
	if filepath.IsAbs(argument) || strings.HasPrefix(argument, ".") || strings.HasPrefix(argument, "~") {
		return false
	}
	_, err := ParseReference(argument)
	return err == nil
}

// movedTo has the owners of the models that the Hub had without one. transformers still
// takes the short names, which the Hub redirects.
var movedTo = map[string]string{
	"gpt2": "openai-community", "gpt2-medium": "openai-community", "gpt2-large": "openai-community", "gpt2-xl": "openai-community",
	"openai-gpt": "openai-community", "distilgpt2": "distilbert", "distilbert-base-uncased": "distilbert", "distilbert-base-cased": "distilbert",
	"distilroberta-base": "distilbert", "bert-base-uncased": "google-bert", "bert-base-cased": "google-bert", "bert-large-uncased": "google-bert",
	"bert-large-cased": "google-bert", "bert-base-multilingual-cased": "google-bert", "roberta-base": "FacebookAI", "roberta-large": "FacebookAI",
	"xlm-roberta-base": "FacebookAI", "xlm-roberta-large": "FacebookAI", "t5-small": "google-t5", "t5-base": "google-t5", "t5-large": "google-t5",
	"albert-base-v2": "albert", "xlnet-base-cased": "xlnet", "xlnet-large-cased": "xlnet", "ctrl": "Salesforce", "transfo-xl-wt103": "transfo-xl",
}

// Moved returns the whole name of a model that the Hub had without an owner, and
// whether it is one of them.
func Moved(name string) (string, bool) {
	owner, known := movedTo[name]
	return owner + "/" + name, known
}

const (
	maxRepoName = 96 // huggingface_hub: utils/_validators.py
	maxRevision = 255
)

var repoPart = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?$`)

// isRepoPart holds an owner or a name against the Hub's rules: no "--" and no
// "..", which the cache's directory names could not tell apart.
func isRepoPart(s string) bool {
	return repoPart.MatchString(s) && !strings.Contains(s, "--") && !strings.Contains(s, "..")
}

// isLocal reports whether a name with slashes stays below the directory that it
// is joined to, on any system.
func isLocal(name string) bool {
	return name != "" && path.Clean(name) == name && filepath.IsLocal(filepath.FromSlash(name)) &&
		!strings.ContainsFunc(name, func(r rune) bool { return r == '\\' || r < ' ' || r == 0x7f }) && name != "."
}

var (
	commitHash = regexp.MustCompile(`^[0-9a-f]{40}$`)
	sha256Hash = regexp.MustCompile(`^[0-9a-f]{64}$`)
	blobName   = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,199}$`)
)

// IsCommit reports whether a revision is a commit's full hash, which names the
// same files for ever.
func IsCommit(revision string) bool { return commitHash.MatchString(revision) }
