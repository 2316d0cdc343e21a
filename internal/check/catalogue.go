package check

import (
	"context"
	"database/sql"

	schema "github.com/saedb/saedb/sql"
)

// Catalogue returns the first thing that is wrong with which loads, models, SAEs and token
// sets there are, with the number of their rows, or with the rows of the load that came last;
// nil where these are as they should be, and where the database has not the tables of this
// version. That is much less than Run looks at, and quick in a large database.
func Catalogue(ctx context.Context, db *sql.DB) (*Finding, error) {
	var first *Finding
	r := &run{Checker: &Checker{DB: db, Note: func(string) {}, Report: func(f Finding) {
		if first == nil {
			first = &f
		}
	}}, ctx: ctx, unreadable: map[string]bool{}}
	present, err := r.tables()
	if err != nil || !present {
		return nil, err
	}
	var version int
	if err := db.QueryRowContext(ctx, "SELECT max(version) FROM stored_schema").Scan(&version); err != nil || version != schema.Version {
		return nil, nil
	}
	for _, step := range []func() error{
		r.catalogue, r.readCatalogue, func() error { return r.applyAll(countRules) }, func() error { return r.contentsOf(newest) },
	} {
		if err := step(); err != nil || first != nil {
			return first, err
		}
	}
	return nil, nil
}

// countRules hold the numbers of rows against what they should be.
var countRules = []rule{
	{"stored_decoders", `SELECT 'SAE ' || sae, 'expected ' || d_sae || ' rows, found ' || coalesce(n, 0) FROM stored_saes
		LEFT JOIN (SELECT sae_id, count(*) AS n FROM stored_decoders GROUP BY sae_id) USING (sae_id) WHERE d_sae <> coalesce(n, 0)`},
	{"stored_unembeddings", `SELECT 'model ' || model, 'expected ' || d_vocab || ' rows, found ' || coalesce(n, 0) FROM stored_models
		LEFT JOIN (SELECT model_id, count(*) AS n FROM stored_unembeddings GROUP BY model_id) USING (model_id) WHERE d_vocab <> coalesce(n, 0)`},
}

// newest is a condition for the load that came last.
const newest = "load_id = (SELECT max(load_id) FROM stored_contents)"
