package statistics

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/saedb/saedb/internal/fault"
	schema "github.com/saedb/saedb/sql"
)

// The kinds of pairs of SAEs whose features are multiplied, as stored_sae_pairs has them.
const (
	Outgoing   = "outgoing"   // decoder directions with the encoder of the other SAE
	Incoming   = "incoming"   // encoder rows with the decoder of the other SAE
	Neighbours = "neighbours" // decoder directions with those of the other SAE, at unit length
)

// MaxTop is the most that a pair keeps of each end: the functions' bound, less the feature
// itself.
const MaxTop = 999

// Pair is a pair of SAEs, of which the features of the first have a row each: lists of features
// of the other.
type Pair struct {
	Kind, SAE, Other string
	Top              int // how many are kept of each end
	Features         int // that lack their row

	id       int // 0 where nothing of the pair is stored, or what is has to go
	stale    int // the pair to drop, 0 for none
	features int // that have a row each
	block    int
	within   bool // of an SAE with itself
	in       pairTables
	key      string // the columns of in.pairs that say which pair it is, and their values
	values   string
	from     string // rows (feature, directions) of the features that have a row each
	reader   string // that they are multiplied with
}

// pairTables are where pairs and their rows are stored.
type pairTables struct {
	pairs, rows, number string // number is the column of the rows' features
	drop                func(ctx context.Context, tx *sql.Tx, condition string) error
}

var (
	linkTables      = pairTables{"stored_sae_pairs", "stored_links", "feature", schema.DropPairs}
	neighbourTables = pairTables{"stored_sae_pairs", "stored_neighbours", "feature", schema.DropPairs}
	neuronTables    = pairTables{"stored_neuron_pairs", "stored_neuron_links", "number", schema.DropNeuronPairs}
)

// PlanPair says what a pair lacks. One that has more of each end than top has what is asked for.
func PlanPair(ctx context.Context, db *sql.DB, kind, sae, other string, top int) (Pair, error) {
	p := Pair{Kind: kind, SAE: sae, Other: other, in: linkTables, within: sae == other}
	var weights int64
	var id, otherID, pair, stored, done, most int
	err := db.QueryRowContext(ctx, `SELECT s.sae_id, o.sae_id, s.d_sae, s.d_model * CAST(o.d_sae AS BIGINT), o.d_sae,
			coalesce(p.pair_id, 0), coalesce(p.top, 0), coalesce(p.features, 0)
		FROM stored_saes s JOIN stored_saes o ON o.sae = $2
		LEFT JOIN stored_sae_pairs p ON p.kind = $3 AND p.sae_id = s.sae_id AND p.other_id = o.sae_id
		WHERE s.sae = $1`, sae, other, kind).Scan(&id, &otherID, &p.features, &weights, &most, &pair, &stored, &done)
	if err != nil {
		return p, fault.At("compute", sae, err)
	}
	k := pairKinds[kind]
	if kind == Neighbours {
		p.in = neighbourTables
	}
	p.key, p.values = "kind, sae_id, other_id", fmt.Sprintf("'%s', %d, %d", kind, id, otherID)
	rows, err := k.side.DirectionRows(ctx, db, sae, id, id)
	if err != nil {
		return p, fault.At("compute", sae, err)
	}
	p.from, p.reader = fmt.Sprintf("(SELECT feature, %s FROM %s WHERE sae_id = %d)", k.side.SQL("w_dec"), rows, id), schema.ReaderName(other, k.reader)
	p.plan(top, most, weights, pair, stored, done)
	return p, nil
}

// Neurons is the input weights of an MLP: those of a model that is loaded with them.
type Neurons struct {
	Reader  string // as functions take it
	ModelID int
	Layer   int
	Matrix  string // in or gate
	Count   int
	DModel  int
}

