package shell

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/peterh/liner"
	"github.com/saedb/saedb/internal/fault"
)

// history is the file that keeps what was typed, an entry a line. Each entry is
// appended as it is typed, so that shells running side by side lose none.
// A nil history keeps nothing.
type history struct{ file *os.File }

// openHistory opens the history in path, or in the default place, and returns the
// entries in it, oldest first.
func openHistory(path string) (*history, []string, error) {
	if path == "" {
		var err error
		if path, err = defaultHistoryFile(); err != nil {
			return nil, nil, fault.At("open history", "", err)
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, nil, fault.At("open history", path, err)
	}
	content, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return nil, nil, fault.At("open history", path, err)
	}
	entries := strings.FieldsFunc(string(bytes.ToValidUTF8(content, []byte("?"))), func(r rune) bool { return r == '\n' })
	if len(entries) > 2*liner.HistoryLimit {
		entries = entries[len(entries)-liner.HistoryLimit:]
		// A history that stays long is harmless, so a failure here is too.
		_ = replaceFile(path, strings.Join(entries, "\n")+"\n")
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, entries, fault.At("open history", path, err)
	}
	// Statements may hold what others should not read, whoever made the file.
	_ = file.Chmod(0o600)
	return &history{file}, entries, nil
}

func (h *history) append(entry string) error {
	if h == nil {
		return nil
	}
	_, err := h.file.WriteString(entry + "\n")
	return fault.At("save history", h.file.Name(), err)
}

func (h *history) close() {
	if h != nil {
		h.file.Close()
	}
}

// replaceFile writes a file beside path and renames it over path.
func replaceFile(path, content string) error {
	temporary, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // of mode 0600
	if err != nil {
		return err
	}
	_, err = temporary.WriteString(content)
	if closed := temporary.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		os.Remove(temporary.Name())
	}
	return err
}

// defaultHistoryFile follows the XDG base directories, whose place for state that
// outlives a program is XDG_STATE_HOME, by default ~/.local/state.
func defaultHistoryFile() (string, error) {
	directory := os.Getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(directory) { // the specification says to ignore a relative one
		var err error
		if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
			directory, err = os.UserCacheDir()
		} else if directory, err = os.UserHomeDir(); err == nil {
			directory = filepath.Join(directory, ".local", "state")
		}
		if err != nil {
			return "", err
		}
	}
	return filepath.Join(directory, "saedb", "history"), nil
}
