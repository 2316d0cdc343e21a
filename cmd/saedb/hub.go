package main

import (
	"fmt"
	"os"
	"path"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/internal/operations"
	"github.com/saedb/saedb/internal/progress"
	"github.com/saedb/saedb/loader/hub"
	"github.com/urfave/cli/v2"
)

// hubOf downloads for a command.
func hubOf(c *cli.Context) operations.Hub {
	return func() (*hub.Client, error) { return newHubClient(c) }
}

// newHubClient makes a client of the environment, whose downloads are shown on a
// terminal.
func newHubClient(c *cli.Context) (*hub.Client, error) {
	client, err := hub.NewClient(os.Getenv)
	if err != nil {
		return nil, err
	}
	client.UserAgent = "saedb/" + saedb.Version
	client.Progress = (&downloads{}).tell
	client.Warn = func(text string) { fmt.Fprintf(c.App.ErrWriter, "saedb: note: %s\n", text) }
	return client, nil
}

// downloads shows a bar for one file after the other, of the bytes that are still
// to come.
type downloads struct {
	file string
	done int64
	bar  *progress.Bar
}

func (d *downloads) tell(file string, done, total int64) {
	if d.bar == nil || d.file != file || done < d.done {
		d.end()
		d.file, d.done = file, done
		d.bar = progress.New(os.Stderr, path.Base(file), total-done, progress.Bytes)
	}
	d.bar.Add(done - d.done)
	if d.done = done; done == total {
		d.end()
	}
}

func (d *downloads) end() {
	if d.bar != nil {
		d.bar.Finish()
		d.bar = nil
	}
}
