package shell

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/peterh/liner"
)

// editor reads lines from the terminal, with editing, history and completion.
type editor struct {
	terminal *liner.State
	history  *history
	errOut   io.Writer
}

// newEditor puts the terminal into the mode for editing; close undoes that. Without
// a usable history file it says so once and remembers only until close.
func newEditor(names *completer, errOut io.Writer, historyFile string) *editor {
	e := &editor{terminal: liner.NewLiner(), errOut: errOut}
	e.terminal.SetCtrlCAborts(true)
	e.terminal.SetMultiLineMode(true)
	e.terminal.SetBeep(false)
	e.terminal.SetTabCompletionStyle(liner.TabPrints)
	e.terminal.SetWordCompleter(names.complete)

	var earlier []string
	var err error
	if e.history, earlier, err = openHistory(historyFile); err != nil {
		fmt.Fprintln(errOut, err)
	}
	for _, entry := range earlier {
		e.terminal.AppendHistory(entry)
	}
	return e
}

// line waits for a line. When ctx ends first it returns at once, and the read that
// is under way goes on until the program ends: the terminal has no way to stop it.
func (e *editor) line(ctx context.Context, prompt string) (string, error) {
	type typed struct {
		line string
		err  error
	}
	result := make(chan typed, 1)
	go func() {
		line, err := e.terminal.Prompt(prompt)
		result <- typed{line, err}
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case t := <-result:
		switch {
		case errors.Is(t.err, liner.ErrPromptAborted):
			return "", errCleared
		case errors.Is(t.err, io.EOF):
			fmt.Fprintln(e.errOut) // what follows begins on a line of its own
		}
		return t.line, t.err
	}
}

func (e *editor) remember(entry string) {
	e.terminal.AppendHistory(entry)
	if err := e.history.append(entry); err != nil {
		fmt.Fprintln(e.errOut, err)
		e.history = nil
	}
}

func (e *editor) close() {
	e.history.close()
	// Nothing can be done about a terminal that has gone away.
	_ = e.terminal.Close()
}
