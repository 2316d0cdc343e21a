package loader

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	schema "github.com/saedb/saedb/sql"
)

// A pairTable is a table of results about pairs of matrices whose rows were multiplied with each
// other: a row for each row of the one, with lists of rows of the other.
type pairTable struct {
	name    string   // in results
	stored  string   // where its rows go
	row     string   // its column for the number of a row
	columns []string // that both have besides
	pairs   string   // the table that has a row a pair
	// key is the columns of results that name a pair, and of the table of pairs the SQL of what they
	// are here, of a row r that is joined with found.
	key    []string
	here   map[string]string
	found  string
	remove func(ctx context.Context, tx *sql.Tx, condition string) error
}

// pairTables are those there are.
var pairTables = []pairTable{
	ofSAEs("links", "stored_links", "mean", "std", "top_features", "top_weights", "bottom_features", "bottom_weights"),
	ofSAEs("neighbours", "stored_neighbours", "neighbours", "cosines", "mean_absolute_cosine"),
	{
		name: "mlp_links", stored: "stored_neuron_links", row: "number",
		columns: []string{"mean", "std", "top_numbers", "top_weights", "bottom_numbers", "bottom_weights"},
		pairs:   "stored_neuron_pairs", remove: schema.DropNeuronPairs,
		key:  []string{"kind", "sae", "model", "layer", "matrix"},
		here: map[string]string{"kind": "r.kind", "sae_id": "s.sae_id", "model_id": "m.model_id", "layer": "r.layer", "matrix": "r.matrix"},
		found: "JOIN stored_saes s ON s.sae = r.sae JOIN stored_models m ON m.model = r.model AND m.model_id = s.model_id " +
			"JOIN stored_mlps p ON p.model_id = m.model_id AND p.layer = r.layer",
	},
}

// ofSAEs is a table about pairs of SAEs.
func ofSAEs(name, stored string, columns ...string) pairTable {
	return pairTable{
		name: name, stored: stored, row: "feature", columns: columns, pairs: "stored_sae_pairs", remove: schema.DropPairs,
		key:   []string{"kind", "sae", "other_sae"},
		here:  map[string]string{"kind": "r.kind", "sae_id": "s.sae_id", "other_id": "o.sae_id"},
		found: "JOIN stored_saes s ON s.sae = r.sae JOIN stored_saes o ON o.sae = r.other_sae AND o.model_id = s.model_id",
	}
}

// ofPair are the columns of results that say of a pair what the table of pairs has.
const ofPair = "top, pair_features, pair_mean, pair_std, kernel, saedb_version, computed_at"

// pairs adds links and neighbours of SAEs of which both are here by now, and links to neurons of
// MLPs that are. Those that are there already stay, unless they are to be replaced.
func (i *resultsImport) pairs() (changed bool, err error) {
	if err := i.mlps(); err != nil {
		return false, fault.At("", "mlps", err)
	}
	for _, of := range pairTables {
		needed := slices.Concat([]string{of.row}, of.columns, of.key, strings.Split(ofPair, ", "))
		t, err := openResults(i.ctx, i.tx, i.Dir, of.name, false, false, needed...)
		if err != nil {
			return changed, err
		}
		if t == nil {
			continue
		}
		added, err := i.pairsOf(t, of)
		if err != nil {
			return false, fault.At("", of.name, err)
		}
		changed = changed || added
	}
	return changed, nil
}

