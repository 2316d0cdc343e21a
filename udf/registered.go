package udf

import (
	"context"
	"fmt"

	"github.com/saedb/saedb/internal/compute"
	"github.com/saedb/saedb/internal/fault"
	modelfile "github.com/saedb/saedb/loader/model"
	"github.com/saedb/saedb/loader/vocab"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf/capi"
)

var registeredFamily = family{
	register: registerRegistered,
	docs: []schema.Function{{
		Name:      "saedb_model",
		Signature: "saedb_model(name, path [, processing := 'transformerlens'|'fold-only'|'none']) → TABLE(model, architecture VARCHAR, d_model, d_vocab INTEGER, processing VARCHAR)",
		Description: "Registers a model on disk under a name that functions take, until the database is closed, without loading it: " +
			"CALL saedb_model('gpt2', 'models/gpt2'). It has no token sets.",
		Example: "FROM saedb_model('from a file', 'examples/smollm2-135m/SmolLM2-135M-Instruct.unembedding.gguf')",
	}},
}

func registerRegistered(f *Functions, c capi.Connection) error {
	return f.registerTable(c, "saedb_model", 2, f.files("saedb_model", func(arguments []string) (*table, error) {
		return f.registerModel(arguments[0], arguments[1], modelfile.Options{Processing: arguments[2]})
	}), "processing")
}

// registerModel reads what a model is, and leaves its weights to the first function
// that asks for them. A name that a database uses is refused.
func (f *Functions) registerModel(name, path string, o modelfile.Options) (*table, error) {
	const op = "saedb_model"
	if name == "" {
		return nil, &fault.Error{Op: op, Subject: path, Expected: "a name for the model", Found: "none"}
	}
	d := &f.readers.database
	loaded, err := d.list()
	if err != nil {
		return nil, fault.At(op, path, err)
	}
	if len(choose(loaded, func(m *storedReader) bool { return m.of == name })) > 0 {
		return nil, &fault.Error{Op: op, Subject: fmt.Sprintf("model %q", name), Problem: "a model of that name is loaded", Hint: "give it another name"}
	}
	opened, err := modelfile.Open(path, o)
	if err != nil {
		return nil, fault.At(op, path, err)
	}
	defer opened.Close()
	info := opened.Info()
	d.register(&storedReader{kind: unembedding, of: name, registered: registeredFile{path, o}, dModel: info.DModel, rows: info.DVocab})
	text := func(name, s string) column { return textColumn(name, func(int) (string, bool) { return s, true }) }
	number := func(name string, n int) column {
		return valueColumn(name, capi.Integer, func(int) int32 { return int32(n) })
	}
	return &table{rows: 1, columns: []column{
		text("model", name), text("architecture", info.Architecture), number("d_model", info.DModel),
		number("d_vocab", info.DVocab), text("processing", info.Processing.String()),
	}}, nil
}

// registeredFile is where a registered model is, and how its unembedding is processed.
type registeredFile struct {
	path    string
	options modelfile.Options
}

// register makes a model on disk known, in place of an earlier one of its name.
func (d *database) register(m *storedReader) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.registered == nil {
		d.registered = map[string]*storedReader{}
	}
	m.id = int32(len(d.registered)) + 1
	if old := d.registered[m.of]; old != nil {
		m.id = old.id
		m.content = old.content + "+" // another than before
	}
	d.registered[m.of] = m
}

func (d *database) registeredModel(name string) *storedReader {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	return d.registered[name]
}

// openedRows are the rows of an unembedding or an embedding that is open.
type openedRows interface {
	ReadRows(from int, dst []float32) error
	Close() error
}

// open opens the file of a registered model's reader, whose sizes must be those that it was
// registered with.
func (s *storedReader) open() (openedRows, error) {
	var opened openedRows
	var rows, dModel int
	if s.kind == embedding {
		e, err := modelfile.OpenEmbedding(s.registered.path, s.registered.options)
		if err != nil {
			return nil, err
		}
		opened, rows, dModel = e, e.Info().DVocab, e.Info().DModel
	} else {
		u, err := modelfile.Open(s.registered.path, s.registered.options)
		if err != nil {
			return nil, err
		}
		opened, rows, dModel = u, u.Info().DVocab, u.Info().DModel
	}
	if rows != s.rows || dModel != s.dModel {
		opened.Close()
		return nil, &fault.Error{
			Problem: "it is not what was registered", Expected: fmt.Sprintf("an %s of shape [%d, %d]", s.kind.matrix(), s.rows, s.dModel),
			Found: fmt.Sprintf("[%d, %d]", rows, dModel), Hint: "CALL saedb_model again",
		}
	}
	return opened, nil
}

// readFile fills a reader from a registered model's files.
func readFile(ctx context.Context, stored *storedReader, scope string) (*reader, error) {
	opened, err := stored.open()
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	vocabulary, err := vocab.Read(stored.registered.path)
	if err != nil {
		return nil, err
	}
	dVocab, dModel := stored.rows, stored.dModel
	builder, err := compute.NewBuilder(dVocab, dModel)
	if err != nil {
		return nil, err
	}
	const part = 4096
	rows := make([]float32, part*dModel)
	for from := 0; from < dVocab; from += part {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		read := rows[:min(part, dVocab-from)*dModel]
		if err := opened.ReadRows(from, read); err != nil {
			return nil, err
		}
		builder.SetRows(from, read)
	}
	ready := &reader{stored: stored, scope: scope, tokens: make([]token, dVocab)}
	var real []int32
	for _, t := range padded(vocabulary.Tokens, dVocab) {
		if t.ID >= dVocab {
			break
		}
		ready.tokens[t.ID] = token{t.Token.Token, t.Text}
		if !t.padding && !t.Special {
			real = append(real, int32(t.ID))
		}
	}
	if scope == scopeReal {
		builder.Only(real)
	}
	ready.matrix, err = build(ctx, builder)
	return ready, err
}
