package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/notes"
)

// What a page sends at most, in bytes: a note or a query, and a file of notes.
const (
	mostWritten = 64 << 10
	mostOfFile  = 16 << 20
)

// What pages may write: nothing but notes.
const (
	writeNote  = "/api/note"
	writeQuery = "/api/query"
	writeNotes = "/api/notes"
)

// mayWrite tells whether a page of ours sent the request, to write what may be written: browsers
// name the origin of every POST, and no other site can send JSON without asking first.
func mayWrite(r *http.Request) bool {
	return slices.Contains([]string{writeNote, writeQuery, writeNotes}, r.URL.Path) &&
		r.Header.Get("Origin") == "http://"+r.Host && r.Header.Get("Content-Type") == "application/json"
}

var errNoNotes = &fault.Error{Op: "notes", Problem: "serve was started with --no-notes"}

// A noted feature is a note with what the database knows of the feature: nothing of one of another
// database.
type noted struct {
	notes.Note
	Layer  any  `json:"layer"`
	Loaded bool `json:"loaded"`
}

// allNotes are all that are kept, and where.
func (s *Server) allNotes(ctx context.Context, _ url.Values) (any, error) {
	kept, err := s.notes.All(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]noted, len(kept.Notes))
	for i, n := range kept.Notes {
		all[i] = noted{Note: n}
		if a, err := s.catalogue.find(n.SAE); err == nil {
			all[i].Loaded, all[i].Layer = true, a.layerOrNil()
		}
	}
	queries := append([]notes.Query{}, kept.Queries...)
	return map[string]any{"path": s.notes.Path(), "notes": all, "queries": queries}, nil
}

// note is what is kept of one feature, null for nothing.
func (s *Server) note(ctx context.Context, q url.Values) (any, error) {
	feature, err := number(q, "feature", 0, 1<<31-1)
	if err != nil {
		return nil, err
	}
	answer := map[string]any{"path": s.notes.Path(), "note": nil}
	kept, err := s.notes.All(ctx)
	if err != nil {
		return nil, err
	}
	for _, n := range kept.Notes {
		if n.SAE == q.Get("sae") && n.Feature == feature {
			answer["note"] = n
		}
	}
	return answer, nil
}

// filterNoted leaves the features that have a note, or a star.
func (s *Server) filterNoted(ctx context.Context, q url.Values, f *featureFilter) error {
	asked := q.Get("noted")
	switch {
	case asked == "":
		return nil
	case asked != "any" && asked != "starred":
		return missing("noted", asked, []string{"any", "starred"})
	case s.notes == nil:
		return errNoNotes
	}
	kept, err := s.notes.All(ctx)
	if err != nil {
		return err
	}
	var keys []string
	for _, n := range kept.Notes {
		if a, err := s.catalogue.find(n.SAE); err == nil && (n.Starred || asked == "any") {
			keys = append(keys, fmt.Sprintf("(%d, %d)", a.id, n.Feature))
		}
	}
	if f.none = f.none || len(keys) == 0; !f.none {
		f.conditions = append(f.conditions, "(sae_id, feature) IN ("+strings.Join(keys, ", ")+")")
	}
	return nil
}

// star tells of rows of features which are starred.
func (s *Server) star(ctx context.Context, rows []row) {
	kept, _ := s.notes.All(ctx) // the table is shown all the same; the page of notes has the error
	for _, n := range kept.Notes {
		for _, r := range rows {
			if n.Starred && r["sae"] == n.SAE && fmt.Sprint(r["feature"]) == strconv.Itoa(n.Feature) {
				r["starred"] = true
			}
		}
	}
}

// putNote keeps a note of a feature that is loaded.
func (s *Server) putNote(r *http.Request) (any, error) {
	var n notes.Note
	if err := s.written(r, &n, mostWritten); err != nil {
		return nil, err
	}
	a, err := s.catalogue.find(n.SAE)
	if err == nil {
		err = a.check(n.Feature)
	}
	if err != nil {
		return nil, err
	}
	return map[string]any{}, s.notes.Put(context.WithoutCancel(r.Context()), n)
}

// putQuery keeps a query under a name.
func (s *Server) putQuery(r *http.Request) (any, error) {
	var q notes.Query
	if err := s.written(r, &q, mostWritten); err != nil {
		return nil, err
	}
	return map[string]any{}, s.notes.Save(context.WithoutCancel(r.Context()), q.Name, q.Query)
}

// written reads what a page sends, at most so many bytes.
func (s *Server) written(r *http.Request, into any, most int64) error {
	if s.notes == nil {
		return errNoNotes
	}
	decoder := json.NewDecoder(http.MaxBytesReader(nil, r.Body, most))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return &fault.Error{Op: "notes", Expected: "JSON of what is to be kept", Err: err}
	}
	return nil
}

// notesCSV sends all notes as a file.
func (s *Server) notesCSV(w http.ResponseWriter, r *http.Request) {
	if s.notes == nil {
		fail(w, r, errNoNotes)
		return
	}
	kept, err := s.notes.All(r.Context())
	if err != nil {
		fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="notes.csv"`)
	_ = notes.WriteCSV(w, kept.Notes) // an error is one of who reads
}

// putNotes merges a CSV file of notes with those that are kept, all of it or nothing. Where some
// that are kept say something else, it writes nothing until it is told what becomes of these.
// Notes of SAEs that are not loaded are kept too, as those that are written while another
// database is open.
func (s *Server) putNotes(r *http.Request) (any, error) {
	var file struct {
		CSV       string          `json:"csv"`
		Differing notes.Differing `json:"differing"`
	}
	if err := s.written(r, &file, mostOfFile); err != nil {
		return nil, err
	}
	elsewhere := 0
	come, err := notes.ReadCSV(strings.NewReader(file.CSV), time.Now(), func(n notes.Note) error {
		a, err := s.catalogue.find(n.SAE)
		if err != nil {
			elsewhere++
			return nil
		}
		return a.check(n.Feature)
	})
	if err != nil {
		return nil, err
	}
	m, err := s.notes.Merge(context.WithoutCancel(r.Context()), come, file.Differing)
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"written": m.Written, "notes": len(come), "added": m.Added, "same": m.Same,
		"differ": append([]notes.Note{}, m.Differ...), "not_loaded": elsewhere,
	}, nil
}
