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
	measure.Main("duckdb", run(measure.GPT2(*features), *subset, *rounds))
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
	files   measure.Weights
	model   measure.Database // with the model loaded
	full    measure.Database // with model and SAE
	copied  measure.Database // for a COPY
	parquet string           // the rows that load sae stores
}

func prepare(program string, files measure.Weights) (*setting, error) {
	database := func(name string) measure.Database { return measure.Scratched(program, "duckdb-"+name) }
	s := &setting{
		files: files, model: database("model"), full: database("full"), copied: database("copied"),
		parquet: filepath.Join(measure.Scratch, "duckdb-decoder.parquet"),
	}
	s.remove()
	if err := s.model.All([]string{"load", "model", files.Model, "--name", "gpt2"}); err != nil {
		return s, err
	}
	if err := s.full.Copy(s.model); err != nil {
		return s, err
	}
	return s, s.full.All([]string{"load", "sae", files.SAE},
		[]string{"sql", fmt.Sprintf("COPY (FROM stored_decoders ORDER BY feature) TO '%s' (FORMAT parquet)", s.parquet)})
}

// remove deletes the databases; weights stay for the next run.
func (s *setting) remove() {
	for _, database := range []measure.Database{s.model, s.full, s.copied} {
		_ = database.Remove()
	}
	_ = os.Remove(s.parquet) // absent, it is as good as removed
}
