package saedb

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/saedb/saedb/internal/fault"
)

// tornEntry is what DuckDB says of a log with an entry that does not have its checksum. A loss
// of power leaves one where it met a transaction that was being written: its entries are on
// disk in part. DuckDB then opens the database no more, although every transaction before is whole.
var tornEntry = regexp.MustCompile(`Corrupt WAL file: entry.* at byte position (\d+)`)

// entryHeader is the length in bytes of what stands before an entry in the log: its size and its
// checksum, 8 bytes each. DuckDB's errors name the place after them.
const entryHeader = 16

// tornAt returns where the entry begins in the log that an error of DuckDB's is about.
func tornAt(err error) (at int64, torn bool) {
	if err == nil {
		return 0, false
	}
	match := tornEntry.FindStringSubmatch(err.Error())
	if match == nil {
		return 0, false
	}
	at, parseErr := strconv.ParseInt(match[1], 10, 64)
	return max(at-entryHeader, 0), parseErr == nil
}

// cutLog cuts a database's log off where an entry is torn, after which DuckDB takes in the
// transactions that were whole before it, and returns where a copy of the whole log is kept.
func cutLog(path string, at int64) (kept string, err error) {
	unlock, err := lockFile(path)
	if err != nil {
		return "", err
	}
	defer unlock()
	log, err := os.OpenFile(path+".wal", os.O_RDWR, 0)
	if err != nil {
		return "", err
	}
	defer log.Close()
	copied, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".wal.torn-")
	if err != nil {
		return "", err
	}
	_, err = io.Copy(copied, log)
	if err = errors.Join(err, copied.Sync(), copied.Close()); err != nil {
		os.Remove(copied.Name())
		return "", err
	}
	return copied.Name(), errors.Join(log.Truncate(at), log.Sync())
}

// whole calls open for a database that may be written to, and again if its log was torn and has
// been cut.
func whole(path string, o Options, open func() (*DB, error)) (*DB, error) {
	db, err := open()
	if at, torn := tornAt(err); torn && !o.ReadOnly {
		kept, cutErr := cutLog(path, at)
		if cutErr != nil {
			return nil, fault.At("open database", path+".wal", cutErr)
		}
		if o.LogCut != nil {
			o.LogCut(kept)
		}
		db, err = open()
	}
	return db, err
}
