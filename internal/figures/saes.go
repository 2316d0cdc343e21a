package figures

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/saedb/saedb/internal/fault"
)

// An SAE is one that is loaded.
type SAE struct {
	Release, Name, Model string
	Layer                int
	Tokens               string // that its statistics count: all or real; empty before saedb compute
}

// SAEs returns the loaded SAEs whose name, or release/name, matches the glob
// pattern, all for an empty one, by release and layer. None is an error.
func SAEs(ctx context.Context, db *sql.DB, op, pattern string) ([]SAE, error) {
	glob := pattern
	if glob == "" {
		glob = "*"
	}
	rows, err := db.QueryContext(ctx, `SELECT release, sae, model, coalesce(layer, 0), coalesce(tokens, '') FROM saes
		WHERE sae GLOB ? OR release || '/' || sae GLOB ? ORDER BY release, layer, sae`, glob, glob)
	if err != nil {
		return nil, fault.At(op, "", err)
	}
	defer rows.Close()
	var found []SAE
	for rows.Next() {
		var s SAE
		if err := rows.Scan(&s.Release, &s.Name, &s.Model, &s.Layer, &s.Tokens); err != nil {
			return nil, err
		}
		found = append(found, s)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if len(found) == 0 {
		e := &fault.Error{Op: op, Problem: "no SAE is loaded", Hint: "load one with saedb load sae"}
		if pattern != "" {
			e.Problem, e.Hint = fmt.Sprintf("no SAE matches %q", pattern), "saedb info lists what is loaded"
		}
		return nil, e
	}
	return found, nil
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

// inSAEs is a condition for rows of these SAEs, and its arguments.
func inSAEs(saes []SAE) (condition string, args []any) {
	var pairs []string
	for _, s := range saes {
		pairs = append(pairs, "(?, ?)")
		args = append(args, s.Release, s.Name)
	}
	return "(release, sae) IN (" + strings.Join(pairs, ", ") + ")", args
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
