package web

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/saedb/saedb/internal/output"
)

var errBusy = errors.New("another query is running; try again when it has ended")

// A result is a query's on the page. Values are text as DuckDB writes them, nil for
// NULL.
type result struct {
	Columns   []resultColumn `json:"columns"`
	Rows      [][]*string    `json:"rows"`
	Truncated bool           `json:"truncated"` // there are more rows than these
	Seconds   float64        `json:"seconds"`
}

type resultColumn struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// exclusively runs a user's query: one at a time, for no longer than queryTime. It may
// be used between parentheses, and nowhere else.
func (s *Server) exclusively(r *http.Request, run func(ctx context.Context, query string) error) error {
	query, err := s.selection(r.Context(), r.URL.Query().Get("q"))
	if err != nil {
		return err
	}
	select {
	case s.running <- struct{}{}:
		defer func() { <-s.running }()
	case <-time.After(waitTime):
		return errBusy
	case <-r.Context().Done():
		return r.Context().Err()
	}
	ctx, cancel := context.WithTimeout(r.Context(), queryTime)
	defer cancel()
	defer s.forgetTypes(query)
	err = run(ctx, query.text)
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// A selection is a query that only reads. DuckDB makes of a PIVOT without its values
// two statements: one makes a temporary type of the values there are, the other selects.
type selection struct {
	text       string
	makesTypes bool
}

// selection returns the one query that a text is, without its semicolon. DuckDB's own
// parser tells: its JSON of statements is of SELECT alone, and of what DuckDB takes for
// one (FROM, VALUES, DESCRIBE, SUMMARIZE, SHOW, UNPIVOT, PIVOT with its values).
//
// Of a PIVOT without its values it makes no JSON. Such a text is told from one that does
// more by being put in parentheses: a text that can be parsed has none of its own
// open or closed too often, and no statement that is not a query, nor two of any, can
// stand in parentheses.
func (s *Server) selection(ctx context.Context, text string) (selection, error) {
	text = strings.TrimRight(text, "; \t\r\n")
	if text == "" {
		return selection{}, errors.New("there is no query")
	}
	alone, err := s.parse(ctx, text)
	if err != nil {
		return selection{}, err
	}
	switch {
	case alone.refused():
		inside, err := s.parse(ctx, "FROM (\n"+text+"\n)")
		if err == nil && !inside.refused() {
			err = errors.New("only SELECT can be run here, and FROM, VALUES, WITH, PIVOT, UNPIVOT, DESCRIBE, SUMMARIZE and SHOW; saedb sql runs everything")
		}
		return selection{text, true}, err
	case alone.Error:
		return selection{}, errors.New(alone.Message)
	case len(alone.Statements) != 1:
		return selection{}, fmt.Errorf("expected one statement, found %d", len(alone.Statements))
	}
	return selection{text, false}, nil
}

// parsed is what DuckDB's json_serialize_sql says of a text.
type parsed struct {
	Error      bool              `json:"error"`
	Message    string            `json:"error_message"`
	Statements []json.RawMessage `json:"statements"`
}

// refused tells whether the text could be parsed, and is no SELECT.
func (p parsed) refused() bool { return strings.HasPrefix(p.Message, "Only SELECT") }

func (s *Server) parse(ctx context.Context, text string) (p parsed, err error) {
	var answer string
	if err := s.db.QueryRowContext(ctx, `SELECT CAST(json_serialize_sql(CAST(? AS VARCHAR)) AS VARCHAR)`, text).Scan(&answer); err != nil {
		return p, err
	}
	return p, json.Unmarshal([]byte(answer), &p)
}

// forgetTypes closes the idle connections, and with them the temporary types that a
// PIVOT has left in one.
func (s *Server) forgetTypes(query selection) {
	if query.makesTypes {
		s.db.SetMaxIdleConns(0)
		s.db.SetMaxIdleConns(idleConnections)
	}
}

// sql answers a query for the page.
func (s *Server) sql(r *http.Request) (any, error) {
	out := result{Rows: [][]*string{}}
	begun := time.Now()
	err := s.exclusively(r, func(ctx context.Context, query string) error {
		var err error
		if out.Columns, err = s.columns(ctx, query); err != nil {
			return err
		}
		rows, err := s.db.QueryContext(ctx, fmt.Sprintf("SELECT CAST(COLUMNS(*) AS VARCHAR) FROM (SELECT * FROM (\n%s\n) LIMIT %d)", query, queryRows+1))
		if err != nil {
			return err
		}
		defer rows.Close()
		return out.read(rows)
	})
	if err != nil {
		return nil, err
	}
	out.Seconds = time.Since(begun).Seconds()
	return out, nil
}

func (s *Server) columns(ctx context.Context, query string) ([]resultColumn, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT * FROM (\n"+query+"\n) LIMIT 0")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, err
	}
	var columns []resultColumn
	for _, t := range types {
		columns = append(columns, resultColumn{t.Name(), t.DatabaseTypeName()})
	}
	return columns, nil
}

