// Package schema is saedb's tables and views: the .sql files beside it, in the
// order in which they are run.
//
// Views read tables only and call no saedb function, so that a stock DuckDB
// client can open the file. They are made on a database opened directly, with
// names that do not mention it, so that it can be attached under another name.
package schema

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
)

// Version is the version of the schema that this program writes and reads.
const Version = 3

// WithoutWeights ends the conventions of a load whose weights are not in the database,
// which has its results alone: rows of stored_decoders and stored_unembeddings are there,
// with NULL for w_dec and w_u.
const WithoutWeights = "; without weights"

//go:embed schema/*.sql views/*.sql macros/*.sql migrations/*.sql
var files embed.FS

// Function describes a SQL function for the view functions and the reference.
type Function struct {
	Name        string
	Signature   string // with its result: name(arguments) → type
	Description string
	Example     string // a query that runs on the example database
}

// Macros describes the macros of macros/*.sql, which are there in any client.
var Macros = []Function{
	{
		Name: "feature_logits", Signature: "feature_logits(sae, feature, tokens := NULL) → TABLE(rank, text, logit_weight, token_id, token)",
		Description: "The logit weight and the rank of every token for one feature: of 'all' tokens or of 'real' ones, by default those that the SAE's stored figures count. " + saeWords,
		Example:     "FROM feature_logits('smollm2-demo/blocks.29.hook_resid_pre', 63) LIMIT 5",
	},
	{
		Name: "features_for_token", Signature: "features_for_token(token, k := 10, within := NULL) → TABLE(layer, feature, logit_weight, text, token_id, sae, release, model)",
		Description: "The features of all SAEs, or of those of the release within, that promote a token most, given by its text or its spelling.",
		Example:     "FROM features_for_token(' three', k := 5)",
	},
	{
		Name: "similar_features", Signature: "similar_features(sae, feature, k := 10, within := NULL) → TABLE(layer, feature, cosine, sae, release, model)",
		Description: "The features, of any layer, or of the release within, whose decoder directions have the highest cosine with that of one feature. " + saeWords,
		Example:     "FROM similar_features('smollm2-demo/blocks.29.hook_resid_pre', 63, k := 5)",
	},
	{
		Name: "token_differences", Signature: "token_differences(sae, feature, other_sae, other, k := 20) → TABLE(direction, rank, text, difference, logit_weight, other_logit_weight, token_id, token)",
		Description: "The k tokens whose logit weight is higher by the most, and the k whose is lower, in a feature than in another of the same model. Both decoder directions count at the scale at which they are stored. " + saeWords,
		Example:     "FROM token_differences('smollm2-demo/layer_14', 1535, 'smollm2-demo/layer_19', 1279, k := 3)",
	},
	{
		Name: "nearest_between", Signature: "nearest_between(sae, other_sae) → TABLE(sae, feature, other_sae, nearest, cosine, mutual)",
		Description: "For every feature of two SAEs the feature of the other one whose decoder direction has the highest cosine with its own, and whether each is the other's. It reads what is stored for feature_neighbours of the two. " + saeWords,
		Example:     "SELECT sae, count(*) FILTER (mutual) AS mutual, avg(cosine) AS mean_cosine FROM nearest_between('smollm2-demo/layer_14', 'smollm2-demo/layer_19') GROUP BY sae ORDER BY sae",
	},
	{
		Name: "saes_matching", Signature: "saes_matching(words) → TABLE(sae)",
		Description: "The names, unique in the database, of the SAEs that words mean: a name, release/name, a short name that one SAE has, layer_N or release/layer_N, " +
			"or a glob pattern of names. None, or a short name that several have, is an error that lists what there is. " +
			"It is what every argument that takes SAEs understands, --sae and Python's too.",
		Example: "FROM saes_matching('smollm2-demo/layer_29')",
	},
	{
		Name: "sae_named", Signature: "sae_named(words) → VARCHAR",
		Description: "The name of the only SAE that saes_matching finds; several are an error that lists them.",
		Example:     "SELECT layer, max(skewness) AS max_skewness FROM features WHERE sae = sae_named('smollm2-demo/layer_29') GROUP BY layer",
	},
	{
		Name: "relative_decoder_norms", Signature: "relative_decoder_norms(crosscoder) → TABLE(layer, feature, norm, relative_norm, sae, release, model)",
		Description: "For every latent of a crosscoder, given by its name before #, the length of its row in each decoder as it is stored, " +
			"and its part of the sum of them: near 0 where a model or layer does not have the latent, near 1 where it alone has it.",
		Example: "FROM relative_decoder_norms('smollm2-demo/blocks.29.hook_resid_pre') LIMIT 5",
	},
	{
		Name: "beyond_chance", Signature: "beyond_chance(q_value) → BOOLEAN",
		Description: "Whether a q-value is below 0.05; false for NULL, where there is no baseline.",
		Example:     "SELECT layer, count(*) FILTER (beyond_chance(q_value)) AS beyond_chance FROM enrichment GROUP BY layer ORDER BY layer",
	},
	{
		Name: "feature_role", Signature: "feature_role(kurtosis, skewness, variance, least_kurtosis := 10, least_variance := 0.005) → VARCHAR",
		Description: "prediction, suppression, partition or NULL, by the moments of the cosines of a direction with the columns of the unembedding: " +
			"kurtosis above least_kurtosis with skewness above or below 0, or else variance above least_variance (Gurnee et al., Universal Neurons in GPT2 Language Models, 2024). " +
			"The column role of features has it with these thresholds.",
		Example: "SELECT layer, feature_role(cos_kurtosis, cos_skewness, pow(cos_std / decoder_norm, 2), least_kurtosis := 8) AS role, count(*) AS features FROM features GROUP BY ALL HAVING role IS NOT NULL ORDER BY ALL",
	},
	{
		Name: "normal_tail", Signature: "normal_tail(z) → DOUBLE",
		Description: "The share of a normal distribution that is at least as far from its mean as z standard deviations, on both sides, with a relative error below 1.2e-7; 0 beyond 38. " +
			"The column nominal_p of feature_links is that of z.",
		Example: "SELECT normal_tail(1.96) AS p",
	},
	{
		Name: "set_phrase", Signature: "set_phrase(token_set, family) → VARCHAR",
		Description: "What the tokens of a set are called in a sentence: plural nouns for nltk_pos_NNS of the built-in sets, or else its name with spaces for underscores.",
		Example:     "SELECT token_set, set_phrase(token_set, family) AS phrase FROM token_sets ORDER BY members DESC LIMIT 5",
	},
	{
		Name: "feature_label", Signature: "feature_label(direction, phrase, tokens, members) → VARCHAR",
		Description: "The sentence of the column label of features: promotes or suppresses, excited by or held back by (of the directions promoted, suppressed, excites and holds back), and what. That is the one token that at least half of the tokens, and three, are variants of, the first too; " +
			"or else the phrase of a set, with the first three of the tokens that are its members. The strongest token comes first.",
		Example: "SELECT feature_label('promoted', set_phrase('number_words', 'words'), [' five', ' years', 'Five', ' eight'], [true, false, true, true]) AS label",
	},
	{
		Name: "both_sides", Signature: "both_sides(input_label, output_label) → VARCHAR",
		Description: "The column label of features: what excites a feature and what it writes, in one sentence; either alone where the other is NULL.",
		Example:     "SELECT both_sides('excited by months', 'promotes numbers') AS label",
	},
	{
		Name: "shift_z", Signature: "shift_z(es, x, r, t, location, scale) → DOUBLE",
		Description: "The column es_z of enrichment: the shift 2 Φ⁻¹((1 + es)/2) less location, by scale, x being es/2, r its square and t the square root of -2 ln((1 - es)/2), which the view computes once.",
		Example:     "SELECT round(shift_z(es, es / 2, pow(es / 2, 2), sqrt(-2 * ln((1 - es) / 2)), 0, 1), 3) AS es_z FROM (SELECT unnest([0.1, 0.5, 0.99]) AS es)",
	},
	{
		Name: "unlike_sets", Signature: "unlike_sets(model, token_sets) → TABLE(token_set)",
		Description: "Of a list of names of token sets, those of the sets that do not share more than half of their tokens (Jaccard) with one before them.",
		Example:     "FROM unlike_sets('smollm2-135m', ['1 digit', 'all_digits', 'months'])",
	},
	{
		Name: "strongest_sets", Signature: "strongest_sets(sae, k := 6) → TABLE(token_set, size, direction, feature, effect, q_value)",
		Description: "The token sets in which a feature of the SAE has the largest effect beyond chance, with that feature: " +
			"the strongest that is promoted, the strongest that is suppressed, the second of each, and so on; by effect alone where none is beyond chance. " +
			"A set that shares more than half of its tokens with a stronger one is left out. Figures show these sets when none are named. " + saeWords,
		Example: "FROM strongest_sets('smollm2-demo/blocks.29.hook_resid_pre', k := 4)",
	},
	{
		Name: "strongest_features", Signature: "strongest_features(token_set, k := 10, within := NULL, of_sae := NULL) → TABLE(layer, feature, effect, direction, q_value, es, beyond_chance, token_set, sae, release, model)",
		Description: "The features of all SAEs, of those of the release within, or of the one whose name is of_sae, that promote a token set most, and those that suppress it most: " +
			"first those beyond chance, then the larger effect.",
		Example: "FROM strongest_features('all_digits', k := 3)",
	},
	{
		Name: "strongest_of_feature", Signature: "strongest_of_feature(sae, feature, k := 10, side := 'output') → TABLE(token_set, size, effect, direction, q_value, es, p_value, auc, beyond_chance)",
		Description: "The token sets that a feature promotes most, and those that it suppresses most, or with side := 'input' those that excite it most and that hold it back most: first those beyond chance, then the larger effect. " +
			"Of the 3 k strongest each way, a set that shares more than half of its tokens with a stronger one is left out. " + saeWords,
		Example: "FROM strongest_of_feature('smollm2-demo/blocks.29.hook_resid_pre', 63, k := 3)",
	},
	{
		Name: "saes_through", Signature: "saes_through(lens) → TABLE(sae, lens_layer, tokens, counted_tokens, features, lens, load_id, lens_sae_id)",
		Description: "The SAEs that were computed through a loaded lens (compute --lens), with the block behind which each begins there, the tokens that count, and how many features have figures.",
		Example:     "FROM saes_through('jlens')",
	},
	{
		Name: "features_through", Signature: "features_through(lens) → TABLE(…, top_overlap, bottom_overlap, rank_correlation, lens, lens_layer)",
		Description: "The columns of features, of what each feature comes to write through a loaded lens: W_U · J · w_dec in place of W_U · w_dec, held against random directions that go the same way; decoder_norm is the length of J · w_dec. " +
			"top_overlap and bottom_overlap are how many of its ten tokens at either end are among those of features; rank_correlation is Spearman's of all its logit weights with those through the lens, " +
			"NULL unless compute --lens --rank-correlation has computed it, which ranks the vocabulary twice a feature.",
		Example: "SELECT feature, label, top_tokens[:3] AS top_tokens, top_overlap FROM features_through('jlens') ORDER BY kurtosis DESC LIMIT 5",
	},
	{
		Name: "feature_tokens_through", Signature: "feature_tokens_through(lens) → TABLE(…, lens, lens_layer)",
		Description: "The columns of feature_tokens, of what features come to write through a loaded lens.",
		Example:     "SELECT direction, rank, text, logit_weight FROM feature_tokens_through('jlens') WHERE feature = 0 AND rank <= 3 ORDER BY direction, rank",
	},
	{
		Name: "enrichment_through", Signature: "enrichment_through(lens) → TABLE(…, lens, lens_layer)",
		Description: "The columns of enrichment, of what features come to write through a loaded lens.",
		Example:     "SELECT feature, token_set, effect FROM enrichment_through('jlens') ORDER BY abs(effect) DESC LIMIT 5",
	},
}

