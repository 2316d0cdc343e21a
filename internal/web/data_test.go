package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"testing"
)

// TestData: a part is read once for the parameters that it depends on, but one that may change
// each time; what is not loaded is refused before, and an error is not kept.
func TestData(t *testing.T) {
	s := &Server{catalogue: &catalogue{saes: []*sae{{id: 1, name: "a", release: "r", model: "m"}}, models: []string{"m", "n"}}}
	reads := 0
	read := func(_ *Server, _ context.Context, q url.Values) (any, error) {
		if reads++; q.Has("wrong") {
			return nil, errors.New("wrong")
		}
		return fmt.Sprintf("%d %s", reads, q.Encode()), nil
	}
	parts["test"] = part{read: read, changes: byNotes, ignores: ofTable}
	defer delete(parts, "test")
	for _, c := range []struct{ query, want string }{
		{"", "1 "},
		{"sae=a", "2 sae=a"},
		{"sort=layer&set=&sae=a", "2 sae=a"}, // neither changes what is read
		{"sae=a&set=x&set=&set=y", "3 sae=a&set=x&set=y"},
		{"sae=a&set=y&set=x", "4 sae=a&set=y&set=x"}, // in the order that a figure draws them
		{"noted=any", "5 noted=any"},
		{"noted=any", "6 noted=any"},
		{"noted=", "1 "},
		{"model=n", "7 model=n"}, // has no SAE
	} {
		q, err := url.ParseQuery(c.query)
		if err != nil {
			t.Fatal(err)
		}
		content, err := s.data(context.Background(), "test", q)
		var got string
		if err == nil {
			err = json.Unmarshal(content, &got)
		}
		if err != nil || got != c.want {
			t.Errorf("%q: %q, %v, expected %q", c.query, got, err, c.want)
		}
	}
	for _, query := range []string{"wrong=1", "wrong=1"} {
		before := reads
		if _, err := s.data(context.Background(), "test", url.Values{"wrong": {"1"}}); err == nil || reads != before+1 {
			t.Errorf("%s: read %d times, %v", query, reads-before, err)
		}
	}
	before := reads
	for _, q := range []url.Values{{"sae": {"b"}}, {"release": {"s"}}, {"model": {"o"}}} {
		var missing *notFound
		if _, err := s.data(context.Background(), "test", q); !errors.As(err, &missing) {
			t.Errorf("%v: %v, expected that it is not found", q, err)
		}
	}
	if reads != before {
		t.Errorf("what is not loaded is read all the same")
	}
	var missing *notFound
	if _, err := s.data(context.Background(), "nothing", nil); !errors.As(err, &missing) {
		t.Errorf("a part that there is none of: %v", err)
	}
}
