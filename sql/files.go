package schema

import (
	"fmt"
	"regexp"
	"strings"
)

// inputSide stands in a file of views for the query of a view of the same file, of the input side.
var inputSide = regexp.MustCompile(`\{\{input side of (\w+)\}\}`)

// fileText is the text of an embedded file.
func fileText(name string) string {
	text, err := files.ReadFile(name)
	if err != nil {
		panic(err) // it is embedded
	}
	return inputSide.ReplaceAllStringFunc(string(text), func(mark string) string {
		return Input.SQL(queryIn(string(text), name, inputSide.FindStringSubmatch(mark)[1]))
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
