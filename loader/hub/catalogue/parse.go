package catalogue

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/saedb/saedb/internal/fault"
)

// none is what a column has that its rule must not fill.
const none = "-"

// block is a release while it is read.
type block struct {
	Release
	path, hook, neuronpedia string
}

// parse reads the text of releases.txt, whose form its first lines tell.
func parse(text string) ([]Release, error) {
	var all []Release
	current := block{}
	end := func() {
		if current.Name != "" {
			all = append(all, current.Release)
		}
	}
	for i, line := range strings.Split(text, "\n") {
		var err error
		key, value, isSetting := strings.Cut(line, " ")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "\t"):
			err = current.addSAE(strings.Split(line[1:], "\t"))
		case isSetting:
			err = current.set(key, value)
		default:
			end()
			if len(all) > 0 && line <= all[len(all)-1].Name {
				err = &fault.Error{Expected: "releases in the order of their names", Found: line}
			}
			current = block{Release: Release{Name: line}, path: "{id}"}
		}
		if err != nil {
			return nil, fault.At("read catalogue of releases", fmt.Sprintf("line %d", i+1), err)
		}
	}
	end()
	return all, nil
}

func (b *block) set(key, value string) error {
	into, known := map[string]*string{
		"repo": &b.Repo, "model": &b.Model, "format": &b.Format, "path": &b.path, "hook": &b.hook, "neuronpedia": &b.neuronpedia,
	}[key]
	if !known {
		return &fault.Error{Expected: "repo, model, format, path, hook or neuronpedia", Found: key}
	}
	*into = value
	return nil
}

// addSAE reads one row; columns at its end may be left out.
func (b *block) addSAE(fields []string) error {
	const columns = 8
	if len(fields) > columns || fields[0] == "" {
		return &fault.Error{Expected: fmt.Sprintf("an id and up to %d more columns", columns-1), Found: strings.Join(fields, ", ")}
	}
	fields = append(fields, make([]string, columns-len(fields))...)
	s := SAE{ID: fields[0], Layer: -1}
	var err error
	if s.L0, err = decimal(fields[1]); err != nil {
		return err
	}
	if fields[2] != "" {
		s.NeuronpediaID = b.neuronpedia + "/" + fields[2]
	}
	if s.NormScalingFactor, err = decimal(fields[3]); err != nil {
		return err
	}
	layer := or(fields[4], firstNumber.FindString(s.ID))
	if layer != "" {
		if s.Layer, err = strconv.Atoi(layer); err != nil {
			return err
		}
	}
	if s.Width, err = width(fields[5], s.ID); err != nil {
		return err
	}
	fill := strings.NewReplacer("{id}", s.ID, "{layer}", layer)
	s.Path, s.Hook = or(fields[6], fill.Replace(b.path)), or(fields[7], fill.Replace(b.hook))
	b.SAEs = append(b.SAEs, s)
	return nil
}

// or is what a column says, which is what is implied when it is empty.
func or(column, implied string) string {
	switch column {
	case "":
		return implied
	case none:
		return ""
	}
	return column
}

func decimal(text string) (float64, error) {
	if text == "" {
		return 0, nil
	}
	return strconv.ParseFloat(text, 64)
}

func width(text, id string) (int, error) {
	switch name := widthName.FindStringSubmatch(id); {
	case text == none || text == "" && name == nil:
		return 0, nil
	case text == "":
		return widths[name[1]], nil
	}
	return strconv.Atoi(text)
}