// saeWords says what the first argument of macros takes.
const saeWords = "sae is one SAE in the words of saes_matching; a feature that it does not have is an error."

// Present tells whether the database has saedb's tables, of this version. A
// file of another version is an error that says what to do.
func Present(ctx context.Context, tx *sql.Tx) (bool, error) {
	version, writer, err := stored(ctx, tx)
	if err != nil || version == 0 {
		return false, err
	}
	return true, checkVersion(version, writer)
}

// stored is the version of the database's tables, 0 where there are none, and that
// of the saedb that wrote them.
func stored(ctx context.Context, tx *sql.Tx) (version int, writer string, err error) {
	var tables int
	err = tx.QueryRowContext(ctx, `SELECT count(*) FROM duckdb_tables()
		WHERE database_name = current_database() AND schema_name = 'main' AND table_name = 'stored_schema'`).Scan(&tables)
	if err != nil || tables == 0 {
		return 0, "", err
	}
	err = tx.QueryRowContext(ctx, `SELECT version, written_by FROM main.stored_schema`).Scan(&version, &writer)
	return version, writer, err
}

// checkVersion is nil where version is this program's.
func checkVersion(version int, writer string) error {
	e := &fault.Error{
		Expected: fmt.Sprintf("schema version %d", Version), Found: fmt.Sprintf("%d, written by saedb %s", version, writer),
	}
	switch {
	case version == Version:
		return nil
	case version > Version:
		e.Hint = "use the saedb that wrote it, or a newer one"
	default:
		e.Hint = "saedb --db FILE upgrade brings it up to date, as does whatever writes to it"
	}
	return e
}

