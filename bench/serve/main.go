// Command serve holds saedb serve under load: clients that ask for one page of the
// explorer after the other, on the example's database.
//
//	go run ./bench/serve                 # 50 clients for a minute
//	go run ./bench/serve -quick          # 10 clients for five seconds
//
// It prints requests a second, the median and the 99th percentile of the time that an
// answer took, and errors, by page; and what the server holds before and after. It ends
// with an error where an answer was one, or where the server keeps what it took.
package main

import (
	"flag"
	"fmt"
	"path/filepath"
	"time"

	"github.com/saedb/saedb/bench/measure"
)

func main() {
	clients := flag.Int("clients", 50, "clients that ask at the same time")
	lasting := flag.Duration("for", time.Minute, "how long they do")
	quick := flag.Bool("quick", false, "the same as -clients 10 -for 5s")
	flag.Parse()
	if *quick {
		*clients, *lasting = 10, 5*time.Second
	}
	measure.Main("serve", run(*clients, *lasting))
}

func run(clients int, lasting time.Duration) error {
	program, err := measure.Saedb()
	if err != nil {
		return err
	}
	database, err := exampleDatabase(program)
	if err != nil {
		return err
	}
	fmt.Printf("%s\n%d clients for %v on the example's database: a model, 6 SAEs, 9,216 features, %d kinds of page\n\n", measure.Machine(), clients, lasting, len(pages))

	// A server of its own says how many goroutines there are when nothing is asked: it
	// is ended by being made to list them.
	idle, err := start(database)
	if err != nil {
		return err
	}
	defer idle.Command.Process.Kill() // where a page failed; it has ended otherwise
	if err := idle.eachPage(); err != nil {
		return err
	}
	before, err := idle.goroutines()
	if err != nil {
		return err
	}

	loaded, err := start(database)
	if err != nil {
		return err
	}
	defer loaded.Command.Process.Kill()
	if err := loaded.eachPage(); err != nil {
		return err
	}
	first, err := loaded.holds()
	if err != nil {
		return err
	}
	answers := loaded.load(clients, lasting)
	errors := report(answers, lasting)
	time.Sleep(2 * time.Second) // connections that clients closed are gone
	last, err := loaded.holds()
	if err != nil {
		return err
	}
	after, err := loaded.goroutines()
	if err != nil {
		return err
	}
	fmt.Printf("\n%-26s %10s %10s\n%-26s %10d %10d\n%-26s %10d %10d\n%-26s %10d %10d\n%-26s %10.1f %10.1f\n", "the server holds", "before", "after",
		"goroutines", before, after, "threads", first.threads, last.threads, "open files", first.files, last.files,
		"resident memory, MB", float64(first.resident)/1e6, float64(last.resident)/1e6)
	switch {
	case errors > 0:
		return fmt.Errorf("%d of %d answers were errors", errors, len(answers))
	case after > before+2 || last.files > first.files+2:
		return fmt.Errorf("the server keeps goroutines or files")
	}
	return nil
}

// exampleDatabase makes a database with all of the example, unless a former run did.
func exampleDatabase(program string) (measure.Database, error) {
	const example = "examples/smollm2-135m"
	database := measure.Scratched(program, "serve")
	return database, database.Make(func(partial measure.Database) error {
		return partial.All(
			[]string{"load", "model", filepath.Join(example, "SmolLM2-135M-Instruct.unembedding.gguf"), "--name", "smollm2-135m"},
			[]string{"load", "sae", filepath.Join(example, "saes"), "--release", "smollm2-demo"},
			[]string{"load", "sets", "--family", "regex", "--family", "names"},
			[]string{"compute"},
		)
	})
}
