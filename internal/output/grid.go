package output

import (
	"bufio"
	"slices"
	"strings"

	"github.com/mattn/go-runewidth"
	"github.com/saedb/saedb/internal/plaintext"
)

// Widths below which a cell is not cut; columns are left out instead.
const (
	narrowest = 8  // where all columns are shown
	legible   = 12 // where some are left out
)

// omitted stands in grid.shown for the columns left out at its place.
const omitted = -1

// grid is the layout of a table: which columns it shows, and how wide.
type grid struct {
	columns []column
	widths  []int // of every column, in terminal cells
	shown   []int // indices into columns, or omitted
	cut     bool  // longer cells are cut to their column's width
}

// cellWidth measures text as terminals of Western locales draw it, whatever the
// locale of this process: the output must not depend on it.
var cellWidth = &runewidth.Condition{}

// newGrid lays out rows on lines of at most screen characters, or of any length
// when screen is 0.
func newGrid(columns []column, rows [][]string, screen int) *grid {
	g := &grid{columns: columns, widths: make([]int, len(columns)), shown: upTo(len(columns))}
	for i, c := range columns {
		g.widths[i] = cellWidth.StringWidth(plaintext.Visible(c.name))
		for _, cells := range rows {
			g.widths[i] = max(g.widths[i], cellWidth.StringWidth(cells[i]))
		}
	}
	if screen > 0 && g.lineWidth() > screen {
		g.fit(screen)
	}
	return g
}

// fit cuts the widest cells to the greatest width with which a line fits the
// screen. When that would be too narrow to read, it leaves out columns before the
// last: what people ask for comes first in every view, and the last tells that there
// is more.
func (g *grid) fit(screen int) {
	g.cut = true
	natural := slices.Clone(g.widths)
	if g.narrow(natural, screen, narrowest) {
		return
	}
	for n := len(g.columns) - 2; n > 0; n-- {
		g.shown = slices.Concat(upTo(n), []int{omitted, len(g.columns) - 1})
		if g.narrow(natural, screen, legible) {
			return
		}
	}
	g.narrow(natural, screen, narrowest)
}

// narrow cuts the widest columns, to no less than least, until a line fits the
// screen, and tells whether it does.
func (g *grid) narrow(natural []int, screen, least int) bool {
	for limit := min(slices.Max(natural), screen); ; limit-- {
		for i, width := range natural {
			g.widths[i] = min(width, max(limit, least))
		}
		if g.lineWidth() <= screen || limit <= least {
			return g.lineWidth() <= screen
		}
	}
}

func upTo(n int) []int {
	numbers := make([]int, n)
	for i := range numbers {
		numbers[i] = i
	}
	return numbers
}

func (g *grid) gap() bool { return slices.Contains(g.shown, omitted) }

func (g *grid) width(i int) int {
	if i == omitted {
		return 1
	}
	return g.widths[i]
}

// lineWidth is the length of a line with its frame: "│ a │ b │".
func (g *grid) lineWidth() int {
	total := 1
	for _, i := range g.shown {
		total += g.width(i) + 3
	}
	return total
}

func (g *grid) writeHead(w *bufio.Writer) {
	g.writeRule(w, "┌", "┬", "┐")
	for _, i := range g.shown {
		w.WriteString("│ ")
		if i == omitted {
			w.WriteString("… ")
			continue
		}
		g.writeCell(w, plaintext.Visible(g.columns[i].name), g.widths[i], g.columns[i].typ.numeric())
		w.WriteByte(' ')
	}
	w.WriteString("│\n")
	g.writeRule(w, "├", "┼", "┤")
}

func (g *grid) writeRow(w *bufio.Writer, cells []string) error {
	for _, i := range g.shown {
		w.WriteString("│ ")
		if i == omitted {
			w.WriteString("… ")
			continue
		}
		g.writeCell(w, cells[i], g.widths[i], g.columns[i].typ.numeric())
		w.WriteByte(' ')
	}
	// bufio keeps its first error, so only the last write of a row is checked.
	_, err := w.WriteString("│\n")
	return err
}

// writeGap marks the place of the rows left out.
func (g *grid) writeGap(w *bufio.Writer) {
	dots := make([]string, len(g.columns))
	for i := range dots {
		dots[i] = "·"
	}
	g.writeRow(w, dots)
}

func (g *grid) writeFoot(w *bufio.Writer) { g.writeRule(w, "└", "┴", "┘") }

func (g *grid) writeRule(w *bufio.Writer, left, between, right string) {
	for n, i := range g.shown {
		if n == 0 {
			w.WriteString(left)
		} else {
			w.WriteString(between)
		}
		w.WriteString(strings.Repeat("─", g.width(i)+2))
	}
	w.WriteString(right + "\n")
}

func (g *grid) writeCell(w *bufio.Writer, text string, width int, right bool) {
	if g.cut {
		text = cellWidth.Truncate(text, width, "…")
	}
	padding := strings.Repeat(" ", max(0, width-cellWidth.StringWidth(text)))
	if right {
		text = padding + text
	} else {
		text += padding
	}
	w.WriteString(text)
}
