package saedb

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/plaintext"
)

// openError says in one line why DuckDB did not open the file.
func openError(path string, o Options, err error) error {
	said := err.Error()
	failed := &fault.Error{Op: "open database", Subject: path}
	switch {
	case strings.Contains(said, "Conflicting lock") || strings.Contains(said, "Could not set lock"):
		failed.Problem, failed.Hint = locked(said)
	case strings.Contains(said, "Permission denied"), strings.Contains(said, "Read-only file system"):
		failed.Problem = "permission denied"
		failed.Hint = "the file and its directory must be writable; to read it, it must be readable only"
		if o.ReadOnly || o.ReadFirst {
			failed.Hint = "the file must be readable"
		}
	case IsDamage(err):
		_, checksum, _ := strings.Cut(said, corrupt+": ")
		failed.Problem, failed.Err = "the file is damaged", damage(checksum)
		failed.Hint = "restore it from a copy, or load into a new one"
	case tornEntry.MatchString(said):
		at, _ := tornAt(err)
		failed.Subject, failed.Problem = path+".wal", fmt.Sprintf("the log is torn at byte %d, as a loss of power leaves it; all that was committed before is there", at)
		failed.Hint = "saedb --db " + path + " upgrade cuts it off there, and keeps a copy"
		failed.Err = tornError(said)
	case strings.Contains(said, replaying):
		failed.Subject, failed.Problem = path+".wal", "the log cannot be replayed into the database that it lies beside"
		_, why, _ := strings.Cut(said, replaying)
		_, why, _ = strings.Cut(why, `": `)
		why, _, _ = strings.Cut(why, "\n")
		failed.Err, failed.Hint = errors.New(why), logHint
	case strings.Contains(said, "not a valid DuckDB database file"):
		failed.Problem = "not a DuckDB database file"
	default:
		failed.Err = err
	}
	return failed
}

const corrupt = "Corrupt database file" // DuckDB's words

const replaying = "Failure while replaying WAL file" // DuckDB's words

// damage is what DuckDB's checksums say of a file.
type damage string

func (d damage) Error() string { return string(d) }

// tornError has DuckDB's words, of which one line is shown.
type tornError string

func (e tornError) Error() string { return tornEntry.FindString(string(e)) }

// IsDamage reports whether an error of Open says that the file is damaged, for certain: a
// checksum in it does not hold.
func IsDamage(err error) bool {
	var d damage
	return errors.As(err, &d) || err != nil && strings.Contains(err.Error(), corrupt)
}

// Of what DuckDB says about a lock: the process that has it, and that the lock is a
// reader's, so that one who reads may have the file too.
var (
	lockHolder  = regexp.MustCompile(`\(PID (\d+)\)`)
	lockOfReads = "you would be able to open this database in read-only mode"
)

// locked says who has a database, and what to do.
func locked(said string) (problem, hint string) {
	who := "another program"
	if holder := lockHolder.FindStringSubmatch(said); holder != nil {
		who = "process " + holder[1]
		if command := commandLine(holder[1]); command != "" {
			who += " (" + command + ")"
		}
	}
	if strings.Contains(said, lockOfReads) {
		return who + " has it open to read", "close it there to write: any number of programs may read a database, and one may write to it while no other has it open"
	}
	return who + " has it open to write", "wait until it is done, or close it there: any number of programs may read a database, and one may write to it while no other has it open"
}

// longestCommand bounds the command line in an error, in characters.
const longestCommand = 120

// commandLine is how a process was started, where the system tells, as Linux does.
func commandLine(process string) string {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%s/cmdline", process))
	if err != nil {
		return ""
	}
	line := []rune(plaintext.Visible(strings.TrimRight(strings.ReplaceAll(string(content), "\x00", " "), " ")))
	if len(line) > longestCommand {
		return string(line[:longestCommand]) + "…"
	}
	return string(line)
}
