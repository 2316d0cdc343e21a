package shell

import "strings"

// entry gathers the lines of one statement for the history, whose entries have no
// newlines.
type entry struct {
	lines []string
	apart bool // a line ended in a quote or comment, so joining would change its meaning
}

// add feeds a line to the splitter and keeps it.
func (e *entry) add(line string, script *splitter) {
	if len(e.lines) > 0 && script.brokeIn != plain && script.brokeIn != word {
		e.apart = true
	}
	script.add(line + "\n")
	e.lines = append(e.lines, line)
}

// save gives the entry to the history as one line, or as several where it cannot be
// one, and empties it.
func (e *entry) save(to lineReader) {
	entries := e.lines
	if !e.apart {
		entries = []string{strings.Join(e.lines, " ")}
	}
	for _, text := range entries {
		if strings.TrimSpace(text) != "" {
			to.remember(text)
		}
	}
	*e = entry{}
}
