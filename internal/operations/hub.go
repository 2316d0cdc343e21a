package operations

import (
	"context"
	"fmt"
	"os"
	"path"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader"
	"github.com/saedb/saedb/loader/hub"
	"github.com/saedb/saedb/loader/hub/catalogue"
	"github.com/saedb/saedb/loader/model"
	"github.com/saedb/saedb/loader/sae"
)

// Hub makes the client for what names of the Hugging Face Hub stand for. It is called where
// there is something to download, and not before.
type Hub func() (*hub.Client, error)

// HubError is an error of what was asked of the Hub, or of the way there.
type HubError struct{ Err error }

func (e *HubError) Error() string { return e.Err.Error() }
func (e *HubError) Unwrap() error { return e.Err }

func fromHub(err error) error {
	if err == nil {
		return nil
	}
	return &HubError{err}
}

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

// ModelRequest is the load of a model that an argument names, r otherwise: a path, or what is
// downloaded of one on the Hub.
func (h Hub) ModelRequest(ctx context.Context, argument string, r loader.ModelRequest) (loader.ModelRequest, error) {
	r.Path = argument
	at, remote := onHub(argument)
	if !remote {
		return r, withoutOwner(argument)
	}
	client, err := h()
	if err != nil {
		return r, err
	}
	if strings.EqualFold(path.Ext(at.Path), ".gguf") {
		if at, err = client.Resolve(ctx, at); err == nil {
			r.Path, err = client.File(ctx, at)
		}
	} else {
		at, r.Path, err = client.Model(ctx, at, func(config []byte, names []string) ([]string, error) {
			return model.NeededTensors(config, names, r.Options)
		})
		if r.Name == "" {
			r.Name = path.Base(at.Source())
		}
	}
	r.Origin = loader.Origin{Source: at.Source(), Revision: at.Revision}
	return r, fromHub(err)
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

// SAEsWanted says which SAEs are loaded.
type SAEsWanted struct {
	Paths []string // or names on the Hub
	// Of a published release, where there is no path: the one with an ID, or those at a
	// layer, -1 for all.
	Release, ID string
	Layer       int
}

// SAERequests are the loads of the SAEs that are wanted, downloaded where they are on the Hub.
func (h Hub) SAERequests(ctx context.Context, w SAEsWanted) ([]loader.SAERequest, error) {
	if len(w.Paths) == 0 {
		return h.publishedSAEs(ctx, w)
	}
	var requests []loader.SAERequest
	for _, root := range w.Paths {
		whole, part, _ := strings.Cut(root, "#")
		if at, remote := onHub(whole); remote {
			found, err := h.downloadSAEs(ctx, at)
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
func (h Hub) publishedSAEs(ctx context.Context, w SAEsWanted) ([]loader.SAERequest, error) {
	release, err := catalogue.Find(w.Release)
	if err != nil {
		return nil, err
	}
	chosen, err := release.Select(w.ID, w.Layer)
	if err != nil {
		return nil, err
	}
	var requests []loader.SAERequest
	for _, s := range chosen {
		found, err := h.downloadSAEs(ctx, hub.Reference{Repo: release.Repo, Path: s.Path, Revision: hub.DefaultRevision})
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
func (h Hub) downloadSAEs(ctx context.Context, at hub.Reference) ([]loader.SAERequest, error) {
	client, err := h()
	if err != nil {
		return nil, err
	}
	at, local, err := client.SAE(ctx, at)
	if err != nil {
		return nil, fromHub(err)
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
