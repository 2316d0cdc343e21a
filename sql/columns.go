package schema

import "strings"

// StatisticsColumns are those of stored_statistics after sae_id and feature: the fields of
// feature_statistics.
var StatisticsColumns = []string{
	"mean", "std", "skewness", "kurtosis", "cos_mean", "cos_std", "cos_skewness", "cos_kurtosis",
	"top_tokens", "top_token_ids", "top_logit_weights", "bottom_tokens", "bottom_token_ids", "bottom_logit_weights",
}

// DecoderNorm is the SQL of decoder_norm of a row of stored_decoders: of its length, in
// float64.
const DecoderNorm = "sqrt(list_inner_product(CAST(w_dec AS DOUBLE[]), CAST(w_dec AS DOUBLE[])))"

// ViewMacros is the statements that make the macros that views call.
func ViewMacros() string {
	text, err := files.ReadFile("views/00_meaning.sql")
	if err != nil {
		panic(err) // it is embedded
	}
	return string(text)
}

// EnrichmentQuery is the query of the view enrichment with more columns at its end: the
// logarithms as they are stored, of which the view has powers of ten. It ends before where a
// WHERE would be, for which e is stored_enrichment.
func EnrichmentQuery() string {
	text, err := files.ReadFile("views/05_enrichment.sql")
	if err != nil {
		panic(err) // it is embedded
	}
	const columns = "\nFROM scored e"
	_, view, _ := strings.Cut(string(text), "CREATE OR REPLACE VIEW enrichment AS\n")
	query, _, whole := strings.Cut(view, ";\nCOMMENT ON VIEW enrichment ")
	if !whole || strings.Count(query, columns) != 1 {
		panic("views/05_enrichment.sql: the view enrichment has another form than EnrichmentQuery reads")
	}
	return strings.Replace(query, columns, ", e.log10_ks_p, e.log10_q, e.log10_q_all"+columns, 1)
}
