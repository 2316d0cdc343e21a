//go:build unix

package files

import (
	"errors"
	"os"
	"syscall"
)

// TryLock takes the exclusive lock of a file that flock has, as Python's filelock does, and makes
// the file where it is not there, with permissions mode. The caller closes it.
func TryLock(path string, mode os.FileMode) (file *os.File, lock Lock, err error) {
	file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, mode)
	if err != nil {
		return nil, NoLocks, err
	}
	for {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return file, Locked, nil
		case errors.Is(err, syscall.EWOULDBLOCK):
			return file, HeldElsewhere, nil
		case !errors.Is(err, syscall.EINTR):
			return file, NoLocks, nil
		}
	}
}
