package udf

import (
	"fmt"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf/capi"
)

// readerKind is one of the matrices of a model or an SAE that directions are multiplied with.
// schema.ReaderName makes a reader's name of that of its model or SAE and the suffix.
type readerKind struct {
	suffix     string
	ofFeatures bool // whether rows are features of an SAE
	// neurons: whether rows are neurons of a model's MLP, of this layer, as their gates or their
	// inputs read. Rows of all others are tokens of a model.
	neurons, gate bool
	layer         int32
	// Where rows are stored: the table, the column of the model or SAE, that of the row's
	// number, and that of its weights.
	table, owner, row, weights string
	where                      string // further conditions on the rows
}

// rows is what the rows of a kind are.
func (k *readerKind) rows() string {
	switch {
	case k.ofFeatures:
		return "features"
	case k.neurons:
		return "neurons"
	}
	return "tokens"
}

var (
	unembedding = &readerKind{table: "stored_unembeddings", owner: "model_id", row: "token_id", weights: "w_u"}
	// The rows of an embedding are in the table that its model's load says.
	embedding = &readerKind{
		suffix: schema.EmbeddingReader, table: "stored_embeddings", owner: "model_id", row: "token_id", weights: "w_e",
	}
	// of a model whose stored unembedding is the same matrix
	embeddingInPlace = &readerKind{
		suffix: schema.EmbeddingReader, table: "stored_unembeddings", owner: "model_id", row: "token_id", weights: "w_u",
	}
	encoder = &readerKind{
		suffix: schema.EncoderReader, ofFeatures: true, table: "stored_encoders", owner: "sae_id", row: "feature", weights: "w_enc",
	}
	decoder = &readerKind{
		suffix: schema.DecoderReader, ofFeatures: true, table: "stored_decoders", owner: "sae_id", row: "feature", weights: "w_dec",
	}

	suffixed = []*readerKind{embedding, encoder, decoder}
)

// readerNames is how people name readers.
const readerNames = "a reader is 'MODEL', 'MODEL#embedding', 'MODEL#mlp_in.LAYER', 'MODEL#mlp_gate.LAYER', 'SAE#encoder' or 'SAE#decoder'"

// matrix is what a kind is called in a sentence.
func (k *readerKind) matrix() string {
	if k == unembedding {
		return "unembedding"
	}
	return k.suffix
}

// splitReader takes the suffix of a kind off a reader's name; kind is nil where it has none.
func splitReader(name string) (of string, kind *readerKind) {
	i := strings.LastIndexByte(name, schema.ReaderMark)
	if i < 0 {
		return name, nil
	}
	for _, k := range suffixed {
		if k.suffix == name[i+1:] {
			return name[:i], k
		}
	}
	if k := neuronKind(name[i+1:]); k != nil {
		return name[:i], k
	}
	return name, nil
}

// storedReader is a reader in the tables of a database that is open or attached, or the
// unembedding of a registered model.
type storedReader struct {
	kind         *readerKind
	database     string // as it is attached
	oid          int64  // which is another one each time that a database is attached
	of           string // name of the model or SAE
	id           int32  // model_id or sae_id
	dModel, rows int
	// content stands for the weights: their SHA-256 and what was done to them.
	content string
	place   place // of an SAE whose weights stay in their files
	// registered is of a registered model, which is in no database.
	registered registeredFile
}

// same tells whether two are the same reader in the same place, with its numbers.
func (s *storedReader) same(other *storedReader) bool {
	a, b := *s, *other
	a.oid, b.oid = 0, 0
	return a == b
}

func (s *storedReader) key(scope string) readerKey {
	return readerKey{s.database, s.of, s.kind, scope}
}

// in is a table of the database that s is in.
func (s *storedReader) in(table string) string {
	return schema.Identifier(s.database) + ".main." + table
}

// String is what s is in a sentence.
func (s *storedReader) String() string {
	switch {
	case s.kind == unembedding:
		return "model " + s.of
	case s.kind.ofFeatures:
		return "the " + s.kind.matrix() + " of SAE " + s.of
	}
	return "the " + s.kind.matrix() + " of model " + s.of
}

// contents is what the rows of s are, in a sentence.
func (s *storedReader) contents() string {
	switch {
	case s.kind.ofFeatures:
		return "the features of SAE " + s.of
	case s.kind.neurons:
		return fmt.Sprintf("the neurons of layer %d of model %s", s.kind.layer, s.of)
	}
	return "the vocabulary of model " + s.of
}

// forTokens are the functions of tokens and token sets alone, and what to call where a reader's
// rows are features. forFeatures are those of features alone.
var (
	forTokens = map[string]string{
		"top_tokens":          "top_features gives those with the highest weights",
		"bottom_tokens":       "bottom_features gives those with the lowest weights",
		"feature_statistics":  "logit_stats, top_features and bottom_features give what there is",
		"enrich":              setsOfTokens,
		"enrichment_score":    setsOfTokens,
		"enrichment_values":   setsOfTokens,
		"leading_edge":        setsOfTokens,
		"weighted_enrichment": setsOfTokens,
		"baseline_log10_p":    setsOfTokens,
		logitDifference:       "logit_weight gives the product with each feature",
		setLogitDifference:    setsOfTokens,
	}
	forFeatures = map[string]string{
		"top_features":     "top_tokens gives those with the highest weights",
		"bottom_features":  "bottom_tokens gives those with the lowest weights",
		"linked_features":  "top_tokens, bottom_tokens and logit_stats give what there is",
		"nearest_features": "logit_stats with cosine gives what there is",
	}
	forNeurons = map[string]string{
		"top_neurons":    "top_tokens and top_features give those of other readers",
		"bottom_neurons": "bottom_tokens and bottom_features give those of other readers",
	}
)

