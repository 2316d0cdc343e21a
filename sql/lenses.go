package schema

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
)

// Lens is one that a side of features is read through. Its zero value is none.
type Lens struct {
	ID     int
	Name   string
	Layers []int // that it has a matrix of
	// Layer is the block behind which the directions begin that are spoken of; of several SAEs it
	// is each one's own.
	Layer int
	// WithoutMatrices tells that results through it were imported and its matrices are not here: what
	// directions become is NULL then.
	WithoutMatrices bool
}

// Of is the SQL of what a direction that begins behind a block, both in SQL, becomes.
func (l Lens) Of(direction, layer string) string {
	if l.WithoutMatrices {
		return "CAST(NULL AS FLOAT[])"
	}
	return fmt.Sprintf("through_lens(%s, %s, %s)", direction, Literal(l.Name), layer)
}

// KnownLens gives an error where no lens has a name, of those that a database has.
func KnownLens(name string, loaded []string) error {
	if slices.Contains(loaded, name) {
		return nil
	}
	hint := "none is loaded: saedb load lens PATH"
	if len(loaded) > 0 {
		hint = "loaded: " + strings.Join(loaded, ", ")
	}
	return &fault.Error{Subject: fmt.Sprintf("lens %q", name), Problem: "no such lens in this database", Hint: hint}
}

// isNone tells whether directions stay as they are: without a lens, and behind the last block, of
// which one has no matrix.
func (l Lens) isNone() bool { return l.ID == 0 || !slices.Contains(l.Layers, l.Layer) }

// Through is what features come to write: the output side with its directions taken through a
// lens. An SAE goes by its number in stored_lens_saes there, its own being that in Own, and its
// figures are in the same tables.
func Through(lens Lens) Side {
	s := Output
	s.Lens = lens
	s.tables = strings.NewReplacer(
		"stored_saes", fmt.Sprintf(`(SELECT s.* REPLACE (r.lens_sae_id AS sae_id), s.sae_id AS direct_id, r.layer AS lens_layer
			FROM stored_saes s JOIN stored_lens_saes r ON r.sae_id = s.sae_id WHERE r.lens_id = %d)`, lens.ID),
		"stored_decoders", fmt.Sprintf(`(SELECT r.lens_sae_id AS sae_id, d.feature, %s AS w_dec
			FROM stored_decoders d JOIN stored_lens_saes r ON r.sae_id = d.sae_id WHERE r.lens_id = %d)`, lens.Of("d.w_dec", "r.layer"), lens.ID))
	return s
}

// PlaceInLens records that an SAE begins behind block lens.Layer in a lens, and returns its number there.
func PlaceInLens(ctx context.Context, tx *sql.Tx, sae int, lens Lens) (id int, err error) {
	err = tx.QueryRowContext(ctx, `INSERT INTO stored_lens_saes (lens_sae_id, sae_id, lens_id, layer)
		SELECT least(coalesce(min(lens_sae_id), 0), 0) - 1, ?, ?, ? FROM stored_lens_saes RETURNING lens_sae_id`, sae, lens.ID, lens.Layer).Scan(&id)
	return id, err
}

// Own is the column of a row of stored_saes, as SQL gives it, with the number of the SAE itself.
func (s Side) Own() string {
	if s.Lens.ID != 0 {
		return "direct_id"
	}
	return "sae_id"
}

// LensLayer is the SQL, in a row s of stored_saes, of the layer that [Side.At] takes.
func (s Side) LensLayer() string {
	if s.Lens.ID != 0 {
		return "s.lens_layer"
	}
	return "0"
}

// At is the side of an SAE whose directions begin behind a block.
func (s Side) At(layer int) Side {
	s.Lens.Layer = layer
	return s
}

// OfBaseline is the condition on a row of stored_baselines that its directions go the way of the
// side's, and BaselineLens the values of its columns lens_id and lens_layer, nil for NULL. What a lens leaves as
// it is has the baseline of no lens.
func (s Side) OfBaseline() string {
	if s.Lens.isNone() {
		return "lens_id IS NULL"
	}
	return fmt.Sprintf("lens_id = %d AND lens_layer = %d", s.Lens.ID, s.Lens.Layer)
}

