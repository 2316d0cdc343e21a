// Package sandbox starts this program again as a process that can do little: compute, and
// read the files that it is given. It knows nothing of what the process is for.
//
// On Linux the process gives up, before its first thread starts, every file but those given
// and one directory (Landlock, where the kernel has it), and every system call that opens a
// connection, starts a program, or reaches into another process (seccomp); it dies with the
// process that started it. Limits on its address space, processor time and the size of a
// file are set from outside. Elsewhere none of this holds: it is a process of its own, which
// can be ended.
package sandbox

import "time"

// A Sandbox is what a process may reach.
type Sandbox struct {
	Read      []string // files that it may read; those that are not there are left out
	Directory string   // where it may read and write files
	// Environment are variables of this process that it gets as well, by name: it has no
	// others.
	Environment []string
}

// Limits of a process. They are set when it has opened what it needs.
type Limits struct {
	Memory    int64         // bytes of address space, beyond what it has by then
	Processor time.Duration // of all its threads together, after which the system ends it
	FileSize  int64         // bytes of one file that it writes
}

// Holds says what of a sandbox this system holds.
type Holds struct {
	Files bool // Landlock
	Calls bool // seccomp
}

// The variables by which a process knows that it is in a sandbox, and what it may reach.
// confine_linux.c reads the same.
const (
	directoryVariable = "SAEDB_SANDBOX_DIRECTORY"
	readVariable      = "SAEDB_SANDBOX_READ_" // and a number
)
