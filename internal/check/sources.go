package check

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/saedb/saedb/internal/files"
	"github.com/saedb/saedb/loader/model"
)

// sourceFile is a file that a current load read.
type sourceFile struct {
	load           string
	source         string
	revision       sql.NullString
	format         string
	name, recorded string
	bytes          int64
}

// sources checks the recorded hashes: those of loads against those of their files,
// which is damage where they differ, and those of files against the files, where they are
// still there, which is a note.
func (r *run) sources() error {
	sources, err := r.sourceFiles()
	if err != nil || len(sources) == 0 {
		return err
	}
	if err := r.digests(); err != nil || r.SkipSources {
		return err
	}
	var total int64
	for _, f := range sources {
		total += f.bytes
	}
	add, end := r.begin("hashes of sources", total, "bytes")
	defer end()
	remote, missing := 0, 0
	for _, f := range sources {
		if f.format == "sql" || f.format == model.FormatMemory { // there was no file
			continue
		}
		if f.revision.Valid {
			remote++
			continue
		}
		hash, _, err := files.Hash(r.ctx, f.path(), add)
		switch {
		case r.ctx.Err() != nil:
			return r.ctx.Err()
		case errors.Is(err, fs.ErrNotExist):
			missing++
		case err != nil:
			r.Note(fmt.Sprintf("source of %s: %v", f.load, err))
		case hash != f.recorded:
			r.Note(fmt.Sprintf("source of %s: %s has changed since it was loaded", f.load, f.path()))
		default:
			r.result.Sources++
		}
	}
	if missing > 0 {
		r.Note("no longer where they were loaded from: " + counted(missing, "file"))
	}
	if remote > 0 {
		r.Note("from the Hub, verified when they were downloaded and not looked at again: " + counted(remote, "file"))
	}
	return nil
}

func (r *run) sourceFiles() ([]sourceFile, error) {
	return read(r, "stored_load_files", func(f *sourceFile) []any {
		return []any{&f.load, &f.source, &f.revision, &f.format, &f.name, &f.recorded, &f.bytes}
	}, `SELECT kind || ' ' || l.name, source, revision, format, f.path, f.sha256, f.bytes
		FROM stored_load_files f JOIN stored_loads l USING (load_id) WHERE replaced_by IS NULL
			AND load_id NOT IN (SELECT sae_id FROM stored_in_place) -- places has looked at those
		ORDER BY load_id, f.path`)
}

// digests compares what stored_loads has as the hash of a load with the hashes of its
// files: that of the only one, or that of the lines which sha256sum prints for them.
func (r *run) digests() error {
	return r.apply(rule{"stored_loads", `SELECT kind || ' ' || l.name, 'expected sha256 ' || expected || ', that of its files, found ' || sha256 FROM stored_loads l JOIN (
			SELECT load_id, CASE count(*) WHEN 1 THEN any_value(sha256) ELSE sha256(string_agg(sha256 || '  ' || path || chr(10), '' ORDER BY encode(path))) END AS expected
			FROM stored_load_files GROUP BY load_id) USING (load_id) WHERE l.sha256 <> expected`})
}

// path is where the file was.
func (f *sourceFile) path() string {
	if filepath.IsAbs(f.name) {
		return f.name
	}
	if info, err := os.Stat(f.source); err == nil && !info.IsDir() {
		return f.source
	}
	return filepath.Join(f.source, filepath.FromSlash(f.name))
}
