package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/internal/compute"
	"github.com/saedb/saedb/internal/fault"
	"github.com/urfave/cli/v2"
)

var versionCommand = &cli.Command{
	Name:   "version",
	Usage:  "print the versions of saedb, DuckDB and the kernel in use",
	Action: printVersion,
}

func printVersion(c *cli.Context) error {
	db, err := saedb.Open(c.Context, "", saedb.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	var duckdb string
	if err := db.QueryRowContext(c.Context, "SELECT version()").Scan(&duckdb); err != nil {
		return err
	}
	kernel, err := compute.DefaultKernel()
	if err != nil {
		return &fault.Error{Op: "version", Err: err}
	}
	fmt.Fprintf(c.App.Writer, "%s\nDuckDB %s\nkernel %s\n%s %s/%s\n",
		versionLine(), duckdb, kernel, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}

func versionLine() string { return "saedb " + saedb.Version + commit() }

// commit is the commit that the program was built from, where Go recorded it.
func commit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return " (" + s.Value[:min(12, len(s.Value))] + ")"
		}
	}
	return ""
}