func (i *resultsImport) pairsOf(t *resultsTable, of pairTable) (added bool, err error) {
	key := strings.Join(of.key, ", ")
	var torn int
	err = i.tx.QueryRowContext(i.ctx, fmt.Sprintf(`SELECT count(*) FROM (SELECT count(*) <> max(pair_features) OR count(DISTINCT %s) <> count(*) AS torn
		FROM %s GROUP BY %s) WHERE torn`, of.row, t.from, key)).Scan(&torn)
	if err != nil {
		return false, err
	}
	if torn > 0 {
		return false, &fault.Error{Problem: fmt.Sprintf("%d pairs lack some of their rows, or have them twice", torn), Hint: "was the job that wrote it interrupted?"}
	}
	ids := slices.Sorted(maps.Keys(of.here))
	var named, same []string
	for _, id := range ids {
		named, same = append(named, of.here[id]+" AS "+id), append(same, "n."+id+" = "+of.here[id])
	}
	id := strings.Join(ids, ", ")
	pairs := fmt.Sprintf("(SELECT %s, r.* EXCLUDE (%s) FROM (SELECT DISTINCT %[2]s, %s FROM %s) r %s)", strings.Join(named, ", "), key, ofPair, t.from, of.found)
	if i.Replace {
		if err := of.remove(i.ctx, i.tx, fmt.Sprintf("(%[1]s) IN (SELECT (%[1]s) FROM %[2]s)", id, pairs)); err != nil {
			return false, err
		}
	}
	var last int64 // pairs behind it are new
	if err := i.tx.QueryRowContext(i.ctx, `SELECT coalesce(max(pair_id), 0) FROM `+of.pairs).Scan(&last); err != nil {
		return false, err
	}
	result, err := i.tx.ExecContext(i.ctx, fmt.Sprintf(`INSERT INTO %[1]s (pair_id, %[2]s, top, features, mean, std, kernel, saedb_version, computed_at)
		SELECT %[3]d + row_number() OVER (ORDER BY %[2]s), %[2]s, %[4]s FROM (FROM %[5]s r ANTI JOIN %[1]s p USING (%[2]s))`, of.pairs, id, last, ofPair, pairs))
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	if err != nil || n == 0 {
		return false, err
	}
	_, err = i.tx.ExecContext(i.ctx, fmt.Sprintf(`INSERT INTO %s SELECT n.pair_id, r.%s, r.%s FROM %s r %s JOIN %s n ON %s WHERE n.pair_id > %d ORDER BY n.pair_id, r.%[2]s`,
		of.stored, of.row, strings.Join(of.columns, ", r."), t.from, of.found, of.pairs, strings.Join(same, " AND "), last))
	return true, err
}

// mlps adds the MLPs of models that are here without their weights, which links to their neurons
// need. Another that is here under the same model and layer is an error.
func (i *resultsImport) mlps() error {
	const described = "d_mlp, gated, dtype, tensors, norm_tensor, norm_folded, centered, sha256"
	t, err := openResults(i.ctx, i.tx, i.Dir, "mlps", false, false, append([]string{"model", "layer"}, strings.Split(described, ", ")...)...)
	if err != nil || t == nil {
		return err
	}
	there := "(SELECT s.model_id, r.* FROM " + t.from + " r JOIN stored_models s ON s.model = r.model)"
	other, err := schema.Collect[string](i.ctx, i.tx, `SELECT r.model || ', layer ' || r.layer FROM `+there+` r JOIN stored_mlps p USING (model_id, layer)
		WHERE (p.sha256, p.d_mlp, p.gated, p.norm_folded, p.centered) IS DISTINCT FROM (r.sha256, r.d_mlp, r.gated, r.norm_folded, r.centered) ORDER BY 1`)
	if err != nil {
		return err
	}
	if len(other) > 0 {
		return &fault.Error{Subject: other[0], Problem: "its MLP is another than the one in this database", Hint: "import into a new database"}
	}
	added, err := schema.Collect[int](i.ctx, i.tx, `INSERT INTO stored_mlps (model_id, layer, `+described+`) SELECT model_id, layer, `+described+` FROM `+there+` r
		ANTI JOIN stored_mlps p USING (model_id, layer)
		WHERE model_id IN (SELECT load_id FROM stored_loads WHERE contains(conventions, ?)) ORDER BY model_id, layer RETURNING model_id`, schema.WithoutWeights)
	if err != nil || len(added) == 0 {
		return err
	}
	err = execute(i.ctx, i.tx, `INSERT INTO stored_mlp_weights (model_id, layer, matrix, neuron, w_in) SELECT model_id, layer, matrix, neuron, NULL
		FROM (SELECT *, unnest(range(d_mlp)) AS neuron FROM (SELECT *, unnest(CASE WHEN gated THEN ['in', 'gate'] ELSE ['in'] END) AS matrix FROM stored_mlps))
		ANTI JOIN stored_mlp_weights USING (model_id, layer, matrix, neuron) ORDER BY ALL`)
	if err != nil {
		return err
	}
	for _, id := range slices.Compact(slices.Sorted(slices.Values(added))) {
		if err := schema.RecordContents(i.ctx, i.tx, id, "stored_mlp_weights"); err != nil {
			return err
		}
	}
	return nil
}
