package tokenset

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/vocab"
)

// readGMT reads the format of gene sets: name, description, members.
// Source: GSEA's Data formats, "GMT: Gene Matrix Transposed".
func readGMT(_ string, data []byte, words *wordFinder) ([]Set, error) {
	var sets collection
	rest := string(data)
	for number := 1; rest != ""; number++ {
		var line string
		line, rest, _ = strings.Cut(rest, "\n")
		line = strings.TrimSuffix(line, "\r")
		if strings.TrimSpace(line) == "" {
			continue
		}
		name, line, _ := strings.Cut(line, "\t")
		description, members, hasMembers := strings.Cut(line, "\t")
		if !hasMembers {
			return nil, &fault.Error{
				Subject: atLine(number), Expected: "a name, a description and members with tabs between them",
				Found: fmt.Sprintf("%d tabs", strings.Count(line, "\t")),
			}
		}
		name = unescapeField(name)
		if err := sets.begin(name, unescapeField(description)); err != nil {
			return nil, fault.At("", atLine(number), err)
		}
		addMembers(&sets, name, members, words.vocabulary)
	}
	return sets.finish("members are tokens as the vocabulary stores them, or texts, not ids")
}

// addMembers adds the members of a line. Empty ones come from spreadsheets that
// fill all lines up to the longest.
func addMembers(sets *collection, name, members string, v *vocabulary) {
	for more := true; more; {
		var member string
		member, members, more = strings.Cut(members, "\t")
		if member == "" {
			continue
		}
		if id, found := v.member(unescapeField(member)); found {
			sets.add(name, id)
		} else {
			sets.add(name)
		}
	}
}

// WriteGMT writes sets as GMT, with tokens in their stored form, in the order of
// their ids. In every field a tab is \t, a line feed \n, a carriage return \r and
// a backslash \\. [ReadFile] gives the same names, descriptions and ids back, but
// for a token whose stored form a token with a lower id has too. Sets without
// members are left out. A token without a stored form, and an id that is not in
// tokens, are errors.
func WriteGMT(w io.Writer, sets []Set, tokens []vocab.Token) error {
	const op = "write token sets"
	stored := make(map[int32]string, len(tokens))
	for _, t := range tokens {
		stored[int32(t.ID)] = t.Token
	}
	out := bufio.NewWriter(w)
	for _, set := range sets {
		if len(set.IDs) == 0 {
			continue
		}
		out.WriteString(escapeField(set.Name) + "\t" + escapeField(set.Description))
		for _, id := range set.IDs {
			token := stored[id]
			if token == "" {
				return &fault.Error{
					Op: op, Subject: fmt.Sprintf("set %q", set.Name),
					Problem: fmt.Sprintf("token id %d has no stored form in the vocabulary", id),
				}
			}
			out.WriteString("\t" + escapeField(token))
		}
		out.WriteString("\n")
	}
	return fault.At(op, "", out.Flush())
}

var escapeField = strings.NewReplacer("\t", `\t`, "\n", `\n`, "\r", `\r`, `\`, `\\`).Replace

// unescapeField undoes escapeField. A backslash before anything else stays.
var unescapeField = strings.NewReplacer(`\t`, "\t", `\n`, "\n", `\r`, "\r", `\\`, `\`).Replace