// CreateTables makes the tables where there are none. writer is the program's
// version.
func CreateTables(ctx context.Context, tx *sql.Tx, writer string) error {
	present, err := Present(ctx, tx)
	if err != nil || present {
		return err
	}
	if err := runAll(ctx, tx, tableFiles); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO stored_schema VALUES (?, ?)`, Version, writer)
	return err
}

// CreateViews makes the views and macros of this program, those of layers and releases for what is
// loaded now. What is there as it was made is left: in a database of many releases it is all but
// what the load that calls this has brought.
func CreateViews(ctx context.Context, tx *sql.Tx, functions []Function) error {
	program := definitionsOf(functions)
	kept, err := definitionsKept(ctx, tx, program)
	if err != nil {
		return err
	}
	if !kept {
		if err := createDefinitions(ctx, tx, functions); err != nil {
			return err
		}
	}
	if err := syncLayers(ctx, tx, kept); err != nil {
		return err
	}
	if err := inheritComments(ctx, tx); err != nil {
		return err
	}
	return noteDefinitions(ctx, tx, program)
}

// createDefinitions makes the views and macros of main anew, but for those of layers.
func createDefinitions(ctx context.Context, tx *sql.Tx, functions []Function) error {
	for _, pattern := range definitionFiles {
		if err := runAll(ctx, tx, pattern); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, throughMacros()); err != nil {
		return &fault.Error{Op: "make the tables and views", Subject: "macros of lenses", Err: err}
	}
	_, err := tx.ExecContext(ctx, functionsView(functions))
	return err
}

// definitionFiles are those that make the views and macros, in their order.
var definitionFiles = []string{"views/*.sql", "macros/*.sql"}

// tableFiles are those that make the tables, with their comments, in their order.
const tableFiles = "schema/*.sql"

// tables is the text of tableFiles.
func tables() string { return textOf(tableFiles) }

// runAll runs the files of a pattern, in their order.
func runAll(ctx context.Context, tx *sql.Tx, pattern string) error {
	names, err := fs.Glob(files, pattern)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := run(ctx, tx, name); err != nil {
			return err
		}
	}
	return nil
}

func run(ctx context.Context, tx *sql.Tx, name string) error {
	if _, err := tx.ExecContext(ctx, fileText(name)); err != nil {
		return &fault.Error{Op: "make the tables and views", Subject: "sql/" + name, Err: err}
	}
	return nil
}

// functionsView makes the view functions: DuckDB refuses comments on functions that are
// registered from outside.
func functionsView(functions []Function) string {
	functions = append(slices.Clone(functions), Macros...)
	rows := make([]string, len(functions))
	for i, f := range functions {
		rows[i] = fmt.Sprintf("(%s, %s, %s, %s)",
			Literal(f.Name), Literal(f.Signature), Literal(f.Description), Literal(f.Example))
	}
	return `CREATE OR REPLACE VIEW functions AS SELECT name, signature, description, example
		FROM (VALUES ` + strings.Join(rows, ", ") + `) AS f(name, signature, description, example);
		COMMENT ON VIEW functions IS 'The SQL functions of saedb. They exist where saedb is: in the program, or with its extension loaded.';
		COMMENT ON COLUMN functions.name IS 'Name of the function.';
		COMMENT ON COLUMN functions.signature IS 'Arguments and result.';
		COMMENT ON COLUMN functions.description IS 'What it does.';
		COMMENT ON COLUMN functions.example IS 'A query that uses it.';`
}

// Literal is s as a SQL string.
func Literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// Identifier is s as a quoted SQL name.
func Identifier(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

// List is whole numbers as a SQL list.
func List[T ~int | ~int32 | ~int64](numbers []T) string {
	return strings.ReplaceAll(fmt.Sprint(numbers), " ", ", ")
}
