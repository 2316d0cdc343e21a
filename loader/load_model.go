package loader

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/model"
	"github.com/saedb/saedb/loader/vocab"
	schema "github.com/saedb/saedb/sql"
)

const loadModel = "load model"

// ModelRequest asks for a model's unembedding and vocabulary.
type ModelRequest struct {
	Path    string
	Origin  Origin // of files that were downloaded to Path
	Name    string // the file's or directory's own when empty
	Replace bool   // a different model of that name
	// Tokenizer is the path of a tokenizer that is not beside the model's weights, as
	// vocab.Read takes it; empty for the model's own.
	Tokenizer string
	Options   model.Options
}

// Model loads a model.
func (ld *Loader) Model(ctx context.Context, r ModelRequest) (Outcome, error) {
	path := absolute(r.Path)
	l := &load{kind: "model", name: r.Name, begun: time.Now()}
	l.source, l.revision = r.Origin.recorded(path)
	if l.name == "" {
		l.name = strings.TrimSuffix(filepath.Base(path), ".gguf")
	}
	opened, err := model.Open(path, r.Options)
	if err != nil {
		return Outcome{}, fault.At(loadModel, l.source, err)
	}
	defer opened.Close()
	info := opened.Info()
	tokenizer := path
	if r.Tokenizer != "" {
		tokenizer = absolute(r.Tokenizer)
	}
	vocabulary, err := vocab.Read(tokenizer)
	if err != nil {
		return Outcome{}, fault.At(loadModel, l.source, err)
	}
	l.format, l.conventions = info.Format, info.Processing.String()
	var end func()
	l.hashing, end = hashMeanwhile(ctx, loadModel, path, r.Origin, append(info.Files, vocabulary.Files...))
	defer end()
	var more besides
	if more.embedding, err = r.openEmbedding(ctx, path); err != nil {
		return Outcome{}, fault.At(loadModel, l.source, err)
	}
	defer more.embedding.close()
	if more.layers, err = r.findLayers(ctx, path); err != nil {
		return Outcome{}, fault.At(loadModel, l.source, err)
	}
	return ld.addModel(ctx, l, r.Replace, opened, more, vocabulary)
}

// besides is what of a model is asked for besides its unembedding and vocabulary.
type besides struct {
	embedding wantedEmbedding
	layers    []wantedLayers
}

// add writes what a model that is loaded already has not.
func (b besides) add(ctx context.Context, ld *Loader, tx *sql.Tx, l *load, id int, info model.Info, outcome *Outcome) (added bool, err error) {
	if b.embedding.opened != nil {
		if added, err = ld.addEmbedding(ctx, tx, l, id, info, b.embedding, outcome); err != nil {
			return false, err
		}
	}
	for _, w := range b.layers {
		layers, err := ld.writeLayers(ctx, tx, l.name, id, info, w)
		if err != nil {
			return added, err
		}
		if layers > 0 {
			outcome.Now, added = listed(outcome.Now, "the "+w.several+" of "+count(layers, "layer")+" are loaded now"), true
		}
	}
	return added, nil
}

// addModel writes a model that is open.
func (ld *Loader) addModel(ctx context.Context, l *load, replace bool, opened *model.Unembedding, more besides, vocabulary *vocab.Vocabulary) (Outcome, error) {
	info := opened.Info()
	outcome := Outcome{Name: l.name, Rows: info.DVocab, Source: l.source}
	if outcome.Note = checkTexts(vocabulary); outcome.Note != "" {
		l.conventions += "; " + outcome.Note
	}
	err := ld.transactWeights(ctx, func(tx *sql.Tx) (bool, error) {
		old, unchanged, err := ld.supersedes(ctx, tx, l, replace, &outcome)
		if unchanged && err == nil {
			return more.add(ctx, ld, tx, l, old, info, &outcome)
		}
		if err != nil {
			return false, err
		}
		if err := fitsSAEs(ctx, tx, old, info); err != nil {
			return false, err
		}
		if err := l.number(ctx, tx); err != nil {
			return false, err
		}
		if err := ld.writeModel(ctx, tx, l, opened, vocabulary); err != nil {
			return false, err
		}
		if err := l.hashed(&outcome); err != nil {
			return false, err
		}
		if err := ld.record(ctx, tx, l); err != nil {
			return false, err
		}
		if err := l.recordContents(ctx, tx, "stored_unembeddings", "stored_tokens"); err != nil {
			return false, err
		}
		if more.embedding.opened != nil {
			if err := ld.writeEmbedding(ctx, tx, l.name, l.id, info, more.embedding); err != nil {
				return false, err
			}
		}
		for _, w := range more.layers {
			if _, err := ld.writeLayers(ctx, tx, l.name, l.id, info, w); err != nil {
				return false, err
			}
		}
		if err := replaceModel(ctx, tx, old, l.id); err != nil {
			return false, err
		}
		return true, finish(ctx, tx, l, old)
	})
	if err != nil {
		return Outcome{}, fault.At(loadModel, l.source, err)
	}
	outcome.Took = time.Since(l.begun)
	return outcome, nil
}

