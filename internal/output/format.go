// Package output prints the result of a query as a table for people, or as CSV,
// JSON or Markdown for other programs.
//
// CSV and JSON are exact: a FLOAT or DOUBLE is written in the shortest form that
// reads back to the same bits of its own width, and integers and decimals with
// every digit. The table and Markdown are for reading: a float is shortened to six
// significant digits and control characters are made visible.
package output

import (
	"bufio"
	"database/sql"
	"io"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/plaintext"
)

// Format says how a result is printed.
type Format string

// The formats.
const (
	Table    Format = "table"
	CSV      Format = "csv"
	JSON     Format = "json"
	Markdown Format = "markdown"
	// Spreadsheet is CSV to open in a spreadsheet, and not exact: guarded.go.
	Spreadsheet Format = "spreadsheet"
)

// Formats lists every format, the default first.
func Formats() []Format { return []Format{Table, CSV, JSON, Markdown, Spreadsheet} }

// ParseFormat returns the format of a name, in upper or lower case.
func ParseFormat(name string) (Format, error) {
	names := make([]string, 0, len(Formats()))
	for _, format := range Formats() {
		if strings.EqualFold(name, string(format)) {
			return format, nil
		}
		names = append(names, string(format))
	}
	return "", &fault.Error{Op: "choose output format", Expected: "one of " + strings.Join(names, ", "), Found: name}
}

// Write prints all that is left of rows to w and returns the number of rows read.
// It does not close rows. A result that fails half-way leaves what was printed
// before, so JSON is then incomplete.
//
// A table is cut to the screen when w is a terminal, and is never cut otherwise.
// Results are streamed in every format; a table of all rows takes its column
// widths from its first rows.
func Write(w io.Writer, format Format, rows *sql.Rows) (n int, err error) {
	return WriteTo(w, format, rows, ScreenOf(w), nil)
}

// WriteTo is Write with a table cut to a screen of the caller's. It puts the result
// into kept, too, unless that is nil.
func WriteTo(w io.Writer, format Format, rows *sql.Rows, s Screen, kept *Result) (n int, err error) {
	source, err := newReader(rows)
	if err != nil {
		return 0, err
	}
	if kept != nil {
		*kept = Result{columns: source.columns}
		source.kept = kept
	}
	err = write(w, format, source, s)
	if err != nil && kept != nil {
		*kept = Result{} // half a result would be mistaken for a whole one
	}
	return source.read, err
}

func write(w io.Writer, format Format, source *reader, s Screen) error {
	var err error
	buffered := bufio.NewWriterSize(w, 64<<10)
	switch format {
	case CSV:
		err = writeCSV(buffered, source, false)
	case Spreadsheet:
		buffered.WriteString(plaintext.ByteOrderMark)
		err = writeCSV(buffered, source, true)
	case JSON:
		err = writeJSON(buffered, source)
	case Markdown:
		err = writeMarkdown(buffered, source)
	case Table:
		err = writeTable(buffered, source, s)
	default:
		_, err = ParseFormat(string(format))
	}
	if flushed := buffered.Flush(); err == nil {
		err = flushed
	}
	return err
}
