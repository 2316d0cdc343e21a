// Package loader brings models and SAEs from files into the tables.
//
// A load is one transaction: whole or absent. It is repeatable: loading what is
// already there changes nothing. It is recorded: source, SHA-256, sizes,
// conventions and time. The rows themselves come through table functions, so that
// weights go from a file into DuckDB's vectors without a detour, and a file can be
// looked at without a load, by read_unembedding, read_vocab and read_sae, in exactly
// the form that a load would give it.
package loader

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/lens"
	"github.com/saedb/saedb/loader/model"
	"github.com/saedb/saedb/loader/sae"
	"github.com/saedb/saedb/loader/vocab"
	schema "github.com/saedb/saedb/sql"
)

// Loader loads into a database whose connections have the table functions.
type Loader struct {
	DB        *sql.DB
	Version   string            // of saedb, recorded with each load
	Functions []schema.Function // for the view functions
	// Begin is told how many rows a load is about to write; it returns the context to
	// write them with, and what is called at the end. It may be nil.
	Begin func(ctx context.Context, what string, rows int64) (watched context.Context, end func())
	// Hub makes the client for what a load needs of the Hub. It may be nil: then the
	// environment's is made.
	Hub func() (*HubClient, error)
	// Opened gives SQL the rows of what a load has opened.
	Opened Opened
	// Alone tells that nothing else works in the database, whose settings are then the loader's to
	// change: weights are written once, into its file, and not into its log before.
	Alone bool
}

// Opened makes what is open readable in SQL, as the table expression that its
// methods return, until withdraw is called.
type Opened interface {
	// Of these two, which can be read once, hashed gives the number and the hash of the rows that were read.
	OfferSAE(sae.SAE) (expression string, hashed func() (rows, hash int64), withdraw func(), err error)
	OfferUnembedding(*model.Unembedding) (expression string, hashed func() (rows, hash int64), withdraw func())
	OfferSparsity(sae.SAE) (expression string, withdraw func())
	OfferEncoder(sae.SAE) (expression string, withdraw func())
	OfferEmbedding(*model.Embedding) (expression string, withdraw func())
	OfferAttention(*model.Attention) (expression string, withdraw func())
	OfferLens(*lens.Lens) (expression string, withdraw func())
	OfferMLP(*model.MLP) (expression string, withdraw func())
	OfferVocabulary(v *vocab.Vocabulary, columns int) (expression string, withdraw func())
}

// Outcome is what a load did.
type Outcome struct {
	Name      string // as it is now called in the database
	Rows      int    // tokens of a model, features of an SAE
	Bytes     int64  // of the files
	Took      time.Duration
	Unchanged bool   // it was already there
	Source    string // where it was loaded from, earlier when Unchanged
	Now       string // what is different of it all the same when Unchanged, or empty
	Note      string // what a person should know of it, or empty
}

// load is one row of stored_loads.
type load struct {
	id          int
	kind        string
	name        string // unique among those of its kind
	release     sql.NullString
	shortName   string // of an SAE, in its release
	source      string
	revision    sql.NullString
	format      string
	conventions string
	files       []file
	hashing     func() ([]file, error) // gives files, where they are hashed meanwhile
	contents    map[string]contents    // of tables whose rows were hashed as they were written
	begun       time.Time
}

// contents are the number and the hash of a load's rows in a table.
type contents struct{ rows, hash int64 }

// stored is the record of an earlier load, its id 0 when there is none.
type stored struct {
	id                          int
	digest, source, conventions string
	revision                    sql.NullString
}

// call names the load of an SAE, of a release or, for an empty one, of none.
func (l *load) call(release, name string) error {
	release = cmp.Or(release, schema.DefaultRelease)
	if err := schema.CheckRelease(release); err != nil {
		return err
	}
	l.release, l.shortName = sql.NullString{String: release, Valid: true}, name
	l.name = schema.SAEName(release, name)
	return nil
}

// current returns the current load of that kind and name, if any.
func current(ctx context.Context, tx *sql.Tx, l *load) (stored, error) {
	var s stored
	err := tx.QueryRowContext(ctx, `SELECT load_id, sha256, source, conventions, revision FROM stored_loads
		WHERE kind = ? AND name = ? AND replaced_by IS NULL`,
		l.kind, l.name).Scan(&s.id, &s.digest, &s.source, &s.conventions, &s.revision)
	if errors.Is(err, sql.ErrNoRows) {
		return stored{}, nil
	}
	return s, err
}

// has tells whether it had l's content: by its hash, or since a commit of the Hub
// never changes, of which more may be here now than what was needed then.
func (s stored) has(l *load) bool {
	same := s.digest == digest(l.files) || l.revision.Valid && l.revision == s.revision && l.source == s.source
	return same && s.conventions == l.conventions
}

// hashed waits for the files' hashes, and notes their size in outcome.
func (l *load) hashed(outcome *Outcome) (err error) {
	if l.hashing != nil {
		if l.files, err = l.hashing(); err != nil {
			return err
		}
		l.hashing = nil
	}
	outcome.Bytes = 0
	for _, f := range l.files {
		outcome.Bytes += f.bytes
	}
	return nil
}

// number gives l its number, which its rows have, before it is recorded.
func (l *load) number(ctx context.Context, tx *sql.Tx) error {
	return tx.QueryRowContext(ctx, `SELECT coalesce(max(load_id), 0) + 1 FROM stored_loads`).Scan(&l.id)
}

