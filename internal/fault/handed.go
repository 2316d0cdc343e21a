package fault

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
)

// DuckDB carries of an error nothing but its text, to which it adds a class before it and
// the place in the statement after it. What functions hand over is kept here, the last ones,
// so that the error of a statement can be led back to it.
var handed struct {
	sync.Mutex
	errors [64]error
	next   int
}

// Hand returns the text of an error for DuckDB, and keeps the error for [Returned].
func Hand(err error) (text string) {
	handed.Lock()
	defer handed.Unlock()
	handed.errors[handed.next%len(handed.errors)] = err
	handed.next++
	return err.Error()
}

// Returned is the error of a statement as the function of saedb's that failed in it made
// it. What a macro says with error(), and what DuckDB says of a statement that makes no
// sense, is an [*Error] with that text; other errors stay as they are.
func Returned(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	said, _, _ := strings.Cut(err.Error(), "\n\nLINE ")
	class, said, classed := strings.Cut(said, " Error: ")
	if !classed {
		return err
	}
	if ours := handedAs(said); ours != nil {
		return &returned{ours, err}
	}
	switch class {
	case "Invalid Input", "Binder", "Parser":
		return &returned{&Error{Problem: said}, err}
	}
	return err
}

func handedAs(text string) error {
	handed.Lock()
	defer handed.Unlock()
	for _, err := range handed.errors {
		if err != nil && err.Error() == text {
			return err
		}
	}
	return nil
}

// returned is an error of ours that came back through DuckDB.
type returned struct{ ours, duckDB error }

func (r *returned) Error() string   { return r.ours.Error() }
func (r *returned) Unwrap() []error { return []error{r.ours, r.duckDB} }

// Recover, deferred, makes a panic the error err, and logs where it was: it is a mistake of
// saedb's, and not of the person who sees the error.
func Recover(err *error) {
	if p := recover(); p != nil {
		slog.Error("internal error", "panic", p, "stack", string(debug.Stack()))
		*err = fmt.Errorf("internal error: %v", p)
	}
}
