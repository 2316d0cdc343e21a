package tensor

import (
	"bytes"
	"errors"
	"os"

	"github.com/saedb/saedb/internal/fault"
)

// OpenFile opens a regular file for reading and returns its size in bytes. The
// caller closes it. Directories, pipes and devices are errors, found without
// opening them: opening a pipe would wait for its writer.
func OpenFile(path string) (*os.File, int64, error) {
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

// PointerHint returns a hint when the first bytes of a file are those of a Git LFS
// pointer, which a clone without LFS leaves in place of large files, and "" otherwise.
func PointerHint(first []byte) string {
	const pointer = "version https://git-lfs"
	if len(first) >= 8 && bytes.HasPrefix([]byte(pointer), first[:min(len(first), len(pointer))]) {
		return "this is a Git LFS pointer and not the file itself: run git lfs pull"
	}
	return ""
}
