package figures

import (
	"context"
	"database/sql"
	"fmt"
	"math"

	"github.com/saedb/saedb/internal/fault"
	schema "github.com/saedb/saedb/sql"
)

// The scores of enrichment that figures are drawn in. The signed ones are above 0 for
// what is promoted and below for what is suppressed.
const (
	ScoreEffect = "effect" // 2 AUC - 1, signed
	ScoreQ      = "q"      // -log10 q, signed by the direction
	ScoreES     = "es"     // -ln(1 - ES)
	ScoreP      = "p"      // -log10 p
)

// smallestQ is the smallest q-value that is told apart from 0.
const smallestQ = 1e-300

// chance is the q-value below which the macro beyond_chance is true, for lines and notes.
const chance = 0.05

// A scoring is a score: what SQL and Go compute it from.
type scoring struct {
	name, label string
	signed      bool
	needs       []column
	// value is the SQL of what the score is drawn from, which grows with it, and where
	// the condition for a row to have one.
	value, where string
	at           func(value float64) float64 // the score
	row          func(t *table, i int) float64
	least        func(score float64) float64 // a key that no score above this one is at or below
}

// key is the SQL of what the score's distance from 0 grows with.
func (s scoring) key() string {
	if s.signed {
		return "abs(" + s.value + ")"
	}
	return s.value
}

// scorings are the scores by name.
var scorings = map[string]scoring{
	ScoreEffect: {
		label: "effect (2·AUC − 1)", signed: true, needs: []column{{"effect", number}},
		value: "CAST(effect AS DOUBLE)", where: "effect IS NOT NULL",
		at:    func(effect float64) float64 { return effect },
		row:   func(t *table, i int) float64 { return at(t.numbers["effect"], i) },
		least: func(score float64) float64 { return score * (1 - 1e-9) },
	},
	ScoreQ: {
		label: "±log₁₀ q", signed: true, needs: []column{{"q_value", number}, {"direction", text}},
		value: "CASE WHEN direction = 'suppressed' THEN 1 ELSE -1 END * log10(greatest(CAST(q_value AS DOUBLE), 1e-300))",
		where: "q_value IS NOT NULL",
		at:    func(v float64) float64 { return v },
		row: func(t *table, i int) float64 {
			logarithm := math.Log10(max(at(t.numbers["q_value"], i), smallestQ))
			if t.texts["direction"][i] == "suppressed" {
				return logarithm
			}
			return -logarithm
		},
		least: func(score float64) float64 { return score * (1 - 1e-9) },
	},
	ScoreES: {
		label: "−ln(1 − ES)", needs: []column{{"es", number}}, value: "CAST(es AS DOUBLE)", where: "es IS NOT NULL",
		at:    func(es float64) float64 { return -math.Log(max(1-es, 1e-6)) },
		row:   func(t *table, i int) float64 { return -math.Log(max(1-at(t.numbers["es"], i), 1e-6)) },
		least: func(score float64) float64 { return 1 - math.Exp(-score) - 1e-9 },
	},
	ScoreP: {
		label: "−log₁₀ p", needs: []column{{"p_value", number}}, value: "(-CAST(p_value AS DOUBLE))", where: "p_value IS NOT NULL",
		at: func(v float64) float64 { return -math.Log10(max(-v, math.SmallestNonzeroFloat64)) },
		row: func(t *table, i int) float64 {
			return -math.Log10(max(at(t.numbers["p_value"], i), math.SmallestNonzeroFloat64))
		},
		least: func(score float64) float64 { return -math.Pow(10, -score) * (1 + 1e-9) },
	},
}

// at is the value of a row; NaN where there is no such column.
func at(values []float64, i int) float64 {
	if values == nil {
		return math.NaN()
	}
	return values[i]
}

// scoringOf is the score that a request asks for, or, where it asks for none, the first
// of preferred that the source has; es where it has none of them.
func scoringOf(ctx context.Context, r Request, s *source, preferred ...string) (scoring, error) {
	name := r.Score
	switch {
	case r.Unsigned && (name == "" || name == ScoreES):
		name = ScoreES
	case r.Unsigned && name != ScoreP:
		return scoring{}, &fault.Error{Op: s.op, Expected: "the score es or p for an unsigned figure", Found: name}
	case name == "":
		var err error
		if name, err = s.firstScore(ctx, preferred); err != nil {
			return scoring{}, err
		}
	}
	found, ok := scorings[name]
	if !ok {
		return scoring{}, &fault.Error{Op: s.op, Expected: "the score effect, q, es or p", Found: name}
	}
	found.name = name
	return found, nil
}

// firstScore is the first of these scores that some row of the source has.
func (s *source) firstScore(ctx context.Context, names []string) (string, error) {
	for _, name := range names {
		score, there := scorings[name], true
		for _, c := range score.needs {
			there = there && s.has(c.name)
		}
		if !there {
			continue
		}
		if name == ScoreQ {
			told, err := s.chances(ctx)
			if err != nil {
				return "", err
			}
			if told.known {
				return name, nil
			}
			continue
		}
		err := s.db.QueryRowContext(ctx, s.from("SELECT EXISTS (FROM source WHERE "+score.where+")"), s.args...).Scan(&there)
		if err != nil {
			return "", &fault.Error{Op: s.op, Subject: s.subject(), Err: err}
		}
		if there {
			return name, nil
		}
	}
	return ScoreES, nil
}

// StrongestSets are the token sets that a manhattan figure of an SAE, by its name, shows
// when none are named: those of strongest_sets. There are none where no enrichment is
// computed.
func StrongestSets(ctx context.Context, db *sql.DB, sae string) ([]string, error) {
	return schema.Collect[string](ctx, db, `SELECT token_set FROM strongest_sets(?, k := ?)`, sae, ManhattanSets)
}

// chances are whether some enrichment of a source has a q-value, and whether one is beyond chance.
type chances struct{ known, beyond bool }

// chances reads them once, of a source that has the column q_value.
func (s *source) chances(ctx context.Context) (chances, error) {
	if s.told != nil {
		return *s.told, nil
	}
	var c chances
	err := s.db.QueryRowContext(ctx, s.from("SELECT count(q_value) > 0, coalesce(bool_or(beyond_chance(q_value)), false) FROM source"), s.args...).Scan(&c.known, &c.beyond)
	if err != nil {
		return c, s.failed(err)
	}
	s.told = &c
	return c, nil
}

// chanceNote says so where none of the source's enrichments is beyond chance, or nothing
// tells.
func (s *source) chanceNote(ctx context.Context) (string, error) {
	if !s.has("q_value") {
		return "", nil
	}
	told, err := s.chances(ctx)
	switch {
	case err != nil:
		return "", err
	case !told.known:
		return " No baseline is computed that tells what is beyond chance: sets are chosen by effect alone.", nil
	case !told.beyond:
		return fmt.Sprintf(" Nothing here is beyond chance (q < %g).", chance), nil
	}
	return "", nil
}
