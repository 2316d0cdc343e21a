package shell

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"regexp"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/saedb/saedb/internal/fault"
)

// Writer makes a database writable that was opened to be looked at.
type Writer struct {
	// Database is its name among the attached ones.
	Database string
	// Write makes it writable, and keeps what is on the connection otherwise. It
	// reports whether the file changed in between. No transaction may be open.
	Write func(ctx context.Context, conn *sql.Conn) (changed bool, err error)
}

// transaction is what the shell knows of the one that a person began.
type transaction struct {
	begin    string // the statement that began it; "" outside of one
	readOnly bool   // it may not write
	onlyRead bool   // every statement in it so far was a query
}

// refusedWrite matches what DuckDB says, before it does anything, of a statement that
// would change a database which is open to be read only.
var refusedWrite = regexp.MustCompile(`^(?:Invalid Input Error: )?Cannot execute statement of type "[^"]*" on database "(.*)" which is attached in read-only mode!`)

// maintenance begins statements that work on the file, and that DuckDB lets pass on a
// database that it may only read, where they do nothing.
var maintenance = []string{"CHECKPOINT", "FORCE", "VACUUM", "ANALYZE"}

// query runs a statement, and makes the database writable when DuckDB says that the
// statement needs it.
func (r *runner) query(ctx context.Context, text string) (*sql.Rows, error) {
	words := topLevelWords(text)
	if r.writer != nil && r.transaction.begin == "" && len(words) > 0 && contains(maintenance, words[0]) {
		if err := r.write(ctx); err != nil {
			return nil, err
		}
	}
	// Asked before the statement runs: its rows are open afterwards.
	changes := r.writer != nil && r.transaction.begin != "" && !onlyReads(ctx, r.conn, text)
	rows, err := r.conn.QueryContext(ctx, text)
	if r.writer != nil && r.needsWriting(err) {
		if err = r.writeIn(ctx); err != nil {
			return nil, err
		}
		rows, err = r.conn.QueryContext(ctx, text)
	}
	r.follow(words, text, err)
	r.transaction.onlyRead = r.transaction.onlyRead && !changes
	return rows, err
}

// needsWriting tells whether a statement failed only because the database is open to
// be read.
func (r *runner) needsWriting(err error) bool {
	var said *duckdb.Error
	if r.transaction.readOnly || !errors.As(err, &said) {
		return false
	}
	refused := refusedWrite.FindStringSubmatch(said.Msg)
	return refused != nil && refused[1] == r.writer.Database
}

// onlyReads asks DuckDB whether a statement is a query, or its plan.
func onlyReads(ctx context.Context, conn *sql.Conn, text string) bool {
	reads := false
	// A statement that cannot be prepared fails when it is run, too.
	_ = conn.Raw(func(driverConn any) error {
		prepared, err := driverConn.(driver.ConnPrepareContext).PrepareContext(ctx, text)
		if err != nil {
			return err
		}
		defer prepared.Close()
		if s, ok := prepared.(*duckdb.Stmt); ok {
			kind, err := s.StatementType()
			reads = err == nil && (kind == duckdb.STATEMENT_TYPE_SELECT || kind == duckdb.STATEMENT_TYPE_EXPLAIN)
		}
		return nil
	})
	return reads
}

// follow keeps track of the transaction that statements begin and end.
func (r *runner) follow(words []string, text string, err error) {
	if len(words) == 0 {
		return
	}
	switch words[0] {
	case "BEGIN", "START":
		if err == nil {
			r.transaction = transaction{begin: text, readOnly: contains(words, "READ") && contains(words, "ONLY"), onlyRead: true}
		}
	case "COMMIT", "END", "ROLLBACK", "ABORT":
		r.transaction = transaction{} // one that fails has ended it, too
	}
}

// writeIn makes the database writable in the midst of what a person does, who may
// have begun a transaction. One that only read begins again: unless the file has
// changed, what it read is what it would read now.
func (r *runner) writeIn(ctx context.Context) error {
	begun := r.transaction
	if begun.begin == "" {
		return r.write(ctx)
	}
	if !begun.onlyRead {
		return &fault.Error{
			Op: "write", Problem: "the transaction began while the database was open to be read, and has done more than that since",
			Hint: "ROLLBACK; saedb sql --write opens the database for writing from the start",
		}
	}
	if _, err := r.conn.ExecContext(ctx, "ROLLBACK"); err != nil {
		return err
	}
	r.transaction = transaction{}
	writer := r.writer
	changed, err := writer.Write(ctx, r.conn)
	if err != nil {
		return err
	}
	r.writer = nil
	if changed {
		return &fault.Error{
			Op: "write", Problem: "the database's file has changed since the transaction began, which has been rolled back",
			Hint: "begin again; the database is open for writing now",
		}
	}
	if _, err := r.conn.ExecContext(ctx, begun.begin); err != nil {
		return err
	}
	r.transaction = begun
	return nil
}

func (r *runner) write(ctx context.Context) error {
	if _, err := r.writer.Write(ctx, r.conn); err != nil {
		return err
	}
	r.writer = nil
	return nil
}