func (out *result) read(rows *sql.Rows) error {
	bytes := 0
	for rows.Next() {
		values, pointers := make([]*string, len(out.Columns)), make([]any, len(out.Columns))
		for i := range values {
			pointers[i] = &values[i]
		}
		if err := rows.Scan(pointers...); err != nil {
			return err
		}
		for _, v := range values {
			if v != nil {
				bytes += len(*v)
			}
		}
		if bytes > answerBytes {
			return fmt.Errorf("the result is larger than %d MB; download it instead", answerBytes>>20)
		}
		if len(out.Rows) == queryRows {
			out.Truncated = true
			break
		}
		out.Rows = append(out.Rows, values)
	}
	return rows.Err()
}

// download sends a whole result as a file.
func (s *Server) download(write func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := write(w, r); err != nil {
			w.Header().Del("Content-Disposition")
			fail(w, r, err)
		}
	}
}

func (s *Server) csv(w http.ResponseWriter, r *http.Request) error {
	return s.exclusively(r, func(ctx context.Context, query string) error {
		rows, err := s.db.QueryContext(ctx, "FROM (\n"+query+"\n)")
		if err != nil {
			return err
		}
		defer rows.Close()
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		w.Header().Set("Content-Disposition", `attachment; filename="result.csv"`)
		_, err = output.Write(w, output.CSV, rows)
		return err
	})
}

// parquet has DuckDB write the file into the one directory that it may write to.
func (s *Server) parquet(w http.ResponseWriter, r *http.Request) error {
	return s.exclusively(r, func(ctx context.Context, query string) error {
		partial, err := os.CreateTemp(s.exports, "*.parquet")
		if err != nil {
			return err
		}
		defer os.Remove(partial.Name())
		defer partial.Close()
		if _, err := s.db.ExecContext(ctx, fmt.Sprintf("COPY (FROM (\n%s\n)) TO '%s' (FORMAT parquet)", query, strings.ReplaceAll(partial.Name(), "'", "''"))); err != nil {
			return err
		}
		w.Header().Set("Content-Type", "application/vnd.apache.parquet")
		w.Header().Set("Content-Disposition", `attachment; filename="result.parquet"`)
		written, err := os.Open(partial.Name())
		if err != nil {
			return err
		}
		defer written.Close()
		info, err := written.Stat()
		if err != nil {
			return err
		}
		http.ServeContent(w, r, "result.parquet", info.ModTime(), written)
		return nil
	})
}

// names are what the SQL box completes: relations with their columns, functions,
// keywords.
func (s *Server) names(r *http.Request) (any, error) {
	return s.list(r.Context(), `SELECT name, kind FROM (
			SELECT view_name AS name, 'view' AS kind FROM duckdb_views() WHERE NOT internal AND schema_name = 'main'
			UNION SELECT DISTINCT column_name, 'column' FROM duckdb_columns() c JOIN duckdb_views() v ON c.table_oid = v.view_oid WHERE NOT v.internal
			UNION SELECT DISTINCT function_name, 'function' FROM duckdb_functions() WHERE regexp_full_match(function_name, '[a-z][a-z0-9_]*')
			UNION SELECT keyword_name, 'keyword' FROM duckdb_keywords() WHERE keyword_category = 'reserved'
		) ORDER BY name, kind`)
}
