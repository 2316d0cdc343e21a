package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// flagsFirst moves the flags of a command line before its other arguments:
// people write saedb load model PATH --name N, while urfave/cli stops reading
// flags at the first argument that is none. --db may stand anywhere. After --
// everything is an argument.
func flagsFirst(app *cli.App, args []string) []string {
	if len(args) == 0 {
		return args
	}
	var global, verbs, flags, rest []string
	known, commands := app.Flags, app.Commands
	for i := 1; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			rest = append(rest, args[i:]...)
			break
		}
		if !strings.HasPrefix(arg, "-") || arg == "-" {
			if found := find(commands, arg); found != nil && len(rest) == 0 {
				verbs, commands = append(verbs, arg), found.Subcommands
				known = append(known, found.Flags...)
			} else {
				rest, commands = append(rest, arg), nil
			}
			continue
		}
		name, _, inline := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		into := &flags
		if takes(app.Flags, name) != nil {
			into = &global
		}
		*into = append(*into, arg)
		if f := takes(known, name); f != nil && !inline && !isBool(f) {
			if i++; i == len(args) {
				// At the end, so that it is not given the next argument for its value.
				if into == &global {
					verbs = nil
				}
				return append(append([]string{args[0]}, verbs...), arg)
			}
			*into = append(*into, args[i])
		}
	}
	ordered := append([]string{args[0]}, global...)
	ordered = append(append(ordered, verbs...), flags...)
	return append(ordered, rest...)
}

func find(commands []*cli.Command, name string) *cli.Command {
	for _, c := range commands {
		if c.HasName(name) {
			return c
		}
	}
	return nil
}

func takes(flags []cli.Flag, name string) cli.Flag {
	for _, f := range flags {
		if slices.Contains(f.Names(), name) {
			return f
		}
	}
	return nil
}

func isBool(f cli.Flag) bool {
	_, ok := f.(*cli.BoolFlag)
	return ok
}
