// Package plaintext is texts and counts as a person is shown them.
package plaintext

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Visible returns s on one line, with escapes in place of the characters that would
// move the cursor or reorder the text: controls, line separators, and the marks of
// writing direction. Vocabularies have tokens of all of these.
func Visible(s string) string {
	if strings.IndexFunc(s, disruptive) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case !disruptive(r):
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

func disruptive(r rune) bool {
	switch {
	case r < ' ' || r == 0x7f:
		return true
	case r < 0x80:
		return false
	case r == utf8.RuneError, r == 0x200d: // U+200D joins emoji into one
		return false
	}
	return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) && r <= 0xffff
}

// Shortened lists names, of many the first dozen and how many more there are.
func Shortened(names []string) string {
	const most = 12
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

// Thousands writes n with a comma after each three digits: 24,576.
func Thousands[T int | int64](n T) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
