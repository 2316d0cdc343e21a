package figures

import (
	"strings"

	"github.com/saedb/saedb/internal/plaintext"
)

// longestToken is how much of a token's text is shown, in characters.
const longestToken = 40

// showToken returns a token's text as it can be read in a list: spaces at its
// ends as ␣, control characters as escapes, and no longer than longestToken.
func showToken(text string) string {
	inner := strings.TrimLeft(text, " ")
	shown := strings.Repeat("␣", len(text)-len(inner))
	trimmed := strings.TrimRight(inner, " ")
	shown += plaintext.Visible(trimmed) + strings.Repeat("␣", len(inner)-len(trimmed))
	if runes := []rune(shown); len(runes) > longestToken {
		return string(runes[:longestToken]) + "…"
	}
	return shown
}

// showTokens joins the first k tokens of a list.
func showTokens(texts []string, k int) string {
	shown := make([]string, 0, k)
	for _, text := range texts[:min(k, len(texts))] {
		shown = append(shown, showToken(text))
	}
	return strings.Join(shown, "  ")
}
