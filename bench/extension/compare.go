package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/saedb/saedb/bench/measure"
)

// side is one of the two homes of saedb's functions.
type side struct {
	name        string
	environment []string
	// command is what asks SQL of a database, or computes when there is none.
	command func(database, sql string) []string
}

// setting is the two sides, the program first, and the databases.
type setting struct {
	sides   []side
	loaded  measure.Database // model and SAE
	working measure.Database // a copy of it that a side computes in
}

const (
	nothing = "SELECT 42 AS answer"
	// Every feature's figures, whatever their order.
	function    = "SELECT bit_xor(hash(logit_stats(w_dec, 'gpt2'))) AS fingerprint FROM decoder_directions"
	fingerprint = "SELECT bit_xor(hash(s)) AS fingerprint FROM stored_statistics s"
)

func (s *setting) prepare(program string, files measure.Weights) error {
	s.loaded, s.working = measure.Scratched(program, "extension"), measure.Scratched(program, "extension-working")
	s.remove()
	return s.loaded.All([]string{"load", "model", files.Model, "--name", "gpt2"}, []string{"load", "sae", files.SAE})
}

func (s *setting) remove() {
	_, _ = s.loaded.Remove(), s.working.Remove()
}

// compare measures each kind of work and returns the lowest ratio of the program's
// time to Python's: below 1, the work is slower inside Python.
func (s *setting) compare(rounds int) (lowest float64, err error) {
	start, err := s.measure(rounds, nothing, nil)
	if err != nil {
		return 0, err
	}
	fmt.Println("opening the database:")
	s.print(start, nil)
	for _, work := range []struct{ name, sql string }{
		{"saedb compute, every feature's statistics, stored:", ""},
		{"a query with logit_stats of every feature:", function},
	} {
		taken, err := s.measure(rounds, work.sql, start)
		if err != nil {
			return 0, err
		}
		fmt.Println(work.name)
		s.print(taken, start)
		ratio := measure.Median(taken[0]) / measure.Median(taken[1])
		fmt.Printf("  %-16s %.3f\n", "ratio", ratio)
		if lowest == 0 || ratio < lowest {
			lowest = ratio
		}
	}
	return lowest, nil
}

// measure runs the sides in turn and returns the seconds that each run took, by side,
// less the median of what start says. Both sides must say, or store, the same.
func (s *setting) measure(rounds int, sql string, start [][]float64) (taken [][]float64, err error) {
	taken = make([][]float64, len(s.sides))
	var said string
	for round := range rounds {
		for i := range s.sides {
			one := (i + round) % len(s.sides) // neither is always the first
			seconds, found, err := s.run(s.sides[one], sql)
			if err != nil {
				return nil, err
			}
			if start != nil {
				seconds -= measure.Median(start[one])
			}
			taken[one] = append(taken[one], seconds)
			if said == "" {
				said = found
			}
			if found != said {
				return nil, fmt.Errorf("%s: figures differ: %q, %q", s.sides[one].name, found, said)
			}
		}
	}
	return taken, nil
}

// run is one process of a side; found is its answer, or a fingerprint of what it stored.
func (s *setting) run(one side, sql string) (seconds float64, found string, err error) {
	database := s.loaded
	if sql == "" {
		database = s.working
		if err := errors.Join(database.Remove(), database.Copy(s.loaded)); err != nil {
			return 0, "", err
		}
	}
	command := one.command(database.Path, sql)
	ran, err := measure.Command(one.environment, command[0], command[1:]...)
	if err != nil {
		return 0, "", err
	}
	if ran.Others > 0.05 {
		fmt.Printf("  %s: other programs used %.0f %% of the cores\n", one.name, 100*ran.Others)
	}
	if sql != "" {
		// The program prints a heading first.
		return ran.Wall.Seconds(), lastLine(ran.Output), nil
	}
	asked := s.sides[0].command(database.Path, fingerprint)
	stored, err := measure.Command(nil, asked[0], asked[1:]...)
	return ran.Wall.Seconds(), lastLine(stored.Output), err
}

func (s *setting) print(taken, start [][]float64) {
	for i, one := range s.sides {
		fmt.Printf("  %-16s %.2f s (%.2f to %.2f)", one.name, measure.Median(taken[i]), slices.Min(taken[i]), slices.Max(taken[i]))
		if start != nil {
			fmt.Printf(", whole processes %.2f s", measure.Median(taken[i])+measure.Median(start[i]))
		}
		fmt.Println()
	}
}
func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndex(text, "\n")+1:]
}
