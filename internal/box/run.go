package box

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/saedb/saedb/internal/figures"
	"github.com/saedb/saedb/internal/output"
	schema "github.com/saedb/saedb/sql"
)

// A result is a query's on the page. Values are text as DuckDB writes them, nil for NULL; lists
// of texts and of tokens are JSON, since what stands in them may have commas and brackets.
type result struct {
	Columns   []resultColumn `json:"columns"`
	Figures   []string       `json:"figures"` // that can be drawn of it
	Rows      [][]*string    `json:"rows"`
	Truncated bool           `json:"truncated"` // there are more rows than these
	Seconds   float64        `json:"seconds"`
	bytes     int            // that it takes, about
}

type resultColumn struct {
	Name string `json:"name"`
	Type string `json:"type"`
	// Numeric says that its values are numbers.
	Numeric bool `json:"numeric"`
	// Tokens says that they are lists of structs with a token_id and a token or text, as top_tokens gives.
	Tokens bool `json:"tokens,omitempty"`
}

// listOfTexts is DuckDB's name of the type, and listOfTokens what its names of lists of tokens are like:
// structs without others in them.
const listOfTexts = "VARCHAR[]"

var listOfTokens = regexp.MustCompile(`^STRUCT\([^()\[\]]*"?\btoken_id\b"? INTEGER\b[^()\[\]]*"?\b(token|text)\b"? VARCHAR\b[^()\[\]]*\)\[\]$`)

var decimal = regexp.MustCompile(`DECIMAL\(\d+,\s*\d+\)`)

// ofTokens tells of a type whether it is one of lists of tokens.
func ofTokens(kind string) bool {
	return listOfTokens.MatchString(decimal.ReplaceAllString(kind, "DECIMAL"))
}

// rows is a result for the page, in JSON.
func (w *worker) rows(ctx context.Context, query string) ([]byte, error) {
	out := result{Rows: [][]*string{}, Figures: []string{}}
	begun := time.Now()
	var err error
	if out.Columns, err = w.columns(ctx, query); err != nil {
		return nil, err
	}
	rows, err := w.db.QueryContext(ctx, out.query(query))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	if err := out.read(rows); err != nil {
		return nil, err
	}
	if len(out.Rows) > 0 {
		out.Figures = drawable(out.Columns)
	}
	out.Seconds = time.Since(begun).Seconds()
	return json.Marshal(out)
}

func drawable(columns []resultColumn) []string {
	var of []figures.QueryColumn
	for _, c := range columns {
		of = append(of, figures.QueryColumn{Name: c.Name, Type: c.Type})
	}
	return figures.Drawable(of)
}

// query gives the first rows of a query as texts. Its columns are called by their places, since
// several may have one name.
func (out *result) query(query string) string {
	var names, texts []string
	for i, c := range out.Columns {
		name := fmt.Sprintf("c%d", i)
		names = append(names, name)
		if c.Type == listOfTexts || c.Tokens {
			name = "to_json(" + name + ")"
		}
		texts = append(texts, "CAST("+name+" AS VARCHAR)")
	}
	return fmt.Sprintf("SELECT %s FROM (SELECT * FROM (\n%s\n) LIMIT %d) result(%s)",
		strings.Join(texts, ", "), query, pageRows+1, strings.Join(names, ", "))
}

func (w *worker) columns(ctx context.Context, query string) ([]resultColumn, error) {
	rows, err := w.db.QueryContext(ctx, "SELECT * FROM (\n"+query+"\n) LIMIT 0")
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
		kind := t.DatabaseTypeName()
		columns = append(columns, resultColumn{t.Name(), kind, figures.QueryColumn{Type: kind}.Numeric(), ofTokens(kind)})
	}
	return columns, nil
}

// add counts a text, or NULL, which is written as null. Thousands of columns of nothing are a
// large result too.
func (out *result) add(text string) error {
	const around = len("null,")
	if out.bytes += len(text) + around; out.bytes > pageBytes {
		return fmt.Errorf("the result is larger than %d MB; download it instead", pageBytes/1_000_000)
	}
	return nil
}

func (out *result) read(rows *sql.Rows) error {
	for _, c := range out.Columns {
		if err := out.add(c.Name + c.Type); err != nil {
			return err
		}
	}
	for rows.Next() {
		values, pointers := make([]*string, len(out.Columns)), make([]any, len(out.Columns))
		for i := range values {
			pointers[i] = &values[i]
		}
		if err := rows.Scan(pointers...); err != nil {
			return err
		}
		for _, v := range values {
			text := ""
			if v != nil {
				text = *v
			}
			if err := out.add(text); err != nil {
				return err
			}
		}
		if len(out.Rows) == pageRows {
			out.Truncated = true
			break
		}
		out.Rows = append(out.Rows, values)
	}
	return rows.Err()
}

// figure is one of a stranger's query, in JSON.
func (w *worker) figure(ctx context.Context, r figures.Request, query string) ([]byte, error) {
	r.Query = query
	f, err := figures.Build(ctx, w.db.DB, r)
	if err != nil {
		return nil, err
	}
	return json.Marshal(f)
}

// mostPoints bounds the points of a chart; it is less than a megabyte then.
const mostPoints = 5000

// chart is one of columns of a stranger's query, in JSON.
func (w *worker) chart(ctx context.Context, c figures.Chart, query string) ([]byte, error) {
	f, err := figures.BuildChart(ctx, w.db.DB, c, query, mostPoints)
	if err != nil {
		return nil, err
	}
	return json.Marshal(f)
}

func (w *worker) csv(ctx context.Context, query string) error {
	rows, err := w.db.QueryContext(ctx, "FROM (\n"+query+"\n)")
	if err != nil {
		return err
	}
	defer rows.Close()
	file, err := os.Create(csvFile(w.directory))
	if err != nil {
		return err
	}
	_, err = output.Write(file, output.CSV, rows)
	return whole(file.Name(), errors.Join(err, file.Close()))
}

// whole removes a file that an error has left in part, so that it takes no room until the next.
func whole(path string, err error) error {
	if err != nil {
		_ = os.Remove(path) // which may not be there
	}
	return err
}

func (w *worker) parquet(ctx context.Context, query string) error {
	path := parquetFile(w.directory)
	_, err := w.db.ExecContext(ctx, "COPY (FROM (\n"+query+"\n)) TO "+schema.Literal(path)+" (FORMAT parquet, USE_TMP_FILE false)")
	return whole(path, err)
}
