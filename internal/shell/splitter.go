package shell

import "strings"

// statement is one SQL statement of a script, without its semicolon and the blanks
// and comments before it.
type statement struct {
	text string
	line int // of its first character in the script, from 1
}

// lexeme is what the splitter is inside of.
type lexeme int

const (
	plain lexeme = iota
	word         // an identifier, keyword or number: a quote mark or $ may belong to it
	stringLiteral
	escapeLiteral // E'…', where a backslash escapes a quote
	quotedName
	dollarLiteral
	lineComment
	blockComment
)

// splitter cuts a script into statements at the semicolons that are outside quotes
// and comments, by the lexical rules that DuckDB has from PostgreSQL. It takes the
// script line by line, and each character is looked at once.
type splitter struct {
	complete []statement
	pending  strings.Builder // the statement being read, from its first character
	start    int             // the line of that character
	line     int             // lines taken so far
	in       lexeme
	brokeIn  lexeme // what the last newline was inside of
	tag      string // of a dollarLiteral: "$$" or "$tag$"
	depth    int    // of nested blockComments
}

// add takes the next line of a script. Every line but the last ends in a newline:
// no quote mark of two characters may be divided between two calls.
func (s *splitter) add(line string) {
	s.line++
	for i := 0; i < len(line); {
		if line[i] == '\n' {
			s.brokeIn = s.in
		}
		i += s.step(line, i)
	}
}

// next returns the first complete statement that it has not returned yet.
func (s *splitter) next() (statement, bool) {
	if len(s.complete) == 0 {
		return statement{}, false
	}
	first := s.complete[0]
	s.complete = s.complete[1:]
	return first, true
}

// unfinished reports whether a statement has begun, or a comment is open.
func (s *splitter) unfinished() bool { return s.pending.Len() > 0 || s.in == blockComment }

// rest returns the statement that the script ended in without a semicolon.
func (s *splitter) rest() (statement, bool) {
	s.finish()
	return s.next()
}

// clear forgets the statement that was being read.
func (s *splitter) clear() {
	s.complete = nil
	s.pending.Reset()
	s.in, s.tag, s.depth = plain, "", 0
}

func (s *splitter) finish() {
	if text := strings.TrimSpace(s.pending.String()); text != "" {
		s.complete = append(s.complete, statement{text, s.start})
	}
	s.pending.Reset()
}

// keep makes text part of the statement; blanks and comments before it are dropped.
func (s *splitter) keep(text string, blank bool) {
	if s.pending.Len() == 0 {
		if blank {
			return
		}
		s.start = s.line
	}
	s.pending.WriteString(text)
}

// step consumes the characters at line[i:] that belong together, at least one, and
// returns how many.
func (s *splitter) step(line string, i int) int {
	rest := line[i:]
	switch s.in {
	case plain, word:
		return s.stepOutside(rest)
	case stringLiteral, quotedName, escapeLiteral:
		return s.stepQuoted(rest)
	case dollarLiteral:
		if !strings.HasPrefix(rest, s.tag) {
			s.keep(rest[:1], false)
			return 1
		}
		s.in = plain
		s.keep(s.tag, false)
		return len(s.tag)
	case lineComment:
		if rest[0] == '\r' || rest[0] == '\n' {
			s.in = plain
		}
		s.keep(rest[:1], true)
		return 1
	default:
		return s.stepBlockComment(rest)
	}
}

func (s *splitter) stepOutside(rest string) int {
	n, next := 1, plain
	c := rest[0]
	blank := c == ' ' || '\t' <= c && c <= '\r'
	switch {
	case c == ';':
		s.finish()
		s.in = plain
		return 1
	case strings.HasPrefix(rest, "--"):
		n, next, blank = 2, lineComment, true
	case strings.HasPrefix(rest, "/*"):
		n, next, blank = 2, blockComment, true
		s.depth = 1
	case c == '\'':
		next = stringLiteral
	case c == '"':
		next = quotedName
	case s.in == plain && (c == 'e' || c == 'E') && strings.HasPrefix(rest[1:], "'"):
		n, next = 2, escapeLiteral
	case s.in == plain && c == '$' && dollarTag(rest) != "":
		s.tag = dollarTag(rest)
		n, next = len(s.tag), dollarLiteral
	case isLetter(c) || isDigit(c) || s.in == word && c == '$':
		next = word
	}
	s.in = next
	s.keep(rest[:n], blank)
	return n
}

func (s *splitter) stepQuoted(rest string) int {
	mark := byte('\'')
	if s.in == quotedName {
		mark = '"'
	}
	n := 1
	switch {
	case s.in == escapeLiteral && rest[0] == '\\' && len(rest) > 1:
		n = 2
	case rest[0] == mark && len(rest) > 1 && rest[1] == mark:
		n = 2
	case rest[0] == mark:
		s.in = plain
	}
	s.keep(rest[:n], false)
	return n
}

func (s *splitter) stepBlockComment(rest string) int {
	n := 1
	switch {
	case strings.HasPrefix(rest, "/*"):
		n = 2
		s.depth++
	case strings.HasPrefix(rest, "*/"):
		n = 2
		s.depth--
		if s.depth == 0 {
			s.in = plain
		}
	}
	s.keep(rest[:n], true)
	return n
}

// dollarTag returns the mark that opens a dollar-quoted string at the start of s:
// $$, or $tag$ with a tag that is a name without dollars.
func dollarTag(s string) string {
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '$':
			return s[:i+1]
		case isLetter(c), i > 1 && isDigit(c):
		default:
			return ""
		}
	}
	return ""
}

func isLetter(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c >= 0x80
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
