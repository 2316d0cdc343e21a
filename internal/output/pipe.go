package output

import (
	"errors"
	"io"
	"runtime"
	"syscall"
)

// ReaderGone reports whether err says that nobody reads the output any more, as
// after "| head". That ends a program quietly; it is no failure.
func ReaderGone(err error) bool {
	const windowsNoData = syscall.Errno(232) // ERROR_NO_DATA, "the pipe is being closed"
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe) ||
		runtime.GOOS == "windows" && errors.Is(err, windowsNoData)
}
