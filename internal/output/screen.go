package output

import (
	"io"

	"golang.org/x/term"
)

// screen is the size to which a table is cut.
type screen struct {
	columns int // characters in a line; 0 when the output is no terminal
	rows    int // rows of a table to show, half of them its first, half its last
}

// shownRows bounds a table on a terminal.
const shownRows = 40

// screenOf returns the terminal's size when w is one.
func screenOf(w io.Writer) screen {
	file, ok := w.(interface{ Fd() uintptr })
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return screen{}
	}
	columns, _, err := term.GetSize(int(file.Fd()))
	if err != nil || columns <= 0 {
		columns = 80
	}
	return screen{columns: columns, rows: shownRows}
}
