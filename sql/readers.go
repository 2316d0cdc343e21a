package schema

// What the names of readers end in: the matrices of a model or an SAE that directions are
// multiplied with. docs/readers.md says so to people.
const (
	UnembeddingReader = "" // which goes by its model's name
	EmbeddingReader   = "embedding"
	EncoderReader     = "encoder"
	DecoderReader     = "decoder"

	// of the MLP of a layer, whose number comes after a full stop
	MLPInReader   = "mlp_in"
	MLPGateReader = "mlp_gate"
)

// ReaderMark stands before what the name of a reader ends in.
const ReaderMark = '#'

// ReaderName is how functions take the matrix of a model or an SAE.
func ReaderName(of, matrix string) string {
	if matrix == UnembeddingReader {
		return of
	}
	return of + string(ReaderMark) + matrix
}
