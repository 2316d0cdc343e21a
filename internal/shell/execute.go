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
// It stops at the first error, a [StatementError]. When nobody reads out any more it
// returns nil. Of the options it minds Format, MaxRows and Writer.
func Execute(ctx context.Context, conn *sql.Conn, script io.Reader, out io.Writer, o Options) error {
	if out == nil {
		out = io.Discard
	}
	r := o.runner(conn)
	err := eachStatement(script, func(s statement) error {
		if err := r.run(ctx, s.text, out, o.format()); err != nil {
			if output.ReaderGone(err) {
				return err
			}
			return &StatementError{s.line, err}
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
