package loader

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/hub"
	"github.com/saedb/saedb/loader/model"
	"github.com/saedb/saedb/loader/sae"
	schema "github.com/saedb/saedb/sql"
)

const loadDirections = "load directions"

// DirectionsRequest asks for the directions of a file, which are no SAE's.
type DirectionsRequest struct {
	sae.Directions
	Name, Model, Release, Decoder string // as in SAERequest
	Replace, Copy                 bool
}

// Directions loads a tensor of a file.
func (ld *Loader) Directions(ctx context.Context, r DirectionsRequest) (Outcome, error) {
	r.Path = absolute(r.Path)
	opened, err := sae.OpenDirections(r.Directions)
	if err == nil {
		opened, err = atScale(opened, r.Decoder)
	}
	if err != nil {
		return Outcome{}, fault.At(loadDirections, r.Path, err)
	}
	return ld.loadRows(ctx, loadDirections, opened, SAERequest{
		Path: r.Path, Name: r.Name, Model: r.Model, Release: r.Release, Replace: r.Replace, Copy: r.Copy,
	})
}

// NeuronsRequest asks for the neurons of a model's MLPs as directions.
type NeuronsRequest struct {
	Path                    string // of the model; the files that it was loaded from, when empty
	Layer                   int
	Model, Release, Decoder string // as in SAERequest
	Replace, Copy           bool
}

// Neurons loads the output weights of the neurons of one MLP: neuron i writes row i
// of W_out [d_mlp, d_model].
func (ld *Loader) Neurons(ctx context.Context, r NeuronsRequest) (Outcome, error) {
	var origin Origin
	var err error
	if r.Path, origin, _, err = ld.filesOfModel(ctx, r.Path, r.Model, needBlock(model.MLPOut, r.Layer)); err != nil {
		return Outcome{}, fault.At(loadDirections, "model "+r.Model, err)
	}
	block, err := model.OpenBlock(r.Path, model.MLPOut, r.Layer)
	if err != nil {
		return Outcome{}, fault.At(loadDirections, r.Path, err)
	}
	about := block.Info()
	hook := fmt.Sprintf("blocks.%d.hook_mlp_out", r.Layer)
	opened, err := atScale(sae.FromMatrix(sae.Info{
		Path: r.Path, Name: fmt.Sprintf("blocks.%d.mlp.neurons", r.Layer), Format: about.Format, Architecture: sae.ArchitectureNeurons,
		Hook: hook, Layer: r.Layer, Space: sae.ResidualStream,
		Scale: sae.AsStored + "; rows of W_out (" + about.Tensor + ")", Files: about.Files,
	}, block, about.DType, block.Close), r.Decoder)
	if err != nil {
		return Outcome{}, fault.At(loadDirections, r.Path, err)
	}
	outcome, err := ld.loadRows(ctx, loadDirections, opened, SAERequest{
		Path: r.Path, Model: r.Model, Release: r.Release, Replace: r.Replace, Copy: r.Copy, Origin: origin,
	})
	if err == nil && about.PostNorm {
		outcome.Note = fmt.Sprintf("block %d normalises what its MLP writes, which logit weights leave out: they are approximate", r.Layer)
	}
	return outcome, err
}

// filesOfModel returns where the files of a model are, at path or, where that is empty, those
// that the model of a name was loaded from, with what need asks for among them; what these were
// downloaded from; and how the model of that name was processed.
func (ld *Loader) filesOfModel(ctx context.Context, path, name string, need hub.Need) (at string, origin Origin, processing string, err error) {
	tx, err := ld.DB.BeginTx(ctx, nil)
	if err != nil {
		return "", origin, "", err
	}
	defer tx.Rollback()
	m, err := chooseModel(ctx, tx, loadDirections, name, sae.Info{Path: "directions of a model"})
	if err != nil {
		return "", origin, "", err
	}
	var source string
	var revision sql.NullString
	err = tx.QueryRowContext(ctx, `SELECT source, revision, processing FROM stored_loads JOIN stored_models ON model_id = load_id WHERE load_id = ?`,
		m.id).Scan(&source, &revision, &processing)
	if err != nil || path != "" {
		return absolute(path), origin, processing, err
	}
	if path, err = ld.modelPath(ctx, tx, m, need); err != nil {
		return "", origin, "", err
	}
	if revision.Valid {
		origin = Origin{Source: source, Revision: revision.String}
	}
	return absolute(path), origin, processing, nil
}

// NeuronLayers returns how many blocks a model has whose neurons can be loaded: that
// at a path or, when it is empty, a loaded one.
func (ld *Loader) NeuronLayers(ctx context.Context, path, name string) (int, error) {
	return ld.layers(ctx, path, name, needBlock(model.MLPOut, 0))
}

// HeadLayers is the same of heads.
func (ld *Loader) HeadLayers(ctx context.Context, path, name string) (int, error) {
	return ld.layers(ctx, path, name, needHeads(0))
}

func (ld *Loader) layers(ctx context.Context, path, name string, need hub.Need) (int, error) {
	if path == "" {
		var err error
		if path, _, _, err = ld.filesOfModel(ctx, path, name, need); err != nil {
			return 0, fault.At(loadDirections, "model "+name, err)
		}
	}
	return model.Layers(path)
}

// QueryRequest asks for directions that a query gives, a row each, in the column
// w_dec or in its only one: FLOAT[], DOUBLE[] or arrays of d_model values.
type QueryRequest struct {
	SQL                  string
	Name, Model, Release string // as in SAERequest; a name is needed
	Hook                 string // empty when unknown
	Replace, Copy        bool   // as in SAERequest
}

