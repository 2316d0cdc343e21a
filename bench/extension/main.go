// Command extension compares saedb inside Python, through the wheel, with the
// program, in one run: computing and storing every feature's statistics, and a query
// that calls a function on every feature. Both do the same work on copies of the same
// database, in turn.
//
//	go run ./bench/extension           # GPT-2, 24,576 features
//	go run ./bench/extension -quick    # 2,048 features
//
// It needs what make python-clients installs. Times are those of whole processes less
// the time in which each opens the database and asks nothing.
package main

import (
	"flag"
	"fmt"

	"github.com/saedb/saedb/bench/measure"
)

func main() {
	features := flag.Int("features", 24576, "features of the SAE")
	quick := flag.Bool("quick", false, "the same as -features 2048")
	rounds := flag.Int("rounds", 5, "times that each is measured, in turn")
	flag.Parse()
	if *quick {
		*features = 2048
	}
	measure.Main("extension", run(measure.GPT2(*features), max(*rounds, 1)))
}

func run(shape measure.Shape, rounds int) error {
	program, err := measure.Saedb()
	if err != nil {
		return err
	}
	guest, err := installWheel()
	if err != nil {
		return err
	}
	files, err := shape.Write()
	if err != nil {
		return err
	}
	fmt.Printf("%s\n%v, medians of %d (least to most)\n\n", measure.Machine(), shape, rounds)
	s := &setting{sides: []side{
		{name: "program", command: func(database, sql string) []string {
			if sql == "" {
				return []string{program, "--db", database, "compute"}
			}
			return []string{program, "--db", database, "sql", "--read-only", "--format", "csv", sql}
		}},
		{name: "inside Python", environment: guest.environment, command: func(database, sql string) []string {
			if sql == "" {
				sql = "compute"
			}
			return []string{guest.python, workScript, database, sql}
		}},
	}}
	defer s.remove()
	if err := s.prepare(program, files); err != nil {
		return err
	}
	lowest, err := s.compare(rounds)
	if err != nil {
		return err
	}
	fmt.Printf("\nprogram_over_python=%.3f\n", lowest)
	return nil
}