// neuronEnds is what to call instead where a reader's rows are neurons.
const neuronEnds = "top_neurons, bottom_neurons and logit_stats give what there is"

const setsOfTokens = "there are sets of tokens alone; top_features and logit_stats work with features"

// checkUse refuses a reader that a function cannot use, or not with these tokens.
func (s *storedReader) checkUse(function, scope string) error {
	e := &fault.Error{Op: function, Subject: s.String()}
	switch {
	case forNeurons[function] != "" && !s.kind.neurons:
		e.Problem, e.Hint = "its rows are "+s.kind.rows()+", and this function needs neurons", forNeurons[function]
	case s.kind.neurons && function == "linked_features": // whose lists are of any rows but tokens
		return nil
	case s.kind.neurons && (forTokens[function] != "" || forFeatures[function] != ""):
		e.Problem, e.Hint = "its rows are neurons, and this function needs "+map[bool]string{true: "tokens", false: "features"}[forTokens[function] != ""], neuronEnds
	case s.kind.ofFeatures && forTokens[function] != "":
		e.Problem, e.Hint = "its rows are features, and this function needs tokens", forTokens[function]
	case !s.kind.ofFeatures && forFeatures[function] != "":
		e.Problem, e.Hint = "its rows are tokens, and this function needs features", forFeatures[function]
	case s.kind.rows() != "tokens" && scope == scopeReal:
		e.Problem, e.Hint = "its rows are "+s.kind.rows()+", of which none are padding or special", "leave out 'real'"
	default:
		return nil
	}
	return e
}

// find looks for a reader by its name in every database that is open or attached and has
// saedb's tables. database.name asks for one database. A name that stands for different
// weights in several is an error; where the weights are the same, the database that was opened
// counts, or the first attached.
func (d *database) find(function, name string) (*storedReader, error) {
	models, err := d.list()
	if err != nil {
		return nil, fault.At(function, "look up model "+name, err)
	}
	found, err := oneOf(function, name, unembedding, models)
	if found != nil || err != nil {
		return found, err
	}
	if registered := d.registeredModel(name); registered != nil {
		return registered, nil
	}
	of, kind := splitReader(name)
	saes, err := d.saes()
	if err != nil {
		return nil, fault.At(function, "look up "+name, err)
	}
	switch kind {
	case nil:
		return nil, unknownModel(function, name, models, saes)
	case embedding:
		return d.findEmbedding(function, of, models, saes)
	}
	if kind.neurons {
		return d.findNeurons(function, of, kind, models, saes)
	}
	return findFeatures(function, of, kind, saes)
}

// oneOf chooses the model of a name; it is nil where there is none.
func oneOf(function, name string, kind *readerKind, models []*storedReader) (*storedReader, error) {
	found := called(models, name, func(m *storedReader) (string, string) { return m.database, m.of })
	for _, other := range found {
		if other.content != found[0].content {
			return nil, ambiguous(function, name, kind, found)
		}
	}
	if len(found) == 0 {
		return nil, nil
	}
	return found[0], nil
}

// findEmbedding finds the embedding of the model of a name.
func (d *database) findEmbedding(
	function, name string, models []*storedReader, saes []*storedSAE,
) (*storedReader, error) {
	m, err := oneOf(function, name, embedding, models)
	if err != nil {
		return nil, err
	}
	if m == nil {
		if m = d.registeredModel(name); m == nil {
			return nil, unknownModel(function, name, models, saes)
		}
		found := *m
		found.kind = embedding
		return &found, nil
	}
	found := *m
	found.kind = embedding
	databases, err := d.having("stored_models", "embedding_in")
	if err != nil {
		return nil, fault.At(function, "look up "+found.String(), err)
	}
	in := ""
	for _, of := range databases {
		if of.name != m.database {
			continue
		}
		query := fmt.Sprintf("SELECT coalesce(embedding_in, ''), coalesce(embedding_sha256, '') FROM %s WHERE model_id = %d",
			of.table("stored_models"), m.id)
		err := d.query(query, func(chunk capi.Chunk) error {
			in, found.content = chunk.Column(0).Text(0), m.content+" "+chunk.Column(1).Text(0)
			return nil
		})
		if err != nil {
			return nil, fault.At(function, "look up "+found.String(), err)
		}
	}
	switch in {
	case embedding.table:
	case embeddingInPlace.table:
		found.kind = embeddingInPlace
	default:
		return nil, &fault.Error{
			Op: function, Subject: found.String(), Problem: "the model was loaded without its embedding",
			Hint: "saedb load model … --embedding adds it",
		}
	}
	return &found, nil
}

