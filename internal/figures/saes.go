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
	found, err := SAEs(ctx, db, op, r.SAE)
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
