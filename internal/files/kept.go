package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/saedb/saedb/internal/fault"
)

// Kept is a file that is read again later, as it was when it was looked at first. It is
// comparable.
type Kept struct {
	Path     string // absolute
	Bytes    int64
	Modified int64 // nanoseconds since 1970
	SHA256   string
}

// Look returns the size of a file and when it was modified, without its hash.
func Look(path string) (Kept, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Kept{Path: path}, &fault.Error{Subject: path, Err: errors.Unwrap(err)}
	}
	if !info.Mode().IsRegular() {
		return Kept{Path: path}, &fault.Error{Subject: path, Expected: "a file", Found: info.Mode().Type().String()}
	}
	return Kept{Path: path, Bytes: info.Size(), Modified: info.ModTime().UnixNano()}, nil
}

// hashed are the files that were hashed by this process, by their paths: a file that has another
// time of modification than when it was kept, as one that was copied back, is hashed once.
var hashed sync.Map

// Check returns an error unless the file is what it was: of the size, and of the time of
// modification or else of the hash. Its hint is to be added.
func (k Kept) Check(ctx context.Context) error {
	found, err := k.look()
	if err != nil || found.Modified == k.Modified {
		return err
	}
	known, _ := hashed.Load(k.Path)
	if last, _ := known.(Kept); last.Bytes == found.Bytes && last.Modified == found.Modified {
		return k.compare(last)
	}
	return k.CheckContent(ctx, nil)
}

// CheckContent does so by the size and the hash, for which all of the file is read; read, which
// may be nil, is told of each part.
func (k Kept) CheckContent(ctx context.Context, read func(bytes int64)) error {
	found, err := k.look()
	if err != nil {
		return err
	}
	if found.SHA256, _, err = Hash(ctx, k.Path, read); err != nil {
		return err
	}
	after, err := Look(k.Path)
	if err == nil && (after.Bytes != found.Bytes || after.Modified != found.Modified) {
		err = &fault.Error{Subject: k.Path, Problem: "it changed while it was hashed"}
	}
	if err != nil {
		return err
	}
	hashed.Store(k.Path, found)
	return k.compare(found)
}

// look looks at the file, whose size must be the one that is known.
func (k Kept) look() (Kept, error) {
	found, err := Look(k.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return found, &fault.Error{Subject: k.Path, Problem: "it is not there", Expected: k.described(), Err: fs.ErrNotExist}
	}
	if err == nil && found.Bytes != k.Bytes {
		err = &fault.Error{Subject: k.Path, Problem: "it has changed since it was loaded", Expected: k.described(), Found: fmt.Sprintf("%d bytes", found.Bytes)}
	}
	return found, err
}

func (k Kept) compare(found Kept) error {
	if found.SHA256 == k.SHA256 {
		return nil
	}
	return &fault.Error{
		Subject: k.Path, Problem: "it has changed since it was loaded", Expected: k.described(),
		Found: fmt.Sprintf("SHA-256 %s, modified %s", found.SHA256, when(found.Modified)),
	}
}

// described is what the file was, in an error.
func (k Kept) described() string {
	return fmt.Sprintf("%d bytes with SHA-256 %s, modified %s", k.Bytes, k.SHA256, when(k.Modified))
}

func when(nanoseconds int64) string { return time.Unix(0, nanoseconds).UTC().Format(time.RFC3339) }
