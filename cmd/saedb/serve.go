package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/figures"
	"github.com/saedb/saedb/internal/files"
	"github.com/saedb/saedb/internal/notes"
	"github.com/saedb/saedb/internal/web"
	"github.com/urfave/cli/v2"
)

var serveCommand = &cli.Command{
	Name:  "serve",
	Usage: "explore the features in a browser, on this machine",
	Flags: []cli.Flag{
		&cli.StringFlag{Name: "listen", Usage: "the loopback `ADDRESS`, host:port; port 0 for any free one", Value: figures.ExplorerAddress},
		&cli.StringFlag{Name: "notes", Usage: "the `FILE` of what is noted on the pages, a DuckDB database (default: beside the database, as features.notes.db)"},
		&cli.BoolFlag{Name: "no-notes", Usage: "the pages write nothing"},
		&cli.DurationFlag{Name: "query-time", Usage: "the `TIME` that a query on the page of SQL may take", Value: 20 * time.Second},
	},
	Description: "The database is open read-only; stars, labels and notes go into a file beside it.\n" +
		"Queries on the page run in a process of their own, which reaches\n" +
		"no other files and no network; what a query may take stands on the page.\n" +
		"From another machine, forward the port: ssh -L 7433:127.0.0.1:7433 HOST",
	Action: serve,
}

func serve(c *cli.Context) error {
	address := c.String("listen")
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return wrongUsage("serve: --listen: expected host:port, found %q", address)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return wrongUsage("serve: --listen: expected a loopback address such as %s, found %q: everyone who reaches the port can query the database; forward it with ssh -L instead", figures.ExplorerAddress, address)
	}
	if _, err := files.TemporaryDirectory(); err != nil { // for downloads
		return fault.At("serve", "", err)
	}
	if c.Duration("query-time") <= 0 {
		return wrongUsage("serve: --query-time: expected a time such as 20s, found %v", c.Duration("query-time"))
	}
	if c.IsSet("notes") && c.Bool("no-notes") {
		return wrongUsage("serve: --notes or --no-notes, not both")
	}
	db, err := openLoaded(c, saedb.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer db.Close()
	var store *notes.Store
	if !c.Bool("no-notes") {
		store = notes.New(cmp.Or(c.String("notes"), notes.Beside(c.String("db"))))
	}
	server, err := web.New(c.Context, db, c.String("db"), store, c.Duration("query-time"))
	if err != nil {
		return err
	}
	defer server.Close()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return &fault.Error{Op: "serve", Subject: address, Err: err, Hint: "--listen 127.0.0.1:0 takes any free port"}
	}
	for _, part := range server.Holds().Missing() {
		fmt.Fprintf(c.App.ErrWriter, "saedb: note: this kernel has no %s, which would confine the process for queries further (docs/reliability.md says what does)\n", part)
	}
	fmt.Fprintf(c.App.Writer, "serving %s on http://%s; Ctrl-C stops\n", c.String("db"), listener.Addr())
	return listen(c.Context, listener, server.Handler())
}

// listen answers until ctx is done, which is the way to stop.
func listen(ctx context.Context, listener net.Listener, handler http.Handler) error {
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	h := &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 256 << 10,
		BaseContext: func(net.Listener) context.Context { return running },
	}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		cancel() // queries that run end at once
		wait, done := context.WithTimeout(context.Background(), 5*time.Second)
		defer done()
		stopped <- h.Shutdown(wait)
	}()
	if err := h.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fault.At("serve", listener.Addr().String(), err)
	}
	return <-stopped
}
