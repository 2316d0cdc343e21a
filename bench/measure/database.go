package measure

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Database is one that a program of saedb works on.
type Database struct {
	Program string
	Path    string
}

// Scratched is the database of a name among the weights.
func Scratched(program, name string) Database {
	return Database{program, filepath.Join(Scratch, name+".db")}
}

// Saedb runs a command on the database.
func (d Database) Saedb(arguments ...string) (Run, error) {
	return Command(nil, d.Program, append([]string{"--db", d.Path}, arguments...)...)
}

// All runs one command after the other, and says on standard error how long each took.
func (d Database) All(commands ...[]string) error {
	for _, arguments := range commands {
		run, err := d.Saedb(arguments...)
		if err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "saedb %s: %.1f s\n", arguments[0], run.Wall.Seconds())
	}
	return nil
}

// Copy makes the database of another.
func (d Database) Copy(from Database) error { return CopyFile(from.Path, d.Path) }

// Remove deletes what is there of the database.
func (d Database) Remove() error {
	return errors.Join(os.RemoveAll(d.Path), os.RemoveAll(d.Path+".wal"))
}

// Make makes the database, unless a former run did. It has its name once it is whole.
func (d Database) Make(fill func(partial Database) error) error {
	if _, err := os.Stat(d.Path); err == nil {
		return nil
	}
	partial := Database{d.Program, d.Path + ".partial"}
	if err := errors.Join(os.MkdirAll(filepath.Dir(d.Path), 0o755), partial.Remove()); err != nil {
		return err
	}
	if err := fill(partial); err != nil {
		return err
	}
	return os.Rename(partial.Path, d.Path)
}

// Size is what the database takes on disk, in bytes.
func (d Database) Size() (int64, error) {
	var bytes int64
	for _, path := range []string{d.Path, d.Path + ".wal"} {
		about, err := os.Stat(path)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return 0, err
		}
		bytes += about.Size()
	}
	return bytes, nil
}
