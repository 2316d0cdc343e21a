package schema

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/saedb/saedb/internal/fault"
)

// Upgrade brings the tables and views of an older version to this one, in one
// transaction: migrations/NNNN--NNNN.sql, one after the other, then tables that are only new,
// comments and views as they are now, and what is counted from other tables. A migration
// makes those tables alone that it fills. Without tables of saedb's, or with those of this
// version, it does nothing; a version that it does not know is an error. writer is the
// program's version. begin, which may be nil, is told the version that the file has before it
// is changed.
//
// The functions of saedb must be registered: migrations compute with them.
func Upgrade(ctx context.Context, db *sql.DB, writer string, functions []Function, begin func(from int)) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	from, by, err := stored(ctx, tx)
	if err != nil || from == 0 || from == Version {
		return err
	}
	if _, err := fs.Stat(files, migration(from)); errors.Is(err, fs.ErrNotExist) {
		return checkVersion(from, by)
	}
	if begin != nil {
		begin(from)
	}
	for version := from; version < Version; version++ {
		if err := run(ctx, tx, migration(version)); err != nil {
			return upgradeError(from, err)
		}
	}
	if _, err := tx.ExecContext(ctx, `UPDATE main.stored_schema SET version = ?, written_by = ?`, Version, writer); err != nil {
		return upgradeError(from, err)
	}
	if _, err := tx.ExecContext(ctx, missing.Replace(tables())); err != nil {
		return upgradeError(from, err)
	}
	if err := CreateViews(ctx, tx, functions); err != nil {
		return upgradeError(from, err)
	}
	for _, side := range Sides {
		if _, err := tx.ExecContext(ctx, side.CountSets("true")); err != nil {
			return upgradeError(from, err)
		}
	}
	return upgradeError(from, tx.Commit())
}

// migration is the file that leads from a version to the next.
func migration(from int) string { return fmt.Sprintf("migrations/%04d--%04d.sql", from, from+1) }

// upgradeError says that the file is as it was.
func upgradeError(from int, err error) error {
	if err == nil {
		return nil
	}
	return &fault.Error{
		Op: "upgrade database", Problem: fmt.Sprintf("from schema version %d to %d", from, Version), Err: err,
		Hint: "it is as it was; the saedb that wrote it reads it",
	}
}

// missing makes of the text of schema/*.sql what makes the tables that a database lacks, and
// comments on all.
var missing = strings.NewReplacer("CREATE TABLE ", "CREATE TABLE IF NOT EXISTS ", "CREATE SEQUENCE ", "CREATE SEQUENCE IF NOT EXISTS ")
