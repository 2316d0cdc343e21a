package web

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/saedb/saedb/internal/box"
	schema "github.com/saedb/saedb/sql"
)

// TestGuard: a name that others control, another method and another site's page are refused,
// and every answer tells the browser what our pages may do.
func TestGuard(t *testing.T) {
	handler := guard(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "answer") }))
	for _, c := range []struct {
		method, host, path string
		header             map[string]string
		want               int
	}{
		{"GET", "evil.example", "/", nil, http.StatusMisdirectedRequest},
		{"GET", "127.0.0.1.evil.example:80", "/", nil, http.StatusMisdirectedRequest},
		{"GET", "192.168.1.2:8080", "/", nil, http.StatusMisdirectedRequest},
		{"POST", "localhost", "/", nil, http.StatusMethodNotAllowed},
		{"GET", "localhost", "/", map[string]string{"Origin": "http://evil.example"}, http.StatusForbidden},
		{"GET", "localhost", "/api/sql", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, http.StatusForbidden},
		{"GET", "localhost", "/", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, http.StatusForbidden},
		{"GET", "localhost", "/", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, http.StatusOK},
		{"GET", "localhost:8080", "/api/sql", map[string]string{"Origin": "http://localhost:8080", "Sec-Fetch-Site": "same-origin"}, http.StatusOK},
		{"HEAD", "[::1]:8080", "/", nil, http.StatusOK},
		{"GET", "[::1]", "/", nil, http.StatusOK},
		{"GET", "127.0.0.2:8080", "/", nil, http.StatusOK},
	} {
		request := httptest.NewRequest(c.method, c.path, nil)
		request.Host = c.host
		for name, value := range c.header {
			request.Header.Set(name, value)
		}
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request)
		if answer.Code != c.want {
			t.Errorf("%s %s%s %v: %d, want %d", c.method, c.host, c.path, c.header, answer.Code, c.want)
		}
		if policy := answer.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") {
			t.Errorf("%s %s%s: the policy is %q", c.method, c.host, c.path, policy)
		}
	}
}

// TestAnswer: an error is JSON with a status that says whose fault it is.
func TestAnswer(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, http.StatusOK},
		{errors.New("sort: no column"), http.StatusBadRequest},
		{fmt.Errorf("feature: %w", &notFound{"feature 7"}), http.StatusNotFound},
		{fmt.Errorf("query: %w", box.ErrTime), http.StatusRequestTimeout},
		{box.ErrBusy, http.StatusServiceUnavailable},
		{errDownloads, http.StatusServiceUnavailable},
	} {
		answer := httptest.NewRecorder()
		put := func(*http.Request) (any, error) { return map[string]string{"error": fmt.Sprint(c.err)}, c.err }
		(&Server{}).write(put)(answer, httptest.NewRequest(http.MethodPost, "/", nil))
		var said map[string]string
		if err := json.Unmarshal(answer.Body.Bytes(), &said); err != nil || said["error"] != fmt.Sprint(c.err) || answer.Code != c.want {
			t.Errorf("%v: %d %s, want %d", c.err, answer.Code, answer.Body, c.want)
		}
	}
}

// TestNumber: a number of a request is whole and within its bounds.
func TestNumber(t *testing.T) {
	for given, want := range map[string]int{"": 50, "0": 0, "200": 200, "201": -1, "-1": -1, "1.5": -1, "x": -1, "99999999999999999999": -1} {
		got, err := number(url.Values{"limit": {given}}, "limit", 50, 200)
		if err != nil {
			got = -1
		}
		if got != want {
			t.Errorf("%q: %d, %v, want %d", given, got, err, want)
		}
	}
}

// TestFilter: bounds are of columns that features have, by arguments and not by text; SAEs are
// chosen by what a request says of them.
func TestFilter(t *testing.T) {
	layer := func(n int32) sql.NullInt32 { return sql.NullInt32{Int32: n, Valid: true} }
	s := &Server{catalogue: &catalogue{saes: []*sae{
		{id: 1, name: "a", release: "r", model: "m", layer: layer(0)},
		{id: 2, name: "b", release: "r", model: "m", layer: layer(5)},
		{id: 3, name: "c", release: "s", model: "n"},
	}}}
	for query, want := range map[string]string{
		"":                                "sae_id > 0 []",
		"min_skewness=1&max_kurtosis=2.5": "sae_id > 0 AND kurtosis <= ? AND skewness >= ? [2.5 1]",
		"min_std=":                        "sae_id > 0 []",
		"layer=5":                         "sae_id IN (2) []",
		"layer=0":                         "sae_id IN (1) []",
		"min_layer=1":                     "sae_id IN (2) []",
		"max_layer=9":                     "sae_id IN (1, 2) []",
		"release=r&sae=a&max_std=1":       "sae_id IN (1) AND std <= ? [1]",
		"model=none":                      "none",
		"layer=x":                         `layer: expected a number, found "x"`,
		"role=partition":                  "sae_id > 0 AND " + schema.Role + " = ? [partition]",
		"role=x":                          "no role x; there are prediction, suppression, partition",
		"noted=any":                       "notes: serve was started with --no-notes",
		"noted=x":                         "no noted x; there are any, starred",
		"min_skewness=x":                  `min_skewness: expected a number for a statistic, found "x"`,
		"min_feature)--=1":                `min_feature)--: expected a number for a statistic, found "1"`,
	} {
		q, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		f, err := s.featureFilter(t.Context(), q)
		got := ""
		switch {
		case err != nil:
			got = err.Error()
		case f.none:
			got = "none"
		default:
			got = fmt.Sprint(f.where(), " ", f.values)
		}
		if got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
}

// TestVocabulary: tokens are found by part of their text, and an id that is none has no text.
func TestVocabulary(t *testing.T) {
	v := &vocabulary{shown: []string{" The", "the", "cat"}, lower: []string{" the", "the", "cat"}}
	if bits, any := v.containing("THE", 4); bits != "1100" || !any {
		t.Errorf("containing: %s, %v", bits, any)
	}
	if bits, any := v.containing("dog", 4); bits != "0000" || any {
		t.Errorf("containing none: %s, %v", bits, any)
	}
	if got := v.texts([]any{int32(2), int32(9), nil, int32(0)}, 3); !slices.Equal(got, []string{"cat", "", ""}) {
		t.Errorf("texts: %q", got)
	}
}

// TestKept: parts of pages are kept until there is no room, and one that is larger than all room not at all.
func TestKept(t *testing.T) {
	var d kept
	half := make(json.RawMessage, keptBytes/2)
	for _, key := range []string{"a", "b"} {
		d.keep(key, half)
	}
	d.keep("c", make(json.RawMessage, keptBytes))
	for key, want := range map[string]bool{"a": false, "b": false, "c": false} {
		if _, kept := d.get(key); kept != want {
			t.Errorf("%s is kept: %v", key, kept)
		}
	}
	d.keep("d", half)
	if f, kept := d.get("d"); !kept || len(f) != len(half) {
		t.Error("the last is not kept")
	}
}
