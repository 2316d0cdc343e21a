package schema

import (
	"slices"
	"strings"
)

// MomentColumns are the columns of stored_statistics that are numbers: the moments of the
// logit weights, and those with token columns of unit length.
var MomentColumns = []string{"mean", "std", "skewness", "kurtosis", "cos_mean", "cos_std", "cos_skewness", "cos_kurtosis"}

// EndColumns are those that are lists, of the tokens at both ends of the ranking.
var EndColumns = []string{"top_tokens", "top_token_ids", "top_logit_weights", "bottom_tokens", "bottom_token_ids", "bottom_logit_weights"}

// StatisticsColumns are those of stored_statistics after sae_id and feature: the fields of
// feature_statistics.
var StatisticsColumns = slices.Concat(MomentColumns, EndColumns)

// DerivedColumns are the columns of stored_statistics, of the output side alone, that follow from
// StatisticsColumns, as [TopShare] does, or from the direction, as [DecoderNorm] does.
var DerivedColumns = []string{"top_share", "decoder_norm"}

// StatisticsColumns are the columns of the side's stored_statistics after sae_id and feature.
func (s Side) StatisticsColumns() []string {
	if s.Name != Output.Name {
		return StatisticsColumns
	}
	return slices.Concat(StatisticsColumns, DerivedColumns)
}

// ShownText is the SQL of a token's text as lists of tokens show it, in a row of
// stored_tokens: where its bytes are no text by themselves, or it has none, as the tokenizer
// spells it.
const ShownText = `coalesce(CASE WHEN text = '' OR contains(text, chr(65533)) THEN token ELSE coalesce(text, token) END, '')`

// DecoderNorm is the SQL of decoder_norm of a row of stored_decoders: of its length, in
// float64.
const DecoderNorm = "sqrt(list_inner_product(CAST(w_dec AS DOUBLE[]), CAST(w_dec AS DOUBLE[])))"

// Role is the SQL of the role of a row of stored_statistics, as the view features has it.
const Role = "feature_role(cos_kurtosis, cos_skewness, pow(cos_std / nullif(decoder_norm, 0), 2))"

// Roles are those that there are.
var Roles = []string{"prediction", "suppression", "partition"}

// ViewMacros is the statements that make the macros that views call.
func ViewMacros() string {
	return fileText("views/00_meaning.sql")
}

// SAEMacros is the statements that make the macros that know which SAEs words mean. They read a
// table or view saes.
func SAEMacros() string {
	return fileText("macros/01_saes.sql")
}

// EnrichmentQuery is the query of the view enrichment, or input_enrichment, with more columns at
// its end: the logarithms as they are stored, of which the view has powers of ten. It ends before
// where a WHERE would be, for which e is stored_enrichment.
func (s Side) EnrichmentQuery() string {
	const columns = "\nFROM scored e"
	query := viewQuery("05_enrichment", s.Prefix+"enrichment")
	if strings.Count(query, columns) != 1 {
		panic("views/05_enrichment.sql: the view " + s.Prefix + "enrichment has another form than EnrichmentQuery reads")
	}
	return strings.Replace(query, columns, ", e.log10_ks_p, e.log10_q, e.log10_q_all"+columns, 1)
}
