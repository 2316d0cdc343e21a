// Package session is database/sql over connections of the DuckDB that loaded the
// extension, so that loads and computations are the program's own code there.
package session

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"

	"github.com/saedb/saedb/udf/capi"
)

// Connect opens a connection and says how it is closed.
type Connect func() (c capi.Connection, disconnect func(), err error)

// Open returns a database whose connections are opened by connect, each of which
// begins with the statement begin, if any. The caller closes it.
func Open(connect Connect, begin string) *sql.DB {
	return sql.OpenDB(&connector{connect, begin})
}

type connector struct {
	connect Connect
	begin   string
}

func (c *connector) Connect(context.Context) (driver.Conn, error) {
	opened, disconnect, err := c.connect()
	if err != nil {
		return nil, err
	}
	if c.begin != "" {
		if err := run(opened, c.begin); err != nil {
			disconnect()
			return nil, err
		}
	}
	return &conn{opened, disconnect}, nil
}

func (c *connector) Driver() driver.Driver { return c }

// Open is the part of driver.Driver that databases made from a connector never call.
func (c *connector) Open(string) (driver.Conn, error) {
	return nil, errors.New("session: connections are opened by a connector")
}

func run(c capi.Connection, statements string) error {
	r, err := c.Run(statements)
	if err == nil {
		r.Close()
	}
	return err
}

type conn struct {
	capi.Connection
	disconnect func()
}

func (c *conn) Close() error {
	c.disconnect()
	return nil
}

func (c *conn) Prepare(query string) (driver.Stmt, error) {
	s, err := c.Connection.Prepare(query)
	if err != nil {
		return nil, err
	}
	return &stmt{s, c}, nil
}

// during runs statements so that the end of ctx interrupts them.
func (c *conn) during(ctx context.Context, run func() (*capi.Result, error)) (*capi.Result, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	interrupted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		c.Interrupt()
		close(interrupted)
	})
	r, err := run()
	if !stop() {
		<-interrupted // and so does not interrupt what the connection runs next
		if err != nil {
			err = ctx.Err()
		}
	}
	return r, err
}

func (c *conn) Begin() (driver.Tx, error) { return tx{c.Connection}, run(c.Connection, "BEGIN") }

type tx struct{ capi.Connection }

func (t tx) Commit() error   { return run(t.Connection, "COMMIT") }
func (t tx) Rollback() error { return run(t.Connection, "ROLLBACK") }

// ExecContext runs statements without arguments, of which there may be several; the
// rest goes through a prepared statement.
func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if len(args) > 0 {
		return nil, driver.ErrSkip
	}
	r, err := c.during(ctx, func() (*capi.Result, error) { return c.Run(query) })
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return driver.RowsAffected(r.Changed()), nil
}

type stmt struct {
	*capi.Statement
	conn *conn
}

func (s *stmt) Close() error {
	s.Statement.Close()
	return nil
}

func (s *stmt) NumInput() int { return s.Parameters() }

func (s *stmt) execute(ctx context.Context, args []driver.NamedValue) (*capi.Result, error) {
	for i, arg := range args {
		if err := s.Bind(i, arg.Value); err != nil {
			return nil, err
		}
	}
	return s.conn.during(ctx, s.Statement.Execute)
}

// Exec and Query are the parts of driver.Stmt that database/sql does not call where there
// is one with a context.
func (s *stmt) Exec([]driver.Value) (driver.Result, error) { return nil, driver.ErrSkip }
func (s *stmt) Query([]driver.Value) (driver.Rows, error)  { return nil, driver.ErrSkip }

func (s *stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	r, err := s.execute(ctx, args)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return driver.RowsAffected(r.Changed()), nil
}

func (s *stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	r, err := s.execute(ctx, args)
	if err != nil {
		return nil, err
	}
	return &rows{result: r, columns: r.Columns()}, nil
}

type rows struct {
	result  *capi.Result
	columns []string
	chunk   capi.Chunk
	size    int // of chunk
	next    int // row of chunk
}

func (r *rows) Columns() []string { return r.columns }

func (r *rows) Close() error {
	r.result.Close()
	return nil
}

func (r *rows) Next(to []driver.Value) error {
	for r.next == r.size {
		chunk, ok := r.result.Next()
		if !ok {
			return io.EOF
		}
		r.chunk, r.size, r.next = chunk, chunk.Rows(), 0
	}
	for i := range to {
		value, err := valueAt(r.chunk.Column(i), r.next)
		if err != nil {
			return err
		}
		to[i] = value
	}
	r.next++
	return nil
}
