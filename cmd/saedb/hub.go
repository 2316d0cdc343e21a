package main

import (
	"fmt"
	"os"
	"path"
	"strings"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/progress"
	"github.com/saedb/saedb/loader"
	"github.com/saedb/saedb/loader/hub"
	"github.com/saedb/saedb/loader/hub/catalogue"
	"github.com/saedb/saedb/loader/model"
	"github.com/saedb/saedb/loader/sae"
	"github.com/urfave/cli/v2"
)

// onHub returns the reference that an argument is, and whether it is one: a path
// that exists comes first, and one whose first directory exists is a path that is
// misspelt.
func onHub(argument string) (hub.Reference, bool) {
	if !hub.Looks(argument) {
		return hub.Reference{}, false
	}
	first, _, _ := strings.Cut(argument, "/")
	if _, err := os.Stat(first); err == nil {
		return hub.Reference{}, false
	}
	r, err := hub.ParseReference(argument)
	return r, err == nil
}

// newHubClient makes a client of the environment, whose downloads are shown on a
// terminal.
func newHubClient(c *cli.Context) (*hub.Client, error) {
	client, err := hub.NewClient(os.Getenv)
	if err != nil {
		return nil, err
	}
	client.UserAgent = "saedb/" + saedb.Version
	client.Progress = (&downloads{}).tell
	client.Warn = func(text string) { fmt.Fprintf(c.App.ErrWriter, "saedb: note: %s\n", text) }
	return client, nil
}

// downloads shows a bar for one file after the other, of the bytes that are still
// to come.
type downloads struct {
	file string
	done int64
	bar  *progress.Bar
}

func (d *downloads) tell(file string, done, total int64) {
	if d.bar == nil || d.file != file || done < d.done {
		d.end()
		d.file, d.done = file, done
		d.bar = progress.New(os.Stderr, path.Base(file), total-done, progress.Bytes)
	}
	d.bar.Add(done - d.done)
	if d.done = done; done == total {
		d.end()
	}
}

func (d *downloads) end() {
	if d.bar != nil {
		d.bar.Finish()
		d.bar = nil
	}
}

// modelRequest is the load of a model that an argument names: a path, or what is
// downloaded of one on the Hub.
func modelRequest(c *cli.Context, argument string, options model.Options) (loader.ModelRequest, error) {
	request := loader.ModelRequest{Path: argument, Name: c.String("name"), Replace: c.Bool("replace"), Tokenizer: c.String("tokenizer"), Options: options}
	at, remote := onHub(argument)
	if !remote {
		return request, withoutOwner(argument)
	}
	client, err := newHubClient(c)
	if err != nil {
		return request, err
	}
	if strings.EqualFold(path.Ext(at.Path), ".gguf") {
		if at, err = client.Resolve(c.Context, at); err == nil {
			request.Path, err = client.File(c.Context, at)
		}
	} else {
		at, request.Path, err = client.Model(c.Context, at, func(config []byte, names []string) ([]string, error) {
			return model.NeededTensors(config, names, options)
		})
		if request.Name == "" {
			request.Name = path.Base(at.Source())
		}
	}
	request.Origin = loader.Origin{Source: at.Source(), Revision: at.Revision}
	return request, err
}

// withoutOwner is the error of an argument that is no path here, and that transformers
// takes for a model on the Hub without its owner's name.
func withoutOwner(argument string) error {
	whole, moved := hub.Moved(argument)
	if _, err := os.Stat(argument); err == nil || !moved {
		return nil
	}
	return &fault.Error{
		Op: "load model", Subject: argument, Problem: "no such file or directory",
		Hint: fmt.Sprintf("the model of this name on the Hugging Face Hub is %s: saedb load model %[1]s", whole),
	}
}

// saeRequests are the loads of the SAEs that the arguments name or, without any,
// those of a published release.
func saeRequests(c *cli.Context) ([]loader.SAERequest, error) {
	if c.NArg() == 0 {
		return publishedSAEs(c)
	}
	var requests []loader.SAERequest
	for _, root := range c.Args().Slice() {
		whole, part, _ := strings.Cut(root, "#")
		if at, remote := onHub(whole); remote {
			found, err := downloadSAEs(c, at)
			if err == nil {
				found, err = onlyPart(found, root, part)
			}
			if err != nil {
				return nil, err
			}
			requests = append(requests, found...)
			continue
		}
		paths, err := sae.Find(root)
		if err != nil {
			return nil, err
		}
		for _, found := range paths {
			requests = append(requests, loader.SAERequest{Path: found})
		}
	}
	return requests, nil
}

// onlyPart leaves the SAE of a part of its path, where the argument asks for one.
func onlyPart(found []loader.SAERequest, argument, part string) ([]loader.SAERequest, error) {
	if part == "" {
		return found, nil
	}
	var names []string
	for _, r := range found {
		_, name, _ := strings.Cut(r.Path, "#")
		if name == part {
			return []loader.SAERequest{r}, nil
		}
		names = append(names, name)
	}
	return nil, &fault.Error{
		Op: "load sae", Subject: argument, Expected: "the name of a part behind #, one of " + strings.Join(names, ", "), Found: fmt.Sprintf("%q", part),
	}
}

// publishedSAEs are the SAEs of a release of the catalogue.
func publishedSAEs(c *cli.Context) ([]loader.SAERequest, error) {
	release, err := catalogue.Find(c.String("release"))
	if err != nil {
		return nil, err
	}
	layer := -1
	if c.IsSet("layer") {
		layer = c.Int("layer")
	}
	chosen, err := release.Select(c.String("id"), layer)
	if err != nil {
		return nil, err
	}
	var requests []loader.SAERequest
	for _, s := range chosen {
		found, err := downloadSAEs(c, hub.Reference{Repo: release.Repo, Path: s.Path, Revision: hub.DefaultRevision})
		if err != nil {
			return nil, err
		}
		for i := range found {
			// A part of the SAE's path, where it has several, stays in its name.
			_, part, several := strings.Cut(found[i].Path, "#")
			found[i].Name, found[i].Known = s.ID, published(s)
			if several && len(found) > 1 {
				found[i].Name += "#" + part
			}
		}
		requests = append(requests, found...)
	}
	return requests, nil
}

func published(s catalogue.SAE) sae.Published {
	return sae.Published{Hook: s.Hook, Layer: s.Layer, NeuronpediaID: s.NeuronpediaID, NormScalingFactor: s.NormScalingFactor, L0: s.L0}
}

// downloadSAEs downloads the SAEs at a reference, which are called by their paths
// in the repository.
func downloadSAEs(c *cli.Context, at hub.Reference) ([]loader.SAERequest, error) {
	client, err := newHubClient(c)
	if err != nil {
		return nil, err
	}
	at, local, err := client.SAE(c.Context, at)
	if err != nil {
		return nil, err
	}
	paths, err := sae.Find(local)
	if err != nil {
		return nil, err
	}
	var requests []loader.SAERequest
	for _, found := range paths {
		from, err := client.Origin(at, found)
		if err != nil {
			return nil, err
		}
		request := loader.SAERequest{
			Path: found, Name: from.Path, Release: from.Repo,
			Origin: loader.Origin{Source: from.Source(), Revision: at.Revision, Root: client.RepositoryRoot(at)},
		}
		if request.Name == "" {
			request.Name = path.Base(from.Repo)
		}
		if s, known := catalogue.At(from.Repo, from.Path); known {
			request.Known = published(s)
		}
		requests = append(requests, request)
	}
	return requests, nil
}
