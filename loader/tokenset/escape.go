package tokenset

import (
	"fmt"
	"regexp/syntax"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/saedb/saedb/internal/fault"
)

// place says where in a pattern an escape stands.
type place bool

const (
	outsideClass place = false
	insideClass  place = true
)

// The members of Python's classes for text, in the notation of Go's.
// Source: The Python Library Reference, re; str.isalnum, isdecimal, isspace.
const (
	wordMembers  = `_\p{L}\p{N}`
	digitMembers = `\p{Nd}`
	spaceMembers = `\t-\r\x{1c}-\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}`
)

// notWordMembers lists what \w leaves out. Go has no complement of several
// classes inside brackets, where [^\W\d] needs one.
var notWordMembers = sync.OnceValue(func() string { return complement(wordMembers) })

// notSpaceMembers is the same for \s.
var notSpaceMembers = sync.OnceValue(func() string { return complement(spaceMembers) })

// complement lists the characters outside a class as ranges.
func complement(members string) string {
	class, err := syntax.Parse("[^"+members+"]", syntax.Perl)
	if err != nil {
		panic("class of characters that does not compile") // members is a constant of this file
	}
	var ranges strings.Builder
	for i := 0; i < len(class.Rune); i += 2 {
		fmt.Fprintf(&ranges, `\x{%x}-\x{%x}`, class.Rune[i], class.Rune[i+1])
	}
	return ranges.String()
}

// escape translates a backslash and what belongs to it.
func (t *translation) escape(where place) error {
	char, size := utf8.DecodeRuneInString(t.rest[1:])
	if size == 0 {
		return &fault.Error{Problem: "pattern ends in a backslash"}
	}
	after := t.rest[1+size:]
	translated := t.rest[:1+size]
	switch {
	case strings.ContainsRune("wWdDsS", char):
		translated = classOf(char, where)
	case char == 'b' && where == insideClass:
		translated = `\x08`
	case char == 'b', char == 'B':
		// Go's are of ASCII words, and would be wrong beside Ġ or é.
		return notSupported(`word boundary \` + string(char))
	case char == 'Z':
		translated = `\z`
	case char >= '1' && char <= '9' && where == outsideClass:
		return notSupported(`back-reference \` + string(char))
	case strings.ContainsRune("NQEC", char):
		return notSupported(`\` + string(char))
	case char == 'u', char == 'U':
		digits := map[rune]int{'u': 4, 'U': 8}[char]
		if len(after) < digits || strings.Trim(after[:digits], "0123456789abcdefABCDEF") != "" {
			return &fault.Error{Problem: `\` + string(char), Expected: fmt.Sprintf("%d hexadecimal digits", digits)}
		}
		translated, after = `\x{`+after[:digits]+`}`, after[digits:]
	case char >= utf8.RuneSelf:
		translated = string(char)
	}
	t.out.WriteString(translated)
	t.rest = after
	return nil
}

// classOf translates \w, \d, \s and their complements.
func classOf(char rune, where place) string {
	members := map[rune]string{'w': wordMembers, 'd': digitMembers, 's': spaceMembers}[unicode.ToLower(char)]
	negated := unicode.IsUpper(char)
	switch {
	case where == outsideClass && negated:
		return "[^" + members + "]"
	case where == outsideClass:
		return "[" + members + "]"
	case char == 'D':
		return `\P{Nd}`
	case char == 'W':
		return notWordMembers()
	case char == 'S':
		return notSpaceMembers()
	default:
		return members
	}
}
