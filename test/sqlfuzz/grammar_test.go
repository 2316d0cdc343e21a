package sqlfuzz

import (
	"maps"
	"slices"
	"strings"
)

// Expressions are made by these rules, a list for every kind: w a direction, m a model, a an
// SAE, s a token set, r a release, t a text, i an INTEGER, k a small one, c one that is
// no column and so small that a list of so many is, o which tokens count, u a weight,
// g a processing, d a DOUBLE, b a BOOLEAN, l a list of
// texts, n a list of INTEGER, x what is looked at whole. <k> in a rule is an expression of that kind,
// <k,> a list of them, <sub:k> an aggregate of that kind over a query of its own, which may
// name columns of the outer one.
var rules = map[string][]string{
	"w": {
		"random_direction(<k>, <k>, 32)", "through_lens(<w>, <t>, <k>)", "random_direction(<i>, <k>, 32)", "random_direction_like(<k>, <i>, <a>)", "random_direction_like(<k>, <i>, <a> || '#encoder')", "reader_row(<a> || '#decoder', <k>)", "reader_row(<a> || '#encoder', <k>)",
		"list_transform(<w>, lambda x: x * <d>)", "list_reverse(<w>)",
		"CASE WHEN <b> THEN <w> ELSE <w> END", "coalesce(<w>, <w>)",
		"<w>::FLOAT[32]", "<w>::DOUBLE[]", "<w>::FLOAT[]", "<w>::DOUBLE[32]", "if(<b>, <w>, NULL)",
		"list_resize(<w>, 32, <d>)",
		"through_head(<w>, <m>, 0, <k> % 2)", "query_key(<w>, <m>, 0, <k> % 2)", "query_key(<w>, <m>, 0, 1, 'query')",
		"list_transform(range(32), lambda j: <d> + sin(j))", "([<w>])[1]",
		"list_transform(list_zip(<w>, <w>), lambda x: x[1] + x[2])::FLOAT[]",
	},
	"m": {"CASE WHEN <b> THEN <m> ELSE <m> END", "lower(<m>)", "coalesce(<m>, <m>)", "<m> || ''"},
	"a": {"sae_named(<a>)", "CASE WHEN <b> THEN <a> ELSE <a> END", "coalesce(<a>, <a>)"},
	"s": {
		"(enrich(<w>, <m>))[<k>].token_set", "CASE WHEN <b> THEN <s> ELSE <s> END", "coalesce(<s>, <s>)",
		"(<l>)[<k>]",
	},
	"r": {"coalesce(<r>, <r>)"},
	"t": {
		"token_text(<t>, <t>)", "feature_label(<t>, <t>, <l>, list_transform(<l>, lambda e: <b>))",
		"set_phrase(<s>, <t>)", "both_sides(<t>, <t>)", "feature_role(<d>, <d>, <d>)",
		"feature_role(<d>, <d>, <d>, least_kurtosis := <d>, least_variance := <d>)",
		"(top_tokens(<w>, <m>, <k>))[<k>].text", "(bottom_tokens(<w>, <m>, <k>))[1].token",
		"<t> || <t>", "upper(<t>)", "(<t>)[<i>:<i>]", "repeat(<t>, <c>)", "(<l>)[<k>]",
		"CAST(<x> AS VARCHAR)", "CASE WHEN <b> THEN <t> ELSE <t> END", "<sub:t>", "<s>", "<a>", "<m>",
		"(enrich(<w>, <m>))[1].direction",
	},
	"i": {
		"(<i> + <i>)", "(<i> % <i>)", "(<i> - <i>)", "len(<t>)::INTEGER", "len(<l>)::INTEGER",
		"len(<w>)::INTEGER", "len(<n>)::INTEGER", "(row_hash(<i>, <w>::FLOAT[]) % 1000)::INTEGER",
		"len(top_tokens(<w>, <m>, <k>))::INTEGER", "len(enrich(<w>, <m>, <l>))::INTEGER",
		"len(leading_edge(<w>, <m>, <s>))::INTEGER", "(top_tokens(<w>, <m>, <k>))[<k>].token_id",
		"(leading_edge(<w>, <m>, <s>, <u>))[<k>].rank", "CASE WHEN <b> THEN <i> ELSE <i> END",
		"<d>::INTEGER",
		"<sub:i>", "(<n>)[<k>]", "abs(<i>)", "TRY_CAST(<t> AS INTEGER)",
		"len(weighted_enrichment(<w>, <m>, <l>, <u>, <k>, <i>))::INTEGER",
		"(top_features(<w>, <a> || '#decoder', <k>))[<k>].feature",
		"(bottom_features(<w>, <a> || '#decoder'))[1].feature",
		"(nearest_features(<w>, <a> || '#decoder', <k>)).features[<k>]",
	},
	"d": {
		"(logit_stats(<w>, <m>)).std", "(logit_stats(<w>, <m>, <b>)).kurtosis",
		"(logit_stats(<w>, <m>, <o>)).mean", "(logit_stats(<w>, <m>, <b>, <o>)).skewness",
		"(l_moments(<w>, <m>)).l_scale", "normal_tail(<d>)", "shift_z(<d>, <d>, <d>, <d>, <d>, <d>)",
		"(linked_features(<w>, <a> || '#decoder')).std",
		"(linked_features(<w>, <a> || '#decoder', <k>)).top_weights[<k>]",
		"(nearest_features(<w>, <a> || '#decoder')).mean_absolute_cosine",
		"(l_moments(<w>, <m>, <o>)).l_kurtosis", "rank_correlation(<w>, <m>, <w>)", "rank_correlation(<w>, <m>, <w>, <o>)", "logit_weight(<w>, <m>, <i>)",
		"logit_difference(<w>, <m>, 't1', 't2')", "logit_difference(<w>, <m>, <l>, <l>)", "logit_difference(<w>, <m>, <t>, <t>)",
		"set_logit_difference(<w>, <m>, <s>, <s>)",
		"logit_weight(<w>, <m>, <k>)", "(top_neurons(<w>, 'llama#mlp_in.0'))[1].weight", "(bottom_neurons(<w>, 'gpt2#mlp_in.0', <k>))[1].weight", "enrichment_score(<w>, <m>, <s>)",
		"enrichment_score(<w>, <m>, <s>, <o>)",
		"(enrich(<w>, <m>, <o>))[1].p_value", "(enrich(<w>, <m>, <l>, <o>))[<k>].auc",
		"(feature_statistics(<w>, <m>)).cos_std", "baseline_log10_p(<m>, <k>, <k>, <d>)",
		"baseline_log10_p(<m>, <i>, <i>, <d>)",
		"ks_log10_p(<k>, <i>, <d>)", "ks_log10_p(<i>, <i>, <d>)",
		"(weighted_enrichment(<w>, <m>, <l>, <u>, <k>))[1].nes",
		"(leading_edge(<w>, <m>, <s>, <u>, <o>))[<k>].logit_weight",
		"list_cosine_similarity(<w>, <w>)", "list_inner_product(<w>, <w>)", "(<w>)[<k>]", "(<d> + <d>)",
		"(<d> * <d>)", "(<d> / <d>)", "-<d>", "abs(<d>)", "sqrt(abs(<d>))", "exp(<d>)", "round(<d>, <k>)",
		"CASE WHEN <b> THEN <d> ELSE <d> END", "nullif(<d>, <d>)", "<i>::DOUBLE", "<sub:d>",
		"list_max(<w>)", "greatest(<d>, <d>)", "(enrichment_values(<w>, <m>, <n>, <o>))[1].es",
	},
	"b": {
		"<d> < <d>", "<d> >= <d>", "<i> = <i>", "<i> > <i>", "<t> = <t>", "<t> LIKE <t>", "<s> IN (<s,>)",
		"<i> BETWEEN <i> AND <i>", "(<b> AND <b>)", "(<b> OR <b>)", "NOT <b>", "<x> IS NULL",
		"<d> IS DISTINCT FROM <d>",
		"beyond_chance(<d>)", "isnan(<d>)", "list_contains(<l>, <t>)", "<w> = <w>", "EXISTS (<query>)",
		"<i> IN <column:i>", "<b> IS NOT TRUE", "starts_with(<t>, <t>)", "<sub:b>", "<x> = <x>",
		"<m> = <m>", "<a> <> <a>",
	},
	"l": {
		"list_transform(enrich(<w>, <m>), lambda e: e.token_set)",
		"list_transform(top_tokens(<w>, <m>, <k>), lambda e: e.text)", "[<s,>]", "[<t,>]",
		"list_concat(<l>, <l>)", "(feature_statistics(<w>, <m>)).top_tokens",
		"<sub:l>", "list_sort(<l>)", "coalesce(<l>, <l>)", "(<l>)[<k>:<k>]",
	},
	"n": {
		"[<i,>]::INTEGER[]", "range(<c>)::INTEGER[]",
		"(SELECT list(set_id ORDER BY set_id) FROM stored_token_sets)",
		"(feature_statistics(<w>, <m>)).top_token_ids", "list_concat(<n>, <n>)",
		"list_transform(top_tokens(<w>, <m>, <k>), lambda e: e.token_id)",
		"list_transform(enrichment_values(<w>, <m>, <n>, <o>), lambda e: e.set_id)",
	},
	"x": {
		"<w>", "<d>", "<i>", "<t>", "<b>", "<l>", "<n>", "logit_stats(<w>, <m>)",
		"logit_stats(<w>, <m>, <b>, <o>)", "l_moments(<w>, <m>)", "feature_statistics(<w>, <m>)",
		"feature_statistics(<w>, <m>, <o>)",
		"feature_statistics(<w>, <m>, 'all', <n>)", "top_tokens(<w>, <m>, <k>)",
		"top_tokens(<w>, <m>, <k>, <o>)", "bottom_tokens(<w>, <m>, <k>)",
		"bottom_tokens(<w>, <m>, <k>, <o>)", "enrich(<w>, <m>)", "enrich(<w>, <m>, <o>)",
		"enrich(<w>, <m>, <l>)",
		"weighted_enrichment(<w>, <m>, <l>, <u>, <k>)",
		"weighted_enrichment(<w>, <m>, <l>, <u>, <k>, <i>, <o>)",
		"weighted_enrichment(<w>, <m>, <l>, <u>, <k>, <o>)", "leading_edge(<w>, <m>, <s>)",
		"leading_edge(<w>, <m>, <s>, <u>)",
		"leading_edge(<w>, <m>, <s>, <o>)", "enrichment_values(<w>, <m>, <n>, <o>)",
		"enrichment_values(<w>, <m>, <n>, <o>)", "logit_weights(<w>, <m>)",
		"struct_pack(a := <x>, b := <x>)", "[<x>]", "hash(<x>)", "map([<t>], [<x>])",
	},
}

