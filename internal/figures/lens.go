package figures

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/saedb/saedb/internal/fault"
	schema "github.com/saedb/saedb/sql"
)

// A figure through a lens is that of features_through and enrichment_through in place of features
// and enrichment: the columns are the same, so that all else is.

// checkLens gives an error, before anything is read, where there is no such lens, or where a lens and
// a query of the user's are both asked for.
func (r Request) checkLens(ctx context.Context, db *sql.DB) error {
	switch {
	case r.Lens == "":
		return nil
	case r.Query != "":
		return &fault.Error{Subject: "lens", Expected: "a lens, or a query", Found: "both", Hint: "read features_through or enrichment_through in the query"}
	}
	names, err := schema.Collect[string](ctx, db, `SELECT lens FROM lenses ORDER BY lens`)
	if err != nil {
		return err
	}
	return schema.KnownLens(r.Lens, names)
}

// view is the SQL of a view, or, through the request's lens, of the macro with its columns.
func (r Request) view(name string) string {
	if r.Lens == "" {
		return name
	}
	return fmt.Sprintf("%s_through(%s)", name, schema.Literal(r.Lens))
}

// endTokens is EndTokens, which knows what features write directly, and so nothing of a lens.
func (r Request) endTokens() func(ctx context.Context, sae string, features []int64) (top, bottom [][]string, err error) {
	if r.Lens != "" {
		return nil
	}
	return r.EndTokens
}

// placesOf gives each SAE its place in the request's lens, and leaves out those that were not computed
// through it; none left is an error.
func (r Request) placesOf(ctx context.Context, db *sql.DB, saes []SAE) ([]SAE, error) {
	if r.Lens == "" {
		return saes, nil
	}
	type place struct {
		sae    string
		layer  int
		tokens string
	}
	places, err := schema.Rows(ctx, db, func(p *place) []any { return []any{&p.sae, &p.layer, &p.tokens} },
		`SELECT sae, lens_layer, coalesce(tokens, '') FROM saes_through(?)`, r.Lens)
	if err != nil {
		return nil, err
	}
	of := map[string]place{}
	for _, p := range places {
		of[p.sae] = p
	}
	var through []SAE
	for _, s := range saes {
		if p, computed := of[s.Name]; computed {
			s.Lens, s.LensLayer, s.Tokens = r.Lens, p.layer, p.tokens
			through = append(through, s)
		}
	}
	if through == nil {
		return nil, &fault.Error{
			Subject: fmt.Sprintf("lens %q", r.Lens), Problem: "none of these SAEs is computed through it",
			Hint: "run saedb compute --lens " + r.Lens,
		}
	}
	return through, nil
}

// direction is the SQL of what is read of a decoder direction w_dec of an SAE: itself, or what
// the SAE's lens makes of it.
func (s SAE) direction(ctx context.Context, db *sql.DB) (string, error) {
	if s.Lens == "" {
		return "w_dec", nil
	}
	lens := schema.Lens{Name: s.Lens}
	var layers schema.ListOf[int32]
	if err := db.QueryRowContext(ctx, `SELECT load_id, layers FROM lenses WHERE lens = ?`, s.Lens).Scan(&lens.ID, &layers); err != nil {
		return "", err
	}
	for _, layer := range layers {
		lens.Layers = append(lens.Layers, int(layer))
	}
	return schema.Through(lens).At(s.LensLayer).Transported("w_dec"), nil
}

// numbered is the SQL of the SAEs with the numbers under which their figures are stored, in columns
// sae and number.
func numbered(saes []SAE) string {
	if len(saes) > 0 && saes[0].Lens != "" {
		return fmt.Sprintf("(SELECT sae, lens_sae_id AS number FROM saes_through(%s))", schema.Literal(saes[0].Lens))
	}
	return "(SELECT sae, load_id AS number FROM saes)"
}

// addDirect adds to the histograms of what features write through a lens the outlines of what the
// same features write directly.
func (f *Figure) addDirect(ctx context.Context, db *sql.DB, saes []SAE, statistic string, log bool) error {
	for i, s := range saes {
		direct, err := schema.Collect[float64](ctx, db, fmt.Sprintf(
			`SELECT CAST(%[1]s AS DOUBLE) FROM features WHERE sae = ? AND %[2]s ORDER BY %[1]s`, statistic, finite(statistic)), s.Name)
		if err != nil {
			return err
		}
		if len(direct) == 0 {
			continue // what they write directly is not computed
		}
		p := &f.Panels[i]
		p.Bars[0].Name = "through " + s.Lens
		line := outline(direct, p.Bars[0].Edges, len(direct), log)
		line.Name, line.Color = "directly", secondColor
		p.Lines = append(p.Lines, line)
	}
	f.Note += " The purple outline is what the same features write directly."
	return nil
}
