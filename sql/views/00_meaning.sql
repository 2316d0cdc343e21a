-- What figures mean, in words: scalar macros that views and the program call. They come
-- before the views, which DuckDB binds as it makes them.

CREATE OR REPLACE MACRO beyond_chance(q_value) AS coalesce(q_value < 0.05, false);
COMMENT ON MACRO beyond_chance IS 'beyond_chance(q_value): whether a q-value is below 0.05; false for NULL, where there is no baseline.';

CREATE OR REPLACE MACRO feature_role(kurtosis, skewness, variance, least_kurtosis := 10, least_variance := 0.005) AS
    CASE WHEN kurtosis > least_kurtosis AND skewness > 0 THEN 'prediction'
         WHEN kurtosis > least_kurtosis AND skewness < 0 THEN 'suppression'
         WHEN variance > least_variance THEN 'partition' END;
COMMENT ON MACRO feature_role IS 'feature_role(kurtosis, skewness, variance, least_kurtosis := 10, least_variance := 0.005): prediction, suppression, partition or NULL, by the moments of the cosines of a direction with the columns of the unembedding (Gurnee et al., Universal Neurons in GPT2 Language Models, 2024).';

CREATE OR REPLACE MACRO both_sides(input_label, output_label) AS nullif(concat_ws('; ', input_label, output_label), '');
COMMENT ON MACRO both_sides IS 'both_sides(input_label, output_label): what excites a feature and what it writes in one label; either alone where the other is NULL.';

-- 2 Φ⁻¹((1 + es)/2) less the location of a set's null, by its scale. DuckDB has no Φ⁻¹; the two
-- quotients are Acklam's approximation, relative error below 1.2e-9, on x = es/2 = p - 1/2, r being
-- its square, and on the upper tail (1 - es)/2, of which t is √(-2 ln). The view has these apart,
-- so that each is computed once.
CREATE OR REPLACE MACRO shift_z(es, x, r, t, location, scale) AS
    (2 * CASE WHEN es < 0.9515
           THEN (((((-39.69683028665376 * r + 220.9460984245205) * r - 275.9285104469687) * r + 138.3577518672690) * r
                 - 30.66479806614716) * r + 2.506628277459239) * x
                / (((((-54.47609879822406 * r + 161.5858368580409) * r - 155.6989798598866) * r + 66.80131188771972) * r
                 - 13.28068155288572) * r + 1)
           ELSE -(((((-0.007784894002430293 * t - 0.3223964580411365) * t - 2.400758277161838) * t - 2.549732539343734) * t
                 + 4.374664141464968) * t + 2.938163982698783)
                / ((((0.007784695709041462 * t + 0.3224671290700398) * t + 2.445134137142996) * t + 3.754408661907416) * t + 1)
     END - location) / scale;
COMMENT ON MACRO shift_z IS 'shift_z(es, x, r, t, location, scale): es_z of enrichment, x being es/2, r its square and t the square root of -2 ln((1 - es)/2).';

-- erfc(|z|/√2) by Chebyshev's fit of Press et al., Numerical Recipes, 2nd ed., §6.2 (erfcc): its
-- relative error is below 1.2e-7 everywhere. DuckDB itself has no such function.
CREATE OR REPLACE MACRO normal_tail(z) AS
    CASE WHEN z IS NOT NULL THEN list_transform([1 / (1 + abs(z) / sqrt(8))], lambda t: least(1, t * exp(-z * z / 2 - 1.26551223 + t * (1.00002368 + t * (0.37409196 + t * (0.09678418
        + t * (-0.18628806 + t * (0.27886807 + t * (-1.13520398 + t * (1.48851587 + t * (-0.82215223 + t * 0.17087277)))))))))))[1] END;
COMMENT ON MACRO normal_tail IS 'normal_tail(z): the share of a normal distribution that is at least as far from its mean as z standard deviations, on both sides.';

