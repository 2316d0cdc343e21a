package operations

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/neuronpedia"
	schema "github.com/saedb/saedb/sql"
)

// A Choice is features of an SAE, from First to Last.
type Choice struct {
	SAE         string // words for one SAE, as saes_matching takes them
	First, Last int
}

// ParseChoices reads SAE:12,55-60. Names of SAEs may have colons, so the last counts.
func ParseChoices(arguments []string) ([]Choice, error) {
	var choices []Choice
	for _, argument := range arguments {
		colon := strings.LastIndexByte(argument, ':')
		if colon < 1 {
			return nil, &fault.Error{Op: "neuronpedia", Expected: "SAE:FEATURES, such as blocks.8.hook_resid_pre:12,55-60", Found: fmt.Sprintf("%q", argument)}
		}
		for _, part := range strings.Split(argument[colon+1:], ",") {
			from, to, isRange := strings.Cut(part, "-")
			first, err := strconv.ParseUint(strings.TrimSpace(from), 10, 31)
			last := first
			if err == nil && isRange {
				last, err = strconv.ParseUint(strings.TrimSpace(to), 10, 31)
			}
			if err != nil || last < first {
				return nil, &fault.Error{Op: "neuronpedia", Subject: argument, Expected: "the number of a feature or a range, such as 55-60", Found: fmt.Sprintf("%q", part)}
			}
			choices = append(choices, Choice{argument[:colon], int(first), int(last)})
		}
	}
	return choices, nil
}

// QueryChoices are the features that a query gives, in its order.
func QueryChoices(ctx context.Context, db *sql.DB, query string) ([]Choice, error) {
	failed := func(problem string, err error) error {
		return &fault.Error{Op: "neuronpedia", Subject: "--query", Problem: problem, Err: err}
	}
	// The line break ends a comment at the end of the query.
	source := "WITH given AS (\n" + strings.TrimRight(query, "; \t\r\n") + "\n) "
	names, _, err := schema.Values(ctx, db, source+"SELECT * FROM given LIMIT 0")
	if err != nil {
		return nil, failed("", err)
	}
	has := map[string]bool{}
	for _, name := range names {
		has[strings.ToLower(name)] = true
	}
	if !has["sae"] || !has["feature"] {
		return nil, &fault.Error{Op: "neuronpedia", Subject: "--query", Expected: "the columns sae and feature", Found: strings.Join(names, ", ")}
	}
	type row struct {
		sae     sql.NullString
		feature sql.NullInt64
	}
	rows, err := schema.Rows(ctx, db, func(r *row) []any { return []any{&r.sae, &r.feature} },
		source+`SELECT CAST(sae AS VARCHAR), CAST(feature AS BIGINT) FROM given`)
	if err != nil {
		return nil, failed("", err)
	}
	var choices []Choice
	for i, r := range rows {
		if !r.sae.Valid || !r.feature.Valid || r.feature.Int64 < 0 || r.feature.Int64 > math.MaxInt32 {
			return nil, failed(fmt.Sprintf("row %d: sae is %q and feature %d, or one of them NULL", i+1, r.sae.String, r.feature.Int64), nil)
		}
		choices = append(choices, Choice{r.sae.String, int(r.feature.Int64), int(r.feature.Int64)})
	}
	if len(choices) == 0 {
		return nil, failed("it gives no feature", nil)
	}
	return choices, nil
}

// listable is a loaded SAE, as far as lists need to know it.
type listable struct {
	name     string
	features int
	id       string // on Neuronpedia, "" for none
}

// OnNeuronpedia gives the chosen features Neuronpedia's names, each once.
func OnNeuronpedia(ctx context.Context, db *sql.DB, choices []Choice) ([]neuronpedia.Feature, error) {
	known := map[string]*listable{} // by the words
	var features []neuronpedia.Feature
	listed := map[neuronpedia.Feature]bool{}
	for _, c := range choices {
		l := known[c.SAE]
		if l == nil {
			var err error
			if l, err = oneListable(ctx, db, c.SAE); err != nil {
				return nil, fault.At("neuronpedia", "", err)
			}
			known[c.SAE] = l
		}
		if c.Last >= l.features {
			return nil, &fault.Error{
				Op: "neuronpedia", Subject: l.name, Expected: fmt.Sprintf("features 0 to %d", l.features-1), Found: fmt.Sprint(c.Last),
			}
		}
		model, source, _ := neuronpedia.ParseID(l.id)
		for index := c.First; index <= c.Last; index++ {
			f := neuronpedia.Feature{Model: model, Source: source, Index: index}
			if !listed[f] {
				features, listed[f] = append(features, f), true
			}
		}
	}
	return features, nil
}

// oneListable is the only SAE that words mean, and that Neuronpedia has.
func oneListable(ctx context.Context, db *sql.DB, words string) (*listable, error) {
	name, err := schema.OneSAE(ctx, db, words)
	if err != nil {
		return nil, err
	}
	l := &listable{name: name}
	err = db.QueryRowContext(ctx, `SELECT d_sae, coalesce(neuronpedia_id, '') FROM saes WHERE sae = ?`, name).Scan(&l.features, &l.id)
	if err != nil || IsNeuronpediaID(l.id) {
		return l, err
	}
	e := &fault.Error{Subject: name, Problem: "this SAE has no Neuronpedia id: its files name none"}
	if l.id != "" {
		e.Problem = fmt.Sprintf("its Neuronpedia id is %q", l.id)
		e.Expected = "MODEL/SOURCE"
	}
	e.Hint = "if Neuronpedia has it, load it again with --neuronpedia-id MODEL/SOURCE"
	return nil, e
}

// IsNeuronpediaID reports whether an id is MODEL/SOURCE.
func IsNeuronpediaID(id string) bool {
	_, _, ok := neuronpedia.ParseID(id)
	return ok
}
