// Package files opens and reads regular files, and writes files that appear whole or not at
// all.
package files

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"github.com/saedb/saedb/internal/fault"
)

// IsRegular reports whether path is a regular file, or a link to one.
func IsRegular(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// Open opens a regular file for reading and returns its size in bytes. The
// caller closes it. Directories, pipes and devices are errors, found without
// opening them: opening a pipe would wait for its writer.
func Open(path string) (*os.File, int64, error) {
	// Errors of os repeat the path, which is the subject already: unwrapped.
	info, err := os.Stat(path)
	if err != nil {
		return nil, 0, &fault.Error{Subject: path, Err: errors.Unwrap(err)}
	}
	if !info.Mode().IsRegular() {
		found := "something else"
		if info.IsDir() {
			found = "a directory"
		}
		return nil, 0, &fault.Error{Subject: path, Expected: "a file", Found: found}
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, 0, &fault.Error{Subject: path, Err: errors.Unwrap(err)}
	}
	// Of the opened file: the path may have been given to another one meanwhile.
	if info, err = file.Stat(); err != nil {
		file.Close()
		return nil, 0, &fault.Error{Subject: path, Err: errors.Unwrap(err)}
	}
	return file, info.Size(), nil
}

// Read reads a regular file of at most most bytes.
func Read(path string, most int64) ([]byte, error) {
	file, size, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if size > most {
		return nil, fault.At("", path, tooLarge(most))
	}
	content, err := ReadAll(file, most)
	return content, fault.At("", path, err)
}

// ReadAll reads what is left of file, such as a pipe, whose size is not known, or a file that
// may grow meanwhile: more than most bytes are an error.
func ReadAll(file io.Reader, most int64) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(file, most+1))
	if err == nil && int64(len(content)) > most {
		return nil, tooLarge(most)
	}
	return content, err
}

// Hash is the SHA-256 of a file, and how many bytes it has. Where read is not nil, it is told of each part.
func Hash(ctx context.Context, path string, read func(bytes int64)) (sum string, size int64, err error) {
	file, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer file.Close()
	hash := sha256.New()
	size, err = io.CopyBuffer(hash, Interruptible{ctx, file, read}, make([]byte, 1<<20))
	return hex.EncodeToString(hash.Sum(nil)), size, err
}

// Interruptible stops a long read when its context ends, and tells Done, where it is not nil, of each part.
type Interruptible struct {
	Context context.Context
	io.Reader
	Done func(bytes int64)
}

func (r Interruptible) Read(p []byte) (int, error) {
	if err := r.Context.Err(); err != nil {
		return 0, err
	}
	n, err := r.Reader.Read(p)
	if r.Done != nil {
		r.Done(int64(n))
	}
	return n, err
}

func tooLarge(most int64) error {
	expected := fmt.Sprintf("at most %d bytes", most)
	if most%(1<<20) == 0 {
		expected = fmt.Sprintf("at most %d MB", most>>20)
	}
	return &fault.Error{Problem: "is too large", Expected: expected, Found: "more"}
}

// TemporaryDirectory is the directory for temporary files, which TMPDIR names; an error
// where there is none.
func TemporaryDirectory() (string, error) {
	dir := os.TempDir()
	info, err := os.Stat(dir)
	if err == nil && info.IsDir() {
		return dir, nil
	}
	return dir, &fault.Error{
		Subject: dir, Problem: "temporary files cannot be written there: there is no such directory", Hint: "set TMPDIR to a directory with room",
	}
}

// WriteWhole makes the file at path of what write gives it, in place of one that is there. Until
// then, and where write or the disk fails, nothing is at path that was not there before.
func WriteWhole(path string, write func(io.Writer) error) error {
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