// ours are the rules that call a function of saedb's with a direction.
var ours = func() []string {
	var all []string
	for _, kind := range slices.Sorted(maps.Keys(rules)) {
		for _, rule := range rules[kind] {
			if strings.Contains(rule, "(<w>, <m>") && !slices.Contains(all, rule) {
				all = append(all, rule)
			}
		}
	}
	return all
}()

// oddRules are asked for less often: what they give is seldom of a length or a type that is right.
var oddRules = map[string][]string{
	"w": {
		"random_direction(<i>, <i>, <k>)", "through_head(<w>, <m>, <i>, <i>)", "query_key(<w>, <m>, <i>, <i>, <t>)", "(<w>)[<i>:<i>]", "logit_weights(<w>, <m>)",
		"list_concat(<w>, <w>)", "[<d,>]", "list_select(<w>, <n>)", "[<d>]::FLOAT[1]", "(<x>)::FLOAT[]",
		"[<w>, <w>]", "<w>::VARCHAR",
	},
	"i": {"<d>::INTEGER", "<i>::BIGINT", "(<i> * <i>)", "row_hash(<i>, <w>)", "<b>::INTEGER"},
	"d": {"<d>::FLOAT", "<d>::DECIMAL(18, 3)", "<t>::DOUBLE", "pow(<d>, <d>)", "ln(<d>)"},
	"l": {"[<x>]", "[<l>]", "<n>::VARCHAR[]", "<l>::VARCHAR[2]"},
	"n": {"<l>::INTEGER[]", "<n>::BIGINT[]", "<w>::INTEGER[]"},
	"t": {"<w>::VARCHAR", "chr(<i>)", "repeat(<t>, 1000)"},
	"m": {"<t>", "upper(<m>)"}, "s": {"<t>", "upper(<s>)"}, "a": {"<t>", "<a> || '*'"},
}

