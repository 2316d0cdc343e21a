package udf

import (
	"crypto/sha256"
	"encoding/binary"
	"math"

	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf/capi"
)

var rowHashFamily = family{
	register: registerRowHash,
	docs: []schema.Function{{
		Name:      "row_hash",
		Signature: "row_hash(id, weights) → BIGINT",
		Description: "The first 8 bytes of the SHA-256 of a row's id (INTEGER) and weights (FLOAT[]). A load records bit_xor of it over its rows, " +
			"which does not depend on their order, and saedb check compares.",
		Example: "SELECT sae, bit_xor(row_hash(feature, w_dec)) AS hash FROM decoder_directions GROUP BY sae ORDER BY sae",
	}},
}

func registerRowHash(_ *Functions, c capi.Connection) error {
	return c.RegisterScalar("row_hash", capi.Scalar{
		Parameters: []capi.Type{capi.Integer, capi.List(capi.Float)}, Returns: capi.Bigint, Call: rowHash,
	})
}

// rowHash hashes id and weights as little-endian bytes, the first 8 bytes of the
// digest being a little-endian number. A weight that is NULL counts as a NaN.
func rowHash(input capi.Chunk, output capi.Vector) error {
	rows := input.Rows()
	present := input.Column(0).Validity()
	ids := capi.Values[int32](input.Column(0), rows)
	lists := newLists(input.Column(1), rows)
	weights := capi.Values[float32](lists.elements, lists.count)
	hashes := capi.Values[int64](output, rows)
	var bytes []byte
	var row []float32
	for i := range rows {
		if !present.Valid(i) || !lists.valid(i) {
			output.SetNull(i, 0)
			continue
		}
		entry := lists.entries[i]
		row = append(row[:0], weights[entry.Offset:entry.Offset+entry.Length]...)
		for j := range row {
			if !lists.inner.Valid(int(entry.Offset) + j) {
				row[j] = math.Float32frombits(nullWeight)
			}
		}
		hashes[i], bytes = hashOfRow(ids[i], row, bytes)
	}
	return nil
}

// hashOfRow is row_hash of one row; bytes is room for it, and returned for the next.
func hashOfRow(id int32, weights []float32, bytes []byte) (int64, []byte) {
	bytes = binary.LittleEndian.AppendUint32(bytes[:0], uint32(id))
	for _, w := range weights {
		bytes = binary.LittleEndian.AppendUint32(bytes, math.Float32bits(w))
	}
	digest := sha256.Sum256(bytes)
	return int64(binary.LittleEndian.Uint64(digest[:8])), bytes
}

const nullWeight = 0x7fc00001 // a NaN that no computation gives
