package tokenset

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/saedb/saedb/internal/fault"
)

// maxPattern bounds a pattern in bytes. A class with \W in it becomes 13,000
// bytes, and the memory of a program follows from that and Go's own bound on repetition.
const maxPattern = 2000

// compilePattern returns the Go form of a pattern in Python's syntax. It matches
// where Python's re.match would: at the start of a string.
func compilePattern(pattern string) (*regexp.Regexp, error) {
	if len(pattern) > maxPattern {
		return nil, &fault.Error{
			Problem: "pattern is too long", Expected: fmt.Sprintf("at most %d bytes", maxPattern), Found: fmt.Sprint(len(pattern)),
		}
	}
	if !utf8.ValidString(pattern) {
		return nil, &fault.Error{Problem: "pattern is not UTF-8"}
	}
	t := translation{rest: pattern}
	for t.rest != "" {
		if err := t.next(); err != nil {
			return nil, &fault.Error{Problem: fmt.Sprintf("pattern %q", pattern), Err: err}
		}
	}
	translated := t.out.String()
	// Alone first: inside the group below, "a)|(b" would compile too.
	_, err := regexp.Compile(translated)
	if err == nil {
		var match *regexp.Regexp
		if match, err = regexp.Compile(`\A(?:` + translated + `)`); err == nil {
			return match, nil
		}
	}
	return nil, &fault.Error{Problem: fmt.Sprintf("pattern %q", pattern), Err: err}
}

// translation rewrites a pattern of Python's re for Go's regexp.
type translation struct {
	rest      string // what is still to be read
	out       strings.Builder
	started   bool // something was read that global flags have to come before
	multiline bool // the global flag m
}

// next translates one element of the pattern.
func (t *translation) next() error {
	switch {
	case strings.HasPrefix(t.rest, "(?"):
		return t.extension()
	case t.rest[0] == '\\':
		t.started = true
		return t.escape(outsideClass)
	case t.rest[0] == '[':
		t.started = true
		return t.class()
	case t.rest[0] == '$':
		t.end()
	case strings.HasPrefix(t.rest, "{,"):
		t.repetition()
	default:
		t.copyRune()
	}
	t.started = true
	return nil
}

// copyRune takes one character over as it is.
func (t *translation) copyRune() {
	_, size := utf8.DecodeRuneInString(t.rest)
	t.out.WriteString(t.rest[:size])
	t.rest = t.rest[size:]
}

// end translates $. Python's matches before a last newline too. Go cannot look
// ahead, so the newline is taken in: that tells apart no two patterns in which
// nothing but groups and alternatives come after the $.
func (t *translation) end() {
	t.rest = t.rest[1:]
	if t.multiline {
		t.out.WriteString(`(?m:$)`)
		return
	}
	t.out.WriteString(`(?:\n?\z)`)
}

// repetition translates {,n}: to Go that is text without the 0.
func (t *translation) repetition() {
	digits := strings.TrimLeft(t.rest[2:], "0123456789")
	t.out.WriteByte('{')
	t.rest = t.rest[1:]
	if strings.HasPrefix(digits, "}") {
		t.out.WriteByte('0')
	}
}

// extensions that Go's regexp has none of.
var unsupported = []struct{ prefix, name string }{
	{"(?=", "look-ahead"}, {"(?!", "look-ahead"}, {"(?<=", "look-behind"}, {"(?<!", "look-behind"},
	{"(?P=", "back-reference"}, {"(?>", "atomic group"}, {"(?(", "conditional"},
}

// extension translates what begins with "(?".
func (t *translation) extension() error {
	for _, u := range unsupported {
		if strings.HasPrefix(t.rest, u.prefix) {
			return notSupported(u.name + " " + u.prefix + "…)")
		}
	}
	switch {
	case strings.HasPrefix(t.rest, "(?#"):
		_, rest, closed := strings.Cut(t.rest, ")")
		if !closed {
			return &fault.Error{Problem: "comment (?# is not closed"}
		}
		t.rest = rest
		return nil
	case strings.HasPrefix(t.rest, "(?P<"), strings.HasPrefix(t.rest, "(?<"), strings.HasPrefix(t.rest, "(?:"):
		t.started = true
		t.out.WriteString(t.rest[:3])
		t.rest = t.rest[3:]
		return nil
	}
	return t.flags()
}

// flags translates "(?flags)" and "(?flags:". Unicode, u, is the default.
func (t *translation) flags() error {
	at := strings.IndexAny(t.rest, ":)")
	if at < 0 {
		return &fault.Error{Problem: "group (? is not closed"}
	}
	flags, global := t.rest[2:at], t.rest[at] == ')'
	for _, flag := range flags {
		switch {
		case strings.ContainsRune("isu-", flag), flag == 'm' && global:
		case strings.ContainsRune("aLxm", flag):
			return notSupported(fmt.Sprintf("flag %c here", flag))
		default:
			return &fault.Error{Problem: "group " + t.rest[:at+1], Expected: "a flag i, s, m or u", Found: fmt.Sprintf("%q", flag)}
		}
	}
	if global && t.started {
		return &fault.Error{Problem: "flags (?" + flags + ") have to be at the start of the pattern"}
	}
	t.multiline = t.multiline || strings.Contains(flags, "m")
	t.started = t.started || !global
	flags = strings.ReplaceAll(flags, "u", "")
	if flags != "" || !global {
		t.out.WriteString("(?" + flags + t.rest[at:at+1])
	}
	t.rest = t.rest[at+1:]
	return nil
}

// class translates a class in square brackets.
func (t *translation) class() error {
	t.copyRune()
	if strings.HasPrefix(t.rest, "^") {
		t.copyRune()
	}
	for first := true; t.rest != ""; first = false {
		switch {
		case t.rest[0] == '\\':
			if err := t.escape(insideClass); err != nil {
				return err
			}
		case t.rest[0] == '[', t.rest[0] == ']' && first:
			t.out.WriteByte('\\') // "[:" would begin a class of POSIX
			t.copyRune()
		case t.rest[0] == ']':
			t.copyRune()
			return nil
		default:
			t.copyRune()
		}
	}
	return &fault.Error{Problem: "class [ is not closed"}
}

func notSupported(what string) error {
	return &fault.Error{
		Problem: what + " is not supported",
		Hint:    "choose the tokens in SQL, or list them in a file",
	}
}
