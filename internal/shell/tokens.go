package shell

import "strings"

// token is a word, a name in quotes, a literal or a sign of a statement.
type token struct {
	text  string // as it is written; of a name or string in quotes, what they enclose
	kind  lexeme // word, quotedName, stringLiteral for every kind of literal; plain for a sign
	depth int    // of the parentheses around it
}

// is tells whether the token is one of these keywords, or signs.
func (t token) is(keywords ...string) bool {
	if t.kind != word && t.kind != plain {
		return false
	}
	for _, keyword := range keywords {
		if strings.EqualFold(t.text, keyword) {
			return true
		}
	}
	return false
}

// tokens cuts a statement into its tokens, without blanks and comments.
func tokens(text string) []token {
	var all []token
	var s splitter
	depth, start := 0, 0
	for i := 0; i < len(text); {
		was := s.in
		n := s.step(text, i)
		switch {
		case was != plain && was != word: // inside of quotes or a comment
			if s.in == plain && was != lineComment && was != blockComment {
				all = append(all, quotedToken(text[start:i+n], was, depth))
			}
		case s.in == word && was == word:
			all[len(all)-1].text = text[start : i+n]
		case s.in == word:
			start = i
			all = append(all, token{text[i : i+n], word, depth})
		case s.in != plain:
			start = i
		case strings.TrimSpace(text[i:i+n]) != "":
			if text[i] == ')' {
				depth--
			}
			all = append(all, token{text[i : i+n], plain, depth})
			if text[i] == '(' {
				depth++
			}
		}
		i += n
	}
	return all
}

// quotedToken is the token of a literal or name with its quotes.
func quotedToken(text string, kind lexeme, depth int) token {
	switch kind {
	case dollarLiteral:
		mark := len(dollarTag(text))
		return token{text[mark : len(text)-mark], stringLiteral, depth}
	case escapeLiteral:
		text = text[1:]
		kind = stringLiteral
	}
	mark := text[:1]
	return token{strings.ReplaceAll(text[1:len(text)-1], mark+mark, mark), kind, depth}
}

// topLevelWords returns, in upper case, the words of a statement that are outside
// parentheses, quotes and comments. A statement in parentheses is a query.
func topLevelWords(text string) []string {
	if strings.HasPrefix(text, "(") {
		return []string{"SELECT"}
	}
	var words []string
	for _, t := range tokens(text) {
		if t.kind == word && t.depth == 0 {
			words = append(words, strings.ToUpper(t.text))
		}
	}
	return words
}
