package main

import (
	"fmt"
	"os"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/internal/progress"
	"github.com/urfave/cli/v2"
)

var compactCommand = &cli.Command{
	Name:  "compact",
	Usage: "write the database anew without the space that nothing uses any more",
	Description: "The new file takes the old one's place when it is whole and on disk; until then, and after an interruption, the\n" +
		"old one is as it was. It needs as much free space as what is in the database.",
	Action: compact,
}

func compact(c *cli.Context) error {
	db, err := openLoaded(c, saedb.Options{MustExist: true})
	if err != nil {
		return err
	}
	defer db.Close()
	show, finish := writtenBar("compact")
	before, after, err := db.Compact(c.Context, show)
	finish()
	if err != nil {
		return err
	}
	fmt.Fprintf(c.App.Writer, "%s: %.1f MB, %.1f MB before\n", c.String("db"), float64(after)/1e6, float64(before)/1e6)
	return nil
}

// writtenBar shows how much of a file is written, once it is known how large it will be.
func writtenBar(op string) (show func(written, total int64), finish func()) {
	bar, shown := (*progress.Bar)(nil), int64(0)
	show = func(written, total int64) {
		if bar == nil {
			bar = progress.New(os.Stderr, op, total, progress.Bytes)
		}
		bar.Add(written - shown)
		shown = written
	}
	return show, func() {
		if bar != nil {
			bar.Finish()
		}
	}
}
