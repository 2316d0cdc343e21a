package check

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/saedb/saedb/internal/files"
	schema "github.com/saedb/saedb/sql"
)

// inPlace is an SAE whose weights stay in their files, by its own number or that under which it is
// read through a lens.
type inPlace struct {
	number, id, layer int
	name              string
}

// places checks the files in which weights of SAEs stay: one that has changed is a finding, one
// that is not there a note, and what was computed of either is not computed again.
func (r *run) places() error {
	type row struct {
		files.Kept
		sae int
	}
	saes, err := read(r, "stored_in_place", func(p *inPlace) []any { return []any{&p.number, &p.id, &p.name, &p.layer} },
		`SELECT s.sae_id, s.sae_id, s.sae, 0 FROM stored_in_place JOIN stored_saes s USING (sae_id)
		UNION ALL SELECT r.lens_sae_id, s.sae_id, s.sae, r.layer FROM stored_in_place JOIN stored_saes s USING (sae_id) JOIN stored_lens_saes r USING (sae_id)`)
	if err != nil {
		return err
	}
	kept, err := read(r, "stored_weight_files", func(f *row) []any { return []any{&f.sae, &f.Path, &f.Bytes, &f.Modified, &f.SHA256} },
		`SELECT sae_id, path, bytes, modified, sha256 FROM stored_weight_files ORDER BY sae_id, path`)
	if err != nil {
		return err
	}
	r.placed, r.unread = map[int]inPlace{}, map[int]bool{}
	names := map[int]string{}
	for _, p := range saes {
		r.placed[p.number], names[p.id] = p, p.name
	}
	var total int64
	for _, f := range kept {
		total += f.Bytes
	}
	if total == 0 {
		return nil
	}
	add, end := r.begin("files of weights", total, "bytes")
	defer end()
	for _, f := range kept {
		if r.unread[f.sae] {
			continue // one says it
		}
		check := func() error { return f.CheckContent(r.ctx, add) }
		if r.SkipSources {
			check = func() error { return f.Check(r.ctx) }
		}
		err := check()
		switch {
		case r.ctx.Err() != nil:
			return r.ctx.Err()
		case errors.Is(err, fs.ErrNotExist):
			r.unread[f.sae] = true
			r.Note(fmt.Sprintf("the weights of SAE %s stay in %s, which is not there: what was computed of them is not computed again", names[f.sae], f.Path))
		case err != nil:
			r.unread[f.sae] = true
			r.found(Finding{"stored_weight_files", "SAE " + names[f.sae], err.Error()})
		case !r.SkipSources:
			r.result.Sources++
		}
	}
	return nil
}

// directions is the SQL of rows (sae_id, feature, w_dec), as a side calls that, of the SAE of a number on it;
// read is false where its weights stay in a file that cannot be read.
func (r *run) directions(side schema.Side, number int) (rows string, read bool) {
	p, stays := r.placed[number]
	if !stays {
		return side.SQL("stored_decoders"), true
	}
	if r.unread[p.id] {
		return "", false
	}
	if side.Lens.ID == 0 {
		return side.RowsInPlace(p.name, p.id), true
	}
	return fmt.Sprintf("(SELECT %d AS sae_id, feature, %s AS w_dec FROM %s)",
		number, side.Lens.Of("w_dec", fmt.Sprint(p.layer)), schema.Output.RowsInPlace(p.name, p.id)), true
}
