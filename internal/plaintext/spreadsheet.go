package plaintext

import "strings"

// A spreadsheet computes a cell of a CSV file whose text begins with one of these, and may run
// what stands there: tokens and names of other people's models begin with what they like.
const formulaStarts = "=+-@\t\r"

// ByteOrderMark at the beginning of a file tells Excel that it is UTF-8.
const ByteOrderMark = "\ufeff"

// Guarded is text as a spreadsheet shows it instead of computing it: with an apostrophe before
// what would be a formula. Other programs read the apostrophe as part of the text.
func Guarded(text string) string {
	if text != "" && strings.ContainsRune(formulaStarts, rune(text[0])) {
		return "'" + text
	}
	return text
}

// GuardedSQL is Guarded as an expression of the same of a VARCHAR.
func GuardedSQL(expression string) string {
	return "CASE WHEN regexp_matches(" + expression + `, '^[=+@\t\r-]') THEN chr(39) || ` + expression + " ELSE " + expression + " END"
}
