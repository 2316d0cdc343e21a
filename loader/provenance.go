package loader

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/files"
)

// file is a file that a load read.
type file struct {
	name   string // relative to the source when it lies below it
	path   string // that it was read at
	bytes  int64
	sha256 string
}

// Origin is where files were downloaded from. It is zero for local ones.
type Origin struct {
	Source   string // org/name/path on the Hub
	Revision string // the commit
	Root     string // local directory that stands for the repository's root
}

// recorded is the source and the revision that are stored of what lies at path.
func (o Origin) recorded(path string) (source string, revision sql.NullString) {
	if o.Source == "" {
		return path, revision
	}
	return o.Source, sql.NullString{String: o.Revision, Valid: true}
}

// hashFiles reads the files and returns their sizes and SHA-256, sorted by name:
// their path below source, or else below the root of the repository they are from.
func hashFiles(ctx context.Context, op, source string, from Origin, paths []string) ([]file, error) {
	read := make([]file, 0, len(paths))
	for _, path := range paths {
		f := file{path: path}
		var err error
		if f.sha256, f.bytes, err = files.Hash(ctx, path, nil); err != nil {
			return nil, fault.At(op, path, err)
		}
		if f.name = nameBelow(source, path); f.name == path && from.Root != "" {
			f.name = nameBelow(from.Root, path)
		}
		read = append(read, f)
	}
	slices.SortFunc(read, func(a, b file) int { return strings.Compare(a.name, b.name) })
	return slices.CompactFunc(read, func(a, b file) bool { return a.name == b.name }), nil
}

// hashMeanwhile does so in the background; hashed waits for it, and end ends it.
func hashMeanwhile(ctx context.Context, op, source string, from Origin, paths []string) (hashed func() ([]file, error), end func()) {
	ctx, cancel := context.WithCancel(ctx)
	var files []file
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer fault.Recover(&err)
		files, err = hashFiles(ctx, op, source, from, paths)
	}()
	return func() ([]file, error) {
			<-done
			return files, err
		}, func() {
			cancel()
			<-done
		}
}

// Digest is the SHA-256 that a load of what lies at source would record for the
// files, and their size.
func Digest(ctx context.Context, source string, paths []string) (sha256 string, bytes int64, err error) {
	files, err := hashFiles(ctx, "hash", absolute(source), Origin{}, paths)
	for _, f := range files {
		bytes += f.bytes
	}
	return digest(files), bytes, err
}

// nameBelow is the path of a file relative to the source: the source's own name
// when it is the file, and the whole path when the file lies elsewhere.
func nameBelow(source, path string) string {
	relative, err := filepath.Rel(source, path)
	switch {
	case err == nil && relative == ".":
		return filepath.Base(path)
	case err == nil && filepath.IsLocal(relative):
		return filepath.ToSlash(relative)
	}
	return path
}

// digest is the SHA-256 that stands for the files: that of the only one, or
// that of the lines "sha256  name" which sha256sum prints for them.
func digest(files []file) string {
	if len(files) == 1 {
		return files[0].sha256
	}
	hash := sha256.New()
	for _, f := range files {
		fmt.Fprintf(hash, "%s  %s\n", f.sha256, f.name)
	}
	return hex.EncodeToString(hash.Sum(nil))
}
