package vocab

import (
	"encoding/binary"
	"fmt"
	"unicode/utf8"

	"github.com/saedb/saedb/internal/fault"
)

// pieceType is the type of a piece.
// Source: src/sentencepiece_model.proto of google/sentencepiece.
type pieceType uint64

const (
	pieceNormal      pieceType = 1
	pieceUnknown     pieceType = 2
	pieceControl     pieceType = 3
	pieceUserDefined pieceType = 4
	pieceByte        pieceType = 6
)

// Numbers of fields: of the model, and of one of its pieces.
const (
	fieldPieces    = 1
	fieldPiece     = 1
	fieldPieceType = 3
)

// parseSentencePiece returns the pieces of a SentencePiece model, a protocol
// buffer, as tokens: a piece's id is its place.
func parseSentencePiece(data []byte) ([]Token, error) {
	var tokens []Token
	err := eachField(data, func(f protobufField) error {
		if f.number != fieldPieces || f.wire != wireBytes {
			return nil
		}
		token, err := parsePiece(f.bytes, len(tokens))
		tokens = append(tokens, token)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(tokens) == 0 {
		return nil, &fault.Error{Expected: "a SentencePiece model", Found: "a file without pieces"}
	}
	return tokens, nil
}

func parsePiece(data []byte, id int) (Token, error) {
	token, kind := Token{ID: id}, pieceNormal
	err := eachField(data, func(f protobufField) error {
		switch {
		case f.number == fieldPiece && f.wire == wireBytes:
			token.Token = string(f.bytes)
		case f.number == fieldPieceType && f.wire == wireVarint:
			kind = pieceType(f.value)
		}
		return nil
	})
	if err == nil && !utf8.ValidString(token.Token) {
		err = &fault.Error{Problem: fmt.Sprintf("piece %d", id), Expected: "UTF-8", Found: fmt.Sprintf("%.20q", token.Token)}
	}
	token.Text = pieceText(token.Token, kind)
	token.Special = kind == pieceControl || kind == pieceUnknown
	return token, err
}

// pieceText is the text of a piece. Marks of spaces in pieces that a person defined
// are spaces too: Gemma's "▁▁" is two.
func pieceText(piece string, kind pieceType) string {
	switch kind {
	case pieceControl, pieceUnknown:
		return piece
	case pieceByte:
		return decodeByteFallback(piece)
	default:
		return unmark(piece)
	}
}

// Wire types of protocol buffers.
const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2
	wireFixed32 = 5
)

// protobufField is a field of a message: value of a varint, bytes of the others.
type protobufField struct {
	number, wire uint64
	value        uint64
	bytes        []byte
}

// eachField calls visit for the fields of a message in their order.
func eachField(message []byte, visit func(protobufField) error) error {
	for rest := message; len(rest) > 0; {
		at := len(message) - len(rest)
		field, size := nextField(rest)
		if size <= 0 {
			return &fault.Error{Problem: fmt.Sprintf("byte %d", at), Expected: "a field of a protocol buffer", Hint: "is this a SentencePiece model, downloaded whole?"}
		}
		rest = rest[size:]
		if err := visit(field); err != nil {
			return err
		}
	}
	return nil
}

// nextField reads the field at the beginning of b, and returns its size, or 0 when
// there is none.
func nextField(b []byte) (f protobufField, size int) {
	key, n := binary.Uvarint(b)
	if n <= 0 {
		return f, 0
	}
	f.number, f.wire = key>>3, key&7
	length := uint64(0)
	switch f.wire {
	case wireVarint:
		value, m := binary.Uvarint(b[n:])
		if m <= 0 {
			return f, 0
		}
		f.value = value
		return f, n + m
	case wireFixed64:
		length = 8
	case wireFixed32:
		length = 4
	case wireBytes:
		var m int
		if length, m = binary.Uvarint(b[n:]); m <= 0 {
			return f, 0
		}
		n += m
	default:
		return f, 0
	}
	if length > uint64(len(b)-n) {
		return f, 0
	}
	f.bytes = b[n : n+int(length)]
	return f, n + int(length)
}