// supersedes looks for a current load of the same name. The same content makes
// outcome Unchanged; other content is refused unless replace. Where there is no such load, it does
// not wait until files are hashed.
func (ld *Loader) supersedes(ctx context.Context, tx *sql.Tx, l *load, replace bool, outcome *Outcome) (old int, unchanged bool, err error) {
	earlier, err := current(ctx, tx, l)
	if err == nil && (earlier.id != 0 || l.hashing == nil) {
		err = l.hashed(outcome)
	}
	if err != nil || earlier.id == 0 {
		return 0, false, err
	}
	if earlier.has(l) {
		outcome.Unchanged, outcome.Source = true, earlier.source
		return earlier.id, true, nil
	}
	if !replace {
		other := "other content"
		if earlier.digest == digest(l.files) {
			other = "the same content but other conventions (" + earlier.conventions + ")"
		}
		return 0, false, &fault.Error{
			Op: "load " + l.kind, Subject: l.source,
			Problem: fmt.Sprintf("%s %s is already loaded, with %s, from %s", l.kind, l.name, other, earlier.source),
			Hint:    "give it another name with --name" + orRelease(l.kind) + ", or replace that one with --replace",
		}
	}
	return earlier.id, false, nil
}

// orRelease is what else gives an SAE another name.
func orRelease(kind string) string {
	if kind == "sae" {
		return " or --release"
	}
	return ""
}

// fitsSAEs refuses a replacement that the old model's SAEs could not be
// projected through.
func fitsSAEs(ctx context.Context, tx *sql.Tx, old int, info model.Info) error {
	var saes, other int
	err := tx.QueryRowContext(ctx, `SELECT count(*), coalesce(any_value(d_model), 0)
		FROM (SELECT model_id, d_model FROM stored_saes UNION ALL SELECT model_id, d_model FROM stored_lenses)
		WHERE model_id = ? AND d_model <> ?`, old, info.DModel).Scan(&saes, &other)
	if err != nil || saes == 0 {
		return err
	}
	return &fault.Error{
		Problem:  fmt.Sprintf("%d SAEs and lenses of the model that it would replace do not fit it", saes),
		Expected: fmt.Sprintf("d_model %d", other), Found: fmt.Sprint(info.DModel), Hint: "load it under another name with --name",
	}
}

func (ld *Loader) writeModel(ctx context.Context, tx *sql.Tx, l *load, u *model.Unembedding, vocabulary *vocab.Vocabulary) error {
	info := u.Info()
	p := info.Processing
	err := schema.Insert(ctx, tx, "stored_models", schema.Row{
		{"model_id", l.id}, {"model", l.name}, {"architecture", info.Architecture}, {"format", info.Format}, {"dtype", info.DType},
		{"d_model", info.DModel}, {"d_vocab", info.DVocab}, {"unembedding_tensor", p.UnembeddingTensor}, {"tied", p.Tied},
		{"processing", p.Mode}, {"norm", p.Norm}, {"norm_tensor", optional(p.NormTensor)}, {"norm_offset", p.NormOffset},
		{"norm_folded", p.NormFolded}, {"norm_bias_folded", p.NormBiasFolded}, {"centered_over_d_model", p.CenteredOverDModel},
		{"centered_over_vocabulary", p.CenteredOverVocab}, {"soft_cap", sql.NullFloat64{Float64: p.SoftCap, Valid: p.SoftCap != 0}},
	})
	if err != nil {
		return err
	}
	tokens, withdraw := ld.Opened.OfferVocabulary(vocabulary, info.DVocab)
	defer withdraw()
	if _, err := tx.ExecContext(ctx, fmt.Sprintf(`INSERT INTO stored_tokens
		SELECT %d, token_id, token, text, is_special, is_padding FROM %s`, l.id, tokens)); err != nil {
		return fault.Returned(err)
	}
	rows, hashed, withdraw := ld.Opened.OfferUnembedding(u)
	defer withdraw()
	if err := ld.fill(ctx, tx, "unembedding of "+l.name, info.DVocab, fmt.Sprintf(`INSERT INTO stored_unembeddings
		SELECT %d, token_id, w_u FROM %s`, l.id, rows)); err != nil {
		return err
	}
	return l.wrote("stored_unembeddings", info.DVocab, hashed)
}

// wrote keeps the hash of the rows that were written to a table.
func (l *load) wrote(table string, rows int, hashed func() (rows, hash int64)) error {
	var c contents
	if c.rows, c.hash = hashed(); c.rows != int64(rows) {
		return &fault.Error{Subject: table, Expected: fmt.Sprintf("%d rows hashed", rows), Found: fmt.Sprint(c.rows)}
	}
	if l.contents == nil {
		l.contents = map[string]contents{}
	}
	l.contents[table] = c
	return nil
}

// replaceModel takes out the old model and its token sets, gives its SAEs and lenses
// the new one, and drops what was computed with the old.
func replaceModel(ctx context.Context, tx *sql.Tx, old, id int) error {
	if old == 0 {
		return nil
	}
	if err := dropModel(ctx, tx, old); err != nil {
		return err
	}
	of := fmt.Sprintf(`sae_id IN (SELECT sae_id FROM stored_saes WHERE model_id = %d)`, old)
	if err := dropThrough(ctx, tx, of); err != nil {
		return err
	}
	if err := deleteWhere(ctx, tx, of, figureTables...); err != nil {
		return err
	}
	return execute(ctx, tx, fmt.Sprintf(`UPDATE stored_saes SET model_id = %d WHERE model_id = %d`, id, old),
		fmt.Sprintf(`UPDATE stored_lenses SET model_id = %d WHERE model_id = %d`, id, old))
}
