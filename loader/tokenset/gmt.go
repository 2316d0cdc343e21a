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
func readGMT(_ string, data []byte, words *wordFinder) (*collection, error) {
	sets := &collection{hint: "members are tokens as the vocabulary stores them, or texts, not ids"}
	tabs := 0
	for number, line := range lines(string(data)) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		fields := strings.Split(line, "\t")
		tabs = max(tabs, len(fields)-1)
		name, description := unescapeField(fields[0]), ""
		if len(fields) > 1 {
			description = unescapeField(fields[1])
		}
		err := sets.begin(name, description, listing{where: atLine(number), without: "no members, found " + tabCount(len(fields)-1)})
		if err != nil && len(fields) == 1 {
			err = noTab() // whatever else it is
		}
		if err != nil {
			return nil, fault.At("", atLine(number), err)
		}
		// Empty members come from spreadsheets that fill all lines up to the longest.
		for _, member := range fields[min(2, len(fields)):] {
			if member != "" {
				sets.addText(name, unescapeField(member), words.token)
			}
		}
	}
	if tabs == 0 && len(sets.sets) > 0 {
		return nil, fault.At("", sets.listed[0].where, noTab())
	}
	return sets, nil
}

func noTab() error {
	return &fault.Error{Expected: "a name, a description and members with tabs between them", Found: tabCount(0)}
}

func tabCount(n int) string {
	switch n {
	case 0:
		return "no tab"
	case 1:
		return "1 tab"
	}
	return fmt.Sprintf("%d tabs", n)
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
