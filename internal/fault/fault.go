// Package fault holds the one error type that reaches a person.
//
// Every error that a user can act on names the operation, the file or tensor,
// what was expected, what was found, and what to do. It prints as one line.
package fault

import (
	"errors"
	"fmt"
	"strings"
)

// Error is an error about a person's input or machine.
// Empty fields are left out of the message.
type Error struct {
	Op       string // the operation: "read SAE", "load model"
	Subject  string // the file, tensor or name it failed on
	Problem  string // what is wrong, when expected and found do not say it
	Expected string // what should have been there
	Found    string // what was there
	Hint     string // what the user can do
	Err      error  // the cause, when another library reported it
}

// Error formats e as one line:
//
//	op: subject: problem: expected X, found Y: cause (hint)
func (e *Error) Error() string {
	var parts []string
	for _, part := range []string{e.Op, e.Subject, e.Problem} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	switch {
	case e.Expected != "" && e.Found != "":
		parts = append(parts, fmt.Sprintf("expected %s, found %s", e.Expected, e.Found))
	case e.Expected != "":
		parts = append(parts, "expected "+e.Expected)
	case e.Found != "":
		parts = append(parts, "found "+e.Found)
	}
	if e.Err != nil {
		parts = append(parts, e.Err.Error())
	}
	line := strings.Join(parts, ": ")
	if e.Hint != "" {
		line += " (" + e.Hint + ")"
	}
	return strings.Join(strings.Fields(line), " ")
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// At returns err with the operation op before it, and subject where err names
// none. An error that is not an [*Error] becomes the cause of one; nil stays nil.
func At(op, subject string, err error) error {
	if err == nil {
		return nil
	}
	var e *Error
	if !errors.As(err, &e) {
		return &Error{Op: op, Subject: subject, Err: err}
	}
	named := *e
	if named.Op == "" {
		named.Op = op
	}
	if named.Subject == "" {
		named.Subject = subject
	}
	return &named
}
