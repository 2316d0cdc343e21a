package udf

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/saedb/saedb/internal/compute"
	"github.com/saedb/saedb/internal/fault"
	modelfile "github.com/saedb/saedb/loader/model"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf/capi"
)

// database is where models are read from.
type database struct {
	queries sync.Mutex
	lookups capi.Queryer

	mutex sync.Mutex
	// registered are models on disk, by name, which are in no database.
	registered map[string]*storedModel
}

// query runs one query at a time: a connection cannot run two.
func (d *database) query(sql string, each func(capi.Chunk) error) error {
	d.queries.Lock()
	defer d.queries.Unlock()
	return d.lookups.Query(sql, each)
}

// storedModel is a model in the tables of a database that is open or attached.
type storedModel struct {
	database       string // as it is attached
	oid            int64  // which is another one each time that a database is attached
	name           string
	id             int32
	dModel, dVocab int
	// content stands for the weights: their SHA-256 and what was done to them.
	content string
	// path and options are those of a registered model, which is in no database.
	path    string
	options modelfile.Options
}

// same tells whether two are the same model in the same place, with its numbers.
func (m *storedModel) same(other *storedModel) bool {
	a, b := *m, *other
	a.oid, b.oid = 0, 0
	return a == b
}

// in is a table of the database that m is in.
func (m *storedModel) in(table string) string {
	return schema.Identifier(m.database) + ".main." + table
}

// find looks for a model by name in every database that is open or attached and
// has saedb's tables. database.model asks for one database. A name that stands
// for different weights in several is an error; where the weights are the same, the
// database that was opened counts, or the first attached.
func (d *database) find(function, name string) (*storedModel, error) {
	all, err := d.list()
	if err != nil {
		return nil, fault.At(function, "look up model "+name, err)
	}
	found := choose(all, func(m *storedModel) bool { return m.name == name })
	if len(found) == 0 {
		found = choose(all, func(m *storedModel) bool { return m.database+"."+m.name == name })
	}
	for _, other := range found {
		if other.content != found[0].content {
			return nil, ambiguous(function, name, found)
		}
	}
	if len(found) > 0 {
		return found[0], nil
	}
	if registered := d.registeredModel(name); registered != nil {
		return registered, nil
	}
	return nil, unknownModel(function, name, all)
}

func choose(all []*storedModel, wanted func(*storedModel) bool) []*storedModel {
	var found []*storedModel
	for _, m := range all {
		if wanted(m) {
			found = append(found, m)
		}
	}
	return found
}

func ambiguous(function, name string, found []*storedModel) error {
	var databases, qualified []string
	for _, m := range found {
		databases = append(databases, m.database)
		qualified = append(qualified, schema.Literal(m.database+"."+m.name))
	}
	return &fault.Error{
		Op: function, Subject: fmt.Sprintf("model %q", name), Problem: "has other weights in each of the databases " + strings.Join(databases, ", "),
		Hint: "say which: " + strings.Join(qualified, " or "),
	}
}

func unknownModel(function, name string, all []*storedModel) error {
	unknown := &fault.Error{
		Op: function, Subject: fmt.Sprintf("model %q", name), Problem: "no such model in this database",
		Hint: "none is loaded; load one with saedb load model",
	}
	if len(all) == 0 {
		return unknown
	}
	var known []string
	for _, m := range all {
		if m.database == all[0].database {
			known = append(known, m.name)
		} else {
			known = append(known, m.database+"."+m.name)
		}
	}
	unknown.Hint = "loaded: " + strings.Join(known, ", ")
	return unknown
}