// literals are the leaves of each kind, those that are right first and more often, and then
// those at the end of what is allowed, or beyond it.
var literals = map[string][2][]string{
	"w": {
		{"list_transform(range(32), lambda j: sin(j))::FLOAT[]", "random_direction(1, 2, 32)",
			"list_transform(range(32), lambda j: j - 16)::DOUBLE[]",
			"list_transform(range(32), lambda j: cos(j * 3))::FLOAT[32]"},
		{"[]", "[]::FLOAT[]", "[1.0, 2.0]", "[NULL]::FLOAT[]",
			"list_transform(range(32), lambda j: 0)::FLOAT[]",
			"list_transform(range(32), lambda j: 'nan'::FLOAT)",
			"list_transform(range(32), lambda j: CASE WHEN j = 3 THEN 'inf' ELSE '1' END::FLOAT)",
			"list_transform(range(32), lambda j: CASE WHEN j > 3 THEN j END)::FLOAT[]",
			"list_transform(range(32), lambda j: 3e38)::FLOAT[]",
			"list_transform(range(32), lambda j: 1e300)::DOUBLE[]",
			"list_transform(range(32), lambda j: 1e-42)::FLOAT[]",
			"range(5000)::FLOAT[]", "[[1.0]]", "list_transform(range(32), lambda j: j::VARCHAR)",
			"range(32)", "list_transform(range(32), lambda j: j::DECIMAL(9, 2))", "map([1], [2.0])",
			"'[1, 2]'"},
	},
	"m": {{"'llama'", "'gpt2'"}, {"'nobody'", "''", "'LLAMA'", "chr(0)"}},
	"a": {
		{"'small/first'", "'small/second'"},
		{"'first'", "'second'", "'layer_0'", "'small/*'", "'nobody'", "''", "'*'", "'['", "'layer_99'",
			"'%'"},
	},
	"s": {
		{"'few'", "'some'", "'all_digits'", "'one'"},
		{"'no_such_set'", "''", "'every'", "repeat('long', 3000)"},
	},
	"r": {{"'small'"}, {"'nothing'", "''"}},
	"t": {
		{"'all'", "'real'", "' the'", "'promoted'", "'a%'", "'words'", "'a'"},
		{"''", "chr(0)", "'é' || chr(65533)", "repeat('x', 70000)", "'Ġ'", "'some'", "'💥'", "'%_%'",
			"chr(10)"},
	},
	"i": {
		{"0", "1", "2", "3", "7", "17", "499"},
		{"-1", "500", "2147483647", "-2147483648", "4294967296", "9223372036854775807", "10000",
			"(-9223372036854775808)", "1.5", "true"},
	},
	"k": {{"1", "2", "3", "5", "8", "11"}, {"0", "-1", "12", "500", "2000", "64", "2147483647", "-2147483648"}},
	"d": {
		{"0.0", "1.0", "-1.0", "0.5", "0.05", "2.0", "10.0"},
		{"'nan'::DOUBLE", "'inf'::DOUBLE", "'-inf'::DOUBLE", "1e308", "-1e308", "5e-324", "'-0.0'::DOUBLE",
			"1e39", "0.1::DECIMAL(4, 2)", "'1'"},
	},
	"b": {{"true", "false"}, {"NULL::BOOLEAN", "1", "'yes'"}},
	"l": {
		{"['few', 'some']", "['few']", "[' the', ' a', 'b']"},
		{"[]", "[NULL]", "['few', NULL, 'few']", "[]::VARCHAR[]", "['no_such_set']",
			"list_transform(range(3000), lambda j: 's' || j)", "[1, 2]", "[['few']]"},
	},
	"n": {
		{"[1, 2, 3]", "[1]"},
		{"[]", "[NULL]::INTEGER[]", "[-1]", "[1, 1, 1]", "[100000]", "range(5000)::INTEGER[]",
			"[2147483647]", "[2147483648]", "['1']"},
	},
	"c": {{"0", "1", "7", "32"}, {"-1", "3000"}},
	"g": {{"'transformerlens'", "'fold-only'", "'none'"}, {"'some'", "''"}},
	"o": {{"'all'", "'real'"}, {"'some'", "''"}},
	"u": {{"0.0", "1.0", "0.5", "2"}, {"-1", "'nan'::DOUBLE", "'inf'::DOUBLE", "1e308", "100"}},
	"x": {{"1"}, {"NULL", "{'a': NULL}", "INTERVAL 1 DAY", "DATE '2026-01-01'"}},
}

