package udf

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/saedb/saedb/internal/compute"
	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/tensor"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf/capi"
)

var lensFamily = family{
	register: registerLens,
	docs: []schema.Function{{
		Name:      "through_lens",
		Signature: "through_lens(w, lens, layer) → FLOAT[]",
		Description: "What a direction of the residual stream behind a block becomes behind the last one, by a loaded lens: J · w, or w + M w of a tuned lens, summed in float64. " +
			"layer is the number of the block (INTEGER), -1 before the first; behind the last block it is the direction itself. A layer that the lens does not have is an error that lists those it has. " +
			"The result stands where a direction does: top_tokens(through_lens(w_dec, 'jlens', 8), 'gpt2', 10).",
		Example: "SELECT count(through_lens(w_dec, lens, layer - 1)) AS features FROM decoder_directions JOIN lenses USING (model) WHERE list_contains(layers, layer - 1)",
	}},
}

func registerLens(f *Functions, c capi.Connection) error {
	matrices := &lensMatrices{}
	return c.RegisterScalar("through_lens", capi.Scalar{
		Parameters: []capi.Type{capi.Any, capi.Varchar, capi.Integer}, Returns: capi.List(capi.Float),
		Run: f.of(func(f *execution, input capi.Chunk, output capi.Vector) error {
			return f.throughLens(matrices, input, output)
		}),
	})
}

// storedLens is a lens in the tables of a database that is open or attached.
type storedLens struct {
	in             attached
	id             int32
	name, content  string // content stands for the matrices: their SHA-256 and what was done to them
	dModel, blocks int    // blocks is 0 where they are not known
	layers         []int32
	residual       bool
}

// String is what s is in a sentence.
func (s *storedLens) String() string { return "lens " + s.name }

// lenses returns the lenses of every database, those of the one that was opened first.
func (d *database) lenses() (all []*storedLens, err error) {
	databases, err := d.having("stored_lenses", "")
	for _, in := range databases {
		if err != nil {
			return nil, err
		}
		err = d.query(fmt.Sprintf(`SELECT s.lens, coalesce(l.sha256 || ' ' || l.conventions, ''), s.lens_id, s.d_model, coalesce(s.blocks, 0), s.residual, s.layers
			FROM %s s LEFT JOIN %s l ON l.load_id = s.lens_id ORDER BY s.lens`, in.table("stored_lenses"), in.table("stored_loads")), func(chunk capi.Chunk) error {
			n := chunk.Rows()
			ids, widths, blocks := capi.Values[int32](chunk.Column(2), n), capi.Values[int32](chunk.Column(3), n), capi.Values[int32](chunk.Column(4), n)
			residual, layers := capi.Values[bool](chunk.Column(5), n), newIntegerLists(chunk.Column(6), n)
			for i := range n {
				all = append(all, &storedLens{
					in: in, name: chunk.Column(0).Text(i), content: chunk.Column(1).Text(i), id: ids[i], dModel: int(widths[i]),
					blocks: int(blocks[i]), residual: residual[i], layers: slices.Clone(layers.at(i)),
				})
			}
			return nil
		})
	}
	return all, err
}

// findLens finds the lens of a name, as find does readers.
func (d *database) findLens(name string) (*storedLens, error) {
	all, err := d.lenses()
	if err != nil {
		return nil, err
	}
	found := called(all, name, func(s *storedLens) (string, string) { return s.in.name, s.name })
	var names []string
	for _, s := range found {
		names = append(names, schema.Literal(s.in.name+"."+s.name))
		if s.content != found[0].content {
			return nil, &fault.Error{
				Subject: fmt.Sprintf("lens %q", name), Problem: "is another one in each of several databases", Hint: "say which: " + strings.Join(names, " or "),
			}
		}
	}
	if len(found) > 0 {
		return found[0], nil
	}
	names = nil
	for _, s := range all {
		names = append(names, s.name)
	}
	unknown := &fault.Error{Subject: fmt.Sprintf("lens %q", name), Problem: "no such lens in this database", Hint: "loaded: " + strings.Join(names, ", ")}
	if len(all) == 0 {
		unknown.Hint = "none is loaded; load one with saedb load lens"
	}
	return nil, unknown
}

// findLens looks a lens up by name, once a statement, as find does readers.
func (f *execution) findLens(name string) (*storedLens, error) {
	if known := f.lenses[name]; known != nil {
		return known, nil
	}
	found, err := f.readers.database.findLens(name)
	if err == nil {
		f.lenses[name] = found
	}
	return found, err
}

// lensMatrices keeps the matrix that was used last, since a computation uses one for minutes.
type lensMatrices struct {
	mutex  sync.Mutex
	of     string // database, lens, its content and layer
	matrix []float32
}

