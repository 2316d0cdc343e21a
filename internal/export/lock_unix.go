//go:build unix

package export

import (
	"errors"
	"os"
	"syscall"
)

// lock locks a file, which it makes, until unlock, or the end of the program. Where
// another program has it, free is false.
func lock(path string) (unlock func(), free bool, err error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, false, err
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		file.Close()
		return func() {}, false, nil
	}
	// A file system without locks is no reason to fail.
	return func() { file.Close() }, err == nil, nil
}
