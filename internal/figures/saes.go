package figures

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	schema "github.com/saedb/saedb/sql"
)

// An SAE is one that is loaded.
type SAE struct {
	Name, Model string
	Layer       int
	Tokens      string // that its statistics count: all or real; empty before saedb compute
	// Lens is that through which its features are read, from behind block LensLayer; empty for none.
	Lens      string
	LensLayer int
}

// SAEs returns the loaded SAEs that words mean, as [schema.MatchSAEs] has it, by release
// and layer. None is an error.
func SAEs(ctx context.Context, db *sql.DB, op, words string) ([]SAE, error) {
	names, err := schema.MatchSAEs(ctx, db, words)
	if err != nil {
		return nil, fault.At(op, "", err)
	}
	found, err := schema.Rows(ctx, db, func(s *SAE) []any { return []any{&s.Name, &s.Model, &s.Layer, &s.Tokens} },
		`SELECT sae, model, coalesce(layer, 0), coalesce(tokens, '') FROM saes
		WHERE `+schema.InSAEs("sae", names)+` ORDER BY release, layer, sae`)
	return found, fault.At(op, "", err)
}

// oneSAE returns the only SAE that matches.
func oneSAE(ctx context.Context, db *sql.DB, r Request) (SAE, error) {
	op := "plot " + r.Name
	found, err := r.saes(ctx, db)
	if err != nil {
		return SAE{}, err
	}
	if len(found) == 1 {
		return found[0], nil
	}
	var names []string
	for _, s := range found {
		names = append(names, s.Name)
		if len(names) == 30 {
			names = append(names, "…")
			break
		}
	}
	return SAE{}, &fault.Error{
		Op: op, Expected: "one SAE", Found: fmt.Sprintf("%d: %s", len(found), strings.Join(names, ", ")),
		Hint: "name one with --sae",
	}
}

// saes are those that a request's words mean, with their places in its lens.
func (r Request) saes(ctx context.Context, db *sql.DB) ([]SAE, error) {
	found := r.SAEs
	if found == nil {
		var err error
		if found, err = SAEs(ctx, db, "plot "+r.Name, r.SAE); err != nil {
			return nil, err
		}
	}
	found, err := r.placesOf(ctx, db, found)
	return found, fault.At("plot "+r.Name, "", err)
}

// of is the end of a title that names the model and the SAE, or how many SAEs there are, and the lens
// that they are read through; empty of a query of the user's, which has none.
func of(saes ...SAE) string {
	if len(saes) == 0 || saes[0].Name == "" {
		return ""
	}
	models := map[string]bool{}
	for _, s := range saes {
		models[s.Model] = true
	}
	named := saes[0].Name
	if len(saes) > 1 {
		named = fmt.Sprintf("%d SAEs", len(saes))
	}
	title := ": " + saes[0].Model + ", " + named
	if len(models) > 1 {
		title = fmt.Sprintf(": %s of %d models", named, len(models))
	}
	if saes[0].Lens != "" {
		title += ", through lens " + saes[0].Lens
	}
	return title
}

// inSAEs is a condition for rows of these SAEs.
func inSAEs(saes []SAE) string {
	names := make([]string, len(saes))
	for i, s := range saes {
		names[i] = s.Name
	}
	return schema.InSAEs("sae", names)
}

// panelName names one SAE among several.
func panelName(s SAE, among []SAE) string {
	name := fmt.Sprintf("layer %d", s.Layer)
	for _, other := range among {
		if other != s && other.Layer == s.Layer {
			return name + ", " + s.Name
		}
	}
	return name
}
