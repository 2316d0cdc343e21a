package output

import (
	"bufio"
	"fmt"
	"github.com/saedb/saedb/internal/plaintext"
	"strings"
)

// Where all rows are shown a table's column widths come from as many first rows as these
// bounds allow; a longer cell further down pushes its own row out of line.
const (
	measuredRows  = 10_000
	measuredBytes = 16 << 20
)

// writeTable draws a table in box characters, cut to s.
func writeTable(w *bufio.Writer, source *reader, s Screen) error {
	if len(source.columns) == 0 {
		return nil
	}
	if s.Rows > 0 {
		return writeScreen(w, source, s)
	}
	values := make([]any, len(source.columns))
	var measured [][]string
	more, err := true, error(nil)
	for size := 0; len(measured) < measuredRows && size < measuredBytes; {
		if more, err = source.next(values); !more {
			break
		}
		cells := source.cells(values)
		measured = append(measured, cells)
		for _, cell := range cells {
			size += len(cell)
		}
	}
	if err != nil {
		return err
	}
	g := newGrid(source.columns, measured, s.Columns)
	g.writeHead(w)
	for _, cells := range measured {
		g.writeRow(w, cells)
	}
	for more {
		if more, err = source.next(values); !more {
			break
		}
		if err := g.writeRow(w, source.cells(values)); err != nil {
			return err
		}
	}
	g.writeFoot(w)
	if note := g.note(source.read, 0); note != "" {
		w.WriteString(note + "\n")
	}
	return err
}

// writeScreen reads the whole result, then draws its first and last rows.
func writeScreen(w *bufio.Writer, source *reader, s Screen) error {
	firsts, lasts := (s.Rows+1)/2, s.Rows/2
	var first [][]any
	last := make([][]any, 0, lasts) // a ring
	for {
		values := make([]any, len(source.columns))
		more, err := source.next(values)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		switch row := source.read - 1 - firsts; {
		case row < 0:
			first = append(first, values)
		case row < lasts:
			last = append(last, values)
		case lasts > 0:
			last[row%lasts] = values
		}
	}
	cut := source.read - len(first) - len(last)
	var rows [][]string
	for _, values := range first {
		rows = append(rows, source.cells(values))
	}
	oldest := 0
	if cut > 0 && lasts > 0 {
		oldest = (source.read - firsts) % lasts
	}
	for i := range last {
		rows = append(rows, source.cells(last[(oldest+i)%lasts]))
	}
	g := newGrid(source.columns, rows, s.Columns)
	g.writeHead(w)
	for i, cells := range rows {
		if cut > 0 && i == len(first) {
			g.writeGap(w)
		}
		g.writeRow(w, cells)
	}
	if cut > 0 && len(last) == 0 {
		g.writeGap(w)
	}
	g.writeFoot(w)
	if note := g.note(source.read, cut); note != "" {
		w.WriteString(note + "\n")
	}
	return nil
}

// cells returns the text that a row of a table shows.
func (r *reader) cells(values []any) []string {
	cells := make([]string, len(values))
	for i, v := range values {
		cells[i] = plaintext.Visible(texter{short: true}.text(v, r.columns[i].typ))
	}
	return cells
}

// note says what a table leaves out.
func (g *grid) note(rows, cut int) string {
	var parts []string
	switch {
	case cut > 0:
		parts = append(parts, fmt.Sprintf("%s rows (%d shown)", plaintext.Thousands(int64(rows)), rows-cut))
	case rows == 0:
		parts = append(parts, "0 rows")
	}
	if shown := len(g.shown) - 1; g.gap() {
		parts = append(parts, fmt.Sprintf("%d columns (%d shown)", len(g.columns), shown))
	}
	return strings.Join(parts, ", ")
}
