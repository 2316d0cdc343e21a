package schema

import (
	"strconv"
	"strings"
)

// What the names of readers end in: the matrices of a model or an SAE that directions are
// multiplied with. docs/readers.md says so to people.
const (
	UnembeddingReader = "" // which goes by its model's name
	EmbeddingReader   = "embedding"
	EncoderReader     = "encoder"
	DecoderReader     = "decoder"

	// of the MLP of a layer, whose number comes after a full stop
	MLPInReader   = mlpReader + "in"
	MLPGateReader = mlpReader + "gate"
	mlpReader     = "mlp_" // before what stored_mlp_weights calls the matrix
)

// NeuronReader takes apart the name of a reader whose rows are neurons, such as mlp_in.9 behind
// the mark: matrix is in or gate. ok is false for others.
func NeuronReader(suffix string) (matrix string, layer int, ok bool) {
	name, number, dotted := strings.Cut(suffix, ".")
	n, err := strconv.ParseUint(number, 10, 16)
	if !dotted || name != MLPInReader && name != MLPGateReader || err != nil || number != strconv.FormatUint(n, 10) {
		return "", 0, false
	}
	return strings.TrimPrefix(name, mlpReader), int(n), true
}

// ReaderMark stands before what the name of a reader ends in.
const ReaderMark = '#'

// ReaderName is how functions take the matrix of a model or an SAE.
func ReaderName(of, matrix string) string {
	if matrix == UnembeddingReader {
		return of
	}
	return of + string(ReaderMark) + matrix
}
