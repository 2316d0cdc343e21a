package check

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"github.com/saedb/saedb/internal/fault"
)

// DuckDB's errors of a query say that the file is damaged (a checksum that does not fit, a
// column that is not there, a value that is no value), or that this machine could not read it
// now, of which nothing follows for the file. Errors of the second kind are known by their words
// or by their class; where DuckDB names a checksum, it is damage all the same.
var (
	namesDamage = regexp.MustCompile(`(?i)corrupt|checksum`)
	ofMachine   = regexp.MustCompile(`(?i)^(Out of Memory|FATAL|INTERNAL|IO|Permission|Interrupt) Error|out of memory|bad.alloc|cannot allocate|allocation failure|failed to allocate|no memory`)
	ofMemory    = regexp.MustCompile(`(?i)memory|alloc`)
)

// couldNotRead reports whether an error of a query says nothing about the database.
func couldNotRead(err error) bool {
	said := err.Error()
	return !namesDamage.MatchString(said) && ofMachine.MatchString(said) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// unchecked is the error of a check that this machine could not make.
func unchecked(table string, err error) error {
	said, _, _ := strings.Cut(err.Error(), "\n")
	e := &fault.Error{
		Op: "check", Subject: table, Problem: "it could not be checked: " + said,
		Hint: "which says nothing about the database: check it again where it can be read",
	}
	if ofMemory.MatchString(said) {
		e.Hint = "which says nothing about the database: check it again with more memory"
	}
	return e
}
