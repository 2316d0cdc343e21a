package udf

import (
	"context"
	"fmt"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/files"
	"github.com/saedb/saedb/loader/sae"
	"github.com/saedb/saedb/udf/capi"
)

// place is where the weights of an SAE stay (load sae --in-place); zero where they are in the
// database. Files are looked up when they are read.
type place struct {
	path, decoder string // as sae.InPlace has them
}

// openPlace opens the weights of an SAE that stay in their files.
func (d *database) openPlace(ctx context.Context, stored *storedReader) (*placed, error) {
	if d.confined.Load() {
		return nil, &fault.Error{
			Subject: stored.place.path, Problem: fmt.Sprintf("%s stays in its file, and this query cannot read files", stored),
			Hint: "ask in saedb sql, or load it without --in-place",
		}
	}
	in := sae.InPlace{Name: stored.of, Path: stored.place.path, Decoder: stored.place.decoder}
	err := d.query(fmt.Sprintf(`SELECT path, sha256, bytes, modified FROM %s WHERE sae_id = %d ORDER BY path`, stored.in("stored_weight_files"), stored.id), func(chunk capi.Chunk) error {
		n := chunk.Rows()
		bytes, modified := capi.Values[int64](chunk.Column(2), n), capi.Values[int64](chunk.Column(3), n)
		for i := range n {
			in.Files = append(in.Files, files.Kept{Path: chunk.Column(0).Text(i), SHA256: chunk.Column(1).Text(i), Bytes: bytes[i], Modified: modified[i]})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	opened, err := in.Open(ctx)
	if err != nil {
		return nil, err
	}
	p := &placed{SAE: opened, ctx: ctx, in: in, read: opened.ReadDecoder}
	rows, dModel := opened.Info().DSAE, opened.Info().DModel
	if stored.kind == encoder {
		e, err := opened.Encoder()
		if err != nil {
			opened.Close()
			return nil, err
		}
		p.read, dModel = e.ReadRows, e.DIn
	}
	if rows != stored.rows || dModel != stored.dModel {
		opened.Close()
		return nil, stored.damaged("the SAE is not what its file has", fmt.Sprintf("shape [%d, %d], as in the file", rows, dModel), stored.rows)
	}
	return p, nil
}

// placed are the open weights of an SAE that stay in their files.
type placed struct {
	sae.SAE
	ctx  context.Context
	in   sae.InPlace
	read func(from int, to []float32) error
}

// ReadRows reads rows from one on. A file that changes meanwhile is an error.
func (p *placed) ReadRows(from int, to []float32) error {
	if err := p.ctx.Err(); err != nil {
		return err
	}
	if err := p.read(from, to); err != nil {
		return err
	}
	return p.in.Check(p.ctx)
}

// readPlace gives set all rows of a reader that stay in their files, one after the other.
func (d *database) readPlace(ctx context.Context, stored *storedReader, set func(row int, values []float32)) error {
	opened, err := d.openPlace(ctx, stored)
	if err != nil {
		return err
	}
	defer opened.Close()
	const part = 1024
	rows := make([]float32, min(part, stored.rows)*stored.dModel)
	for from := 0; from < stored.rows; from += part {
		n := min(part, stored.rows-from)
		if err := opened.ReadRows(from, rows[:n*stored.dModel]); err != nil {
			return err
		}
		for i := range n {
			set(from+i, rows[i*stored.dModel:(i+1)*stored.dModel])
		}
	}
	return nil
}
