package fault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"testing"
)

func TestReturned(t *testing.T) {
	missing := &Error{Op: "read SAE", Subject: "x", Expected: "1", Found: "2", Hint: "look", Err: fs.ErrNotExist}
	text := Hand(missing)
	for _, said := range []string{"Invalid Input Error: " + text, "Binder Error: " + text + "\n\nLINE 1: FROM f()\n  ^", "IO Error: " + text} {
		err := Returned(errors.New(said))
		var found *Error
		if !errors.As(err, &found) || found != missing || !errors.Is(err, fs.ErrNotExist) || err.Error() != text {
			t.Errorf("%q came back as %#v", said, err)
		}
	}
	// Of a statement's own, and of a macro: the text alone.
	var found *Error
	if err := Returned(errors.New("Invalid Input Error: no SAE of that name")); !errors.As(err, &found) || found.Problem != "no SAE of that name" || found.Op != "" {
		t.Errorf("%#v", err)
	}
	for _, said := range []error{nil, errors.New("Catalog Error: no table"), errors.New("no class"), fmt.Errorf("Invalid Input Error: %s: %w", text, context.Canceled)} {
		if err := Returned(said); err != said {
			t.Errorf("%v became %#v", said, err)
		}
	}
	// Those that were handed over last are kept.
	for i := range len(handed.errors) {
		Hand(fmt.Errorf("error %d", i))
	}
	if err := Returned(errors.New("Invalid Input Error: " + text)); errors.Is(err, fs.ErrNotExist) {
		t.Error("an error was kept for ever")
	}
}

func TestRecover(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	defer slog.SetDefault(before)
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	fails := func() (err error) {
		defer Recover(&err)
		panic("provoked")
	}
	if err := fails(); err == nil || err.Error() != "internal error: provoked" {
		t.Errorf("%v", err)
	}
	if !strings.Contains(log.String(), "TestRecover") {
		t.Errorf("the log does not say where it was: %s", log.String())
	}
}
