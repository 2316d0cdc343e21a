package vocab

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// Oracle: bytes.decode("utf-8", errors="replace") of CPython 3.11.
func TestToValidText(t *testing.T) {
	tests := []struct{ bytes, want string }{
		{"", ""},
		{"a\x00é", "a\x00é"},
		{"\xc3", "\uFFFD"},
		{"\xff\xfe", "\uFFFD\uFFFD"},
		{"\x80\x80", "\uFFFD\uFFFD"},
		{"\xf0\x9f\x98", "\uFFFD"},
		{"\xf0\x9f\x98x", "\uFFFDx"},
		{"\xe2\x82", "\uFFFD"},
		{"\xe2\x82\xe2\x82\xac", "\uFFFD€"},
		{"\xc3\x28", "\uFFFD("},
		{"\xe0\x80\xaf", "\uFFFD\uFFFD\uFFFD"},
		{"\xed\xa0\x80", "\uFFFD\uFFFD\uFFFD"},
		{"\xf4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD"},
		{"\xf4\x8f\xbf", "\uFFFD"},
		{"\xf1\x80\x41", "\uFFFDA"},
		{"\xc0\xaf", "\uFFFD\uFFFD"},
		{"\xef\xbf\xbd", "\uFFFD"},
		{"\xef\xbf", "\uFFFD"},
	}
	for _, test := range tests {
		if got := toValidText([]byte(test.bytes)); got != test.want {
			t.Errorf("%q: got %q, want %q", test.bytes, got, test.want)
		}
	}
}

func TestByteAlphabet(t *testing.T) {
	var seen []byte
	for char, b := range byteOf {
		seen = append(seen, b)
		if char < 0x100 && rune(b) != char {
			t.Errorf("%q stands for byte %#x", char, b)
		}
	}
	slices.Sort(seen)
	if len(slices.Compact(seen)) != 256 {
		t.Errorf("%d different bytes", len(seen))
	}
	for char, want := range map[rune]byte{'Ġ': ' ', 'Ċ': '\n', 'ĉ': '\t', 'Ā': 0, 'ġ': 0x7f, 'Ń': 0xad, 'ł': 0xa0} {
		if byteOf[char] != want {
			t.Errorf("%q stands for byte %#x, want %#x", char, byteOf[char], want)
		}
	}
}

func TestDecodeByteLevel(t *testing.T) {
	for token, want := range map[string]string{
		"Ġthe":        " the",
		"Ã©":          "é",
		"ðŁĺ":         "<0xF0><0x9F><0x98>", // three of the four bytes of an emoji
		"Âł»Ġx":       "\u00a0<0xBB> x",
		"ï¿½":         "\uFFFD", // a character of its own
		"<s> with sp": "<s> with sp",
		"▁x":          "▁x",
		"":            "",
	} {
		if got := decodeByteLevel(token); got != want {
			t.Errorf("%q: got %q, want %q", token, got, want)
		}
	}
}

func TestDecodeByteFallback(t *testing.T) {
	for token, want := range map[string]string{
		"<0x41>": "A", "<0x0a>": "\n", "<0xE2>": "<0xE2>", "<0xbb>": "<0xBB>", "<0x4>": "<0x4>", "<0x414>": "<0x414>",
		"<0x+1>": "<0x+1>", "<0x4Z>": "<0x4Z>", "x0x41>": "x0x41>", "": "",
	} {
		if got := decodeByteFallback(token); got != want {
			t.Errorf("%q: got %q, want %q", token, got, want)
		}
	}
}

// The texts of before are what saedb 0.1 stored.
func TestWithBytes(t *testing.T) {
	for _, test := range []struct{ token, before, want string }{
		{"ðŁĺ", "\uFFFD", "<0xF0><0x9F><0x98>"},
		{"ĠæĹ", " \uFFFD", " <0xE6><0x97>"},
		{"Ġthe", " the", " the"},
		{"ï¿½", "\uFFFD", "\uFFFD"},    // the character U+FFFD itself, in UTF-8
		{"\uFFFD", "\uFFFD", "\uFFFD"}, // and as SentencePiece spells it
		{"<0xE2>", "\uFFFD", "<0xE2>"},
		{"<0xE2>", "<0xE2>", "<0xE2>"},
		{"x", "\uFFFD", "\uFFFD"}, // another decoder's work
	} {
		got := WithBytes(test.token, test.before)
		if got != test.want {
			t.Errorf("%q, %q: got %q, want %q", test.token, test.before, got, test.want)
		}
		if back := Replaced(got); back != test.before && test.before != test.token {
			t.Errorf("%q: replaced %q, want %q", got, back, test.before)
		}
	}
	if text := "<0x41> <0x7F> <0x"; Replaced(text) != text {
		t.Error("texts that show no byte changed")
	}
}

func FuzzToValidText(f *testing.F) {
	f.Add([]byte("a\xf0\x9f\x98"))
	f.Fuzz(func(t *testing.T, b []byte) {
		text := toValidText(b)
		if !utf8.ValidString(text) || !utf8.ValidString(showBytes(b)) {
			t.Errorf("%q became %q", b, text)
		}
		if token := spell(b); !bytes.Contains(b, []byte("<0x")) && (WithBytes(token, text) != showBytes(b) || Replaced(showBytes(b)) != text) {
			t.Errorf("%q: %q is shown as %q, replaced %q", b, text, WithBytes(token, text), Replaced(showBytes(b)))
		}
		if utf8.Valid(b) && text != string(b) {
			t.Errorf("valid %q became %q", b, text)
		}
		// Go's own conversion replaces each byte: the same text with at least as many marks.
		perByte := string([]rune(string(b)))
		if strings.ReplaceAll(text, "\uFFFD", "") != strings.ReplaceAll(perByte, "\uFFFD", "") {
			t.Errorf("%q lost more than its invalid bytes: %q", b, text)
		}
	})
}
