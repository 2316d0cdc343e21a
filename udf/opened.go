package udf

import (
	"fmt"
	"math"
	"strconv"
	"sync"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/lens"
	modelfile "github.com/saedb/saedb/loader/model"
	"github.com/saedb/saedb/loader/sae"
	"github.com/saedb/saedb/loader/vocab"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf/capi"
)

// openedFamily is the table function opened, through which a load gives DuckDB the
// rows of what it has opened and checked already, with options that a path does
// not say. It is no part of what people call.
var openedFamily = family{register: func(f *Functions, c capi.Connection) error {
	return f.registerTable(c, "opened", 1, f.openedRows)
}}

// opened are the tables on offer.
type opened struct {
	mutex  sync.Mutex
	count  int
	tables map[string]func() (*table, error)
}

// offer makes rows readable as the table expression that it returns.
func (o *opened) offer(rows func() (*table, error)) (expression string, withdraw func()) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	o.count++
	name := strconv.Itoa(o.count)
	if o.tables == nil {
		o.tables = map[string]func() (*table, error){}
	}
	o.tables[name] = rows
	return fmt.Sprintf("opened(%s)", schema.Literal(name)), func() {
		o.mutex.Lock()
		defer o.mutex.Unlock()
		delete(o.tables, name)
	}
}

func (f *Functions) openedRows(arguments []string) (*table, error) {
	f.opened.mutex.Lock()
	rows := f.opened.tables[arguments[0]]
	f.opened.mutex.Unlock()
	if rows == nil {
		return nil, &fault.Error{Op: "opened", Subject: arguments[0], Problem: "nothing of that name is open", Hint: "read a file with read_sae, read_unembedding or read_vocab"}
	}
	return rows()
}

// OfferSAE makes an open SAE readable in SQL once, with the columns of read_sae, as the
// table expression that it returns, until withdraw is called. The caller closes s after that.
// hashed returns how many rows were read and their hash, as schema.Contents has both.
func (f *Functions) OfferSAE(s sae.SAE) (expression string, hashed func() (rows, hash int64), withdraw func(), err error) {
	sparsity, err := s.LogSparsity()
	if err != nil {
		return "", nil, nil, err
	}
	none := []float32{math.Float32frombits(nullWeight)}
	besides := func(row int) int64 {
		value := none
		if sparsity != nil {
			value = sparsity[row : row+1]
		}
		hash, _ := hashOfRow(int32(-1-row), value, nil)
		return hash
	}
	expression, hashed, withdraw = f.opened.offerOnce(newAhead(s.Info().DSAE, s.Info().DModel, 1, s.ReadDecoder, besides),
		func() (*table, error) { return f.saeRows(s) })
	return expression, hashed, withdraw, nil
}

// OfferSparsity does the same for what a row of its decoder holds besides weights, of which none are read:
// feature and log_sparsity.
func (f *Functions) OfferSparsity(s sae.SAE) (expression string, withdraw func()) {
	return f.opened.offer(func() (*table, error) {
		t, err := f.saeRows(s)
		if err == nil {
			t.columns = []column{t.columns[0], t.columns[2]}
		}
		return t, err
	})
}

// offerOnce offers rows whose weights are read ahead, which can be done once.
func (o *opened) offerOnce(a *ahead, rows func() (*table, error)) (expression string, hashed func() (rows, hash int64), withdraw func()) {
	expression, stop := o.offer(func() (*table, error) {
		t, err := rows()
		if err == nil {
			t.ahead = a
		}
		return t, err
	})
	return expression, a.hashed, func() {
		stop()
		a.end()
	}
}

// OfferEncoder makes the encoder of an open SAE readable in SQL until withdraw is called, with the columns of read_encoder.
func (f *Functions) OfferEncoder(s sae.SAE) (expression string, withdraw func()) {
	return f.opened.offer(func() (*table, error) { return f.encoderRows(s) })
}

// OfferUnembedding does the same for an open model, with the columns of read_unembedding.
func (f *Functions) OfferUnembedding(u *modelfile.Unembedding) (expression string, hashed func() (rows, hash int64), withdraw func()) {
	return f.opened.offerOnce(newAhead(u.Info().DVocab, u.Info().DModel, 1, u.ReadRows, nil), func() (*table, error) { return f.unembeddingRows(u), nil })
}

// OfferEmbedding does the same for the embedding of an open model, with the columns of
// read_embedding.
func (f *Functions) OfferEmbedding(e *modelfile.Embedding) (expression string, withdraw func()) {
	return f.opened.offer(func() (*table, error) { return f.embeddingRows(e), nil })
}

// OfferAttention does the same for the heads of an open model's block, a row for each row of
// their four matrices: matrix VARCHAR, head_row INTEGER, weights FLOAT[].
func (f *Functions) OfferAttention(a *modelfile.Attention) (expression string, withdraw func()) {
	return f.opened.offer(func() (*table, error) { return headRows(a), nil })
}

// OfferLens does the same for an open lens, with the columns layer, dimension and weights: a row
// for each row of its matrices.
func (f *Functions) OfferLens(l *lens.Lens) (expression string, withdraw func()) {
	return f.opened.offer(func() (*table, error) {
		info := l.Info()
		return &table{
			rows: len(info.Layers) * info.DModel,
			columns: []column{
				valueColumn("layer", capi.Integer, func(row int) int32 { return int32(info.Layers[row/info.DModel]) }),
				valueColumn("dimension", capi.Integer, func(row int) int32 { return int32(row % info.DModel) }),
				floatsColumn("weights", info.DModel, l.ReadRows),
			},
		}, nil
	})
}

// OfferMLP does the same for the input weights of an open model's MLP, a row for each neuron, of
// gated ones two: matrix VARCHAR, neuron INTEGER, w_in FLOAT[].
func (f *Functions) OfferMLP(m *modelfile.MLP) (expression string, withdraw func()) {
	return f.opened.offer(func() (*table, error) { return mlpRows(m), nil })
}

// OfferVocabulary does the same for the vocabulary of a model whose unembedding has
// so many columns, with the columns of read_vocab.
func (f *Functions) OfferVocabulary(v *vocab.Vocabulary, columns int) (expression string, withdraw func()) {
	return f.opened.offer(func() (*table, error) { return f.vocabularyRows(v, columns), nil })
}
