package tensor

import (
	"bytes"
	"os"

	"github.com/saedb/saedb/internal/fault"
)

// OpenFile opens a regular file for reading and returns its size in bytes. The
// caller closes it. Directories, pipes and devices are errors, found without
// opening them: opening a pipe would wait for its writer.
func OpenFile(path string) (*os.File, int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, 0, &fault.Error{Subject: path, Err: cause(err)}
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
		return nil, 0, &fault.Error{Subject: path, Err: cause(err)}
	}
	// Of the opened file: the path may have been given to another one meanwhile.
	if info, err = file.Stat(); err != nil {
		file.Close()
		return nil, 0, &fault.Error{Subject: path, Err: cause(err)}
	}
	return file, info.Size(), nil
}

// cause is err without the path, which the message has as its subject.
func cause(err error) error {
	if e, ok := err.(*os.PathError); ok {
		return e.Err
	}
	return err
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