// BaselineLens is documented with [Side.OfBaseline].
func (s Side) BaselineLens() (lens, layer any) {
	if s.Lens.isNone() {
		return nil, nil
	}
	return s.Lens.ID, s.Lens.Layer
}

// Transported is the SQL of what a direction, in SQL, becomes.
func (s Side) Transported(direction string) string {
	if s.Lens.isNone() {
		return direction
	}
	return s.Lens.Of(direction, fmt.Sprint(s.Lens.Layer))
}

// throughMacros make the macros of what lenses show from the queries of the views that they have
// the columns of: each is the same query about the figures under other numbers, with more columns at its end.
func throughMacros() string {
	var all strings.Builder
	for _, v := range []struct {
		file, view, comment string
		replaced            []string // pairs, each of which is there once
	}{
		{"04_features", "features", "the columns of features, of what each feature of the SAEs that were computed through a lens comes to write. How far the lens moves a feature: top_overlap and bottom_overlap are how many of its ten tokens at either end are among those of features, rank_correlation is Spearman's of its logit weights with those through the lens, over all tokens that count, and NULL unless compute --lens --rank-correlation has computed it, which ranks the whole vocabulary twice a feature, or where all of either are equal; decoder_norm is the length of what its direction becomes", []string{
			"JOIN saes s ON d.sae_id = s.load_id", "JOIN saes s ON d.sae_id = s.load_id\nJOIN saes_through(lens_name) u ON u.load_id = d.sae_id\nLEFT JOIN stored_statistics w ON w.sae_id = d.sae_id AND w.feature = d.feature" +
				"\nLEFT JOIN stored_lens_correlations r ON r.sae_id = u.lens_sae_id AND r.feature = d.feature",
			"stored_statistics t ON t.sae_id = d.sae_id", "stored_statistics t ON t.sae_id = u.lens_sae_id",
			"stored_significance g ON g.sae_id = d.sae_id", "stored_significance g ON g.sae_id = u.lens_sae_id",
			"stored_labels l ON l.sae_id = d.sae_id", "stored_labels l ON l.sae_id = u.lens_sae_id",
			"s.counted_tokens", "u.counted_tokens",
			"\nFROM stored_decoders d", `,
       CAST(len(list_intersect(t.top_token_ids, w.top_token_ids)) AS INTEGER) AS top_overlap, CAST(len(list_intersect(t.bottom_token_ids, w.bottom_token_ids)) AS INTEGER) AS bottom_overlap, r.rank_correlation,
       u.lens, u.lens_layer
FROM stored_decoders d`,
		}},
		{"04_features", "feature_tokens", "the columns of feature_tokens, of what features come to write through a lens", []string{
			"JOIN saes s ON e.sae_id = s.load_id", "JOIN saes_through(lens_name) u ON u.lens_sae_id = e.sae_id\nJOIN saes s ON u.load_id = s.load_id",
			"\nFROM ends e", ", u.lens, u.lens_layer\nFROM ends e",
		}},
		{"05_enrichment", "enrichment", "the columns of enrichment, of what features come to write through a lens", []string{
			"JOIN saes s ON e.sae_id = s.load_id", "JOIN saes_through(lens_name) u ON u.lens_sae_id = e.sae_id\nJOIN saes s ON u.load_id = s.load_id",
			"\nFROM scored e", ", u.lens, u.lens_layer\nFROM scored e",
		}},
	} {
		query := viewQuery(v.file, v.view)
		for i := 0; i < len(v.replaced); i += 2 {
			if strings.Count(query, v.replaced[i]) != 1 {
				panic("views/" + v.file + ".sql: the view " + v.view + " has not once " + v.replaced[i])
			}
			query = strings.Replace(query, v.replaced[i], v.replaced[i+1], 1)
		}
		fmt.Fprintf(&all, "CREATE OR REPLACE MACRO %[1]s_through(lens_name) AS TABLE\n%[2]s;\nCOMMENT ON MACRO TABLE %[1]s_through IS %[3]s;\n",
			v.view, query, Literal(v.view+"_through(lens): "+v.comment+", with lens and lens_layer at the end."))
	}
	return all.String()
}
