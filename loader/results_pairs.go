package loader

import (
	"fmt"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	schema "github.com/saedb/saedb/sql"
)

// pairColumns are the columns that links and neighbours have beside those of their own tables.
var pairColumns = []string{"kind", "sae", "other_sae", "feature", "top", "pair_features", "pair_mean", "pair_std", "kernel", "saedb_version", "computed_at"}

// pairTables are the tables of features with features, by their names in results, with the
// columns that they have of their own.
var pairTables = []struct {
	name, stored string
	columns      []string
}{
	{"links", "stored_links", []string{"mean", "std", "top_features", "top_weights", "bottom_features", "bottom_weights"}},
	{"neighbours", "stored_neighbours", []string{"neighbours", "cosines", "mean_absolute_cosine"}},
}

// pairs adds links and neighbours of SAEs of which both are here by now. Those that are there
// already stay, unless they are to be replaced.
func (i *resultsImport) pairs() (changed bool, err error) {
	for _, of := range pairTables {
		t, err := openResults(i.ctx, i.tx, i.Dir, of.name, false, false, slices.Concat(of.columns, pairColumns)...)
		if err != nil || t == nil {
			return changed, err
		}
		added, err := i.pairsOf(t, of.stored, of.columns)
		if err != nil {
			return false, fault.At("", of.name, err)
		}
		changed = changed || added
	}
	return changed, nil
}

func (i *resultsImport) pairsOf(t *resultsTable, stored string, columns []string) (added bool, err error) {
	var torn int
	err = i.tx.QueryRowContext(i.ctx, fmt.Sprintf(`SELECT count(*) FROM (SELECT count(*) <> max(pair_features) OR count(DISTINCT feature) <> count(*) AS torn
		FROM %s GROUP BY kind, sae, other_sae) WHERE torn`, t.from)).Scan(&torn)
	if err != nil {
		return false, err
	}
	if torn > 0 {
		return false, &fault.Error{Problem: fmt.Sprintf("%d pairs of SAEs lack some of their features, or have them twice", torn), Hint: "was the job that wrote it interrupted?"}
	}
	pairs := fmt.Sprintf(`(SELECT r.*, s.sae_id, o.sae_id AS other_id
		FROM (SELECT DISTINCT kind, sae, other_sae, top, pair_features, pair_mean, pair_std, kernel, saedb_version, computed_at FROM %s) r
		JOIN stored_saes s ON s.sae = r.sae JOIN stored_saes o ON o.sae = r.other_sae WHERE s.model_id = o.model_id)`, t.from)
	if i.Replace {
		if err := schema.DropPairs(i.ctx, i.tx, "(kind, sae_id, other_id) IN (SELECT (kind, sae_id, other_id) FROM "+pairs+")"); err != nil {
			return false, err
		}
	}
	var last int64 // pairs behind it are new
	if err := i.tx.QueryRowContext(i.ctx, `SELECT coalesce(max(pair_id), 0) FROM stored_sae_pairs`).Scan(&last); err != nil {
		return false, err
	}
	result, err := i.tx.ExecContext(i.ctx, fmt.Sprintf(`INSERT INTO stored_sae_pairs (pair_id, kind, sae_id, other_id, top, kernel, saedb_version, computed_at, features, mean, std)
		SELECT %d + row_number() OVER (ORDER BY kind, sae_id, other_id), kind, sae_id, other_id, top, kernel, saedb_version, computed_at, pair_features, pair_mean, pair_std
		FROM (FROM %s r ANTI JOIN stored_sae_pairs p USING (kind, sae_id, other_id))`, last, pairs))
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	if err != nil || n == 0 {
		return false, err
	}
	_, err = i.tx.ExecContext(i.ctx, fmt.Sprintf(`INSERT INTO %[1]s SELECT p.pair_id, r.feature, %[2]s
		FROM stored_sae_pairs p JOIN stored_saes s USING (sae_id) JOIN stored_saes o ON o.sae_id = p.other_id
		JOIN %[3]s r ON r.kind = p.kind AND r.sae = s.sae AND r.other_sae = o.sae WHERE p.pair_id > %[4]d ORDER BY p.pair_id, r.feature`,
		stored, "r."+strings.Join(columns, ", r."), t.from, last))
	return true, err
}
