package vocab

import (
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
		"ðŁĺ":         "\uFFFD", // three of the four bytes of an emoji
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
		"<0x41>": "A", "<0x0a>": "\n", "<0xE2>": "\uFFFD", "<0x4>": "<0x4>", "<0x414>": "<0x414>",
		"<0x+1>": "<0x+1>", "<0x4Z>": "<0x4Z>", "x0x41>": "x0x41>", "": "",
	} {
		if got := decodeByteFallback(token); got != want {
			t.Errorf("%q: got %q, want %q", token, got, want)
		}
	}
}

func FuzzToValidText(f *testing.F) {
	f.Add([]byte("a\xf0\x9f\x98"))
	f.Fuzz(func(t *testing.T, b []byte) {
		text := toValidText(b)
		if !utf8.ValidString(text) {
			t.Errorf("%q became %q", b, text)
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
