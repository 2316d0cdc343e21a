package shell

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/output"
	"github.com/saedb/saedb/internal/plaintext"
)

// runner runs statements on one connection, so that a transaction, a USE or a
// temporary table lasts from one statement to the next.
type runner struct {
	conn        *sql.Conn
	writer      *Writer // nil once the database is writable, or where it stays as it is
	transaction transaction
	maxRows     int            // of a table that is printed; 0 for all
	last        *output.Result // keeps the last result that was printed, unless nil
}

// run executes one statement and prints its result to out. A statement without a
// result prints nothing, or in table format how many rows it changed.
func (r *runner) run(ctx context.Context, text string, out io.Writer, format output.Format) error {
	// The driver interrupts DuckDB when its context ends, and only a context of
	// this statement's own lets go of that at the end of it.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := guard(ctx, r.conn, text); err != nil {
		return err
	}
	rows, err := r.query(ctx, text)
	if err != nil {
		return explain(ctx, r.conn, err)
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		return err
	}
	switch {
	case isOutcome(text, types):
		err = printOutcome(out, format, rows)
	case format == output.Table && isPlan(types):
		err = printPlan(out, rows)
	default:
		_, err = output.WriteTo(out, format, rows, r.screen(out), r.last)
	}
	if err != nil {
		return err
	}
	return rows.Err()
}

// screen is what tables are cut to: the width of the terminal, if it is one, and the
// rows that a person wants to see, wherever they go.
func (r *runner) screen(out io.Writer) output.Screen {
	return output.Screen{Columns: output.ScreenOf(out).Columns, Rows: r.maxRows}
}

// isOutcome reports whether a result only says how a statement went. DuckDB answers
// statements that select nothing with a column Count or Success, which the driver
// does not tell from a query's column of the same name; the statement's verb does.
func isOutcome(text string, types []*sql.ColumnType) bool {
	if len(types) != 1 {
		return false
	}
	name, typ := types[0].Name(), types[0].DatabaseTypeName()
	if !(name == "Count" && typ == "BIGINT" || name == "Success" && typ == "BOOLEAN") {
		return false
	}
	words := topLevelWords(text)
	if len(words) > 0 && words[0] == "WITH" {
		// The verb is the first of these outside of parentheses.
		verbs := []string{"SELECT", "FROM", "VALUES", "INSERT", "UPDATE", "DELETE", "MERGE"}
		words = words[max(0, slices.IndexFunc(words, func(w string) bool { return slices.Contains(verbs, w) })):]
	}
	return len(words) > 0 && !slices.Contains(queryVerbs, words[0]) && !slices.Contains(words, "RETURNING")
}

// queryVerbs begin the statements whose result is what they select.
var queryVerbs = []string{
	"SELECT", "FROM", "WITH", "VALUES", "TABLE", "DESCRIBE", "DESC", "SHOW",
	"SUMMARIZE", "PIVOT", "UNPIVOT", "EXPLAIN", "CALL", "EXECUTE",
}

func printOutcome(out io.Writer, format output.Format, rows *sql.Rows) error {
	if !rows.Next() {
		return nil // a definition or setting: nothing was counted
	}
	var changed any
	if err := rows.Scan(&changed); err != nil {
		return err
	}
	count, ok := changed.(int64)
	if !ok || format != output.Table {
		return nil
	}
	noun := "rows"
	if count == 1 {
		noun = "row"
	}
	_, err := fmt.Fprintf(out, "%s %s\n", plaintext.Thousands(count), noun)
	return err
}

// isPlan reports whether a result is that of EXPLAIN: a drawing of many lines, which
// a table would put on one.
func isPlan(types []*sql.ColumnType) bool {
	return len(types) == 2 && types[0].Name() == "explain_key" && types[1].Name() == "explain_value"
}

func printPlan(out io.Writer, rows *sql.Rows) error {
	for rows.Next() {
		var key, plan string
		if err := rows.Scan(&key, &plan); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(out, strings.TrimRight(plan, "\n")); err != nil {
			return err
		}
	}
	return rows.Err()
}
