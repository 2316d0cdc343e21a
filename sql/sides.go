package schema

import (
	"fmt"
	"strings"
)

// Side is a side of features: what they write, or what excites them. Both have the same tables,
// with the same columns, and are computed by the same statements.
type Side struct {
	Name string
	// Reader is what its directions are multiplied with, of the model; see [ReaderName].
	Reader string
	// Directions is the same of its directions, of the SAE: the decoder's go by its name.
	Directions string
	// Prefix is what its statistics begin with in the view features, and its own views and tables of
	// results.
	Prefix string
	Lens   Lens // that its directions go through, see [Through]
	tables *strings.Replacer
}

var (
	// Output is what features write: decoder directions, and logit weights.
	Output = Side{Name: "output", Reader: UnembeddingReader, tables: strings.NewReplacer()}
	// Input is what excites features: encoders, and their products with the embedding.
	Input = Side{Name: "input", Reader: EmbeddingReader, Directions: EncoderReader, Prefix: InputPrefix, tables: strings.NewReplacer(
		"stored_computations", "stored_input_computations", "stored_statistics", "stored_input_statistics",
		"stored_significance", "stored_input_significance", "stored_enrichment", "stored_input_enrichment", "stored_labels", "stored_input_labels",
		"stored_set_enrichment", "stored_input_set_enrichment",
		"stored_decoders", "stored_encoders", "w_dec", "w_enc",
		"'output'", "'input'", "'promoted'", "'excites'", "'suppressed'", "'holds back'")}
	// Sides are both.
	Sides = []Side{Output, Input}
)

// SideNamed is the side of a name, the output where it is empty.
func SideNamed(name string) (s Side, known bool) {
	for _, s := range Sides {
		if name == s.Name || name == "" {
			return s, true
		}
	}
	return s, false
}

// SQL is that of this side for SQL of the output side: the same of the other side's tables.
func (s Side) SQL(output string) string { return s.tables.Replace(output) }

// LacksDirections is the condition that this side's directions of a row s of stored_saes are not
// in the database, l being the row of stored_loads, and LacksReader that the matrix is not which
// they are multiplied with, of a row m of stored_models, ml being its row of stored_loads.
func (s Side) LacksDirections() string {
	more := map[bool]string{true: " OR s.encoder_hook IS NULL"}[s.Name == Input.Name]
	if s.Lens.ID != 0 {
		more = fmt.Sprintf(" OR (SELECT contains(conventions, '%s') FROM stored_loads WHERE load_id = %d)", WithoutWeights, s.Lens.ID)
	}
	return "(contains(l.conventions, '" + WithoutWeights + "')" + more + ")"
}

// LacksReader is documented with [Side.LacksDirections].
func (s Side) LacksReader() string {
	return "(contains(ml.conventions, '" + WithoutWeights + "')" + map[bool]string{true: " OR m.embedding_in IS NULL"}[s.Name == Input.Name] + ")"
}