// PlanNeurons says what an SAE and an MLP lack of their links: Outgoing, of which each feature has a row
// with lists of neurons, or Incoming, of which each neuron has a row with lists of features.
func PlanNeurons(ctx context.Context, db *sql.DB, kind, sae string, n Neurons, top int) (Pair, error) {
	p := Pair{Kind: kind, SAE: sae, Other: n.Reader, in: neuronTables}
	var id, features, pair, stored, done int
	err := db.QueryRowContext(ctx, `SELECT s.sae_id, s.d_sae, coalesce(p.pair_id, 0), coalesce(p.top, 0), coalesce(p.features, 0)
		FROM stored_saes s LEFT JOIN stored_neuron_pairs p ON p.kind = $2 AND p.sae_id = s.sae_id AND p.model_id = $3 AND p.layer = $4 AND p.matrix = $5
		WHERE s.sae = $1`, sae, kind, n.ModelID, n.Layer, n.Matrix).Scan(&id, &features, &pair, &stored, &done)
	if err != nil {
		return p, fault.At("compute", sae, err)
	}
	p.key = "kind, sae_id, model_id, layer, matrix"
	p.values = fmt.Sprintf("'%s', %d, %d, %d, '%s'", kind, id, n.ModelID, n.Layer, n.Matrix)
	most := n.Count
	p.features, p.reader = features, n.Reader
	rows, err := schema.Output.DirectionRows(ctx, db, sae, id, id)
	if err != nil {
		return p, fault.At("compute", sae, err)
	}
	p.from = fmt.Sprintf("(SELECT feature, w_dec FROM %s WHERE sae_id = %d)", rows, id)
	if kind == Incoming {
		p.SAE, p.Other = n.Reader, sae
		p.features, most, p.reader = n.Count, features, schema.ReaderName(sae, schema.DecoderReader)
		p.from = fmt.Sprintf("(SELECT neuron AS feature, w_in AS w_enc FROM stored_mlp_weights WHERE model_id = %d AND layer = %d AND matrix = '%s')", n.ModelID, n.Layer, n.Matrix)
	}
	p.plan(top, most, int64(n.DModel)*int64(most), pair, stored, done)
	return p, nil
}

// plan is what is left of a pair of which pair, 0 for none, has stored of each end for done
// features; most are there on the other side, of so many weights.
func (p *Pair) plan(top, most int, weights int64, pair, stored, done int) {
	p.Top, p.id, p.block, p.Features = min(top, most), pair, blockOf(weights), p.features
	switch {
	case pair == 0:
	case stored < p.Top:
		p.id, p.stale = 0, pair
	default:
		p.Top, p.Features = stored, p.features-done
	}
}

// RunPair computes what p lacks, in blocks that are each committed.
func (j *Job) RunPair(ctx context.Context, p Pair) error {
	if err := j.beginPair(ctx, &p); err != nil {
		return fault.At("compute", p.SAE, err)
	}
	return fault.At("compute", p.SAE, j.inBlocks(ctx, p.features, p.block, func(conn *sql.Conn, from, to int) ([]string, error) {
		return j.pairBlock(ctx, conn, p, from, to)
	}))
}

// beginPair records how the pair is computed, in place of a shorter one, and gives it its number.
func (j *Job) beginPair(ctx context.Context, p *Pair) error {
	tx, err := j.DB.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if p.stale != 0 {
		if err := p.in.drop(ctx, tx, fmt.Sprintf("pair_id = %d", p.stale)); err != nil {
			return err
		}
	}
	if p.id != 0 {
		_, err = tx.ExecContext(ctx, `UPDATE `+p.in.pairs+` SET kernel = kernel || $3 || $2 WHERE pair_id = $1 AND NOT list_contains(string_split(kernel, $3), $2)`,
			p.id, j.Kernel, kernelsApart)
	} else {
		err = tx.QueryRowContext(ctx, fmt.Sprintf(`INSERT INTO %[1]s (pair_id, %[2]s, top, kernel, saedb_version, computed_at, features)
			SELECT (SELECT coalesce(max(pair_id), 0) + 1 FROM %[1]s), %[3]s, ?, ?, ?, ?, 0 RETURNING pair_id`, p.in.pairs, p.key, p.values),
			p.Top, j.Kernel, j.Version, time.Now().UTC()).Scan(&p.id)
	}
	if err != nil {
		return err
	}
	return tx.Commit()
}

// pairKind is how the rows of a kind are computed, in SQL.
type pairKind struct {
	side    schema.Side // of the directions
	reader  string      // which matrix of the other SAE they are multiplied with
	call    string      // the function
	columns string      // those of a row after pair and feature, of rows (feature, s)
}

const linkColumns = "s.mean, s.std, s.top_features, s.top_weights, s.bottom_features, s.bottom_weights"