// tables are table functions and macros, whose arguments name no columns, and what columns of
// theirs can be used. <sae-path> and others like
// it are paths.
var tables = []struct{ call, columns string }{
	{"feature_logits(<a>, <k>)", "rank i, text t, logit_weight d, token_id i, token t"},
	{"feature_logits(<a>, <i>, tokens := <o>)", "rank i, text t, logit_weight d, token_id i"},
	{"features_for_token(<t>)", "layer i, feature i, logit_weight d, text t, sae a, model m"},
	{"features_for_token(<t>, k := <k>, within := <r>)", "layer i, feature i, logit_weight d, text t, sae a, model m"},
	{"features_for_token(' the', <k>)", "layer i, feature i, logit_weight d, sae a, model m"},
	{"similar_features(<a>, <k>)", "layer i, feature i, cosine d, sae a, release r, model m"},
	{"similar_features(<a>, <i>, k := <i>, within := <r>)", "layer i, feature i, cosine d, sae a, release r, model m"},
	{"token_differences(<a>, <i>, <a>, <i>)", "direction t, rank i, text t, difference d, logit_weight d, other_logit_weight d, token_id i"},
	{"token_differences(<a>, <k>, <a>, <k>, k := <k>)", "direction t, rank i, difference d, token t"},
	{"nearest_between(<a>, <a>)", "sae a, feature i, other_sae a, nearest i, cosine d, mutual b"},
	{"feature_families()", "family i, size i, layers i, layer i, feature i, sae a, release r, model m"},
	{"feature_families(cosine := <u>)", "family i, size i, layer i, feature i, sae a, model m"},
	{"head_composition(<a>, 'all')", "sae a, feature i, layer i, head i, q d, k d, v d, o d, q_z d, k_z d, v_z d, o_z d"},
	{"head_composition(<a>, '0')", "sae a, feature i, head i, q d, v_z d"},
	{"saes_through('turned')", "sae a, lens_layer i, tokens t, features i"},
	{"features_through('turned')", "layer i, feature i, kurtosis d, top_overlap i, decoder_norm d, label t, sae a, model m"},
	{"features_through(<t>)", "layer i, feature i, skewness d, bottom_overlap i, lens t, sae a"},
	{"feature_tokens_through('turned')", "layer i, feature i, rank i, logit_weight d, token t, sae a"},
	{"enrichment_through('turned')", "layer i, feature i, token_set s, es d, q_value d, direction t, sae a"},
	{"match_saes(<a>, <a>)", "feature_a i, feature_b i, cosine d, max_absolute_cosine d, sum_at_most d"},
	{"match_saes(<a>, <a>, cosine := <u>)", "feature_a i, feature_b i, cosine d, nearest_b i, worth d"},
	{"match_saes(<a>, <a>, folded := true)", "feature_a i, feature_b i, cosine d, worth d, squared_error d"},
	{"feature_splits(<a>, <a>, cosine := <u>)", "feature i, features i, cosine d, partner i"},
	{"saes_matching(<a>)", "sae a"},
	{"relative_decoder_norms(<a>)", "layer i, feature i, norm d, relative_norm d, sae a, model m"},
	{"unlike_sets(<m>, <l>)", "token_set s"},
	{"strongest_sets(<a>)", "token_set s, size i, direction t, feature i, effect d, q_value d"},
	{"strongest_sets(<a>, k := <k>)", "token_set s, size i, direction t, feature i, effect d"},
	{"strongest_features(<s>)", "layer i, feature i, effect d, es d, beyond_chance b, token_set s, sae a, model m"},
	{"strongest_features(<s>, k := <k>, within := <r>, of_sae := <a>)", "layer i, feature i, effect d, es d, token_set s, sae a, model m"},
	{"strongest_of_feature(<a>, <k>)", "token_set s, size i, effect d, direction t, es d, auc d"},
	{"strongest_of_feature(<a>, <i>, k := <k>)", "token_set s, size i, effect d, direction t, es d"},
	{"strongest_of_feature(<a>, <i>, k := <k>, side := 'input')", "token_set s, size i, effect d, direction t, es d"},
	{"read_sae(<sae-path>)", "feature i, w_dec x"},
	{"read_sae(<sae-path>, features := <k>::VARCHAR, first := <k>::VARCHAR)", "feature i, w_dec x"},
	{"read_encoder(<sae-path>)", "feature i, w_enc x"},
	{"read_encoder(<sae-path>, first := <i>::VARCHAR)", "feature i, w_enc x"},
	{"sae_info(<sae-path>)", "format t, d_sae i"},
	{"read_unembedding(<model-path>)", "token_id i, w_u w"},
	{"read_embedding(<model-path>)", "token_id i, w_e w"},
	{"read_unembedding(<model-path>, processing := <g>)", "token_id i, w_u w"},
	{"read_vocab(<vocab-path>)", "token_id i, token t"},
	{"saedb_model(<t>, <model-path>)", "model m"},
	{"saedb_model(<t>, <model-path>, processing := <g>)", "model m"},
	{"releases()", "release r"},
	{"opened(<t>)", "feature i"},
	{"range(<c>) q(j)", "j i"},
	{"unnest(<l>) q(j)", "j t"},
	{"unnest(<n>) q(j)", "j i"},
	{"(VALUES (<d>, <t>), (<d>, <t>)) q(j, h)", "j d, h t"},
}

