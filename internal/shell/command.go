package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/nearest"
	"github.com/saedb/saedb/internal/output"
)

// command is one of the commands that begin with a dot.
type command struct {
	name     string
	argument string // for .help; in brackets when it may be left out
	help     string
	run      func(s *session, ctx context.Context, argument string) error
}

// commands are in the order of .help.
func commands() []command {
	return []command{
		{".help", "", "list these commands", (*session).help},
		{".tables", "", "list the tables and views", (*session).tables},
		{".schema", "[NAME]", "show how tables and views are defined", (*session).schema},
		{".mode", strings.Join(formatNames(), "|"), "choose how results are printed", (*session).mode},
		{".maxrows", "N", "print at most N rows of a table; 0 for all", (*session).setMaxRows},
		{".last", "", "print the last result again, the whole of it", (*session).printLast},
		{".output", "[FILE]", "write results to a file, or to the screen again", (*session).output},
		{".read", "FILE", "run the statements and commands in a file", (*session).read},
		{".timer", "on|off", "print how long each statement takes", (*session).setTimer},
		{".quit", "", "leave; so does Ctrl-D", (*session).quit},
	}
}

func formatNames() []string {
	var names []string
	for _, format := range output.Formats() {
		names = append(names, string(format))
	}
	return names
}

// command runs a line that begins with a dot. An argument may be quoted.
func (s *session) command(ctx context.Context, line string) error {
	name, argument, _ := strings.Cut(strings.TrimSpace(line), " ")
	name = strings.TrimSuffix(name, ";")
	argument = unquote(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(argument), ";")))
	if name == ".exit" {
		name = ".quit"
	}
	for _, c := range commands() {
		if c.name != name {
			continue
		}
		optional := c.argument == "" || strings.HasPrefix(c.argument, "[")
		switch {
		case argument == "" && !optional:
			return &fault.Error{Op: name, Expected: c.argument, Found: "nothing"}
		case argument != "" && c.argument == "":
			return &fault.Error{Op: name, Expected: "no argument", Found: argument}
		}
		return c.run(s, ctx, argument)
	}
	names := commandNames("")
	return &fault.Error{Op: name, Problem: "no such command", Hint: strings.TrimSpace(nearest.Question(name, names) + " .help lists them")}
}

func unquote(s string) string {
	if len(s) >= 2 && (s[0] == '\'' || s[0] == '"') && s[len(s)-1] == s[0] {
		return s[1 : len(s)-1]
	}
	return s
}

func (s *session) help(context.Context, string) error {
	for _, c := range commands() {
		fmt.Fprintf(s.errOut, "%-32s %s\n", strings.TrimSpace(c.name+" "+c.argument), c.help)
	}
	fmt.Fprintln(s.errOut, "Anything else is SQL, up to a semicolon.")
	return nil
}

func (s *session) mode(_ context.Context, argument string) error {
	format, err := output.ParseFormat(argument)
	if err != nil {
		return err
	}
	s.format = format
	return nil
}

func (s *session) setMaxRows(_ context.Context, argument string) error {
	n, err := strconv.ParseUint(argument, 10, 31)
	if err != nil {
		return &fault.Error{Op: ".maxrows", Expected: "a number of rows, 0 for all", Found: argument}
	}
	s.maxRows = int(n)
	return nil
}

// printLast prints the last result, in the format that .mode chose since, maybe.
func (s *session) printLast(context.Context, string) error {
	return s.last.Write(s.out, s.format, output.Screen{})
}

func (s *session) setTimer(_ context.Context, argument string) error {
	switch argument {
	case "on", "off":
		s.timer = argument == "on"
		return nil
	}
	return &fault.Error{Op: ".timer", Expected: "on or off", Found: argument}
}

func (s *session) quit(context.Context, string) error { return errQuit }

// output directs results to a file, which is emptied first.
func (s *session) output(_ context.Context, path string) error {
	if err := s.closeOutput(); err != nil {
		return err
	}
	if path == "" {
		return nil
	}
	file, err := os.Create(path)
	if err != nil {
		return fault.At(".output", path, err)
	}
	s.out, s.outFile = file, file
	return nil
}

// closeOutput directs results to the screen again.
func (s *session) closeOutput() error {
	if s.outFile == nil {
		return nil
	}
	name, err := s.outFile.Name(), s.outFile.Close()
	s.out, s.outFile = s.terminal, nil
	return fault.At("close output", name, err)
}

// deepestRead bounds files that read files, for one may read itself.
const deepestRead = 16

// read runs a file and stops at its first error, which names the line.
func (s *session) read(ctx context.Context, path string) error {
	if s.reading == deepestRead {
		return &fault.Error{Op: ".read", Subject: path, Problem: fmt.Sprintf("files read one another more than %d deep", deepestRead)}
	}
	file, err := os.Open(path)
	if err != nil {
		return fault.At(".read", path, err)
	}
	defer file.Close()
	s.reading++
	defer func() { s.reading-- }()

	at := func(line int, err error) error {
		if err == nil || errors.Is(err, errQuit) {
			return err
		}
		return &fault.Error{Op: ".read", Subject: fmt.Sprintf("%s line %d", path, line), Err: err}
	}
	var script splitter
	lines := newPlainInput(file, io.Discard)
	for {
		line, err := lines.line(ctx, "")
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return at(script.line+1, err)
		}
		if !script.unfinished() && strings.HasPrefix(strings.TrimSpace(line), ".") {
			script.add("\n") // only counts the line
			if err := s.command(ctx, line); err != nil {
				return at(script.line, err)
			}
			continue
		}
		script.add(line + "\n")
		for next, ok := script.next(); ok; next, ok = script.next() {
			if err := s.statement(ctx, next.text); err != nil {
				return at(next.line, err)
			}
		}
	}
	if last, ok := script.rest(); ok {
		return at(last.line, s.statement(ctx, last.text))
	}
	return nil
}