// Query loads the rows of a query, numbered in their order.
func (ld *Loader) Query(ctx context.Context, r QueryRequest) (Outcome, error) {
	l := &load{kind: "sae", source: r.SQL, format: "sql", begun: time.Now()}
	if err := l.call(r.Release, r.Name); err != nil {
		return Outcome{}, err
	}
	outcome := Outcome{Name: l.name, Source: "a query"}
	err := ld.transactWeights(ctx, func(tx *sql.Tx) (bool, error) {
		info := sae.Info{
			Path: "query", Format: l.format, Architecture: sae.ArchitectureDirections, DType: "F32", Scale: sae.AsStored,
		}
		info.SetHook(r.Hook)
		if err := sae.CheckInResidualStream(info); err != nil {
			return false, err
		}
		m, err := chooseModel(ctx, tx, loadDirections, r.Model, info)
		if err != nil {
			return false, err
		}
		info.DModel = m.dModel
		rows, err := collectRows(ctx, tx, r.SQL, m.dModel)
		if err != nil {
			return false, err
		}
		info.DSAE, outcome.Rows = rows.count, rows.count
		text := sha256.Sum256([]byte(r.SQL))
		l.files = []file{
			{name: "query", bytes: int64(len(r.SQL)), sha256: hex.EncodeToString(text[:])},
			{name: "rows", bytes: int64(4 * rows.count * m.dModel), sha256: rows.sha256},
		}
		l.conventions = fmt.Sprintf("rows of a query; model %s", m.name)
		old, unchanged, err := ld.supersedes(ctx, tx, l, r.Replace, &outcome)
		if err != nil || unchanged {
			return false, err
		}
		return true, ld.replaceSAE(ctx, tx, l, old, r.Copy, func() error {
			if err := describeSAE(ctx, tx, l, info, m.id, info.Layer); err != nil {
				return err
			}
			return ld.fill(ctx, tx, "directions of "+l.name, rows.count, fmt.Sprintf(`INSERT INTO stored_decoders
				SELECT %d, feature, w_dec, NULL FROM collected_directions ORDER BY feature`, l.id))
		})
	})
	if err != nil {
		return Outcome{}, fault.At(loadDirections, r.Name, err)
	}
	outcome.Took = time.Since(l.begun)
	return outcome, nil
}

// collected is what the temporary table collected_directions holds.
type collected struct {
	count  int
	sha256 string
}

// collectRows runs a query into the temporary table collected_directions, and makes
// sure that every row is a direction of d_model finite values.
func collectRows(ctx context.Context, tx *sql.Tx, query string, dModel int) (collected, error) {
	column, err := directionColumn(ctx, tx, query)
	if err != nil {
		return collected{}, err
	}
	_, err = tx.ExecContext(ctx, fmt.Sprintf(`CREATE OR REPLACE TEMP TABLE collected_directions AS
		SELECT CAST(row_number() OVER () - 1 AS INTEGER) AS feature, CAST(%s AS FLOAT[]) AS w_dec FROM (%s)`,
		schema.Identifier(column), strings.TrimRight(strings.TrimSpace(query), ";")))
	if err != nil {
		return collected{}, fault.Returned(err)
	}
	var c collected
	var bad sql.NullString
	err = tx.QueryRowContext(ctx, fmt.Sprintf(`SELECT count(*), coalesce(sha256(string_agg(sha256(CAST(w_dec AS VARCHAR)), '' ORDER BY feature)), ''),
		min_by('row ' || feature || ' has ' || CASE
			WHEN w_dec IS NULL THEN 'no direction (NULL)'
			WHEN len(w_dec) <> %[1]d THEN len(w_dec) || ' values'
			ELSE 'a value that is NULL or not finite' END, feature)
			FILTER (WHERE w_dec IS NULL OR len(w_dec) <> %[1]d OR len(list_filter(w_dec, lambda x: isfinite(x))) <> %[1]d)
		FROM collected_directions`, dModel)).Scan(&c.count, &c.sha256, &bad)
	switch {
	case err != nil:
		return collected{}, fault.Returned(err)
	case bad.Valid:
		return collected{}, &fault.Error{Subject: "query", Expected: fmt.Sprintf("rows of %d finite values, d_model of the model", dModel), Found: bad.String}
	case c.count == 0:
		return collected{}, &fault.Error{Subject: "query", Expected: "a row a direction", Found: "no rows"}
	}
	return c, nil
}

// directionColumn is the column of a query that holds directions: w_dec, or the only
// one of lists.
func directionColumn(ctx context.Context, tx *sql.Tx, query string) (string, error) {
	columns, err := schema.Rows(ctx, tx, func(c *[2]string) []any { return []any{&c[0], &c[1]} },
		fmt.Sprintf(`SELECT column_name, column_type FROM (DESCRIBE %s)`, strings.TrimRight(strings.TrimSpace(query), ";")))
	if err != nil {
		return "", fault.Returned(err)
	}
	var lists, all []string
	for _, c := range columns {
		name, kind := c[0], c[1]
		all = append(all, name+" "+kind)
		if !strings.HasSuffix(kind, "]") {
			continue
		}
		if strings.EqualFold(name, "w_dec") {
			return name, nil
		}
		lists = append(lists, name)
	}
	if len(lists) != 1 {
		return "", &fault.Error{Subject: "query", Expected: "a column w_dec of lists of numbers, or only one column of lists", Found: strings.Join(all, ", ")}
	}
	return lists[0], nil
}