-- The one home of what built-in sets are called in a sentence. Any other set goes by its name.
CREATE OR REPLACE MACRO set_phrase(token_set, family) AS coalesce(
    CASE family
        WHEN 'letters' THEN 'words that begin with ' || nullif(token_set[8:], '')
        WHEN 'names' THEN map {'boy_names': 'boys'' names', 'girl_names': 'girls'' names'}[token_set]
        WHEN 'regex' THEN coalesce(map {
            'starts_with_space': 'tokens with a space in front', 'starts_with_capital': 'tokens with a capital first',
            'starts_with_lower': 'tokens with a small letter first', 'all_digits': 'numbers in digits', 'is_punctuation': 'punctuation',
            'contains_close_bracket': 'closing brackets', 'contains_open_bracket': 'opening brackets', 'all_caps': 'capitals'}[token_set],
            'numbers of ' || nullif(regexp_extract(token_set, '^[0-9]+ digits?$'), ''),
            'tokens of ' || nullif(regexp_extract(token_set, '^length_([0-9]+)$', 1), '') || ' characters')
        WHEN 'parts of speech' THEN coalesce(map {
            'CC': 'coordinating conjunctions', 'CD': 'cardinal numbers', 'DT': 'determiners', 'EX': 'existential there', 'FW': 'foreign words',
            'IN': 'prepositions and subordinating conjunctions', 'JJ': 'adjectives', 'JJR': 'comparative adjectives', 'JJS': 'superlative adjectives',
            'LS': 'list markers', 'MD': 'modal verbs', 'NN': 'singular nouns', 'NNS': 'plural nouns', 'NNP': 'proper nouns', 'NNPS': 'plural proper nouns',
            'PDT': 'predeterminers', 'POS': 'possessive endings', 'PRP': 'personal pronouns', 'PRP$': 'possessive pronouns', 'RB': 'adverbs',
            'RBR': 'comparative adverbs', 'RBS': 'superlative adverbs', 'RP': 'particles', 'SYM': 'symbols', 'UH': 'interjections',
            'VB': 'verbs in their base form', 'VBD': 'verbs in the past tense', 'VBG': 'verbs in -ing', 'VBN': 'past participles', 'VBP': 'verbs in the present tense',
            'VBZ': 'verbs in the third person', 'WDT': 'wh-determiners', 'WP': 'wh-pronouns', 'WP$': 'possessive wh-pronouns', 'WRB': 'wh-adverbs'}[token_set[10:]],
            'words tagged ' || nullif(token_set[10:], ''))
    END, replace(token_set, '_', ' '));
COMMENT ON MACRO set_phrase IS 'set_phrase(token_set, family): what the tokens of a set are called in a sentence: that of a built-in set, or else its name with spaces for underscores.';

-- A form is a token without the space around it, in small letters. Variants of a form of
-- letters or digits are the form itself and, from three characters on, with an inflection;
-- those of a sign are signs that contain it. One letter or digit has no variants: what such
-- tokens have in common, sets say better.
CREATE OR REPLACE MACRO feature_label(direction, phrase, tokens, members) AS
    list_transform([list_transform(tokens, lambda t: {'shown': trim(t, e' \t\r\n'), 'form': lower(trim(t, e' \t\r\n')), 'word': regexp_matches(t, '[\pL\pN]')})],
        lambda all_tokens: CASE direction WHEN 'promoted' THEN 'promotes ' WHEN 'suppressed' THEN 'suppresses '
            WHEN 'excites' THEN 'excited by ' WHEN 'holds back' THEN 'held back by ' END || coalesce(
            list_min(list_transform(
                list_filter(all_tokens, lambda c: c.form <> '' AND (length(c.form) > 1 OR NOT c.word) AND NOT regexp_matches(c.form, '[\pC]')
                    AND list_transform([list_transform(all_tokens, lambda o: CASE WHEN c.word
                            THEN o.form = c.form OR length(c.form) > 2 AND starts_with(o.form, c.form) AND o.form[length(c.form) + 1:] IN ('s', 'es', '''s', '’s', 'd', 'ed', 'ing', 'er', 'ers', 'ly')
                            ELSE NOT o.word AND contains(o.form, c.form) END)],
                        lambda variants: variants[1] AND list_count(list_filter(variants, lambda v: v)) >= greatest(3, len(variants) / 2))[1]),
                lambda c: {'length': length(c.form), 'place': list_position(list_transform(all_tokens, lambda o: o.form), c.form), 'text': c.form})).text || ' and its variants',
            phrase || coalesce(' (' || nullif(array_to_string(list_transform(
                list_filter(all_tokens, lambda c, i: members[i] AND c.form <> '' AND NOT regexp_matches(c.form, '[\pC]')
                    AND NOT coalesce(list_contains(list_transform(list_filter(all_tokens, lambda o, j: j < i AND members[j]), lambda o: o.form), c.form), false))[:3],
                lambda c: CASE WHEN regexp_matches(c.shown, '[(),"\s]') THEN '"' || c.shown[:24] || '"' ELSE c.shown[:24] END), ', '), '') || ')', '')))[1];
COMMENT ON MACRO feature_label IS 'feature_label(direction, phrase, tokens, members): promotes or suppresses, or of the directions excites and holds back excited by or held back by, and what: the one token that at least half of the tokens, and three, are variants of, the first too, or else the phrase, with the first three of the tokens that are members of the set. The strongest token comes first.';
