package loader

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/files"
	"github.com/saedb/saedb/loader/sae"
	schema "github.com/saedb/saedb/sql"
)

// staying is what is recorded of an SAE whose weights are to stay in their files.
type staying struct {
	path, decoder, layout string
	files                 []files.Kept // their hashes come with the load's
}

// stay makes sure that the weights of an SAE can be read from its files again, and looks at these,
// before they are hashed. It is nil where they are to be copied.
func (r SAERequest) stay(op string, opened sae.SAE) (*staying, error) {
	if !r.InPlace {
		return nil, nil
	}
	info := opened.Info()
	s := &staying{path: absolute(r.Path), decoder: cmp.Or(r.Decoder, sae.AsStored)}
	var err error
	if s.layout, err = sae.Layout(opened); err != nil {
		return nil, fault.At(op, info.Path, err)
	}
	again, err := sae.OpenAt(s.path, s.decoder)
	if err != nil {
		return nil, err
	}
	defer again.Close()
	read := again.Info()
	if !strings.HasPrefix(info.Scale, read.Scale) || read.DSAE != info.DSAE || read.DModel != info.DModel {
		return nil, &fault.Error{
			Op: op, Subject: info.Path, Problem: "its weights cannot stay there", Expected: "a decoder that the files alone give, " + info.Scale,
			Found: read.Scale, Hint: "load it without --in-place, or with --decoder " + sae.AsStored,
		}
	}
	for _, path := range slices.Compact(slices.Sorted(slices.Values(read.Files))) {
		found, err := files.Look(path)
		if err != nil {
			return nil, fault.At(op, "", err)
		}
		s.files = append(s.files, found)
	}
	return s, nil
}

// write records where the weights are, in place of what was recorded, once the load's files are
// hashed. A file that changed since stay looked at it is an error.
func (s *staying) write(ctx context.Context, tx *sql.Tx, id int, hashed []file) error {
	if err := forgetPlace(ctx, tx, id); err != nil {
		return err
	}
	if err := schema.Insert(ctx, tx, "stored_in_place", schema.Row{{"sae_id", id}, {"path", s.path}, {"decoder", s.decoder}, {"layout", s.layout}}); err != nil {
		return err
	}
	for _, was := range s.files {
		at := slices.IndexFunc(hashed, func(f file) bool { return f.path == was.Path })
		if at < 0 {
			return &fault.Error{Subject: was.Path, Problem: "this file was not there when the SAE was opened", Hint: "load it again"}
		}
		now, err := files.Look(was.Path)
		if err == nil && (now != was || now.Bytes != hashed[at].bytes) {
			err = &fault.Error{Subject: was.Path, Problem: "it changed while it was loaded", Hint: "load it again when it is whole"}
		}
		if err != nil {
			return err
		}
		if err := schema.Insert(ctx, tx, "stored_weight_files", schema.Row{
			{"sae_id", id}, {"path", was.Path}, {"bytes", was.Bytes}, {"modified", was.Modified}, {"sha256", hashed[at].sha256},
		}); err != nil {
			return err
		}
	}
	return nil
}

// forgetPlace forgets where the weights of an SAE stay.
func forgetPlace(ctx context.Context, tx *sql.Tx, id int) error {
	return deleteWhere(ctx, tx, fmt.Sprintf("sae_id = %d", id), schema.PlaceTables...)
}

// writePlaced writes the rows of an SAE whose weights stay in their files, without these.
func (ld *Loader) writePlaced(ctx context.Context, tx *sql.Tx, l *load, opened sae.SAE) error {
	rows, withdraw := ld.Opened.OfferSparsity(opened)
	defer withdraw()
	return ld.fill(ctx, tx, "features of "+l.name, opened.Info().DSAE, fmt.Sprintf(`INSERT INTO stored_decoders
		SELECT %d, feature, NULL, log_sparsity FROM %s`, l.id, rows))
}

// settle makes the weights of an SAE that is loaded already be where the request wants them: copies
// those that stay in their files, or notes where these are now. Weights in the database stay there.
func (ld *Loader) settle(ctx context.Context, tx *sql.Tx, l *load, id int, r SAERequest, opened sae.SAE, stays *staying, outcome *Outcome) (changed bool, err error) {
	was, err := stayingOf(ctx, tx, id)
	switch {
	case err != nil:
		return false, err
	case was == nil && stays != nil:
		outcome.Now = "its weights are in the database, and stay there; saedb unload sae takes them out"
		return false, nil
	case was == nil:
		return false, nil
	case stays == nil:
		outcome.Now = "its weights are in the database now"
		return true, ld.copyPlaced(ctx, tx, l, id, r, opened)
	case was.path == stays.path && slices.EqualFunc(was.files, stays.files, func(a, b files.Kept) bool {
		return a.Path == b.Path && a.Modified == b.Modified
	}):
		return false, nil
	}
	outcome.Now = "its weights are read from " + stays.path + " from now on"
	return true, stays.write(ctx, tx, id, l.files)
}

// stayingOf is what is recorded of an SAE whose weights stay in their files; nil where they are in
// the database.
func stayingOf(ctx context.Context, db schema.Querier, id int) (*staying, error) {
	found, err := schema.Rows(ctx, db, func(s *staying) []any { return []any{&s.path, &s.decoder, &s.layout} },
		`SELECT path, decoder, layout FROM stored_in_place WHERE sae_id = ?`, id)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	s := found[0]
	s.files, err = schema.Rows(ctx, db, func(k *files.Kept) []any { return []any{&k.Path, &k.Bytes, &k.Modified, &k.SHA256} },
		`SELECT path, bytes, modified, sha256 FROM stored_weight_files WHERE sae_id = ? ORDER BY path`, id)
	return &s, err
}

// copyPlaced writes the weights that stay in their files into the database, with the encoder
// where it was loaded or is asked for. What was computed of them stays.
func (ld *Loader) copyPlaced(ctx context.Context, tx *sql.Tx, l *load, id int, r SAERequest, opened sae.SAE) error {
	var encoder bool
	if err := tx.QueryRowContext(ctx, `SELECT encoder_hook IS NOT NULL FROM stored_saes WHERE sae_id = ?`, id).Scan(&encoder); err != nil {
		return err
	}
	if err := forgetPlace(ctx, tx, id); err != nil {
		return err
	}
	if err := deleteWhere(ctx, tx, fmt.Sprintf("sae_id = %d", id), "stored_decoders", "stored_encoders"); err != nil {
		return err
	}
	copied := &load{id: id, name: l.name}
	if err := ld.writeDecoder(ctx, tx, copied, opened); err != nil {
		return err
	}
	if err := copied.recordContents(ctx, tx, "stored_decoders"); err != nil {
		return err
	}
	if encoder || r.Encoder {
		return ld.writeEncoder(ctx, tx, l.name, id, opened, false)
	}
	return nil
}

// InPlace are the SAEs of these names whose weights stay in their files.
func InPlace(ctx context.Context, db schema.Querier, names []string) (all []sae.InPlace, err error) {
	type row struct {
		id   int
		name string
	}
	saes, err := schema.Rows(ctx, db, func(r *row) []any { return []any{&r.id, &r.name} },
		`SELECT sae_id, sae FROM stored_saes JOIN stored_in_place USING (sae_id) WHERE `+schema.InSAEs("sae", names)+` ORDER BY sae`)
	for _, s := range saes {
		stays, err := stayingOf(ctx, db, s.id)
		if err != nil {
			return nil, err
		}
		all = append(all, sae.InPlace{Name: s.name, Path: stays.path, Decoder: stays.decoder, Files: stays.files})
	}
	return all, err
}
