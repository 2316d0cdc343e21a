package figures

import (
	"slices"
	"strings"
)

// A QueryColumn is a column of a query of the user's, by its name and DuckDB's name of its type.
type QueryColumn struct{ Name, Type string }

// Numeric tells whether its values are numbers.
func (c QueryColumn) Numeric() bool {
	kind, _, _ := strings.Cut(c.Type, "(")
	return slices.Contains(numericTypes, kind)
}

// numericTypes are DuckDB's types of numbers.
var numericTypes = []string{
	"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT",
	"FLOAT", "DOUBLE", "DECIMAL",
}

// drawnOf has, for each figure that a query alone is enough for, the columns that it needs, any
// one of the lists. Figures of token sets that a request must name are not among them.
var drawnOf = map[string][][]column{
	"skewness":      {{{"skewness", number}}},
	"kurtosis":      {{{"kurtosis", number}}},
	"skew-kurtosis": {{{"skewness", number}, {"kurtosis", number}}},
	"manhattan":     enrichmentColumns(),
	"feature":       {{{"logit_weight", number}}},
	"layers":        byLayer(),
	"layer-box":     byLayer(),
	"layer-scatter": {{{"layer", number}, {"skewness", number}, {"kurtosis", number}}},
	"running-sum":   {{{"rank", number}, {"member", text}}},
}

// enrichmentColumns are those of the scores that a request without one may be drawn of.
func enrichmentColumns() (any [][]column) {
	for _, score := range []string{ScoreQ, ScoreEffect, ScoreES} {
		any = append(any, append([]column{{"feature", number}, {"token_set", text}}, scorings[score].needs...))
	}
	return any
}

func byLayer() (any [][]column) {
	for _, statistic := range layerStatistics {
		any = append(any, []column{{"layer", number}, {statistic, number}})
	}
	return any
}

// Drawable are the names of the figures that can be drawn of a query with these columns, where its
// rows have values, in the order of Kinds, and then those of Marks.
func Drawable(columns []QueryColumn) []string {
	has := func(needed column) bool {
		return slices.ContainsFunc(columns, func(c QueryColumn) bool {
			return strings.EqualFold(c.Name, needed.name) && (needed.kind != number || c.Numeric())
		})
	}
	var names []string
	for _, k := range Kinds {
		for _, needed := range drawnOf[k.Name] {
			if !slices.ContainsFunc(needed, func(c column) bool { return !has(c) }) {
				names = append(names, k.Name)
				break
			}
		}
	}
	numbers := 0
	for _, c := range columns {
		if c.Numeric() {
			numbers++
		}
	}
	for _, mark := range Marks {
		if needed := map[string]int{"scatter": 2, "line": 2, "histogram": 1}[mark]; numbers >= needed && len(columns) > 0 {
			names = append(names, mark)
		}
	}
	return names
}
