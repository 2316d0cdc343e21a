package vocab

import (
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

// decodeByteLevel maps a token in GPT-2's byte alphabet to its text. A token
// with a character outside that alphabet is text already.
func decodeByteLevel(token string) string {
	decoded := make([]byte, 0, len(token))
	for _, char := range token {
		b, ok := byteOf[char]
		if !ok {
			return token
		}
		decoded = append(decoded, b)
	}
	return toValidText(decoded)
}

// decodeByteFallback maps a token "<0xNN>" to the text of that one byte and
// leaves others alone.
func decodeByteFallback(token string) string {
	if len(token) != len("<0x00>") || !strings.HasPrefix(token, "<0x") || token[5] != '>' {
		return token
	}
	b, err := strconv.ParseUint(token[3:5], 16, 8)
	if err != nil {
		return token
	}
	return toValidText([]byte{byte(b)})
}

// toValidText replaces what is no UTF-8 as Python's decode with errors="replace"
// and Rust's from_utf8_lossy do: one U+FFFD for the longest start of a valid
// sequence, and one for any other byte. Go's own conversions replace each byte,
// or a whole run of them, and would give other texts.
// Source: The Unicode Standard, section 3.9, "Substitution of Maximal Subparts".
func toValidText(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	var text strings.Builder
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		if r == utf8.RuneError && size <= 1 {
			size = validPrefix(b)
		}
		text.WriteRune(r)
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
