package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/saedb/saedb/internal/box"
)

// sql answers a query for the page.
func (s *Server) sql(ctx context.Context, q url.Values) (any, error) {
	return s.box.Rows(ctx, q.Get("q"))
}

// limits are what a query may take, for the page to say.
func (s *Server) limits(context.Context, url.Values) (any, error) { return s.box.Limits(), nil }

var errDownloads = errors.New("other downloads are on their way; try again when one has ended")

// download sends a whole result as a file. The query has ended before the first byte is
// sent, so that a reader who is slow keeps nobody else's from running, and a file that
// begins to come is whole.
func (s *Server) download(ask func(context.Context, string) (*box.File, error), name, kind string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		select {
		case s.downloads <- struct{}{}:
			defer func() { <-s.downloads }()
		default:
			fail(w, r, errDownloads)
			return
		}
		file, err := ask(r.Context(), r.URL.Query().Get("q"))
		if err != nil {
			fail(w, r, err)
			return
		}
		defer file.Close()
		info, err := file.Stat()
		if err != nil {
			fail(w, r, err)
			return
		}
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
		if p, ok := w.(*patient); ok {
			p.until = time.Now().Add(downloadTime)
		}
		http.ServeContent(w, r, name, info.ModTime(), file)
	}
}

// names are what the SQL box completes: relations with their columns, functions that may be
// used, keywords.
func (s *Server) names(ctx context.Context, _ url.Values) (any, error) {
	return s.list(ctx, `SELECT name, kind FROM (
			SELECT view_name AS name, 'view' AS kind FROM duckdb_views() WHERE NOT internal AND schema_name = 'main'
			UNION SELECT DISTINCT column_name, 'column' FROM duckdb_columns() c
				JOIN duckdb_views() v ON c.table_oid = v.view_oid WHERE NOT v.internal
			UNION SELECT DISTINCT function_name, 'function' FROM duckdb_functions()
				WHERE regexp_full_match(function_name, '[a-z][a-z0-9_]*') AND function_type <> 'pragma'
				AND (function_type NOT IN ('table', 'table_macro') OR NOT internal OR list_contains(?, function_name))
			UNION SELECT keyword_name, 'keyword' FROM duckdb_keywords() WHERE keyword_category = 'reserved'
		) ORDER BY name, kind`, box.TableFunctions)
}
