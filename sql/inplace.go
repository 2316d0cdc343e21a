package schema

import (
	"context"
	"fmt"
)

// Weights that stay in their files (load sae --in-place) are NULL in the tables, and reader_row
// reads them. What needs directions wherever they are takes their SQL from here.

// PlaceTables are those of where such weights are.
var PlaceTables = []string{"stored_in_place", "stored_weight_files"}

// DirectionRows is the SQL of rows (sae_id, feature, w_dec), as this side calls that column, of an
// SAE by its name and its number on this side; own is its number itself, another one where it goes
// through a lens. Weights that are in the database are read from their table, as ever.
func (s Side) DirectionRows(ctx context.Context, db Querier, name string, id, own int) (string, error) {
	stays, err := StaysInPlace(ctx, db, own)
	if err != nil || !stays {
		return s.SQL("stored_decoders"), err
	}
	if s.Lens.ID == 0 {
		return s.RowsInPlace(name, own), nil
	}
	return fmt.Sprintf("(SELECT %d AS sae_id, feature, %s AS w_dec FROM %s)", id, s.Transported("w_dec"), Output.RowsInPlace(name, own)), nil
}

// RowsInPlace is [Side.DirectionRows] of an SAE whose weights stay in their files, on a side without a
// lens.
func (s Side) RowsInPlace(name string, id int) string {
	return s.SQL(fmt.Sprintf("(SELECT sae_id, feature, %s AS w_dec FROM stored_decoders WHERE sae_id = %d)", s.row(Literal(name), "feature"), id))
}

// DirectionOf is the SQL of the direction of a feature, which is SQL, of an SAE of this name: w_dec, as
// this side calls it, or where the weights stay in their files what reads it there.
func (s Side) DirectionOf(ctx context.Context, db Querier, name, feature string) (string, error) {
	own, err := Collect[int](ctx, db, "SELECT sae_id FROM stored_in_place JOIN stored_saes USING (sae_id) WHERE sae = ?", name)
	if err != nil || len(own) == 0 {
		return s.SQL("w_dec"), err
	}
	return s.row(Literal(name), feature), nil
}

// WeightsWherever is, by reader, the SQL of the weights of a row d of stored_decoders or stored_encoders,
// s being that of stored_saes or saes: for statements of several SAEs. Files of SQL have marks for it.
var WeightsWherever = map[string]string{
	DecoderReader: weightsWhereverOf(DecoderReader, "d.w_dec"),
	EncoderReader: weightsWhereverOf(EncoderReader, "d.w_enc"),
}

func weightsWhereverOf(reader, column string) string {
	return "CASE WHEN d.sae_id IN (SELECT sae_id FROM stored_in_place) THEN " + readerRow(reader, "s.sae", "d.feature") + " ELSE " + column + " END"
}

// row is the SQL of a row of this side's reader of the SAE whose name is SQL.
func (s Side) row(name, feature string) string {
	reader := DecoderReader
	if s.Name == Input.Name {
		reader = EncoderReader
	}
	return readerRow(reader, name, feature)
}

// readerRow is the SQL of a row of an SAE's reader; name and feature are SQL.
func readerRow(reader, name, feature string) string {
	return fmt.Sprintf("reader_row(%s || '%c%s', %s)", name, ReaderMark, reader, feature)
}

// StaysInPlace tells whether the weights of an SAE stay in their files.
func StaysInPlace(ctx context.Context, db Querier, sae int) (bool, error) {
	found, err := Collect[int](ctx, db, "SELECT sae_id FROM stored_in_place WHERE sae_id = ?", sae)
	return len(found) > 0, err
}
