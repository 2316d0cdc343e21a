// Package shell runs SQL: scripts, and statements typed at a prompt.
package shell

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/output"
)

// Execute runs every statement of a script and prints each result that has columns.
// Each result is complete in its format: two queries in JSON give two arrays.
//
// It stops at the first error, which names the line of the script on which the
// statement begins. When nobody reads out any more it returns nil.
func Execute(ctx context.Context, conn *sql.Conn, script io.Reader, out io.Writer, format output.Format) error {
	return ExecuteWith(ctx, conn, script, out, format, nil)
}

// ExecuteWith is Execute with a hook around each statement, that of [Options].
func ExecuteWith(ctx context.Context, conn *sql.Conn, script io.Reader, out io.Writer, format output.Format,
	onStatement func(ctx context.Context) (done func())) error {
	if out == nil {
		out = io.Discard
	}
	r := runner{conn, onStatement}
	err := eachStatement(script, func(s statement) error {
		if err := r.run(ctx, s.text, out, format); err != nil {
			if output.ReaderGone(err) {
				return err
			}
			return statementError(s.line, err)
		}
		return nil
	})
	if output.ReaderGone(err) {
		return nil
	}
	return err
}

// eachStatement calls use with the statements of a script as they are read.
func eachStatement(script io.Reader, use func(statement) error) error {
	var s splitter
	lines := bufio.NewReader(script)
	for {
		line, err := lines.ReadString('\n')
		s.add(line)
		for next, ok := s.next(); ok; next, ok = s.next() {
			if err := use(next); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			if last, ok := s.rest(); ok {
				return use(last)
			}
			return nil
		case err != nil:
			return fault.At("read SQL", fmt.Sprintf("line %d", s.line), err)
		}
	}
}

func statementError(line int, err error) error {
	return &fault.Error{Op: "run SQL", Subject: fmt.Sprintf("statement at line %d", line), Err: err}
}