// laterals are sources that name columns of the sources before them.
var laterals = []struct{ call, columns string }{
	{"unnest(top_tokens(<w>, <m>, <k>)) q(e)", ""},
	{"unnest(<w>) q(e)", "e d"},
	{"unnest(<l>) q(e)", "e t"},
	{"unnest(range(<c>)) q(e)", "e i"},
	{"LATERAL (SELECT unnest(enrich(<w>, <m>), recursive := true))", "token_set s, es d, direction t"},
	{"LATERAL (SELECT unnest(leading_edge(<w>, <m>, <s>), recursive := true))", "token_id i, rank i, logit_weight d"},
	{"LATERAL (SELECT <d> AS e, <w> AS f, <i> AS g)", "e d, f w, g i"},
	{"LATERAL (SELECT count(*) AS e FROM tokens o WHERE o.token_id < <i>)", "e i"},
}

// paths are what is read, by its kind, and wrongPaths what is not.
var (
	paths = map[string][]string{
		"sae-path":   {"'../../loader/sae/testdata/saelens-standard-bf16'", "'../../loader/sae/testdata/saelens-transcoder'", "'../../loader/sae/testdata/llama-scope'"},
		"model-path": {"'../../loader/model/testdata/llama'", "'../../loader/model/testdata/gpt2'"},
		"vocab-path": {"'../../loader/vocab/testdata/gpt2'", "'../../loader/vocab/testdata/llama'"},
	}
	wrongPaths = []string{"'nowhere'", "NULL", "''", "'../../loader'", "chr(0)", "'../../loader/model/testdata/llama'", "'../../loader/sae/testdata/saelens-transcoder'"}
)
