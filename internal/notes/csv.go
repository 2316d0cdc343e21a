package notes

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/saedb/saedb/internal/fault"
	schema "github.com/saedb/saedb/sql"
)

// A subject is the feature that a note is of: there is one note of each.
type subject struct {
	sae     string
	feature int
}

func (n Note) subject() subject { return subject{n.SAE, n.Feature} }

// columns are those of a CSV file of notes, as SQL has them. A file that is read may lack the last
// and have them in another order.
var columns = []string{"sae", "feature", "starred", "label", "note", "changed_at"}

// Times as a file has them, in UTC where it does not say; the first is what is written. DuckDB and
// spreadsheets write the others.
var times = []string{time.DateTime, time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04"}

// WriteCSV writes notes as a CSV file that ReadCSV reads.
func WriteCSV(w io.Writer, notes []Note) error {
	out := csv.NewWriter(w)
	lines := [][]string{columns}
	for _, n := range notes {
		lines = append(lines, []string{n.SAE, strconv.Itoa(n.Feature), strconv.FormatBool(n.Starred), n.Label, n.Note, n.Changed.UTC().Format(times[0])})
	}
	return out.WriteAll(lines)
}

// ReadCSV reads all notes of a file, each of another feature, or none: the error names the line and
// the column. checked may refuse a note's feature; lines without a time were changed now.
func ReadCSV(r io.Reader, now time.Time, checked func(Note) error) ([]Note, error) {
	f := &csvFile{Reader: csv.NewReader(r), now: now}
	f.FieldsPerRecord = -1 // counted below, to name what is missing
	if err := f.header(); err != nil {
		return nil, err
	}
	var notes []Note
	lines := map[subject]int{}
	for {
		n, err := f.next()
		if errors.Is(err, io.EOF) {
			return notes, nil
		}
		if err != nil {
			return nil, err
		}
		if err := checked(n); err != nil {
			return nil, f.wrong("feature", "", "", err)
		}
		if first, twice := lines[n.subject()]; twice {
			return nil, f.wrong("feature", "each feature once", fmt.Sprintf("%d of %s as on line %d", n.Feature, n.SAE, first), nil)
		}
		lines[n.subject()] = f.line("feature")
		notes = append(notes, n)
	}
}

// A csvFile is a file of notes that is being read.
type csvFile struct {
	*csv.Reader
	now    time.Time
	place  map[string]int // of each column
	record []string
}

// wrong is an error in a column of the last line that was read.
func (f *csvFile) wrong(column, expected, found string, err error) error {
	return &fault.Error{Op: "read notes", Subject: fmt.Sprintf("line %d, column %s", f.line(column), column), Expected: expected, Found: found, Err: err}
}

// line is where a column's value begins: a note may have several lines. Counted from 1, the header's.
func (f *csvFile) line(column string) int {
	line, _ := f.FieldPos(min(f.place[column], len(f.record)-1))
	return line
}

// header reads the names of the columns.
func (f *csvFile) header() error {
	names, err := f.Read()
	expected := "the columns " + strings.Join(columns[:5], ", ") + " and, if times are known, changed_at"
	if errors.Is(err, io.EOF) {
		return &fault.Error{Op: "read notes", Subject: "line 1", Expected: expected, Found: "an empty file"}
	}
	if err != nil {
		return &fault.Error{Op: "read notes", Expected: "CSV", Err: err}
	}
	names[0] = strings.TrimPrefix(names[0], "\ufeff") // spreadsheets begin a file so
	f.place = map[string]int{}
	for i, name := range names {
		name = strings.ToLower(strings.TrimSpace(name))
		if _, twice := f.place[name]; twice || !slices.Contains(columns, name) {
			return &fault.Error{Op: "read notes", Subject: fmt.Sprintf("line 1, column %d", i+1), Expected: expected, Found: fmt.Sprintf("%.200s", strings.Join(names, ", "))}
		}
		f.place[name] = i
	}
	for _, name := range columns[:5] {
		if _, there := f.place[name]; !there {
			return &fault.Error{Op: "read notes", Subject: "line 1, column " + name, Expected: expected, Found: fmt.Sprintf("%.200s", strings.Join(names, ", "))}
		}
	}
	return nil
}

// next is the note of the next line, or io.EOF.
func (f *csvFile) next() (n Note, err error) {
	f.record, err = f.Read()
	if err != nil {
		if !errors.Is(err, io.EOF) {
			err = &fault.Error{Op: "read notes", Expected: "CSV", Err: err} // names line and column
		}
		return n, err
	}
	if len(f.record) != len(f.place) {
		line, _ := f.FieldPos(0)
		return n, &fault.Error{
			Op: "read notes", Subject: fmt.Sprintf("line %d", line),
			Expected: fmt.Sprintf("%d values, as the first line has columns", len(f.place)), Found: strconv.Itoa(len(f.record)),
		}
	}
	value := func(column string) string { return strings.TrimSpace(f.record[f.place[column]]) }
	n = Note{SAE: value("sae"), Label: value("label"), Note: value("note"), Changed: f.now}
	if n.SAE == "" {
		return n, f.wrong("sae", "an SAE's name, release/name", "nothing", nil)
	}
	if err := f.bounded("sae", n.SAE, mostText); err != nil {
		return n, err
	}
	feature, err := strconv.ParseUint(value("feature"), 10, 31)
	if err != nil {
		return n, f.wrong("feature", "a feature's index, a whole number from 0", fmt.Sprintf("%.60q", value("feature")), nil)
	}
	n.Feature = int(feature)
	if text := value("starred"); text != "" {
		if n.Starred, err = strconv.ParseBool(strings.ToLower(text)); err != nil {
			return n, f.wrong("starred", "true or false", fmt.Sprintf("%.60q", text), nil)
		}
	}
	if err := cmp.Or(f.bounded("label", n.Label, mostLabel), f.bounded("note", n.Note, mostText)); err != nil {
		return n, err
	}
	if n.empty() {
		return n, f.wrong("starred", "a star, a label or a note", "none of them; leave such a line out", nil)
	}
	if _, there := f.place["changed_at"]; there && value("changed_at") != "" {
		if n.Changed, err = parseTime(value("changed_at")); err != nil {
			return n, f.wrong("changed_at", "a time such as 2026-01-31 23:59:59", fmt.Sprintf("%.60q", value("changed_at")), nil)
		}
	}
	return n, nil
}

// bounded refuses what check refuses.
func (f *csvFile) bounded(column, text string, most int) error {
	var e *fault.Error
	if errors.As(check(column, text, most), &e) {
		return f.wrong(column, e.Expected, e.Found, nil)
	}
	return nil
}

func parseTime(text string) (t time.Time, err error) {
	for _, layout := range times {
		if t, err = time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return t, err
}

// Differing says what becomes of notes that are kept of the same features and say something else.
type Differing string

// What may become of them.
const (
	AskDiffering     Differing = ""        // nothing is written if there are any
	ReplaceDiffering Differing = "replace" // those that come take their place
	KeepDiffering    Differing = "keep"    // they stay, and only the others that come are written
)

// Merged is what a merge did, or would do: of what comes, how many notes are of features without one,
// how many say what is kept, and which differ from what is kept.
type Merged struct {
	Added, Same int
	Differ      []Note // as they are kept
	Written     bool
}

// Merge writes notes beside those that are kept, all or none. Whatever happens, notes of other features
// stay.
func (s *Store) Merge(ctx context.Context, come []Note, differing Differing) (m Merged, err error) {
	if !slices.Contains([]Differing{AskDiffering, ReplaceDiffering, KeepDiffering}, differing) {
		return m, &fault.Error{Op: "write notes", Subject: "differing", Expected: "replace or keep", Found: fmt.Sprintf("%.60q", string(differing))}
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	kept, err := s.all(ctx)
	if err != nil {
		return m, err
	}
	of := map[subject]Note{}
	for _, n := range kept.Notes {
		of[n.subject()] = n
	}
	var write []Note
	for _, n := range come {
		there, known := of[n.subject()]
		switch {
		case !known:
			m.Added++
		case there.says(n):
			m.Same++
			continue
		default:
			m.Differ = append(m.Differ, there)
			if differing != ReplaceDiffering {
				continue
			}
		}
		write = append(write, n)
	}
	if differing == AskDiffering && len(m.Differ) > 0 {
		return m, nil
	}
	m.Written = true
	if len(write) == 0 {
		return m, nil
	}
	return m, s.write(ctx, "INSERT OR REPLACE INTO notes VALUES "+values(write))
}

// says tells whether another note says the same.
func (n Note) says(other Note) bool {
	return n.Starred == other.Starred && n.Label == other.Label && n.Note == other.Note
}

// values are notes as rows of SQL.
func values(notes []Note) string {
	rows := make([]string, len(notes))
	for i, n := range notes {
		rows[i] = fmt.Sprintf("(%s, %d, %t, nullif(%s, ''), nullif(%s, ''), %s)", schema.Literal(n.SAE), n.Feature, n.Starred,
			schema.Literal(n.Label), schema.Literal(n.Note), schema.Literal(n.Changed.UTC().Format("2006-01-02 15:04:05.999999")))
	}
	return strings.Join(rows, ", ")
}
