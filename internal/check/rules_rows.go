package check

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	schema "github.com/saedb/saedb/sql"
)

// modelTables checks the vocabulary, the unembedding and the embedding of each model.
func (r *run) modelTables() error {
	rules := slices.Concat(
		// A tokenizer may have tokens beyond the unembedding: the third rule is not theirs.
		numbered("stored_tokens", "model_id", "token_id", "token", "$d_vocab")[:2],
		numbered("stored_unembeddings", "model_id", "token_id", "token", "$d_vocab"),
		vectors("stored_unembeddings", "model_id", "token_id", "token", "w_u"),
		numbered("stored_embeddings", "model_id", "token_id", "token", "$d_vocab")[1:], // some may lack
		vectors("stored_embeddings", "model_id", "token_id", "token", "w_e"),
		vectors("stored_head_weights", "model_id", "head_row", "row", "weights"),
		[]rule{{"stored_tokens", `SELECT '$subject, token ' || token_id, 'expected a token and a text, found NULL' FROM stored_tokens
			WHERE model_id = $id AND NOT is_padding AND (token IS NULL OR text IS NULL)`}},
	)
	for _, m := range r.models {
		if err := r.applyAll(rules, r.named("model "+m.name, m.id, &m)...); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) named(subject string, id int, m *storedModel, more ...string) []string {
	// $d_model before $d: a replacer takes the first that fits.
	return append(more, "$id", strconv.Itoa(id), "$subject", strings.ReplaceAll(subject, "'", "''"),
		"$d_model", strconv.Itoa(m.dModel), "$d_vocab", strconv.Itoa(m.dVocab), "$model_id", strconv.Itoa(m.id))
}

func (r *run) namedSAE(s *storedSAE) []string {
	return r.named("SAE "+s.name, s.id, s.model, "$d_sae", strconv.Itoa(s.dSAE), "$counted", s.counted())
}

// counted is a condition for the tokens that the statistics of s count.
func (s *storedSAE) counted() string {
	condition := fmt.Sprintf("model_id = %d AND token_id < %d", s.model.id, s.model.dVocab)
	if s.tokens == "real" {
		condition += " AND NOT is_special AND NOT is_padding"
	}
	return condition
}

// saeTables checks the decoder and the stored statistics of each SAE.
func (r *run) saeTables() error {
	rules := slices.Concat(
		numbered("stored_decoders", "sae_id", "feature", "feature", "$d_sae"),
		vectors("stored_decoders", "sae_id", "feature", "feature", "w_dec"),
		[]rule{{"stored_decoders", `SELECT '$subject, feature ' || feature, 'expected a finite log_sparsity, found ' || log_sparsity
			FROM stored_decoders WHERE sae_id = $id AND NOT isfinite(log_sparsity)`}},
		numbered("stored_statistics", "sae_id", "feature", "feature", "$d_sae")[1:], // some may lack
		statisticsRules(),
	)
	encoders := slices.Concat(
		numbered("stored_encoders", "sae_id", "feature", "feature", "$d_sae")[1:], // here too
		vectors("stored_encoders", "sae_id", "feature", "feature", "w_enc"),
		[]rule{{"stored_encoders", `SELECT '$subject, feature ' || feature, 'expected a finite bias and threshold, found ' || coalesce(CAST(bias AS VARCHAR), 'NULL') || ' and ' || coalesce(CAST(threshold AS VARCHAR), 'NULL')
			FROM stored_encoders WHERE sae_id = $id AND NOT (isfinite(coalesce(bias, 0)) AND isfinite(coalesce(threshold, 0)))`}},
	)
	inputs := slices.Concat(
		numbered("stored_input_statistics", "sae_id", "feature", "feature", "$d_sae")[1:],
		distributionRules("stored_input_statistics", inputCounted),
	)
	for _, some := range [][]rule{encoders, inputs} {
		if !r.empty(some[0].table) {
			rules = append(rules, some...)
		}
	}
	add, end := r.begin("decoders and statistics", int64(len(r.saes)), "SAEs")
	defer end()
	for i := range r.saes {
		if err := r.applyAll(rules, r.namedSAE(&r.saes[i])...); err != nil {
			return err
		}
		add(1)
	}
	for i := range r.lensed {
		s := &r.lensed[i]
		for _, rule := range slices.Concat(numbered("stored_statistics", "sae_id", "feature", "feature", "$d_sae")[1:], statisticsRules(), correlationRules()) {
			rule.query = s.side.SQL(rule.query)
			if err := r.apply(rule, r.namedSAE(s)...); err != nil {
				return err
			}
		}
	}
	return nil
}

// inputCounted is a condition for the tokens that the statistics of the input side count.
const inputCounted = `model_id = $model_id AND token_id < $d_vocab
	AND (NOT (is_special OR is_padding) OR (SELECT tokens FROM stored_input_computations WHERE sae_id = $id LIMIT 1) = 'all')`

// statisticsRules are what the figures of a feature must obey whatever the weights.
func statisticsRules() []rule {
	const topShare = `(SELECT counted_tokens FROM stored_computations WHERE sae_id = $id LIMIT 1)`
	return append(distributionRules("stored_statistics", "$counted"),
		rule{"stored_statistics", `SELECT '$subject, feature ' || feature, 'expected top_share ' || coalesce(CAST(` + schema.TopShare(topShare) + ` AS VARCHAR), 'NULL') || ' by its logit weights, found ' || coalesce(CAST(top_share AS VARCHAR), 'NULL')
			FROM stored_statistics WHERE sae_id = $id AND ((top_share IS NULL) <> (std = 0) OR NOT coalesce(abs(top_share - ` + schema.TopShare(topShare) + `) <= 1e-9, true)) ORDER BY feature`},
		rule{"stored_statistics", `SELECT '$subject, feature ' || feature, 'expected decoder_norm ' || expected || ' of its direction, found ' || coalesce(CAST(decoder_norm AS VARCHAR), 'NULL')
			FROM (SELECT feature, decoder_norm, ` + schema.DecoderNorm + ` AS expected FROM stored_statistics JOIN (SELECT feature, w_dec FROM stored_decoders WHERE sae_id = $id AND w_dec IS NOT NULL) USING (feature) WHERE sae_id = $id)
			WHERE NOT coalesce(abs(decoder_norm - expected) <= 1e-9 * expected, false) ORDER BY feature`})
}

// distributionRules are what the moments and the ends of a distribution over the tokens that a
// condition counts must obey, in a table of them.
func distributionRules(table, counted string) []rule {
	from := ` FROM ` + table + ` WHERE sae_id = $id AND `
	var rules []rule
	add := func(problem, condition string) {
		rules = append(rules, rule{table, strings.ReplaceAll(`SELECT '$subject, feature ' || feature, `+problem+from+condition+` ORDER BY feature`, "$counted", counted)})
	}
	add(`'some of its figures are NULL'`, `(mean IS NULL OR std IS NULL OR cos_mean IS NULL OR cos_std IS NULL OR `+strings.Join(schema.EndColumns, " IS NULL OR ")+` IS NULL)`)
	for _, prefix := range []string{"", "cos_"} {
		p := strings.NewReplacer("@", prefix)
		add(p.Replace(`'expected @skewness and @kurtosis to be NULL where @std is 0, and nowhere else'`),
			p.Replace(`((@skewness IS NULL) <> (@std = 0) OR (@kurtosis IS NULL) <> (@std = 0))`))
		add(p.Replace(`'expected finite figures with @std from 0 on, found @mean ' || @mean || ', @std ' || @std || ', @skewness ' || @skewness || ', @kurtosis ' || @kurtosis`),
			p.Replace(`NOT coalesce(isfinite(@mean) AND isfinite(@std) AND @std >= 0 AND isfinite(coalesce(@skewness, 0)) AND isfinite(coalesce(@kurtosis, 0)), true)`))
		// Pearson's inequality, whatever the distribution.
		add(p.Replace(`'no distribution has @skewness ' || @skewness || ' with @kurtosis ' || @kurtosis`),
			p.Replace(`@kurtosis < (1 + @skewness * @skewness) * (1 - 1e-6)`))
	}
	for _, end := range []struct{ name, order string }{{"top", "list_reverse_sort"}, {"bottom", "list_sort"}} {
		p := strings.NewReplacer("@", end.name)
		add(p.Replace(`'expected ' || (SELECT least(10, count(*)) FROM stored_tokens WHERE $counted) || ' @ tokens, found ' || len(@_tokens) || ' texts, ' || len(@_token_ids) || ' ids and ' || len(@_logit_weights) || ' logit weights'`),
			p.Replace(`NOT coalesce(len(@_tokens) = len(@_token_ids) AND len(@_tokens) = len(@_logit_weights)
				AND len(@_tokens) = (SELECT least(10, count(*)) FROM stored_tokens WHERE $counted), true)`))
		add(p.Replace(`'its @_logit_weights are not in order'`), p.Replace(`@_logit_weights <> `+end.order+`(@_logit_weights)`))
		// Texts that are no UTF-8 by themselves show as the token is spelled.
		rules = append(rules, rule{table, strings.NewReplacer("@", end.name, "$table", table, "$counted", counted).Replace(`WITH ends AS (
				SELECT feature, unnest(@_token_ids) AS token_id, unnest(@_tokens) AS stored FROM $table WHERE sae_id = $id)
			SELECT '$subject, feature ' || feature, CASE WHEN k.token_id IS NULL THEN '@ token with id ' || coalesce(CAST(e.token_id AS VARCHAR), 'NULL') || ', which the model does not have'
				ELSE 'expected ' || shown || ' as text of @ token ' || e.token_id || ', found ' || coalesce(stored, 'NULL') END
			FROM ends e LEFT JOIN (SELECT token_id, ` + schema.ShownText + ` AS shown
				FROM stored_tokens WHERE $counted) k USING (token_id)
			WHERE k.token_id IS NULL OR stored IS DISTINCT FROM shown ORDER BY feature`)})
	}
	return rules
}

// contents compares weights, tokens and explanations with the hashes that their loads recorded.
func (r *run) contents() error { return r.contentsOf("true") }

// contentsOf compares those of the loads that a condition chooses.
func (r *run) contentsOf(condition string) error {
	type row struct {
		load        int
		table, name string
		count, hash int64
	}
	loads, err := read(r, "stored_contents", func(c *row) []any { return []any{&c.load, &c.table, &c.count, &c.hash, &c.name} },
		`SELECT load_id, stored_table, row_count, row_hash, kind || ' ' || name
		FROM stored_contents JOIN stored_loads USING (load_id) WHERE `+condition+` ORDER BY load_id, stored_table`)
	add, end := r.begin("hashes of what was loaded", int64(len(r.saes)+2*len(r.models)), "tables")
	defer end()
	for _, c := range loads {
		table, name := c.table, strings.Replace(c.name, "sae ", "SAE ", 1)
		query, known := schema.Contents(table, c.load)
		if !known {
			r.found(Finding{"stored_contents", name, "expected a table of weights, tokens or explanations, found " + table})
			continue
		}
		var counted, hashed int64
		if err := r.DB.QueryRowContext(r.ctx, query).Scan(&counted, &hashed); err != nil {
			if err := r.failed(table, err); err != nil {
				return err
			}
			continue
		}
		switch {
		case counted != c.count:
			r.found(Finding{table, name, fmt.Sprintf("expected %d rows, as its load wrote, found %d", c.count, counted)})
		case hashed != c.hash:
			r.found(Finding{table, name, fmt.Sprintf("its rows are not those that were loaded: expected hash %016x, found %016x", uint64(c.hash), uint64(hashed))})
		}
		add(1)
	}
	return err
}
