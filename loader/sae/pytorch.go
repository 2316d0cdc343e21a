package sae

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/torch"
)

// checkpoint is one layout of an SAE in a single file of torch.save: a file of
// this package that makes one of checkpoints.
type checkpoint struct {
	name string
	// named reports whether the name of path alone says that it has this layout,
	// so that a damaged file is an error and not passed over. May be nil.
	named func(path string) bool
	// has reports whether the tensors of an open file are those of this layout.
	has func(path string, file *torch.File) bool
	// take fills in s, which has Path, Name, Format, Files and Scale, and takes its decoder.
	take func(s *stored, path string, file *torch.File) error

	// A layout whose files may hold several SAEs has these two in place of take, as a
	// format has.
	parts    func(path string, file *torch.File) ([]string, error)
	takePart func(s *stored, path, part string, file *torch.File) error
}

// checkpoints are tried in this order; the first that recognises a file opens it.
// deepSeek comes last: it has the fewest marks.
var checkpoints = []checkpoint{
	qwenScope, openAI, goodfire, oldestSAELens, endToEnd, crosscoder, batchTopK, hookZ, dictionaryLearningFile, openSAECheckpoint, deepSeek,
}

var pytorchFormat = format{
	name:     "pytorch",
	detect:   func(path string) bool { return isCheckpoint(path) && detectCheckpoint(path) },
	parts:    checkpointParts,
	openPart: openCheckpoint,
}

// isCheckpoint reports whether path is a file with the ending of one of torch.save.
func isCheckpoint(path string) bool {
	ending := strings.ToLower(filepath.Ext(path))
	return (ending == ".pt" || ending == ".pth") && isFile(path)
}

// detectCheckpoint looks into a file only where its name does not tell. It is
// cheap all the same: no values are read.
func detectCheckpoint(path string) bool {
	if slices.ContainsFunc(checkpoints, named(path)) {
		return true
	}
	file, err := torch.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	return checkpointOf(path, file) != nil
}

// checkpointOf returns the layout of an open file, nil when it is no SAE.
func checkpointOf(path string, file *torch.File) *checkpoint {
	for i := range checkpoints {
		if c := &checkpoints[i]; c.has(path, file) || named(path)(*c) {
			return c
		}
	}
	return nil
}

// named tells of a layout whether the name of path alone says it.
func named(path string) func(checkpoint) bool {
	return func(c checkpoint) bool { return c.named != nil && c.named(path) }
}

// openLayout opens a file and returns its layout. The caller closes the file.
func openLayout(path string) (*checkpoint, *torch.File, error) {
	file, err := torch.Open(path)
	if err != nil {
		return nil, nil, fault.At(opRead, path, err)
	}
	c := checkpointOf(path, file)
	if c == nil {
		file.Close()
		return nil, nil, &fault.Error{Op: opRead, Subject: path, Expected: "an SAE as it was a moment ago", Found: "none any more"}
	}
	return c, file, nil
}

// checkpointParts names the SAEs in a file. One whose name tells its layout is that SAE even
// where it is damaged.
func checkpointParts(path string) ([]string, error) {
	if slices.ContainsFunc(checkpoints, named(path)) {
		return onlyOne, nil
	}
	c, file, err := openLayout(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if c.parts == nil {
		return onlyOne, nil
	}
	parts, err := c.parts(path, file)
	return parts, fault.At(opRead, path, err)
}

func openCheckpoint(path, part string) (SAE, error) {
	c, file, err := openLayout(path)
	if err != nil {
		return nil, err
	}
	take := c.take
	if c.takePart != nil {
		take = func(s *stored, path string, file *torch.File) error { return c.takePart(s, path, part, file) }
	}
	return takeCheckpoint(c.name, take, path, part, file)
}

// takeCheckpoint makes an SAE of an open file and closes the file where it cannot.
func takeCheckpoint(
	name string, take func(s *stored, path string, file *torch.File) error, path, part string, file *torch.File,
) (SAE, error) {
	stem := strings.TrimSuffix(baseName(path), filepath.Ext(path))
	return taken(file.File, Info{
		Path: withPart(path, part), Name: withPart(stem, part), Format: name, Architecture: "standard", Files: []string{file.Path()},
	}, func(s *stored) error { return take(s, path, file) })
}

// unreadableCheckpoint says why the file at path, which no format recognises,
// cannot be read, and returns nil where that is not the cause.
func unreadableCheckpoint(path string) error {
	if !isCheckpoint(path) {
		return nil
	}
	file, err := torch.Open(path)
	if err != nil {
		return fault.At(opRead, path, err)
	}
	file.Close()
	return nil
}

func (s *stored) setHook(hook string) { s.info.SetHook(hook) }

// setLayer sets the residual stream after the block that a name gives, as
// "…-l19" or "layer7" does. Without one the hook point stays unknown.
func (s *stored) setLayer(layer string) {
	if layer != "" {
		s.setHook("blocks." + layer + ".hook_resid_post")
	}
}

var layerName = regexp.MustCompile(`(?i)(?:^|[^a-z])l(?:ayer)?[-_.]?(\d+)(?:[^0-9]|$)`)

// layerIn returns the layer in the name of a file, "" when it gives none.
func layerIn(path string) string {
	if match := layerName.FindStringSubmatch(baseName(path)); match != nil {
		return match[1]
	}
	return ""
}

// above returns the names of at most n directories above path, the nearest first.
func above(path string, n int) []string {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil
	}
	var names []string
	for dir := filepath.Dir(absolute); len(names) < n && filepath.Dir(dir) != dir; dir = filepath.Dir(dir) {
		names = append(names, filepath.Base(dir))
	}
	return names
}
