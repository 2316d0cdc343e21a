// Command duckdb compares saedb with DuckDB alone, on the same rows in the same
// version of DuckDB: the statistics against the SQL that a person would write
// without saedb, and loading an SAE against a COPY of its rows from Parquet.
//
//	go run ./bench/duckdb              # GPT-2, 24,576 features
//	go run ./bench/duckdb -quick       # 2,048 features
//
// The SQL runs on some features only and is extrapolated: its time is
// proportional to them, which the growing subsets show.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/saedb/saedb/bench/measure"
)

func main() {
	features := flag.Int("features", 24576, "features of the SAE")
	quick := flag.Bool("quick", false, "the same as -features 2048")
	subset := flag.Int("subset", 64, "features that plain SQL projects, at most")
	rounds := flag.Int("rounds", 5, "times that each load is measured, one after the other in turn")
	flag.Parse()
	if *quick {
		*features = 2048
	}
	if err := run(measure.GPT2(*features), *subset, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "duckdb:", err)
		os.Exit(1)
	}
}

func run(shape measure.Shape, subset, rounds int) error {
	program, err := measure.Saedb()
	if err != nil {
		return err
	}
	files, err := shape.Write()
	if err != nil {
		return err
	}
	fmt.Printf("%s\n%v\n\n", measure.Machine(), shape)
	s, err := prepare(program, files)
	if err != nil {
		return err
	}
	defer s.remove()
	if err := compareLoads(s, rounds); err != nil {
		return err
	}
	return compareStatistics(s, subset)
}

// setting is what both comparisons start from.
type setting struct {
	program string
	files   measure.Weights
	model   string // database with the model loaded
	parquet string // the rows that load sae stores
	full    string // database with model and SAE
	copied  string // database for a COPY
}

func prepare(program string, files measure.Weights) (*setting, error) {
	s := &setting{program: program, files: files}
	for path, name := range map[*string]string{
		&s.model: "model.db", &s.full: "full.db", &s.copied: "copied.db", &s.parquet: "decoder.parquet",
	} {
		*path = filepath.Join(measure.Scratch, "duckdb-"+name)
	}
	s.remove()
	if _, err := s.saedb(s.model, "load", "model", files.Model, "--name", "gpt2"); err != nil {
		return s, err
	}
	if err := measure.CopyFile(s.model, s.full); err != nil {
		return s, err
	}
	if _, err := s.saedb(s.full, "load", "sae", files.SAE); err != nil {
		return s, err
	}
	_, err := s.saedb(s.full, "sql", fmt.Sprintf("COPY (FROM stored_decoders ORDER BY feature) TO '%s' (FORMAT parquet)", s.parquet))
	return s, err
}

// saedb runs the program on a database.
func (s *setting) saedb(database string, arguments ...string) (measure.Run, error) {
	return measure.Command(nil, s.program, append([]string{"--db", database}, arguments...)...)
}

// remove deletes the databases; weights stay for the next run.
func (s *setting) remove() {
	for _, path := range []string{s.model, s.full, s.copied, s.parquet} {
		_ = os.Remove(path) // absent ones are as good as removed
		_ = os.Remove(path + ".wal")
	}
}
