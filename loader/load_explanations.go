package loader

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/saedb/saedb/internal/fault"
	schema "github.com/saedb/saedb/sql"
)

const loadExplanations = "load explanations"

// ExplanationsRequest asks for files of Neuronpedia's bulk export: explanations,
// features, or both.
type ExplanationsRequest struct {
	Files   []string
	Replace bool            // files loaded before that have any of the same
	Done    func(files int) // is told of files that are read; may be nil
}

// ExplanationsOutcome is what a load of explanations did.
type ExplanationsOutcome struct {
	Sources   []ExplainedSource
	Files     int // loaded now
	Unchanged int // loaded before, with the same SHA-256
	Replaced  int // loads that these took the place of
	Bytes     int64
	Took      time.Duration
}

// ExplainedSource is what came with a load for one of Neuronpedia's sources.
type ExplainedSource struct {
	NeuronpediaID          string
	Explanations, Features int
	SAEs                   int // loaded ones that have this id
}

// Explanations loads files of Neuronpedia's export, all of them or none. Each file is
// a load of its own: one whose content is loaded already changes nothing.
func (ld *Loader) Explanations(ctx context.Context, r ExplanationsRequest) (ExplanationsOutcome, error) {
	begun := time.Now()
	var outcome ExplanationsOutcome
	err := ld.transact(ctx, func(tx *sql.Tx) (changed bool, err error) {
		first := 0 // the first load of this run
		for _, path := range r.Files {
			l, err := ld.explanationsFile(ctx, tx, path)
			if err != nil {
				return false, fault.At(loadExplanations, path, err)
			}
			if l == nil {
				outcome.Unchanged++
			} else {
				outcome.Files++
				outcome.Bytes += l.files[0].bytes
				if first == 0 {
					first = l.id
				}
			}
			if r.Done != nil {
				r.Done(1)
			}
		}
		if first == 0 {
			return false, nil
		}
		if err := givenTwice(ctx, tx, first); err != nil {
			return false, err
		}
		if outcome.Replaced, err = replaceExplanations(ctx, tx, first, r.Replace); err != nil {
			return false, err
		}
		outcome.Sources, err = explainedSources(ctx, tx, first)
		return true, err
	})
	outcome.Took = time.Since(begun)
	return outcome, fault.At(loadExplanations, "", err)
}

// explanationsFile loads one file. It returns nil when its content is loaded already.
func (ld *Loader) explanationsFile(ctx context.Context, tx *sql.Tx, path string) (*load, error) {
	l := &load{kind: "explanations", name: filepath.Base(path), source: absolute(path), format: "neuronpedia", begun: time.Now()}
	export, err := openExport(ctx, l.source)
	if err != nil {
		return nil, err
	}
	l.files = []file{export.file}
	var id int
	err = tx.QueryRowContext(ctx, `SELECT load_id FROM stored_loads WHERE kind = ? AND sha256 = ? AND replaced_by IS NULL`,
		l.kind, digest(l.files)).Scan(&id)
	if !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	if err := ld.stageExport(ctx, tx, export); err != nil {
		return nil, err
	}
	// Many sources are many in the file, and few in a row that people read.
	err = tx.QueryRowContext(ctx, `SELECT array_to_string(list_sort(list(id))[:3], ', ') || CASE WHEN count(*) > 3 THEN ', …' ELSE '' END
		FROM (SELECT DISTINCT neuronpedia_id AS id FROM staged_export) HAVING count(*) > 0`).Scan(&l.conventions)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, &fault.Error{Problem: "the file has no rows"}
	}
	if err != nil {
		return nil, err
	}
	if err := ld.record(ctx, tx, l); err != nil {
		return nil, err
	}
	err = execute(ctx, tx,
		fmt.Sprintf(`INSERT INTO stored_explanations SELECT %d, neuronpedia_id, feature, description, type, explainer FROM staged_export WHERE description IS NOT NULL`, l.id),
		fmt.Sprintf(`INSERT INTO stored_neuronpedia_features SELECT %d, neuronpedia_id, feature, max_activation, density FROM staged_export
		 WHERE description IS NULL AND (max_activation IS NOT NULL OR density IS NOT NULL)`, l.id),
		`DROP TABLE staged_export`)
	if err != nil {
		return nil, err
	}
	if err := schema.RecordContents(ctx, tx, l.id, "stored_explanations", "stored_neuronpedia_features"); err != nil {
		return nil, err
	}
	return l, finish(ctx, tx, l, 0)
}

// givenTwice returns an error when two files of a run have the same explanation, or
// any of them a feature twice. A feature may well have explanations in two files, since
// files have a fixed number of rows.
func givenTwice(ctx context.Context, tx *sql.Tx, first int) error {
	var id, one, other string
	var feature int
	err := tx.QueryRowContext(ctx, `WITH twice AS (
			SELECT neuronpedia_id, feature, min(load_id) AS one, max(load_id) AS other FROM stored_explanations WHERE load_id >= ?
			GROUP BY neuronpedia_id, feature, type, explainer, description HAVING one < other
			UNION ALL
			SELECT neuronpedia_id, feature, min(load_id), max(load_id) FROM stored_neuronpedia_features WHERE load_id >= ?
			GROUP BY neuronpedia_id, feature HAVING count(*) > 1
		)
		SELECT t.neuronpedia_id, t.feature, a.source, b.source FROM twice t
		JOIN stored_loads a ON a.load_id = t.one JOIN stored_loads b ON b.load_id = t.other ORDER BY ALL LIMIT 1`, first, first).
		Scan(&id, &feature, &one, &other)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return err
	case one == other:
		return &fault.Error{Subject: one, Problem: fmt.Sprintf("it has feature %d of %s twice", feature, id)}
	}
	return &fault.Error{
		Subject: other, Problem: fmt.Sprintf("it has the same of feature %d of %s as %s", feature, id, one), Hint: "leave one of the files out",
	}
}

