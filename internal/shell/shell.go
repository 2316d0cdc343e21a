package shell

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/saedb/saedb/internal/output"
	"golang.org/x/term"
)

// Options say how a shell behaves.
type Options struct {
	Name   string        // before the prompt; "saedb" when empty
	Format output.Format // of results until .mode; table when empty
	Timer  bool          // print how long each statement took

	// MaxRows is how many rows of a table are printed, the first and the last ones,
	// until .maxrows; 0 for all.
	MaxRows int

	// Writer, when set, makes the database writable at the first statement that needs
	// it; without one such a statement fails where the database is open to be read.
	Writer *Writer

	// HistoryFile keeps the lines typed; when empty it is saedb/history in
	// XDG_STATE_HOME, or in the platform's own place for such files.
	HistoryFile string
}

func (o Options) format() output.Format { return cmp.Or(o.Format, output.Table) }

func (o Options) runner(conn *sql.Conn) runner {
	return runner{conn: conn, writer: o.Writer, maxRows: o.MaxRows}
}

// Run reads statements and dot commands from in until its end, prints results to
// out and messages to errOut, and goes on after a failed statement.
//
// On a terminal it has line editing, history and completion; Ctrl-C clears the line
// being typed or cancels the statement being run, and nothing else. For that it
// takes over SIGINT until it returns, so SIGINT must not cancel ctx.
//
// It returns nil at the end of input and when nobody reads out any more, and the
// context's error when ctx ends first.
func Run(ctx context.Context, conn *sql.Conn, in *os.File, out, errOut io.Writer, o Options) error {
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	defer signal.Stop(interrupts)

	s := newSession(conn, out, errOut, o)
	s.interrupts = interrupts
	defer s.closeOutput()
	lines := s.openInput(in, o)
	defer lines.close()
	err := s.loop(ctx, lines)
	if errors.Is(err, errQuit) || output.ReaderGone(err) {
		return nil
	}
	return err
}

// session is the state of a shell between statements.
type session struct {
	runner
	name       string
	format     output.Format
	timer      bool
	terminal   io.Writer // where results go without .output
	out        io.Writer // where results go
	outFile    *os.File  // out, when .output named a file
	errOut     io.Writer
	interrupts <-chan os.Signal
	names      *completer
	typing     bool // the input is a terminal
	reading    int  // depth of nested .read
}

// errQuit is what .quit returns; it ends the shell without being an error.
var errQuit = errors.New("quit")

func newSession(conn *sql.Conn, out, errOut io.Writer, o Options) *session {
	s := &session{
		runner: o.runner(conn),
		name:   cmp.Or(o.Name, "saedb"), format: o.format(), timer: o.Timer,
		terminal: out, out: out, errOut: errOut,
		names: &completer{conn: conn},
	}
	s.last = &output.Result{}
	return s
}

// lineReader gives the shell its input.
type lineReader interface {
	// line shows a prompt, where there is somebody to see it, and returns a line
	// without its newline. It returns io.EOF at the end of input and errCleared
	// when the line was abandoned with Ctrl-C.
	line(ctx context.Context, prompt string) (string, error)
	// remember adds an entry of one line to the history.
	remember(entry string)
	close()
}

var errCleared = errors.New("line cleared")

// openInput returns the line editor when in and the screen are this process's own
// terminal, which is the only one that the editor can drive.
func (s *session) openInput(in *os.File, o Options) lineReader {
	s.typing = term.IsTerminal(int(in.Fd()))
	screen, ok := s.terminal.(*os.File)
	if s.typing && in == os.Stdin && ok && screen == os.Stdout &&
		term.IsTerminal(int(screen.Fd())) {
		fmt.Fprintln(s.errOut, "Statements end with a semicolon; .help lists the commands.")
		return newEditor(s.names, s.errOut, o.HistoryFile)
	}
	prompts := io.Discard
	if s.typing {
		prompts = s.errOut
	}
	return newPlainInput(in, prompts)
}

// loop runs what is typed until the input ends.
func (s *session) loop(ctx context.Context, lines lineReader) error {
	var script splitter
	var typed entry
	for {
		prompt := s.name + "> "
		if script.unfinished() {
			prompt = strings.Repeat(" ", max(0, len(s.name)-3)) + "...> "
		}
		line, err := lines.line(ctx, prompt)
		switch {
		case errors.Is(err, errCleared):
			script.clear()
			typed = entry{}
			continue
		case errors.Is(err, io.EOF):
			if s.typing {
				return nil // half a statement was given up, not finished
			}
			return s.runRest(ctx, &script)
		case err != nil:
			return err
		}
		fresh := !script.unfinished()
		typed.add(line, &script)
		if fresh && strings.HasPrefix(strings.TrimSpace(line), ".") {
			script.clear()
			typed.save(lines)
			err = s.command(ctx, line)
		} else {
			if !script.unfinished() {
				typed.save(lines)
			}
			err = s.runComplete(ctx, &script)
			if err != nil {
				script.clear()
				typed.save(lines)
			}
		}
		if err = s.report(ctx, err); err != nil {
			return err
		}
	}
}

// runComplete runs the statements that are complete, up to the first that fails:
// what follows on the line was typed in the belief that it would succeed.
func (s *session) runComplete(ctx context.Context, script *splitter) error {
	for next, ok := script.next(); ok; next, ok = script.next() {
		if err := s.statement(ctx, next.text); err != nil {
			return err
		}
	}
	return nil
}

// runRest runs the statement that the input ended in.
func (s *session) runRest(ctx context.Context, script *splitter) error {
	last, ok := script.rest()
	if !ok {
		return nil
	}
	return s.report(ctx, s.statement(ctx, last.text))
}

// report prints an error of a statement or command and returns those that end the
// shell.
func (s *session) report(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, errQuit):
		return err
	case output.ReaderGone(err):
		if s.outFile == nil {
			return err
		}
		s.closeOutput()
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(s.errOut, "Cancelled.")
		return nil
	}
	fmt.Fprintln(s.errOut, strings.TrimRight(err.Error(), "\n"))
	return nil
}

// statement runs one statement, which Ctrl-C cancels.
func (s *session) statement(ctx context.Context, text string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	select {
	case <-s.interrupts: // one from before this statement is not meant for it
	default:
	}
	finished := make(chan struct{})
	defer close(finished)
	go func() {
		select {
		case <-s.interrupts:
			cancel()
		case <-finished:
		}
	}()
	start := time.Now()
	err := s.run(ctx, text, s.out, s.format)
	if words := topLevelWords(text); len(words) > 0 && !contains(queryVerbs, words[0]) {
		s.names.forget()
	}
	if s.timer {
		fmt.Fprintf(s.errOut, "%.3f s\n", time.Since(start).Seconds())
	}
	return err
}