// called are those of a name, or where there are none, of database.name.
func called[T any](all []T, name string, of func(T) (database, name string)) (found []T) {
	for _, qualified := range []bool{false, true} {
		for _, one := range all {
			database, own := of(one)
			if qualified {
				own = database + "." + own
			}
			if own == name {
				found = append(found, one)
			}
		}
		if len(found) > 0 {
			break
		}
	}
	return found
}

func choose(all []*storedReader, wanted func(*storedReader) bool) []*storedReader {
	var found []*storedReader
	for _, m := range all {
		if wanted(m) {
			found = append(found, m)
		}
	}
	return found
}

func ambiguous(function, name string, kind *readerKind, found []*storedReader) error {
	var databases, qualified []string
	for _, m := range found {
		databases = append(databases, m.database)
		qualified = append(qualified, schema.Literal(schema.ReaderName(m.database+"."+m.of, kind.suffix)))
	}
	return &fault.Error{
		Op: function, Subject: fmt.Sprintf("model %q", name),
		Problem: "has other weights in each of the databases " + strings.Join(databases, ", "),
		Hint:    "say which: " + strings.Join(qualified, " or "),
	}
}

func unknownModel(function, name string, models []*storedReader, saes []*storedSAE) error {
	unknown := &fault.Error{Op: function, Subject: fmt.Sprintf("model %q", name), Problem: "no such model in this database"}
	var known []string
	for _, m := range models {
		if m.database == models[0].database {
			known = append(known, m.of)
		} else {
			known = append(known, m.database+"."+m.of)
		}
	}
	switch {
	case len(meant(saes, name)) > 0:
		unknown.Hint = fmt.Sprintf("it is the name of an SAE: say %s or %s",
			schema.Literal(schema.ReaderName(name, encoder.suffix)), schema.Literal(schema.ReaderName(name, decoder.suffix)))
	case len(known) == 0:
		unknown.Hint = "none is loaded; load one with saedb load model"
	case strings.Contains(name, "#"):
		unknown.Hint = readerNames + "; loaded: " + strings.Join(known, ", ")
	default:
		unknown.Hint = "loaded: " + strings.Join(known, ", ")
	}
	return unknown
}

// findFeatures finds the encoder or the decoder of the SAE that words mean.
func findFeatures(function, words string, kind *readerKind, saes []*storedSAE) (*storedReader, error) {
	s, err := oneSAE(words, saes)
	if err != nil {
		return nil, fault.At(function, fmt.Sprintf("reader %q", schema.ReaderName(words, kind.suffix)), err)
	}
	if kind == encoder && !s.encoder {
		e := &fault.Error{
			Op: function, Subject: "the encoder of SAE " + s.name, Problem: "the SAE was loaded without its encoder",
			Hint: "saedb load sae … --encoder adds it",
		}
		if with := namesOf(saes, func(s *storedSAE) bool { return s.encoder }); with != "" {
			e.Hint += "; with theirs: " + with
		}
		return nil, e
	}
	return s.reader(kind), nil
}

// reader is the decoder or the encoder of an SAE.
func (s *storedSAE) reader(kind *readerKind) *storedReader {
	reader := &storedReader{
		kind: kind, database: s.in.name, oid: s.in.oid, of: s.name, id: s.id,
		dModel: s.dModel, rows: s.count, content: s.content, place: s.place,
	}
	if kind == encoder {
		reader.content += " " + s.encoderHash
	}
	return reader
}

// namesOf lists the names of the SAEs that are wanted, as far as a message has room.
func namesOf(saes []*storedSAE, wanted func(*storedSAE) bool) string {
	var names []string
	for _, s := range saes {
		if wanted(s) {
			names = append(names, s.name)
		}
	}
	const most = 12
	if len(names) > most {
		names = append(names[:most], fmt.Sprintf("… (%d in all)", len(names)))
	}
	return strings.Join(names, ", ")
}

// list returns the models of every database, those of the one that was opened
// first, each database's by name.
func (d *database) list() ([]*storedReader, error) {
	databases, err := d.having("stored_models", "")
	var all []*storedReader
	for _, in := range databases {
		if err != nil {
			return nil, err
		}
		err = d.query(`SELECT m.model, m.model_id, m.d_model, m.d_vocab, coalesce(l.sha256 || ' ' || l.conventions, '')
			FROM `+in.table("stored_models")+` m LEFT JOIN `+in.table("stored_loads")+` l ON l.load_id = m.model_id
			ORDER BY m.model`, func(chunk capi.Chunk) error {
			n := chunk.Rows()
			ids, widths := capi.Values[int32](chunk.Column(1), n), capi.Values[int32](chunk.Column(2), n)
			tokens := capi.Values[int32](chunk.Column(3), n)
			for i := range n {
				all = append(all, &storedReader{
					kind: unembedding, database: in.name, oid: in.oid, of: chunk.Column(0).Text(i), id: ids[i],
					dModel: int(widths[i]), rows: int(tokens[i]), content: chunk.Column(4).Text(i),
				})
			}
			return nil
		})
	}
	return all, err
}
