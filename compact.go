package saedb

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/saedb/saedb/internal/fault"
	schema "github.com/saedb/saedb/sql"
)

// Compact writes the database anew beside its file, without the space that nothing uses any
// more, and puts that file in its place when it is whole and on disk: whenever the program
// ends, one of the two is there under its name. It returns the sizes of the file in bytes.
// The database must be open for writing, and is only to be closed afterwards. Progress is
// told the bytes that are written and about how many there will be.
func (db *DB) Compact(ctx context.Context, progress func(written, total int64)) (before, after int64, err error) {
	failed := func(err error) (int64, int64, error) { return 0, 0, fault.At("compact", db.path, err) }
	path, err := filepath.EvalSymlinks(db.path)
	if err != nil {
		return failed(err)
	}
	// Whatever the write-ahead log holds goes into the file, and the log goes away: it is
	// found by the file's name, and must not be taken for the new file's.
	if _, err := db.ExecContext(ctx, "CHECKPOINT"); err != nil {
		return failed(err)
	}
	old, err := os.Stat(path)
	if err != nil {
		return failed(err)
	}
	next, err := temporaryBeside(path, "compact")
	if err != nil {
		return failed(err)
	}
	defer removeDatabase(next)
	if err := db.copyTo(ctx, next, progress); err != nil {
		return failed(err)
	}
	if err := os.Chmod(next, old.Mode().Perm()); err != nil {
		return failed(err)
	}
	written, err := onDisk(next)
	if err != nil {
		return failed(err)
	}
	// The lock that this database holds keeps others from writing to the old file until
	// the new one has its name.
	if err := os.Rename(next, path); err != nil {
		return failed(err)
	}
	if _, err := onDisk(filepath.Dir(path)); err != nil {
		return failed(err)
	}
	return old.Size(), written, nil
}

// temporaryBeside is a name beside path that no file has.
func temporaryBeside(path, op string) (string, error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+"."+op+"-")
	if err != nil {
		return "", err
	}
	f.Close()
	return f.Name(), os.Remove(f.Name())
}

func removeDatabase(path string) {
	os.Remove(path)
	os.Remove(path + ".wal")
}

// onDisk makes sure that a file or directory is on disk, and returns its size.
func onDisk(path string) (size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), f.Sync()
}

// copyTo copies everything in the database into a new file, a person's own tables too,
// and makes sure that every row is there.
func (db *DB) copyTo(ctx context.Context, path string, progress func(written, total int64)) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	var name string
	var used int64
	err = conn.QueryRowContext(ctx, `SELECT database_name, (total_blocks - free_blocks) * block_size FROM pragma_database_size()
		WHERE database_name = current_database()`).Scan(&name, &used)
	if err != nil {
		return err
	}
	const copied = "compacted"
	if _, err := conn.ExecContext(ctx, fmt.Sprintf("ATTACH %s AS %s", schema.Literal(path), copied)); err != nil {
		return err
	}
	defer conn.ExecContext(context.WithoutCancel(ctx), "DETACH DATABASE IF EXISTS "+copied)
	stop := watchSize(path, used, progress)
	_, err = conn.ExecContext(ctx, fmt.Sprintf("COPY FROM DATABASE %s TO %s", schema.Identifier(name), copied))
	stop()
	if err != nil {
		return err
	}
	if err := sameRows(ctx, conn, name, copied); err != nil {
		return err
	}
	for _, statement := range []string{"CHECKPOINT " + copied, "DETACH " + copied} {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// watchSize tells progress how far a file has grown, until stop is called.
func watchSize(path string, total int64, progress func(written, total int64)) (stop func()) {
	ended, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-ended:
				return
			case <-time.After(200 * time.Millisecond):
				if info, err := os.Stat(path); err == nil {
					progress(min(info.Size(), total), total)
				}
			}
		}
	}()
	return func() {
		close(ended)
		<-done
	}
}

// sameRows compares the numbers of rows of every table in two databases.
func sameRows(ctx context.Context, conn *sql.Conn, from, to string) error {
	tables, err := schema.Collect[string](ctx, conn, `SELECT format('"{}"."{}"', replace(schema_name, '"', '""'), replace(table_name, '"', '""'))
		FROM duckdb_tables() WHERE database_name = ? AND NOT temporary ORDER BY ALL`, from)
	if err != nil {
		return err
	}
	for _, table := range tables {
		var expected, found int64
		err := conn.QueryRowContext(ctx, fmt.Sprintf("SELECT (SELECT count(*) FROM %s.%s), (SELECT count(*) FROM %s.%s)",
			schema.Identifier(from), table, to, table)).Scan(&expected, &found)
		if err != nil {
			return err
		}
		if expected != found {
			return &fault.Error{Subject: "table " + table, Expected: fmt.Sprintf("%d rows in the new file", expected), Found: fmt.Sprint(found)}
		}
	}
	return nil
}
