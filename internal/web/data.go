package web

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// A part is what a page asks for by one name, at /api/NAME: it is read of the database by the
// parameters of the request. Whatever a page shows comes this one way.
type part struct {
	read    func(*Server, context.Context, url.Values) (any, error)
	changes func(url.Values) bool // whether a second answer may differ; nil where none can: nobody writes to the database
	ignores []string              // parameters of the page's address that it does not depend on
}

var parts = map[string]part{
	"overview": {read: (*Server).overview},
	"names":    {read: (*Server).names},
	"limits":   {read: (*Server).limits},
	"search":   {read: (*Server).search, changes: always}, // in notes too

	"features": {read: (*Server).features, changes: always}, // with their stars
	"facets":   {read: (*Server).facets, changes: byNotes, ignores: append([]string{"x", "y"}, ofTable...)},
	"scatter":  {read: (*Server).scatter, changes: byNotes, ignores: ofTable},

	"feature":      {read: (*Server).feature},
	"ends":         {read: (*Server).ends},
	"enrichment":   {read: (*Server).enrichment},
	"links":        {read: (*Server).links},
	"through":      {read: (*Server).through},
	"similar":      {read: (*Server).similar},
	"compare":      {read: (*Server).compare},
	"compare-saes": {read: (*Server).compareSAEs},

	"token":     {read: (*Server).tokenPage},
	"sets":      {read: (*Server).sets},
	"set":       {read: (*Server).set},
	"promoters": {read: (*Server).promoters},
	"evidence":  {read: (*Server).evidence},

	"layers":     {read: (*Server).layers},
	"map":        {read: (*Server).maps},
	"map-colors": {read: (*Server).mapColors},
	"figure":     {read: (*Server).figure, changes: byOwnQuery},
	"sql":        {read: (*Server).sql, changes: always},

	"notes": {read: (*Server).allNotes, changes: always},
	"note":  {read: (*Server).note, changes: always},
}

// ofTable is what the address of the page of features says of its table alone.
var ofTable = []string{"sort", "order", "offset", "limit", "columns", "open"}

func always(url.Values) bool { return true }

// byNotes tells whether features are left by what somebody notes of them.
func byNotes(q url.Values) bool { return q.Has("noted") }

// byOwnQuery tells whether a query of the user's is drawn, which may read notes, or the time.
func byOwnQuery(q url.Values) bool { return q.Has("q") }

// data is a part as JSON.
func (s *Server) data(ctx context.Context, name string, q url.Values) (json.RawMessage, error) {
	p, known := parts[name]
	if !known {
		return nil, &notFound{"data of the name " + name}
	}
	if err := s.catalogue.check(q); err != nil {
		return nil, err
	}
	q = given(q, p.ignores)
	read := func() (any, error) { return p.read(s, ctx, q) }
	if p.changes != nil && p.changes(q) {
		return encoded(read())
	}
	return s.kept.made(name+"?"+q.Encode(), read)
}

// given are the parameters that say something, but for some.
func given(q url.Values, ignored []string) url.Values {
	left := url.Values{}
	for key, values := range q {
		values = slices.DeleteFunc(slices.Clone(values), func(v string) bool { return v == "" })
		if len(values) > 0 && !slices.Contains(ignored, key) {
			left[key] = values
		}
	}
	return left
}

func encoded(value any, err error) (json.RawMessage, error) {
	if err != nil {
		return nil, err
	}
	return json.Marshal(value)
}

// check makes sure that what a request names is loaded, before it is asked for: a page of
// nothing would look like an answer.
func (c *catalogue) check(q url.Values) error {
	if name := q.Get("model"); name != "" && !slices.Contains(c.models, name) {
		return missing("model", name, c.models)
	}
	for _, named := range []struct {
		kind string
		of   func(*sae) string
	}{
		{"release", func(a *sae) string { return a.release }},
		{"SAE", func(a *sae) string { return a.name }},
	} {
		name := q.Get(strings.ToLower(named.kind))
		if name != "" && !slices.ContainsFunc(c.saes, func(a *sae) bool { return named.of(a) == name }) {
			return missing(named.kind, name, c.names(named.of))
		}
	}
	return nil
}

// servePart answers a request for a part.
func (s *Server) servePart(w http.ResponseWriter, r *http.Request) {
	content, err := s.data(r.Context(), r.PathValue("part"), r.URL.Query())
	send(w, r, content, err)
}

// keptBytes bounds what is kept, in bytes of JSON.
const keptBytes = 32 << 20

// kept are parts that were asked for: the database does not change.
type kept struct {
	mutex sync.Mutex
	parts map[string]json.RawMessage
	bytes int
}

func (k *kept) get(key string) (json.RawMessage, bool) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	content, ok := k.parts[key]
	return content, ok
}

// made is what is kept under a key; what is not is made, and kept.
func (k *kept) made(key string, make func() (any, error)) (json.RawMessage, error) {
	if known, ok := k.get(key); ok {
		return known, nil
	}
	content, err := encoded(make())
	if err == nil {
		k.keep(key, content)
	}
	return content, err
}

// keep forgets all others when there is no room left.
func (k *kept) keep(key string, content json.RawMessage) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	size := len(key) + len(content)
	if k.parts == nil || k.bytes+size > keptBytes {
		k.parts, k.bytes = map[string]json.RawMessage{}, 0
	}
	if size <= keptBytes {
		k.parts[key], k.bytes = content, k.bytes+size
	}
}