var pairKinds = map[string]pairKind{
	Outgoing: {schema.Output, schema.EncoderReader, "linked_features", linkColumns},
	Incoming: {schema.Input, schema.DecoderReader, "linked_features", linkColumns},
	// Without the feature itself, which is in its own SAE's list unless enough others tie with it.
	Neighbours: {schema.Output, schema.DecoderReader, "nearest_features",
		`(s.features[1:place - 1] || s.features[place + 1:])[:$top] AS neighbours, (s.cosines[1:place - 1] || s.cosines[place + 1:])[:$top] AS cosines, s.mean_absolute_cosine`},
}

// PairQueries are the queries that compute the rows of a pair of SAEs, for whoever has their
// directions: the program has them in its tables, Spark in files.
type PairQueries struct {
	Directions string // the column of the directions: w_dec or w_enc of the first SAE
	Reader     string // which matrix of the other SAE they are multiplied with, a suffix of schema's
	Select     string // what is selected of rows (feature, Directions), $reader being the reader's name: rows (feature, s)
	Rows       string // the rows to store, without the pair's number, of the table computed_block of rows (feature, s)
	Total      string // one row (mean, std) of all products, of the rows (mean, std) of all features; empty for neighbours
}

// QueriesOfPair are those of a kind that keep top of each end; within says that the pair is an SAE
// with itself. A kind that there is not, or a top out of range, is an error.
func QueriesOfPair(kind string, top int, within bool) (PairQueries, error) {
	k, known := pairKinds[kind]
	switch {
	case !known:
		return PairQueries{}, &fault.Error{Subject: "kind", Expected: strings.Join([]string{Outgoing, Incoming, Neighbours}, ", "), Found: schema.Literal(kind)}
	case top < 1 || top > MaxTop:
		return PairQueries{}, &fault.Error{Subject: "top", Expected: fmt.Sprintf("1 to %d", MaxTop), Found: fmt.Sprint(top)}
	}
	q := PairQueries{Directions: k.side.SQL("w_dec"), Reader: k.reader}
	asked, from := top, "computed_block"
	if kind == Neighbours {
		place := "len(s.features) + 1"
		if within {
			asked++
			place = "coalesce(list_position(s.features, feature), " + place + ")"
		}
		from = "(SELECT feature, s, " + place + " AS place FROM computed_block)"
	} else {
		// The variance of all is the mean of the rows' and the variance of their means.
		q.Total = "SELECT avg(mean) AS mean, sqrt(avg(std * std) + var_pop(mean)) AS std"
	}
	q.Select = fmt.Sprintf("SELECT feature, %s(%s, $reader, %d) AS s", k.call, q.Directions, asked)
	q.Rows = fmt.Sprintf("SELECT feature, %s FROM %s ORDER BY feature", strings.ReplaceAll(k.columns, "$top", fmt.Sprint(top)), from)
	return q, nil
}

// pairBlock computes the features in [from, to) that lack their row.
func (j *Job) pairBlock(ctx context.Context, conn *sql.Conn, p Pair, from, to int) (store []string, err error) {
	queries, err := QueriesOfPair(p.Kind, p.Top, p.within)
	if err != nil {
		return nil, err
	}
	between := func(column string) string { return fmt.Sprintf("%[1]s >= %[2]d AND %[1]s < %[3]d", column, from, to) }
	_, err = conn.ExecContext(ctx, fmt.Sprintf(`CREATE OR REPLACE TEMP TABLE computed_block AS %s FROM %s
		WHERE %s AND feature NOT IN (SELECT %s FROM %s WHERE pair_id = %d AND %s)`,
		strings.ReplaceAll(queries.Select, "$reader", schema.Literal(p.reader)), p.from, between("feature"), p.in.number, p.in.rows, p.id, between(p.in.number)))
	store = []string{
		fmt.Sprintf("INSERT INTO %s SELECT %d, r.* FROM (%s) r ORDER BY feature", p.in.rows, p.id, queries.Rows),
		fmt.Sprintf("UPDATE %s SET features = features + (SELECT count(*) FROM computed_block) WHERE pair_id = %d", p.in.pairs, p.id),
	}
	if to == p.features && queries.Total != "" {
		store = append(store, fmt.Sprintf("UPDATE %s SET mean = r.mean, std = r.std FROM (%s FROM %s WHERE pair_id = %d) r WHERE pair_id = %d",
			p.in.pairs, queries.Total, p.in.rows, p.id, p.id))
	}
	return store, err
}