// get returns the matrix [d_model, d_model] of a layer, which the lens has.
func (c *lensMatrices) get(d *database, s *storedLens, layer int32) ([]float32, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	of := fmt.Sprintf("%d %d %s %d", s.in.oid, s.id, s.content, layer)
	if c.of == of {
		return c.matrix, nil
	}
	c.of, c.matrix = "", nil // let go before the next is there
	matrix, rows := make([]float32, s.dModel*s.dModel), 0
	damaged := &fault.Error{
		Problem: fmt.Sprintf("its stored matrix of layer %d is damaged", layer), Expected: fmt.Sprintf("%d rows of as many values", s.dModel), Hint: "load it again with --replace",
	}
	err := d.query(fmt.Sprintf(`SELECT dimension, weights FROM %s WHERE lens_id = %d AND layer = %d AND weights IS NOT NULL`,
		s.in.table("stored_lens_matrices"), s.id, layer), func(chunk capi.Chunk) error {
		n := chunk.Rows()
		rows += n
		dimensions, weights := capi.Values[int32](chunk.Column(0), n), newLists(chunk.Column(1), n)
		values := capi.Values[float32](weights.elements, weights.count)
		for i, entry := range weights.entries {
			if at := int(dimensions[i]); int(entry.Length) != s.dModel || at < 0 || at >= s.dModel {
				damaged.Found = fmt.Sprintf("row %d of %d", at, entry.Length)
				return damaged
			} else {
				copy(matrix[at*s.dModel:(at+1)*s.dModel], values[entry.Offset:entry.Offset+entry.Length])
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case rows == 0:
		return nil, &fault.Error{
			Problem: "its matrices are not in this database, which has results alone", Hint: "use the database that they were computed in, or load the lens with --replace",
		}
	case rows != s.dModel:
		damaged.Found = fmt.Sprintf("%d", rows)
		return nil, damaged
	}
	c.of, c.matrix = of, matrix
	return matrix, nil
}

// transported is the rows of a chunk that go through one matrix.
type transported struct {
	lens       *storedLens
	layer      int32
	rows       []int
	directions []float32 // [len(rows), d_model]
}

func (f *execution) throughLens(matrices *lensMatrices, input capi.Chunk, output capi.Vector) error {
	const name = "through_lens"
	directions, err := readDirections(name, input)
	if err != nil {
		return err
	}
	rows := input.Rows()
	names := newTexts(input.Column(1))
	layers, given := capi.Values[int32](input.Column(2), rows), input.Column(2).Validity()
	lists := newListWriter(output, rows, nil)
	byMatrix := map[transportedKey]*transported{}
	var all []*transported
	for i := range rows {
		if !names.valid(i) || !given.Valid(i) || !directions.valid(i) {
			lists.null(i)
			continue
		}
		key := transportedKey{names.at(i), layers[i]}
		t := byMatrix[key]
		if t == nil {
			lens, err := f.findLens(key.lens)
			if err != nil {
				return fault.At(name, "", err)
			}
			if err := lens.checkLayer(key.layer); err != nil {
				return fault.At(name, lens.String(), err)
			}
			t = &transported{lens: lens, layer: key.layer}
			byMatrix[key], all = t, append(all, t)
		}
		d := t.lens.dModel
		t.directions = append(t.directions, make([]float32, d)...)
		if err := directions.copy(t.directions[len(t.directions)-d:], i, t.lens); err != nil {
			return err
		}
		t.rows = append(t.rows, i)
	}
	for _, t := range all {
		out, err := numbersOf[float32](lists, t.rows, t.lens.dModel)
		if err != nil {
			return err
		}
		if err := f.transport(matrices, t, out); err != nil {
			return fault.At(name, t.lens.String(), err)
		}
	}
	return nil
}

type transportedKey struct {
	lens  string
	layer int32
}

// checkLayer refuses a layer of which the lens has no matrix, but for the last block.
func (s *storedLens) checkLayer(layer int32) error {
	if slices.Contains(s.layers, layer) || s.isLast(layer) {
		return nil
	}
	return &fault.Error{
		Problem: fmt.Sprintf("it has no matrix of layer %d", layer), Found: "matrices of " + schema.Ranges(s.layers),
	}
}

// isLast tells whether nothing follows a layer.
func (s *storedLens) isLast(layer int32) bool { return s.blocks > 0 && int(layer) == s.blocks-1 }

// transport writes what the directions become to out.
func (f *execution) transport(matrices *lensMatrices, t *transported, out []float32) error {
	if !slices.Contains(t.lens.layers, t.layer) { // behind the last block
		copy(out, t.directions)
		return nil
	}
	matrix, err := matrices.get(&f.readers.database, t.lens, t.layer)
	if err != nil {
		return err
	}
	d := t.lens.dModel
	if err := compute.Transform(f.ctx, matrix, d, d, t.directions, t.lens.residual, out); err != nil {
		return err
	}
	if i := tensor.FirstNonFinite(out); i >= 0 {
		return &fault.Error{Problem: fmt.Sprintf("what a direction becomes at layer %d is beyond the range of FLOAT in dimension %d", t.layer, i%d)}
	}
	return nil
}
