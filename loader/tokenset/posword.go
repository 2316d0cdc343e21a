package tokenset

import (
	"strings"
	"unicode"
)

// normalForm is what the tagger's features call a word: numbers and words with a
// hyphen share one name each.
// Source: PerceptronTagger.normalize in NLTK, nltk/tag/perceptron.py.
func normalForm(word string, chars []rune) string {
	switch {
	case strings.Contains(word, "-") && chars[0] != '-':
		return "!HYPHEN"
	case len(chars) == 4 && !strings.ContainsFunc(word, func(r rune) bool { return !isDigit(r) }):
		return "!YEAR"
	case len(chars) > 0 && isDigit(chars[0]):
		return "!DIGITS"
	default:
		return strings.ToLower(word)
	}
}

// isDigit is Python's str.isdigit. Superscript digits are among the characters
// of the byte alphabet, so that they occur in every byte-level vocabulary.
func isDigit(r rune) bool {
	return unicode.Is(unicode.Nd, r) || unicode.Is(otherDigits, r)
}

// otherDigits has the characters that are digits without being decimal ones:
// Numeric_Type=Digit in the Unicode Character Database.
var otherDigits = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x00b2, Hi: 0x00b3, Stride: 1},
		{Lo: 0x00b9, Hi: 0x00b9, Stride: 1},
		{Lo: 0x1369, Hi: 0x1371, Stride: 1},
		{Lo: 0x19da, Hi: 0x19da, Stride: 1},
		{Lo: 0x2070, Hi: 0x2070, Stride: 1},
		{Lo: 0x2074, Hi: 0x2079, Stride: 1},
		{Lo: 0x2080, Hi: 0x2089, Stride: 1},
		{Lo: 0x2460, Hi: 0x2468, Stride: 1},
		{Lo: 0x2474, Hi: 0x247c, Stride: 1},
		{Lo: 0x2488, Hi: 0x2490, Stride: 1},
		{Lo: 0x24ea, Hi: 0x24ea, Stride: 1},
		{Lo: 0x24f5, Hi: 0x24fd, Stride: 1},
		{Lo: 0x24ff, Hi: 0x24ff, Stride: 1},
		{Lo: 0x2776, Hi: 0x277e, Stride: 1},
		{Lo: 0x2780, Hi: 0x2788, Stride: 1},
		{Lo: 0x278a, Hi: 0x2792, Stride: 1},
	},
	R32: []unicode.Range32{
		{Lo: 0x10a40, Hi: 0x10a43, Stride: 1},
		{Lo: 0x10e60, Hi: 0x10e68, Stride: 1},
		{Lo: 0x11052, Hi: 0x1105a, Stride: 1},
		{Lo: 0x1f100, Hi: 0x1f10a, Stride: 1},
	},
	LatinOffset: 2,
}