// recordContents records the number and the hash of l's rows in tables.
func (l *load) recordContents(ctx context.Context, tx *sql.Tx, tables ...string) error {
	for _, table := range tables {
		var err error
		if known, ok := l.contents[table]; ok {
			err = schema.RecordRows(ctx, tx, l.id, table, known.rows, known.hash)
		} else {
			err = schema.RecordContents(ctx, tx, l.id, table)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// record writes l, with its files, into the database and gives it its number, unless it has one.
func (ld *Loader) record(ctx context.Context, tx *sql.Tx, l *load) error {
	var bytes int64
	for _, f := range l.files {
		bytes += f.bytes
	}
	if err := l.insert(ctx, tx, digest(l.files), bytes, ld.Version); err != nil {
		return err
	}
	for _, f := range l.files {
		err := schema.Insert(ctx, tx, "stored_load_files", schema.Row{{"load_id", l.id}, {"path", f.name}, {"bytes", f.bytes}, {"sha256", f.sha256}})
		if err != nil {
			return err
		}
	}
	return nil
}

// insert writes the row of stored_loads, of files that are known by their hash and size, and
// gives l its number.
func (l *load) insert(ctx context.Context, tx *sql.Tx, sha256 string, bytes int64, version string) error {
	if l.id == 0 {
		if err := l.number(ctx, tx); err != nil {
			return err
		}
	}
	return schema.Insert(ctx, tx, "stored_loads", schema.Row{
		{"load_id", l.id}, {"kind", l.kind}, {"name", l.name}, {"release", l.release}, {"source", l.source}, {"revision", l.revision},
		{"format", l.format}, {"sha256", sha256}, {"bytes", bytes}, {"conventions", l.conventions},
		{"saedb_version", version}, {"loaded_at", l.begun.UTC()},
	})
}

// execute runs one statement after the other.
func execute(ctx context.Context, tx *sql.Tx, statements ...string) error {
	for _, statement := range statements {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// optional is a text of a column that has NULL for none.
func optional(text string) sql.NullString { return sql.NullString{String: text, Valid: text != ""} }

// finish records how long the load took, and what it replaced.
func finish(ctx context.Context, tx *sql.Tx, l *load, replaced int) error {
	return execute(ctx, tx,
		fmt.Sprintf(`UPDATE stored_loads SET seconds = %g WHERE load_id = %d`, time.Since(l.begun).Seconds(), l.id),
		fmt.Sprintf(`UPDATE stored_loads SET replaced_by = %d WHERE load_id = %d`, l.id, replaced),
		fmt.Sprintf(`DELETE FROM stored_contents WHERE load_id = %d`, replaced))
}

// transact runs work in a transaction on a database whose tables are made, and
// makes the views anew after it. Unless work changed something, the transaction
// leaves no trace.
func (ld *Loader) transact(ctx context.Context, work func(tx *sql.Tx) (changed bool, err error)) error {
	tx, err := ld.DB.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := schema.CreateTables(ctx, tx, ld.Version); err != nil {
		return err
	}
	if changed, err := work(tx); err != nil || !changed {
		return err
	}
	if err := schema.CreateViews(ctx, tx, ld.Functions); err != nil {
		return err
	}
	err = tx.Commit()
	if err != nil && strings.Contains(err.Error(), inLogAlone) {
		return nil // what comes next says so
	}
	return err
}

// inLogAlone is what DuckDB says of a commit that is in the log and, for want of room, not in the
// file; it does nothing more in that database until it is opened again.
const inLogAlone = "COMMIT succeeded and is durable"

// transactWeights is transact for work that writes weights. Where nothing else works in the
// database, they are written into its file alone, and not before into its log, whole: above
// checkpoint_threshold DuckDB does that. DuckDB has one thread then, which writes the rows of one
// row group: another would only spin, and take a processor from what reads and hashes them. Neither
// is a setting for all, since DuckDB does nothing more in the database until it is opened again
// where there was no room for the weights; it is then as before.
func (ld *Loader) transactWeights(ctx context.Context, work func(tx *sql.Tx) (changed bool, err error)) error {
	if ld.Alone {
		if _, err := ld.DB.ExecContext(ctx, "SET threads = 1"); err != nil {
			return err
		}
		defer ld.DB.ExecContext(context.WithoutCancel(ctx), "RESET threads")
		var usual bool // and not what somebody has set
		if err := ld.DB.QueryRowContext(ctx, "SELECT current_setting('checkpoint_threshold') = '"+usualThreshold+"'").Scan(&usual); err != nil {
			return err
		}
		if usual {
			if _, err := ld.DB.ExecContext(ctx, "SET checkpoint_threshold = '1KB'"); err != nil {
				return err
			}
			defer ld.DB.ExecContext(context.WithoutCancel(ctx), "RESET checkpoint_threshold")
		}
	}
	return ld.transact(ctx, work)
}

// usualThreshold is what DuckDB checkpoints above by itself.
const usualThreshold = "16.0 MiB"

// fill runs an INSERT that reads rows through a table function, with progress.
func (ld *Loader) fill(ctx context.Context, tx *sql.Tx, what string, rows int, insert string) error {
	if ld.Begin != nil {
		var end func()
		ctx, end = ld.Begin(ctx, what, int64(rows))
		defer end()
	}
	result, err := tx.ExecContext(ctx, insert)
	if err != nil {
		return fault.Returned(err)
	}
	if written, err := result.RowsAffected(); err != nil || written != int64(rows) {
		return &fault.Error{Subject: what, Expected: fmt.Sprintf("%d rows written", rows), Found: fmt.Sprint(written), Err: err}
	}
	return nil
}

// absolute is path as it is recorded.
func absolute(path string) string {
	if whole, err := filepath.Abs(path); err == nil {
		return whole
	}
	return path
}
