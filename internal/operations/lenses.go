package operations

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader"
	"github.com/saedb/saedb/loader/hub"
	"github.com/saedb/saedb/loader/lens"
)

// LensRequest is the load of the lens that an argument names, r otherwise: a path, or what is
// downloaded of one on the Hub. There an argument that names a directory must have one lens
// below it.
func (h Hub) LensRequest(ctx context.Context, argument string, r loader.LensRequest) (loader.LensRequest, error) {
	r.Path = argument
	at, remote := onHub(argument)
	if !remote {
		return r, nil
	}
	client, err := h()
	if err != nil {
		return r, err
	}
	if at, err = client.Resolve(ctx, at); err != nil {
		return r, fromHub(err)
	}
	if !lens.IsLens(at.Path) {
		entries, err := client.List(ctx, at, true)
		if err != nil {
			return r, fromHub(err)
		}
		if at, err = onlyLens(argument, at, entries); err != nil {
			return r, err
		}
	}
	if at, r.Path, err = client.SAE(ctx, at); err != nil { // with the configurations beside it
		return r, fromHub(err)
	}
	r.Origin = loader.Origin{Source: at.Source(), Revision: at.Revision, Root: client.RepositoryRoot(at)}
	return r, nil
}

// onlyLens is the reference to the only lens among the files below one.
func onlyLens(argument string, at hub.Reference, entries []hub.Entry) (hub.Reference, error) {
	var found []string
	for _, e := range entries {
		if !e.Directory && lens.IsLens(e.Path) {
			found = append(found, e.Path)
		}
	}
	if len(found) == 1 {
		return at.At(found[0]), nil
	}
	slices.Sort(found)
	e := &fault.Error{Op: "load lens", Subject: argument, Expected: "one lens", Found: fmt.Sprintf("%d files", len(found))}
	if len(found) > 0 {
		const most = 12
		e.Hint = "name one: " + path.Join(at.Repo, found[0])
		if more := found[1:min(most, len(found))]; len(more) > 0 {
			e.Hint += ", or " + strings.Join(more, ", ")
		}
		if len(found) > most {
			e.Hint += fmt.Sprintf(", … (%d in all)", len(found))
		}
	}
	return at, e
}
