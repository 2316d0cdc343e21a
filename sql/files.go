package schema

import (
	"fmt"
	"io/fs"
	"regexp"
	"strings"
)

// inputSide stands in a file of views for the query of a view of the same file, of the input side.
var inputSide = regexp.MustCompile(`\{\{input side of (\w+)\}\}`)

// weightsWherever stands in a file for weights of a row d of stored_decoders or stored_encoders.
var weightsWherever = regexp.MustCompile(`\{\{(decoder|encoder) weights wherever they are\}\}`)

// Marks stand in a file for SQL that several files need: what a row of stored_enrichment says, and the
// feature that the argument feature_index of a macro means, of a row of SAEs. A macro that has found its
// SAE has it from there, and does not call feature_of, which would find it again.
var Marks = strings.NewReplacer("{{effect of a score}}", ScoreEffect, "{{q-value of a score}}", ScoreQ,
	"{{feature_index of an SAE}}", `CASE WHEN feature_index >= 0 AND feature_index < d_sae THEN CAST(feature_index AS INTEGER)
        ELSE error('SAE ' || sae || ' has no feature ' || coalesce(CAST(feature_index AS VARCHAR), 'NULL') || ': it has 0 to ' || (d_sae - 1)) END`)

// fileText is the text of an embedded file, with what its marks stand for.
func fileText(name string) string {
	text, err := files.ReadFile(name)
	if err != nil {
		panic(err) // it is embedded
	}
	whole := weightsWherever.ReplaceAllStringFunc(Marks.Replace(string(text)), func(mark string) string {
		return WeightsWherever[weightsWherever.FindStringSubmatch(mark)[1]]
	})
	return inputSide.ReplaceAllStringFunc(whole, func(mark string) string {
		return Input.SQL(queryIn(whole, name, inputSide.FindStringSubmatch(mark)[1]))
	})
}

// viewQuery is the query of a view in a file of views.
func viewQuery(file, view string) string {
	name := "views/" + file + ".sql"
	return queryIn(fileText(name), name, view)
}

// queryIn is the query of a view in the text of a file.
func queryIn(text, name, view string) string {
	_, after, _ := strings.Cut(text, "CREATE OR REPLACE VIEW "+view+" AS\n")
	query, _, whole := strings.Cut(after, ";\nCOMMENT ON VIEW "+view+" ")
	if !whole {
		panic(fmt.Sprintf("%s: the view %s is not followed by its comment", name, view))
	}
	return query
}

// textOf is the text of all files of a pattern, in their order.
func textOf(pattern string) string {
	names, err := fs.Glob(files, pattern)
	if err != nil {
		panic(err) // it is a mistake in the pattern
	}
	var all strings.Builder
	for _, name := range names {
		all.WriteString(fileText(name))
	}
	return all.String()
}

// created are the names in the statements of a text that begin with verb, each on a line of its own.
func created(verb, text string) []string {
	var names []string
	for line := range strings.Lines(text) {
		if after, found := strings.CutPrefix(line, verb); found {
			names = append(names, strings.Fields(after)[0])
		}
	}
	return names
}
