// Package catalogue lists the published releases of SAEs that SAELens knows: their
// repositories on the Hub, and the path, hook point, layer and width of each SAE.
// It is data in releases.txt, which scripts/releases.py makes, and nothing is
// downloaded to read it.
package catalogue

import (
	"cmp"
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/nearest"
)

const opFind = "find release"

//go:embed releases.txt
var text string

// FormatSAELens is the format of releases in SAELens's own layout; others are
// named after SAELens's function that reads them: gemma_2, llama_scope.
const FormatSAELens = "saelens"

// Release is SAEs that were published together.
type Release struct {
	Name   string // as SAELens calls it: gpt2-small-res-jb
	Repo   string // on the Hub
	Model  string // that they were trained on, as the registry calls it
	Format string
	SAEs   []SAE
}

// SAE is one SAE of a release.
type SAE struct {
	ID    string // unique in the release
	Path  string // of its directory or file in the repository
	Hook  string // hook point that the decoder writes to; empty when only its files say
	Layer int    // as the release numbers it: the index of the block, but for one SAE; -1 when it has none
	Width int    // features; 0 when only its files say
	L0    float64
	// NormScalingFactor is what SAELens divides the decoder by when the SAE's
	// configuration asks for it; 0 when the registry gives none.
	NormScalingFactor float64
	NeuronpediaID     string // model and source: gpt2-small/8-res-jb; or empty
}

var parsed = sync.OnceValues(func() ([]Release, error) { return parse(text) })

// All returns every release, in the order of their names. It is not to be changed.
func All() ([]Release, error) { return parsed() }

// Releases returns the releases whose name, repository or model contain a text, in
// any case; all of them for an empty one.
func Releases(part string) ([]Release, error) {
	all, err := parsed()
	if err != nil {
		return nil, err
	}
	part = strings.ToLower(part)
	var found []Release
	for _, r := range all {
		if strings.Contains(strings.ToLower(r.Name+"\n"+r.Repo+"\n"+r.Model), part) {
			found = append(found, r)
		}
	}
	return found, nil
}

// Find returns the release of a name. The error of a name that is none suggests
// the nearest ones.
func Find(name string) (Release, error) {
	all, err := parsed()
	if err != nil {
		return Release{}, err
	}
	i, found := slices.BinarySearchFunc(all, name, func(r Release, name string) int { return cmp.Compare(r.Name, name) })
	if found {
		return all[i], nil
	}
	names := make([]string, len(all))
	for i, r := range all {
		names[i] = r.Name
	}
	return Release{}, &fault.Error{
		Op: opFind, Subject: name, Problem: "no such release", Hint: "near it: " + strings.Join(nearest.Names(name, names, 3), ", ") + "; saedb releases lists all",
	}
}

// Select returns the SAEs of r with an id, or at a layer, or all of them: id is
// empty and layer negative where they do not matter. None is an error that says
// what there is.
func (r Release) Select(id string, layer int) ([]SAE, error) {
	var found []SAE
	var ids []string
	layers := map[int]bool{}
	for _, s := range r.SAEs {
		ids = append(ids, s.ID)
		layers[s.Layer] = true
		if (id == "" || s.ID == id) && (layer < 0 || s.Layer == layer) {
			found = append(found, s)
		}
	}
	if len(found) > 0 {
		return found, nil
	}
	e := &fault.Error{Op: opFind, Subject: r.Name}
	if id != "" {
		e.Problem = fmt.Sprintf("no SAE %q", id)
		if layer >= 0 {
			e.Problem += fmt.Sprintf(" at layer %d", layer)
		}
		e.Hint = "near it: " + strings.Join(nearest.Names(id, ids, 3), ", ")
		return nil, e
	}
	e.Problem = fmt.Sprintf("no SAE at layer %d", layer)
	e.Hint = "its layers: " + listLayers(layers)
	return nil, e
}

func listLayers(layers map[int]bool) string {
	var sorted []int
	for layer := range layers {
		if layer >= 0 {
			sorted = append(sorted, layer)
		}
	}
	slices.Sort(sorted)
	texts := make([]string, len(sorted))
	for i, layer := range sorted {
		texts[i] = strconv.Itoa(layer)
	}
	return cmp.Or(strings.Join(texts, ", "), "none that is numbered")
}

var (
	firstNumber = regexp.MustCompile(`\d+`)
	widthName   = regexp.MustCompile(`width_(\d+[km])`)
)

// widths are the powers of two that names of widths stand for.
var widths = map[string]int{
	"4k": 1 << 12, "8k": 1 << 13, "16k": 1 << 14, "32k": 1 << 15, "65k": 1 << 16, "128k": 1 << 17, "131k": 1 << 17,
	"262k": 1 << 18, "524k": 1 << 19, "1m": 1 << 20,
}

// At returns what is known of the SAE at a path of a repository, and whether
// anything is: of several entries the one with a Neuronpedia id.
func At(repo, path string) (found SAE, known bool) {
	all, err := parsed()
	if err != nil {
		return SAE{}, false
	}
	for _, r := range all {
		if r.Repo != repo {
			continue
		}
		for _, s := range r.SAEs {
			if s.Path == path && (!known || found.NeuronpediaID == "" && s.NeuronpediaID != "") {
				found, known = s, true
			}
		}
	}
	return found, known
}