// list returns the models of every database, those of the one that was opened
// first, each database's by name.
func (d *database) list() ([]*storedModel, error) {
	var databases []storedModel
	err := d.query(`SELECT database_name, database_oid FROM duckdb_tables() WHERE schema_name = 'main' AND table_name = 'stored_models'
		ORDER BY database_name <> current_database(), database_oid`, func(chunk capi.Chunk) error {
		for i := range chunk.Rows() {
			databases = append(databases, storedModel{database: chunk.Column(0).Text(i), oid: capi.Values[int64](chunk.Column(1), i+1)[i]})
		}
		return nil
	})
	var all []*storedModel
	for _, in := range databases {
		if err != nil {
			return nil, err
		}
		err = d.query(`SELECT m.model, m.model_id, m.d_model, m.d_vocab, coalesce(l.sha256 || ' ' || l.conventions, '')
			FROM `+in.in("stored_models")+` m LEFT JOIN `+in.in("stored_loads")+` l ON l.load_id = m.model_id ORDER BY m.model`, func(chunk capi.Chunk) error {
			n := chunk.Rows()
			ids, widths, tokens := capi.Values[int32](chunk.Column(1), n), capi.Values[int32](chunk.Column(2), n), capi.Values[int32](chunk.Column(3), n)
			for i := range n {
				all = append(all, &storedModel{
					database: in.database, oid: in.oid, name: chunk.Column(0).Text(i), id: ids[i],
					dModel: int(widths[i]), dVocab: int(tokens[i]), content: chunk.Column(4).Text(i),
				})
			}
			return nil
		})
	}
	return all, err
}

// read fills an unembedding from the database in parts, so that no more than
// one part is held twice.
func (d *database) read(ctx context.Context, stored *storedModel, scope string) (*model, error) {
	if stored.path != "" {
		return readFile(ctx, stored, scope)
	}
	dModel, dVocab := stored.dModel, stored.dVocab
	builder, err := compute.NewBuilder(dVocab, dModel)
	if err != nil {
		return nil, err
	}
	const part = 4096
	rows := 0
	for from := 0; from < dVocab; from += part {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		query := fmt.Sprintf(`SELECT token_id, w_u FROM %s
			WHERE model_id = %d AND token_id >= %d AND token_id < %d AND w_u IS NOT NULL`, stored.in("stored_unembeddings"), stored.id, from, from+part)
		err := d.query(query, func(chunk capi.Chunk) error {
			n := chunk.Rows()
			rows += n
			ids := capi.Values[int32](chunk.Column(0), n)
			values := chunk.Column(1)
			flat := capi.Values[float32](values.Elements(), values.ElementCount())
			for i, entry := range capi.Values[capi.Entry](values, n) {
				if int(entry.Length) != dModel || int(ids[i]) >= dVocab {
					return damaged(int(ids[i]), dModel, int(entry.Length))
				}
				builder.SetRows(int(ids[i]), flat[entry.Offset:entry.Offset+entry.Length])
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if rows == 0 {
		return nil, &fault.Error{
			Problem: "its unembedding is not in this database, which has results alone", Hint: "use the database that they were computed in, or load the model with --replace",
		}
	}
	if rows != dVocab {
		return nil, &fault.Error{
			Problem: "the stored unembedding is damaged", Expected: fmt.Sprintf("%d rows", dVocab), Found: fmt.Sprint(rows),
			Hint: "load the model again with --replace",
		}
	}
	ready := &model{stored: stored, name: stored.name, scope: scope, tokens: make([]token, dVocab)}
	real, err := d.readTokens(ready)
	if err != nil {
		return nil, err
	}
	if scope == scopeReal {
		builder.Only(real)
	}
	ready.unembedding, err = build(ctx, builder)
	return ready, err
}

func damaged(row, want, got int) error {
	return &fault.Error{
		Problem: fmt.Sprintf("row %d of the stored unembedding is damaged", row), Expected: fmt.Sprintf("%d values", want),
		Found: fmt.Sprint(got), Hint: "load the model again with --replace",
	}
}

// readTokens fills the model's tokens and returns the ids of those that are
// neither padding nor special.
func (d *database) readTokens(ready *model) (real []int32, err error) {
	query := fmt.Sprintf(`SELECT token_id, coalesce(token, ''), coalesce(text, ''), is_special OR is_padding
		FROM %s WHERE model_id = %d AND token_id < %d ORDER BY token_id`, ready.stored.in("stored_tokens"), ready.stored.id, len(ready.tokens))
	err = d.query(query, func(chunk capi.Chunk) error {
		n := chunk.Rows()
		ids, excluded := capi.Values[int32](chunk.Column(0), n), capi.Values[bool](chunk.Column(3), n)
		for i, id := range ids {
			ready.tokens[id] = token{chunk.Column(1).Text(i), chunk.Column(2).Text(i)}
			if !excluded[i] {
				real = append(real, id)
			}
		}
		return nil
	})
	return real, err
}
