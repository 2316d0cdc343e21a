package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

var update = flag.Bool("update", false, "write docs/cli.md anew")

const cliPage = "../../docs/cli.md"

const cliIntroduction = `# Commands

Written by ` + "`make docs`" + ` from the commands themselves; ` + "`saedb COMMAND --help`" + ` prints the same.

` + "`--db FILE`" + ` comes first, as in ` + "`saedb --db features.db info`" + `, or from the environment as ` + "`SAEDB_DB`" + `. Flags may
stand before or after arguments. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 damaged (check alone), 130 interrupted.

Looking does not lock: any number of programs may read a database at once, and one may write to it while no
other has it open. What takes SAEs takes the words of [names.md](names.md), what takes a PATH reads the formats
of [formats.md](formats.md). ` + "`SAEDB_KERNEL`" + ` forces the kernel that computes: avx512, avx2, neon, portable, gonum or amx.
`

// TestCommandsPage: docs/cli.md says what the commands say of themselves. With -update
// it is written anew.
func TestCommandsPage(t *testing.T) {
	got := commandsPage(newApp())
	if *update {
		if err := os.WriteFile(cliPage, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(cliPage)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Error("docs/cli.md is not what the commands say; make docs writes it")
	}
}

func commandsPage(app *cli.App) string {
	var page strings.Builder
	page.WriteString(cliIntroduction)
	page.WriteString("\n| command | |\n|---|---|\n")
	each(app.Commands, app.Name, func(name string, c *cli.Command) {
		fmt.Fprintf(&page, "| [`%s`](#%s) | %s |\n", name, strings.ReplaceAll(name, " ", "-"), cell(c.Usage))
	})
	each(app.Commands, app.Name, func(name string, c *cli.Command) {
		fmt.Fprintf(&page, "\n## %s\n\n%s.\n\n```\n%s\n```\n", name, capital(c.Usage), synopsis(name, c))
		if c.Description != "" {
			fmt.Fprintf(&page, "\n```\n%s\n```\n", c.Description)
		}
		if takesFlags(c) {
			page.WriteString("\n| flag | |\n|---|---|\n")
		}
		for _, f := range c.Flags {
			if f == cli.HelpFlag {
				continue
			}
			fmt.Fprintf(&page, "| `%s` | %s |\n", flagWords(f), cell(flagUsage(f)))
		}
	})
	return page.String()
}

// each calls visit with every command that does something of its own.
func each(commands []*cli.Command, before string, visit func(name string, c *cli.Command)) {
	for _, c := range commands {
		name := before + " " + c.Name
		switch {
		case c.Hidden || c.Name == "help":
		case len(commandNames(c.Subcommands)) > 0:
			each(c.Subcommands, name, visit)
		default:
			visit(name, c)
		}
	}
}

func synopsis(name string, c *cli.Command) string {
	words := []string{name}
	if takesFlags(c) {
		words = append(words, "[FLAGS]")
	}
	if c.ArgsUsage != "" {
		words = append(words, c.ArgsUsage)
	}
	return strings.Join(words, " ")
}

// takesFlags: the flag of help is there once a command has run.
func takesFlags(c *cli.Command) bool {
	return slices.ContainsFunc(c.Flags, func(f cli.Flag) bool { return f != cli.HelpFlag })
}

// flagWords are what is written on the command line: --name VALUE.
func flagWords(f cli.Flag) string {
	words := "--" + f.Names()[0]
	if value, ok := f.(cli.DocGenerationFlag); ok && value.TakesValue() {
		placeholder, _, _ := strings.Cut(afterFirst(value.GetUsage(), "`"), "`")
		if placeholder == "" {
			placeholder = "VALUE"
		}
		words += " " + placeholder
	}
	return words
}

func afterFirst(text, mark string) string {
	_, after, _ := strings.Cut(text, mark)
	return after
}

func flagUsage(f cli.Flag) string {
	described, ok := f.(cli.DocGenerationFlag)
	if !ok {
		return ""
	}
	usage := strings.ReplaceAll(described.GetUsage(), "`", "")
	value := strings.Trim(described.GetDefaultText(), `"`)
	if unset := value == "" || value == "0"; described.TakesValue() && !unset && !strings.Contains(usage, "default") {
		usage += " (default: " + value + ")"
	}
	return usage
}

// cell is text in a row of a table.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

func capital(text string) string { return strings.ToUpper(text[:1]) + text[1:] }
