package output

import (
	"io"

	"golang.org/x/term"
)

// Screen is the size to which a table is cut. Other formats are never cut.
type Screen struct {
	Columns int // characters in a line; 0 for lines of any length
	Rows    int // rows of a table to show, half of them its first, half its last; 0 for all
}

// ShownRows is how many rows of a table a person is shown unless they ask for more.
const ShownRows = 40

// PlainColumns is the width of a terminal that does not say how wide it is.
const PlainColumns = 80

// ScreenOf returns the size of the terminal when w is one, and no bound otherwise.
func ScreenOf(w io.Writer) Screen {
	file, ok := w.(interface{ Fd() uintptr })
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return Screen{}
	}
	columns, _, err := term.GetSize(int(file.Fd()))
	if err != nil || columns <= 0 {
		columns = PlainColumns
	}
	return Screen{Columns: columns, Rows: ShownRows}
}
