package udf

import (
	"github.com/saedb/saedb/loader/vocab"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf/capi"
)

var tokenTextFamily = family{
	register: registerTokenText,
	docs: []schema.Function{{
		Name:      "token_text",
		Signature: "token_text(token, text) → VARCHAR",
		Description: "The text of a token, given its spelling by the tokenizer and a text with U+FFFD for bytes that are no UTF-8 by themselves: " +
			"<0xBB> for each of them. Other texts stay as they are. Upgrades of older databases use it.",
		Example: "SELECT token_text('Ġ»', ' »'), token_text('»', chr(65533))",
	}},
}

func registerTokenText(_ *Functions, c capi.Connection) error {
	return c.RegisterScalar("token_text", capi.Scalar{Parameters: []capi.Type{capi.Varchar, capi.Varchar}, Returns: capi.Varchar, Call: tokenText})
}

func tokenText(input capi.Chunk, output capi.Vector) error {
	tokens, texts := newTexts(input.Column(0)), newTexts(input.Column(1))
	for i := range input.Rows() {
		if !tokens.valid(i) || !texts.valid(i) {
			output.SetNull(i, 0)
			continue
		}
		output.SetText(i, vocab.WithBytes(tokens.at(i), texts.at(i)))
	}
	return nil
}
