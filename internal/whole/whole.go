// Package whole writes files that appear whole or not at all.
package whole

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
)

// Write makes the file at path of what write gives it, in place of one that is there. Until
// then, and where write or the disk fails, nothing is at path that was not there before.
func Write(path string, write func(io.Writer) error) error {
	temporary := Beside(path)
	file, err := os.Create(temporary)
	if err != nil {
		return err
	}
	buffered := bufio.NewWriterSize(file, 1<<16)
	if err = write(buffered); err == nil {
		err = buffered.Flush()
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		os.Remove(temporary)
	}
	return err
}

// Beside is a name beside path that no other goroutine or program uses.
func Beside(path string) string {
	return fmt.Sprintf("%s.%d-%d.tmp", path, os.Getpid(), named.Add(1))
}

var named atomic.Int64
