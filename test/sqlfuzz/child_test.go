package sqlfuzz

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/saedb/saedb"
)

// served is the variable by which this program answers questions of the database that it
// names, in a process of its own: what ends that process is the statement that it ran.
const served = "SAEDB_FUZZSQL_DATABASE"

// plain is asked for instead of a database: DuckDB in memory, without saedb.
const plain = ":duckdb alone:"

func TestMain(m *testing.M) {
	if path := os.Getenv(served); path != "" {
		if err := serve(path, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	var err error
	if directory, err = os.MkdirTemp("", "saedb-sqlfuzz"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(directory)
	os.Exit(code)
}

// A question is a statement to run.
type question struct {
	SQL       string
	Arguments []argument // of its parameters
	Threads   int
	Limit     time.Duration // after which it is cancelled
}

// An argument of a parameter, as text, since JSON has no NaN.
type argument struct{ Kind, Text string }

func (a argument) value() any {
	switch a.Kind {
	case "i":
		n, _ := strconv.ParseInt(a.Text, 10, 64)
		return n
	case "d":
		x, _ := strconv.ParseFloat(a.Text, 64)
		return x
	case "b":
		return a.Text == "true"
	case "t":
		return a.Text
	}
	return nil
}

// An answer is what a statement gave: how many rows, and the sum of their hashes, which does
// not depend on their order.
type answer struct {
	Rows  int
	Sum   uint64
	Error string
	Over  bool          // it was cancelled, or had more rows than are looked at
	Late  time.Duration // after it was cancelled it ended
	Used  time.Duration // processor time of the process meanwhile
}

// maxRows are looked at of a result.
const maxRows = 100_000

// serve answers the questions of in, a line each, in out.
func serve(path string, in io.Reader, out io.Writer) error {
	var db *sql.DB
	if path == plain {
		var err error
		if db, err = sql.Open("duckdb", ""); err != nil {
			return err
		}
	} else {
		ours, err := saedb.Open(context.Background(), path, saedb.Options{ReadOnly: true, MemoryLimit: 512 << 20})
		if err != nil {
			return err
		}
		db = ours.DB
	}
	conn, err := db.Conn(context.Background())
	if err != nil {
		return err
	}
	read, write, threads := json.NewDecoder(in), json.NewEncoder(out), 0
	for {
		var q question
		if err := read.Decode(&q); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if q.Threads != threads {
			threads = q.Threads
			if _, err := conn.ExecContext(context.Background(), fmt.Sprintf("SET threads = %d", threads)); err != nil {
				return err
			}
		}
		if err := write.Encode(run(conn, q)); err != nil {
			return err
		}
	}
}

// run is the answer to one question.
func run(conn *sql.Conn, q question) (a answer) {
	ctx, cancel := context.WithTimeout(context.Background(), q.Limit)
	defer cancel()
	end, used := time.Now().Add(q.Limit), make(chan time.Duration, 1)
	context.AfterFunc(ctx, func() { used <- processorTime() })
	err := look(ctx, conn, q, &a)
	if ctx.Err() != nil {
		a.Over, a.Late, a.Used = true, time.Since(end), processorTime()-<-used
	}
	if err != nil {
		a.Error = err.Error()
	}
	return a
}

func look(ctx context.Context, conn *sql.Conn, q question, a *answer) error {
	arguments := make([]any, len(q.Arguments))
	for i, one := range q.Arguments {
		arguments[i] = one.value()
	}
	rows, err := conn.QueryContext(ctx, q.SQL, arguments...)
	if err != nil {
		return err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	values, places := make([]any, len(names)), make([]any, len(names))
	for i := range values {
		places[i] = &values[i]
	}
	for rows.Next() {
		if a.Rows++; a.Rows > maxRows {
			a.Over = true
			return nil
		}
		if err := rows.Scan(places...); err != nil {
			return err
		}
		sum := fnv.New64a()
		for _, v := range values {
			if x, ok := v.(float64); ok && x == 0 {
				v = math.Abs(x) // -0 and 0 are one group, and either may stand for it
			} else if x, ok := v.(float32); ok && x == 0 {
				v = math.Abs(float64(x))
			}
			fmt.Fprintf(sum, "%v\x00", v)
		}
		a.Sum += sum.Sum64()
	}
	return rows.Err()
}

// processorTime is what this process has used so far, of all threads, user and system.
func processorTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// A child is a process that answers.
type child struct {
	command *exec.Cmd
	write   *json.Encoder
	read    *json.Decoder
	in      io.Closer
	said    bytes.Buffer // in standard error
}

func start(path string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &child{command: exec.Command(self)}
	// What a sanitizer finds ends the process, with a report. Leaks are for make test-leaks:
	// DuckDB keeps much to its end. SIGSEGV is left to Go, which says where it was.
	c.command.Env = append(os.Environ(), served+"="+path, "GORACE=halt_on_error=1",
		"ASAN_OPTIONS=detect_leaks=0:hard_rss_limit_mb=4000:allocator_may_return_null=1:handle_segv=0")
	c.command.Stderr = &c.said
	in, err := c.command.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := c.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.in, c.write, c.read = in, json.NewEncoder(in), json.NewDecoder(bufio.NewReader(out))
	return c, c.command.Start()
}

// errStuck says that a statement did not end.
var errStuck = errors.New("the statement did not end after it was cancelled")

// ask asks one question. An error means that the process has ended, by itself or because the
// statement did not end in its limit and grace.
func (c *child) ask(q question, grace time.Duration) (answer, error) {
	type outcome struct {
		a   answer
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		var o outcome
		if o.err = c.write.Encode(q); o.err == nil {
			o.err = c.read.Decode(&o.a)
		}
		done <- o
	}()
	select {
	case o := <-done:
		if o.err == nil {
			return o.a, nil
		}
		err := c.command.Wait()
		return answer{}, fmt.Errorf("the process ended: %v\n%s", err, firstLines(c.said.String(), 40))
	case <-time.After(q.Limit + grace):
		_ = c.command.Process.Kill()
		<-done
		_ = c.command.Wait()
		return answer{}, errStuck
	}
}

func (c *child) close() {
	c.in.Close()
	_ = c.command.Wait()
}

func firstLines(s string, n int) string {
	lines := strings.SplitAfter(s, "\n")
	return strings.Join(lines[:min(n, len(lines))], "")
}
