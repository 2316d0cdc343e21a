package main

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/neuronpedia"
)

// choice is features of an SAE, from first to last.
type choice struct {
	release     string // "" for any
	sae         string // also release/name, or layer_N
	first, last int
}

// parseChoices reads SAE:12,55-60. Names of SAEs may have colons, so the last counts.
func parseChoices(arguments []string) ([]choice, error) {
	var choices []choice
	for _, argument := range arguments {
		colon := strings.LastIndexByte(argument, ':')
		if colon < 1 {
			return nil, wrongUsage("neuronpedia: expected SAE:FEATURES, such as blocks.8.hook_resid_pre:12,55-60, found %q", argument)
		}
		for _, part := range strings.Split(argument[colon+1:], ",") {
			from, to, isRange := strings.Cut(part, "-")
			first, err := strconv.ParseUint(strings.TrimSpace(from), 10, 31)
			last := first
			if err == nil && isRange {
				last, err = strconv.ParseUint(strings.TrimSpace(to), 10, 31)
			}
			if err != nil || last < first {
				return nil, wrongUsage("neuronpedia: %s: expected the number of a feature or a range, such as 55-60, found %q", argument, part)
			}
			choices = append(choices, choice{"", argument[:colon], int(first), int(last)})
		}
	}
	return choices, nil
}

// queryChoices are the features that a query gives, in its order.
func queryChoices(ctx context.Context, db *saedb.DB, query string) ([]choice, error) {
	failed := func(problem string, err error) error {
		return &fault.Error{Op: "neuronpedia", Subject: "--query", Problem: problem, Err: err}
	}
	// The line break ends a comment at the end of the query.
	source := "WITH given AS (\n" + strings.TrimRight(query, "; \t\r\n") + "\n) "
	columns, err := db.QueryContext(ctx, source+"SELECT * FROM given LIMIT 0")
	if err != nil {
		return nil, failed("", err)
	}
	names, err := columns.Columns()
	columns.Close()
	if err != nil {
		return nil, err
	}
	release, has := "NULL", map[string]bool{}
	for _, name := range names {
		has[strings.ToLower(name)] = true
	}
	if !has["sae"] || !has["feature"] {
		return nil, &fault.Error{Op: "neuronpedia", Subject: "--query", Expected: "the columns sae and feature", Found: strings.Join(names, ", ")}
	}
	if has["release"] {
		release = "release"
	}
	rows, err := db.QueryContext(ctx, source+`SELECT CAST(`+release+` AS VARCHAR), CAST(sae AS VARCHAR), CAST(feature AS BIGINT) FROM given`)
	if err != nil {
		return nil, failed("", err)
	}
	defer rows.Close()
	var choices []choice
	for rows.Next() {
		var release, sae sql.NullString
		var feature sql.NullInt64
		if err := rows.Scan(&release, &sae, &feature); err != nil {
			return nil, failed("", err)
		}
		if !sae.Valid || !feature.Valid || feature.Int64 < 0 || feature.Int64 > math.MaxInt32 {
			return nil, failed(fmt.Sprintf("row %d: sae is %q and feature %d, or one of them NULL", len(choices)+1, sae.String, feature.Int64), nil)
		}
		choices = append(choices, choice{release.String, sae.String, int(feature.Int64), int(feature.Int64)})
	}
	if err := rows.Err(); err != nil {
		return nil, failed("", err)
	}
	if len(choices) == 0 {
		return nil, failed("it gives no feature", nil)
	}
	return choices, nil
}

// listable is a loaded SAE, as far as lists need to know it.
type listable struct {
	release, name string
	layer         sql.NullInt64
	features      int
	id            string // on Neuronpedia, "" for none
}

// called tells whether people may call it so.
func (l *listable) called(release, name string) bool {
	if release != "" && release != l.release {
		return false
	}
	return name == l.name || name == l.release+"/"+l.name || l.layer.Valid && name == fmt.Sprintf("layer_%d", l.layer.Int64)
}

func listables(ctx context.Context, db *saedb.DB) ([]listable, error) {
	rows, err := db.QueryContext(ctx, `SELECT release, sae, layer, d_sae, coalesce(neuronpedia_id, '') FROM saes ORDER BY release, layer, sae`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []listable
	for rows.Next() {
		var l listable
		if err := rows.Scan(&l.release, &l.name, &l.layer, &l.features, &l.id); err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	return all, rows.Err()
}

// onNeuronpedia gives the chosen features Neuronpedia's names, each once.
func onNeuronpedia(ctx context.Context, db *saedb.DB, choices []choice) ([]neuronpedia.Feature, error) {
	saes, err := listables(ctx, db)
	if err != nil {
		return nil, err
	}
	type key struct{ release, sae string }
	known := map[key]*listable{}
	var features []neuronpedia.Feature
	listed := map[neuronpedia.Feature]bool{}
	for _, c := range choices {
		l := known[key{c.release, c.sae}]
		if l == nil {
			if l, err = oneListable(saes, c.release, c.sae); err != nil {
				return nil, err
			}
			known[key{c.release, c.sae}] = l
		}
		if c.last >= l.features {
			return nil, &fault.Error{
				Op: "neuronpedia", Subject: l.release + "/" + l.name, Expected: fmt.Sprintf("features 0 to %d", l.features-1), Found: fmt.Sprint(c.last),
			}
		}
		model, source, _ := neuronpedia.ParseID(l.id)
		for index := c.first; index <= c.last; index++ {
			f := neuronpedia.Feature{Model: model, Source: source, Index: index}
			if !listed[f] {
				features, listed[f] = append(features, f), true
			}
		}
	}
	return features, nil
}

// oneListable is the only SAE that is called so, and that Neuronpedia has.
func oneListable(saes []listable, release, name string) (*listable, error) {
	subject := strings.TrimPrefix(release+"/"+name, "/")
	var found []*listable
	var names []string
	for i := range saes {
		if saes[i].called(release, name) {
			found, names = append(found, &saes[i]), append(names, saes[i].release+"/"+saes[i].name)
		}
	}
	switch {
	case len(found) == 0:
		return nil, &fault.Error{Op: "neuronpedia", Subject: subject, Problem: "no such SAE is loaded", Hint: "saedb info lists what is loaded"}
	case len(found) > 1:
		return nil, &fault.Error{
			Op: "neuronpedia", Subject: subject, Problem: fmt.Sprintf("%d SAEs are called so: %s", len(found), strings.Join(names, ", ")),
			Hint: "say which: release/name, or the column release in a query",
		}
	case !isNeuronpediaID(found[0].id):
		e := &fault.Error{Op: "neuronpedia", Subject: names[0], Problem: "this SAE has no Neuronpedia id: its files name none"}
		if found[0].id != "" {
			e.Problem = fmt.Sprintf("its Neuronpedia id is %q", found[0].id)
			e.Expected = "MODEL/SOURCE"
		}
		e.Hint = "if Neuronpedia has it, load it again with --neuronpedia-id MODEL/SOURCE"
		return nil, e
	}
	return found[0], nil
}
