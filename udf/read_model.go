package udf

import (
	modelfile "github.com/saedb/saedb/loader/model"
	"github.com/saedb/saedb/loader/vocab"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf/capi"
)

var readModelFamily = family{
	register: registerReadModel,
	docs: []schema.Function{
		{
			Name:      "read_unembedding",
			Signature: "read_unembedding(path [, processing := 'transformerlens'|'fold-only'|'none']) → TABLE(token_id INTEGER, w_u FLOAT[])",
			Description: "The unembedding of a model on disk, a row a token, processed as TransformerLens does by default: " +
				"final norm folded in, centred where its family is. fold-only leaves out centring over the vocabulary, " +
				"none gives it as stored.",
			Example: "SELECT token_id, len(w_u) FROM read_unembedding('examples/smollm2-135m/SmolLM2-135M-Instruct.unembedding.gguf') LIMIT 5",
		},
		{
			Name:      "read_embedding",
			Signature: "read_embedding(path) → TABLE(token_id INTEGER, w_e FLOAT[])",
			Description: "The token embedding of a model on disk, a row a token, as its files have it: without position embeddings, " +
				"and before what its family does to it, as Gemma's factor √d_model or BLOOM's LayerNorm.",
			Example: "SELECT token_id, len(w_e) FROM read_embedding('examples/smollm2-135m/SmolLM2-135M-Instruct.unembedding.gguf') LIMIT 5",
		},
		{
			Name:        "read_vocab",
			Signature:   "read_vocab(path) → TABLE(token_id INTEGER, token, text VARCHAR, is_special, is_padding BOOLEAN)",
			Description: "The vocabulary of a model or tokenizer on disk: a directory with tokenizer.json, tokenizer.model, vocab.json, vocab.txt, a *.tiktoken or tekken.json, the file itself, or a GGUF file.",
			Example:     "FROM read_vocab('examples/smollm2-135m/SmolLM2-135M-Instruct.unembedding.gguf') LIMIT 5",
		},
	},
}

func registerReadModel(f *Functions, c capi.Connection) error {
	if err := f.registerTable(c, "read_unembedding", 1, f.files("read_unembedding", f.readUnembedding), "processing"); err != nil {
		return err
	}
	if err := f.registerTable(c, "read_embedding", 1, f.files("read_embedding", f.readEmbedding)); err != nil {
		return err
	}
	return f.registerTable(c, "read_vocab", 1, f.files("read_vocab", f.readVocab))
}

func (f *Functions) readUnembedding(arguments []string) (*table, error) {
	opened, err := modelfile.Open(arguments[0], modelfile.Options{Processing: arguments[1]})
	if err != nil {
		return nil, err
	}
	t := f.unembeddingRows(opened)
	t.close = opened.Close
	return t, nil
}

// unembeddingRows is a row a token, for read_unembedding and for models that a
// load has opened.
func (f *Functions) unembeddingRows(u *modelfile.Unembedding) *table {
	info := u.Info()
	return tokenRows("w_u", info.DVocab, info.DModel, u.ReadRows)
}

// tokenRows is a row for each of so many tokens, with its number and so many weights.
func tokenRows(weights string, tokens, width int, read func(from int, to []float32) error) *table {
	return &table{
		rows: tokens,
		columns: []column{
			valueColumn("token_id", capi.Integer, func(row int) int32 { return int32(row) }),
			floatsColumn(weights, width, read),
		},
	}
}

func (f *Functions) readEmbedding(arguments []string) (*table, error) {
	opened, err := modelfile.OpenEmbedding(arguments[0], modelfile.Options{})
	if err != nil {
		return nil, err
	}
	t := f.embeddingRows(opened)
	t.close = opened.Close
	return t, nil
}

// embeddingRows is a row a token, for read_embedding and for models that a load has opened.
func (f *Functions) embeddingRows(e *modelfile.Embedding) *table {
	info := e.Info()
	return tokenRows("w_e", info.DVocab, info.DModel, e.ReadRows)
}

func (f *Functions) readVocab(arguments []string) (*table, error) {
	read, err := vocab.Read(arguments[0])
	if err != nil {
		return nil, err
	}
	columns, err := modelfile.VocabularySize(arguments[0])
	if err != nil {
		return nil, err
	}
	return f.vocabularyRows(read, columns), nil
}

// vocabularyRows is a row a token, for a model whose unembedding has so many
// columns, 0 for a tokenizer alone.
func (f *Functions) vocabularyRows(v *vocab.Vocabulary, columns int) *table {
	tokens := padded(v.Tokens, columns)
	known := func(row int) bool { return !tokens[row].padding }
	return &table{rows: len(tokens), columns: []column{
		valueColumn("token_id", capi.Integer, func(row int) int32 { return int32(tokens[row].ID) }),
		textColumn("token", func(row int) (string, bool) { return tokens[row].Token.Token, known(row) }),
		textColumn("text", func(row int) (string, bool) { return tokens[row].Text, known(row) }),
		valueColumn("is_special", capi.Boolean, func(row int) bool { return tokens[row].Special }),
		valueColumn("is_padding", capi.Boolean, func(row int) bool { return tokens[row].padding }),
	}}
}

type paddedToken struct {
	vocab.Token
	padding bool
}

// padded adds a padding token for each id below columns that the vocabulary
// does not have, so that every column of the unembedding has a row.
func padded(tokens []vocab.Token, columns int) []paddedToken {
	all := make([]paddedToken, 0, max(len(tokens), columns))
	next := 0
	for _, t := range tokens {
		for ; next < t.ID && next < columns; next++ {
			all = append(all, paddedToken{vocab.Token{ID: next}, true})
		}
		all = append(all, paddedToken{t, false})
		next = t.ID + 1
	}
	for ; next < columns; next++ {
		all = append(all, paddedToken{vocab.Token{ID: next}, true})
	}
	return all
}
