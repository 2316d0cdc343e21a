// Command saedb answers, in SQL, what every feature of a sparse autoencoder
// writes to a language model's vocabulary.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/saedb/saedb/internal/box"
	"github.com/saedb/saedb/internal/nearest"
	"github.com/urfave/cli/v2"
)

// Exit codes, which scripts rely on.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitDamaged     = 3 // check alone
	exitInterrupted = 130
)

func main() {
	box.Serve() // does not return in the process that serve starts for queries
	// Nearly all of the heap is unembeddings, which stay: the usual headroom of
	// once the live heap would be as large as they are, and never be used.
	debug.SetGCPercent(10)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args))
}

// run runs the command line and returns the exit code. What went wrong is one
// line on standard error.
func run(ctx context.Context, args []string) int {
	app := newApp()
	err := app.RunContext(ctx, flagsFirst(app, args))
	var wrong *usageError
	var damaged *damagedError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &wrong):
		fmt.Fprintf(os.Stderr, "saedb: %v (saedb help lists the commands)\n", err)
		return exitUsage
	case ctx.Err() != nil:
		fmt.Fprintln(os.Stderr, "saedb: interrupted; what was finished is kept")
		return exitInterrupted
	case errors.As(err, &damaged):
		fmt.Fprintf(os.Stderr, "saedb: %v\n", err)
		return exitDamaged
	default:
		fmt.Fprintf(os.Stderr, "saedb: %v\n", err)
		return exitFailed
	}
}

func newApp() *cli.App {
	cli.VersionPrinter = func(c *cli.Context) { fmt.Fprintln(c.App.Writer, c.App.Version) }
	app := &cli.App{
		Name:            "saedb",
		Usage:           "what every SAE feature writes to the vocabulary, in SQL",
		UsageText:       "saedb --db FILE COMMAND …",
		Version:         versionLine(), // for --version
		HideHelpCommand: false,
		Flags: []cli.Flag{&cli.StringFlag{
			Name: "db", Usage: "the database `FILE`", EnvVars: []string{"SAEDB_DB"},
		}},
		Commands: []*cli.Command{
			loadCommand, unloadCommand, computeCommand, matchCommand, sqlCommand, exportCommand, importCommand, setsCommand, plotCommand, reportCommand, serveCommand, neuronpediaCommand, releasesCommand,
			demoCommand, infoCommand, checkCommand, backupCommand, restoreCommand, compactCommand, upgradeCommand, versionCommand,
		},
		ExitErrHandler: func(*cli.Context, error) {}, // run prints errors
		Action:         unknownCommand,
	}
	// urfave/cli prints usage errors and help itself unless each command says not to.
	app.OnUsageError = onUsageError
	for _, command := range app.Commands {
		quietUsage(command)
	}
	return app
}

// quietUsage makes every usage error of the command one of ours.
func quietUsage(c *cli.Command) {
	c.OnUsageError = onUsageError
	for _, sub := range c.Subcommands {
		quietUsage(sub)
	}
	switch {
	case len(commandNames(c.Subcommands)) > 0:
		c.Action = unknownCommand
	case c.ArgsUsage == "":
		c.Before = noArgument
	}
}

// noArgument refuses arguments of a command that takes none; where people give one, it says which
// flag that is.
func noArgument(c *cli.Context) error {
	if !c.Args().Present() {
		return nil
	}
	flags := map[string]string{"export": "; the directory is --to's", "import": "; the directory is --parquet's"}
	return wrongUsage("%s: expected no argument, found %q%s", c.Command.FullName(), c.Args().First(), flags[c.Command.Name])
}

// usageError is a command line that makes no sense.
type usageError struct{ problem string }

func (e *usageError) Error() string { return e.problem }

func wrongUsage(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

func onUsageError(c *cli.Context, err error, _ bool) error {
	of := "" // "load sae: ", nothing where no command is named
	if c.Command.HelpName != c.App.HelpName {
		of = strings.TrimPrefix(c.Command.HelpName, c.App.HelpName+" ") + ": "
	}
	if name, lacking := strings.CutPrefix(err.Error(), "flag needs an argument: -"); lacking {
		return wrongUsage("%s--%s: expected a value, found none", of, strings.TrimLeft(name, "-"))
	}
	name, undefined := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
	if !undefined {
		return wrongUsage("%v", err)
	}
	name = "--" + strings.TrimLeft(name, "-")
	var known []string
	for _, f := range append(slices.Clone(c.Command.Flags), c.App.Flags...) {
		if names := f.Names(); !slices.Contains(known, "--"+names[0]) {
			known = append(known, "--"+names[0])
		}
	}
	return wrongUsage("%s", asking(of+"no flag "+name, name, known))
}

func unknownCommand(c *cli.Context) error {
	whole := c.Command.Name == c.App.Name || c.Command.Name == ""
	subcommands := commandNames(c.Command.Subcommands)
	word := c.Args().First()
	switch {
	case c.Args().Present() && whole:
		return wrongUsage("%s", asking(fmt.Sprintf("no command %q", word), word, commandNames(c.App.Commands)))
	case c.Args().Present():
		return wrongUsage("%s: %s", c.Command.FullName(), noSuch("command", word, subcommands))
	case whole:
		return cli.ShowAppHelp(c)
	}
	return wrongUsage("%s: which? %s", c.Command.FullName(), strings.Join(subcommands, ", "))
}

// asking adds to a problem with a word whether one of these was meant.
func asking(problem, word string, words []string) string {
	if asked := nearest.Question(word, words); asked != "" {
		return problem + ": " + asked
	}
	return problem
}

// noSuch says that a word is none of these, which it lists, and asks whether one of
// them was meant.
func noSuch(what, word string, words []string) string {
	if len(words) == 0 {
		return fmt.Sprintf("no %s %q; there is none", what, word)
	}
	there := "there are " + strings.Join(words, ", ")
	if asked := nearest.Question(word, words); asked != "" {
		there = asked + " " + there
	}
	return fmt.Sprintf("no %s %q; %s", what, word, there)
}

func commandNames(commands []*cli.Command) []string {
	var names []string
	for _, c := range commands {
		if c.Name != "help" {
			names = append(names, c.Name)
		}
	}
	return names
}
