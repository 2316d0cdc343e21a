package vocab

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// metaspace is SentencePiece's mark for a space, U+2581.
const metaspace = "▁"

// byteOf maps a character of GPT-2's byte alphabet to its byte. That alphabet
// lets text stand for any bytes: printable Latin-1 characters stand for
// themselves, and the 68 other bytes, in their order, for U+0100 and up.
// Source: bytes_to_unicode in openai/gpt-2, src/encoder.py.
var byteOf = func() map[rune]byte {
	alphabet := make(map[rune]byte, 256)
	next := rune(0x100)
	for b := range 256 {
		printable := b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xAC || b >= 0xAE
		if printable {
			alphabet[rune(b)] = byte(b)
			continue
		}
		alphabet[next] = byte(b)
		next++
	}
	return alphabet
}()

// spellingOf is the inverse of byteOf.
var spellingOf = func() (alphabet [256]rune) {
	for char, b := range byteOf {
		alphabet[b] = char
	}
	return alphabet
}()

// spell writes bytes in GPT-2's byte alphabet.
func spell(b []byte) string {
	var token strings.Builder
	for _, c := range b {
		token.WriteRune(spellingOf[c])
	}
	return token.String()
}

// bytesOf are the bytes that a token in GPT-2's byte alphabet stands for, and whether
// it has no character outside that alphabet.
func bytesOf(token string) (decoded []byte, ok bool) {
	decoded = make([]byte, 0, len(token))
	for _, char := range token {
		b, ok := byteOf[char]
		if !ok {
			return nil, false
		}
		decoded = append(decoded, b)
	}
	return decoded, true
}

// decodeByteLevel maps a token in GPT-2's byte alphabet to its text. A token
// with a character outside that alphabet is text already.
func decodeByteLevel(token string) string {
	decoded, ok := bytesOf(token)
	if !ok {
		return token
	}
	return showBytes(decoded)
}

// fallbackByte is the byte that a token "<0xNN>" stands for, and whether it is one.
func fallbackByte(token string) (byte, bool) {
	if len(token) != len("<0x00>") || !strings.HasPrefix(token, "<0x") || token[5] != '>' {
		return 0, false
	}
	b, err := strconv.ParseUint(token[3:5], 16, 8)
	return byte(b), err == nil
}

// decodeByteFallback maps a token "<0xNN>" to the text of that one byte and
// leaves others alone.
func decodeByteFallback(token string) string {
	b, ok := fallbackByte(token)
	if !ok {
		return token
	}
	return showBytes([]byte{b})
}

// showBytes is b as text, where each byte that is no part of valid UTF-8 is <0xNN>,
// as SentencePiece spells it: such a token is part of a character that takes several.
func showBytes(b []byte) string {
	return validText(b, func(text *strings.Builder, bad []byte) int {
		fmt.Fprintf(text, "<0x%02X>", bad[0])
		return 1
	})
}

// Replaced is a token's text with U+FFFD in place of the bytes that showBytes shows, one
// for the longest start of a character, as tokenizer libraries decode the token alone. It
// is what rules about the characters of a text are to look at: <0xBB> has no digits.
func Replaced(text string) string {
	if !strings.Contains(text, "<0x") {
		return text
	}
	var b []byte
	for rest := text; rest != ""; {
		if len(rest) >= len("<0x00>") {
			if shown, ok := fallbackByte(rest[:len("<0x00>")]); ok && shown >= utf8.RuneSelf {
				b, rest = append(b, shown), rest[len("<0x00>"):]
				continue
			}
		}
		b, rest = append(b, rest[0]), rest[1:]
	}
	return toValidText(b)
}

// WithBytes is the text of a token as it is shown since bytes that are no UTF-8 alone show
// as <0xNN>, given the text of before, which has U+FFFD for them. A text that the
// token's spelling does not explain stays as it is.
func WithBytes(token, text string) string {
	if !strings.ContainsRune(text, utf8.RuneError) {
		return text
	}
	decoded, ok := bytesOf(token)
	if b, fallback := fallbackByte(token); fallback {
		decoded, ok = []byte{b}, true
	}
	if !ok || toValidText(decoded) != text {
		return text
	}
	return showBytes(decoded)
}

// toValidText replaces what is no UTF-8 as Python's decode with errors="replace"
// and Rust's from_utf8_lossy do: one U+FFFD for the longest start of a valid
// sequence, and one for any other byte. Go's own conversions replace each byte,
// or a whole run of them, and would give other texts.
// Source: The Unicode Standard, section 3.9, "Substitution of Maximal Subparts".
func toValidText(b []byte) string {
	return validText(b, func(text *strings.Builder, bad []byte) int {
		text.WriteRune(utf8.RuneError)
		return validPrefix(bad)
	})
}

// validText is b as text. Where it goes on with what is no valid UTF-8, stand writes what stands
// for that, and says of how many bytes.
func validText(b []byte, stand func(text *strings.Builder, bad []byte) int) string {
	if utf8.Valid(b) {
		return string(b)
	}
	var text strings.Builder
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		if r == utf8.RuneError && size <= 1 {
			size = stand(&text, b)
		} else {
			text.Write(b[:size])
		}
		b = b[size:]
	}
	return text.String()
}

// validPrefix is the length of the longest start of b that begins a valid
// UTF-8 sequence, and 1 when the first byte begins none. B is not empty and
// starts with no complete sequence.
func validPrefix(b []byte) int {
	for size := min(len(b), utf8.UTFMax-1); size > 1; size-- {
		// From the third byte on every byte of 0x80–0xBF continues a sequence, so
		// if any completion is valid, one of these is.
		sequence := append([]byte{}, b[:size]...)
		for len(sequence) < utf8.UTFMax {
			sequence = append(sequence, 0x80)
			if _, n := utf8.DecodeRune(sequence); n == len(sequence) {
				return size
			}
		}
	}
	return 1
}
