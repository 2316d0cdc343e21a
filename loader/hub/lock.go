package hub

import (
	"context"
	"os"
	"time"

	"github.com/saedb/saedb/internal/files"
)

// lockFile waits for the lock of a file, and takes it. Where there are no locks it takes none: two
// downloads of one file may then run side by side, and the content's hash tells when they
// got in each other's way.
func lockFile(ctx context.Context, path string) (unlock func(), err error) {
	for {
		file, lock, err := files.TryLock(path, 0o664)
		switch {
		case err != nil:
			return nil, err
		case lock == files.NoLocks:
			file.Close()
			return func() {}, nil
		case lock == files.Locked && stillThere(file, path):
			// Closing gives the lock back. The file stays, as others may wait for it.
			return func() { file.Close() }, nil
		}
		file.Close()
		if lock == files.Locked {
			continue // its last holder removed it: lock the new one
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// stillThere reports whether path is the opened file.
func stillThere(file *os.File, path string) bool {
	opened, err := file.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(path)
	return err == nil && os.SameFile(opened, named)
}
