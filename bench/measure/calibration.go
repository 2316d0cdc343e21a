package measure

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// Levels are the p-values at which calibration is measured.
var Levels = []float64{0.05, 0.01, 0.001}

// MostSignificant is the share of pairs of random directions and token sets that may have a
// q-value below 0.05.
const MostSignificant = 1e-4

// SizeClasses are the classes of set size, in counted tokens, with the SQL that tells them.
var SizeClasses = []struct{ Name, Is string }{
	{"1 to 16", "size <= 16"},
	{"17 to 200", "size > 16 AND size <= 200"},
	{"201 to 2,000", "size > 200 AND size <= 2000"},
	{"above", "size > 2000"},
	{"all", "true"},
}

// Calibration is how the p-values of random directions, which are to be uniform, turned out
// in the token sets of one class of size.
type Calibration struct {
	Class       string // of set size, or all
	Sets, Pairs int
	Observed    []float64 // share of pairs with a p-value below each of Levels, over that level
	Significant float64   // share with a q-value below 0.05
	Closed      []float64 // as Observed, of the closed-form Kolmogorov-Smirnov p-value
}

// Calibrate reads the calibration of an SAE whose features are random directions, by class
// of set size, and over all in the last place. An empty class is left out. A pair without a
// p-value is an error: it would not count.
func Calibrate(ctx context.Context, db *sql.DB, sae string) (classes []Calibration, err error) {
	for _, class := range SizeClasses {
		c := Calibration{Class: class.Name}
		shares := make([]string, 0, 2*len(Levels))
		for _, column := range []string{"p_value", "ks_p_value"} {
			for _, level := range Levels {
				shares = append(shares, fmt.Sprintf("count(*) FILTER (%s < %g) / count(*) / %g", column, level, level))
			}
		}
		var lacking int
		values := make([]sql.NullFloat64, len(shares)+1)
		into := []any{&c.Sets, &c.Pairs, &lacking}
		for i := range values {
			into = append(into, &values[i])
		}
		err := db.QueryRowContext(ctx, `SELECT count(DISTINCT token_set), count(*), count(*) FILTER (p_value IS NULL OR ks_p_value IS NULL OR q_value IS NULL),
			`+strings.Join(shares, ", ")+`, count(*) FILTER (q_value < 0.05) / count(*)
			FROM enrichment WHERE sae = ? AND (`+class.Is+`)`, sae).Scan(into...)
		if err != nil {
			return nil, err
		}
		if lacking > 0 {
			return nil, fmt.Errorf("%s, sets of %s tokens: %d of %d pairs have no p-value or no q-value", sae, class.Name, lacking, c.Pairs)
		}
		if c.Pairs == 0 {
			continue
		}
		for i := range Levels {
			c.Observed, c.Closed = append(c.Observed, values[i].Float64), append(c.Closed, values[len(Levels)+i].Float64)
		}
		c.Significant = values[len(shares)].Float64
		classes = append(classes, c)
	}
	if len(classes) == 0 {
		return nil, fmt.Errorf("%s has no scores of token sets", sae)
	}
	return classes, nil
}

// Check is an error for each share of the class outside least to most of its level, and where
// more pairs are significant than MostSignificant. Levels at which so few pairs are expected
// that they tell nothing are left out, and no level at all is an error.
func (c Calibration) Check(least, most float64) error {
	const tell = 20
	var all []error
	if float64(c.Pairs)*Levels[0] < tell {
		all = append(all, fmt.Errorf("sets of %s tokens: %d pairs tell nothing", c.Class, c.Pairs))
	}
	for i, level := range Levels {
		if float64(c.Pairs)*level < tell {
			continue
		}
		if o := c.Observed[i]; !(o >= least && o <= most) {
			all = append(all, fmt.Errorf("sets of %s tokens: %.2f times as many of %d pairs as expected have p < %g, wanted %g to %g", c.Class, o, c.Pairs, level, least, most))
		}
	}
	if !(c.Significant <= MostSignificant) {
		all = append(all, fmt.Errorf("sets of %s tokens: %.2g of %d pairs have q < 0.05, wanted at most %g", c.Class, c.Significant, c.Pairs, MostSignificant))
	}
	return errors.Join(all...)
}

// CalibrationTable is calibrations as a Markdown table.
func CalibrationTable(classes []Calibration) string {
	var text strings.Builder
	text.WriteString("| tokens in the set | sets | pairs |")
	for _, level := range Levels {
		fmt.Fprintf(&text, " %g |", level)
	}
	const closed = 1 // the level whose share of closed-form p-values is shown
	fmt.Fprintf(&text, " q < 0.05 | `ks_p_value` < %g |\n|%s\n", Levels[closed], strings.Repeat("---|", 5+len(Levels)))
	for _, c := range classes {
		fmt.Fprintf(&text, "| %s | %d | %d |", c.Class, c.Sets, c.Pairs)
		for _, o := range c.Observed {
			fmt.Fprintf(&text, " %.2f |", o)
		}
		fmt.Fprintf(&text, " %.2g | %.0f %% |\n", c.Significant, 100*Levels[closed]*c.Closed[closed])
	}
	return text.String()
}