// replaceExplanations drops earlier loads that have any of what the loads from first
// on have: of the same feature, by the same method and explainer. Such a load goes as a
// whole, so that what stays is always whole files.
func replaceExplanations(ctx context.Context, tx *sql.Tx, first int, replace bool) (replaced int, err error) {
	type same struct {
		id     int
		source string
	}
	loads, err := schema.Rows(ctx, tx, func(s *same) []any { return []any{&s.id, &s.source} }, `WITH same AS (
			SELECT o.load_id FROM stored_explanations o SEMI JOIN (SELECT * FROM stored_explanations WHERE load_id >= ?) n
			ON o.neuronpedia_id = n.neuronpedia_id AND o.feature = n.feature
				AND o.type IS NOT DISTINCT FROM n.type AND o.explainer IS NOT DISTINCT FROM n.explainer
			WHERE o.load_id < ?
			UNION ALL
			SELECT o.load_id FROM stored_neuronpedia_features o SEMI JOIN (SELECT * FROM stored_neuronpedia_features WHERE load_id >= ?) n
			ON o.neuronpedia_id = n.neuronpedia_id AND o.feature = n.feature
			WHERE o.load_id < ?
		)
		SELECT load_id, source FROM stored_loads WHERE load_id IN (SELECT load_id FROM same) ORDER BY load_id`, first, first, first, first)
	if err != nil || len(loads) == 0 {
		return 0, err
	}
	if !replace {
		return 0, &fault.Error{
			Problem: "features of the same are already loaded, by the same explainer, from " + loads[len(loads)-1].source,
			Hint:    "--replace drops what was loaded from that file, all of it",
		}
	}
	var ids []int
	for _, l := range loads {
		ids = append(ids, l.id)
	}
	in := fmt.Sprintf("list_contains(CAST('%s' AS INTEGER[]), load_id)", schema.List(ids))
	if err := deleteWhere(ctx, tx, in, "stored_explanations", "stored_neuronpedia_features", "stored_contents"); err != nil {
		return 0, err
	}
	return len(ids), execute(ctx, tx, fmt.Sprintf(`UPDATE stored_loads SET replaced_by = %d WHERE %s`, first, in))
}

// explainedSources says what the loads from first on brought.
func explainedSources(ctx context.Context, tx *sql.Tx, first int) ([]ExplainedSource, error) {
	return schema.Rows(ctx, tx, func(s *ExplainedSource) []any { return []any{&s.NeuronpediaID, &s.Explanations, &s.Features, &s.SAEs} }, `WITH brought AS (
			SELECT neuronpedia_id, 1 AS explanation FROM stored_explanations WHERE load_id >= ?
			UNION ALL SELECT neuronpedia_id, 0 FROM stored_neuronpedia_features WHERE load_id >= ?
		)
		SELECT neuronpedia_id, sum(explanation), count(*) - sum(explanation),
			(SELECT count(*) FROM stored_saes s WHERE s.neuronpedia_id = b.neuronpedia_id)
		FROM brought b GROUP BY neuronpedia_id ORDER BY neuronpedia_id`, first, first)
}

// stageExport reads a file into the table staged_export, which has only rows that make
// sense.
func (ld *Loader) stageExport(ctx context.Context, tx *sql.Tx, e *export) error {
	// DuckDB takes *, ? and [ in a path for a pattern, and a character in brackets for itself.
	path := strings.NewReplacer("*", "[*]", "?", "[?]", "[", "[[]").Replace(e.path)
	// Read as text: what a number has to be is said below, with its line. JSON's NUL
	// character becomes a blank, as in Neuronpedia's own import.
	_, err := tx.ExecContext(ctx, fmt.Sprintf(`CREATE TEMP TABLE staged_export AS
		SELECT n, modelId AS model, layer AS source, model || '/' || source AS neuronpedia_id,
			"index" AS feature_text, CASE WHEN regexp_full_match("index", '[0-9]+') THEN TRY_CAST("index" AS INTEGER) END AS feature,
			replace(description, chr(0), ' ') AS description, typeName AS type, explanationModelName AS explainer,
			maxActApprox AS max_activation_text, TRY_CAST(maxActApprox AS DOUBLE) AS max_activation,
			frac_nonzero AS density_text, TRY_CAST(frac_nonzero AS DOUBLE) AS density, hasVector IS NOT NULL AS is_feature
		FROM (SELECT row_number() OVER () AS n, * FROM read_json(%s, format = '%s', compression = '%s', columns = {
			modelId: 'VARCHAR', layer: 'VARCHAR', "index": 'VARCHAR', description: 'VARCHAR', typeName: 'VARCHAR', explanationModelName: 'VARCHAR',
			maxActApprox: 'VARCHAR', frac_nonzero: 'VARCHAR', hasVector: 'VARCHAR'}))`,
		schema.Literal(path), e.format(), e.compression()))
	if err != nil {
		return ld.unreadable(ctx, e, err)
	}
	return e.checkStaged(ctx, tx)
}
