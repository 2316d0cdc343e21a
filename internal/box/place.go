package box

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/mattn/go-runewidth"
)

// An Error is what is wrong with a query.
type Error struct {
	Message string `json:"error"`
	// Line and Column are where in the query, from 1, in characters; 0 where DuckDB names no
	// place, or one that is not in the query.
	Line   int `json:"line,omitempty"`
	Column int `json:"column,omitempty"`
	// Text is that line.
	Text string `json:"text,omitempty"`
}

// Error has the place as DuckDB writes it.
func (e *Error) Error() string {
	if e.Line < 1 || e.Column < 1 {
		return e.Message
	}
	head := fmt.Sprintf("LINE %d: ", e.Line)
	before := runewidth.StringWidth(string([]rune(e.Text)[:e.Column-1]))
	return fmt.Sprintf("%s\n\n%s%s\n%s^", e.Message, head, e.Text, strings.Repeat(" ", len(head)+before))
}

// linesBefore is how many lines of ours stand before a query in the statements that run it.
const linesBefore = 1

// errorOf reads the place in a query from an error of a statement that runs it: DuckDB writes
// the line, with dots for what is left out of a long one, and ^ below the place.
func errorOf(query, message string) *Error {
	message, place, found := strings.Cut(message, "\n\nLINE ")
	e := &Error{Message: message}
	number, place, headed := strings.Cut(place, ": ")
	line, err := strconv.Atoi(number)
	lines := strings.Split(query, "\n")
	if line -= linesBefore; !found || !headed || err != nil || line < 1 || line > len(lines) {
		return e
	}
	shown, below, _ := strings.Cut(place, "\n")
	width := strings.IndexByte(below, '^') - len("LINE "+number+": ")
	text := lines[line-1]
	const left = "..."
	if rest, cut := strings.CutPrefix(shown, left); cut && !strings.HasPrefix(text, left) {
		shown, width = rest, width-len(left)
	}
	if !strings.HasSuffix(text, left) {
		shown = strings.TrimSuffix(shown, left)
	}
	at := strings.Index(text, shown)
	if at < 0 || width < 0 {
		return e
	}
	e.Line, e.Column, e.Text = line, len([]rune(text[:at]))+1, text
	for _, r := range shown { // tabs have no width, as DuckDB counts
		if width -= runewidth.RuneWidth(r); width < 0 {
			break
		}
		e.Column++
	}
	return e
}

// errorAt is an error at a character of a query, from 0.
func errorAt(query, message string, at int) *Error {
	characters := []rune(query)
	if at < 0 || at > len(characters) {
		return &Error{Message: message}
	}
	lines := strings.Split(string(characters[:at]), "\n")
	last := len(lines) - 1
	return &Error{message, last + 1, len([]rune(lines[last])) + 1, strings.Split(query, "\n")[last]}
}

// messageOf is the text of an error, or of what it wraps where that names a place: an error of a
// figure's has all on one line.
func messageOf(err error) string {
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		if text := inner.Error(); strings.Contains(text, "\n\nLINE ") {
			return text
		}
	}
	return err.Error()
}

// read is an error that came from the process.
func read(payload []byte) error {
	e := &Error{}
	if err := json.Unmarshal(payload, e); err != nil || e.Column > len([]rune(e.Text))+1 || (e.Line > 0) != (e.Column > 0) {
		return fmt.Errorf("the process for queries answered an error that is none: %w", err)
	}
	return e
}
