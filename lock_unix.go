//go:build unix

package saedb

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"github.com/saedb/saedb/internal/fault"
)

// lockFile locks a database's file as DuckDB does that writes to it, without opening it as a
// database, which a damaged one does not allow. A file that is not there is no error.
func lockFile(path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return func() {}, nil
	}
	if err != nil {
		return nil, err
	}
	lock := syscall.Flock_t{Type: syscall.F_WRLCK}
	if err := syscall.FcntlFlock(file.Fd(), syscall.F_SETLK, &lock); err != nil {
		file.Close()
		return nil, &fault.Error{Subject: path, Problem: "another program has it open", Hint: "close it there", Err: err}
	}
	return func() { file.Close() }, nil
}
