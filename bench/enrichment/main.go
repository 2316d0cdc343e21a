// Command enrichment measures token set enrichment on one layer of GPT-2's shape:
//
//   - statistics and enrichment of the whole layer, in one pass, against statistics alone;
//   - its scores a second against those of SAELens's get_enrichment_df, on the same
//     weights and sets, with 4 sets and with 100;
//   - weighted enrichment of one feature against GSEApy and blitzGSEA;
//   - what the scores take on disk, and how long queries take.
//
// It checks that scores agree, and prints times, peak memory and ratios.
//
//	bench/peers/install.sh && bench/enrichment/install.sh
//	go run ./bench/enrichment                # 24,576 features
//	go run ./bench/enrichment -quick         # 2,048 features
//
// saedb's time is that of whole commands: projection, ranks, scores, p- and q-values,
// and the writing of them. SAELens's is that of the function alone, whose input is
// the finished projection; it makes scores without p-values.
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
	quick := flag.Bool("quick", false, "the same as -features 2048 -saelens 10 -permutations 100")
	saelens := flag.Int("saelens", 200, "features that SAELens scores in 100 sets, as far as memory allows")
	permutations := flag.Int("permutations", 1000, "permutations of weighted enrichment")
	flag.Parse()
	if *quick {
		*features, *saelens, *permutations = 2048, 10, 100
	}
	if err := run(measure.GPT2(*features), *saelens, *permutations); err != nil {
		fmt.Fprintln(os.Stderr, "enrichment:", err)
		os.Exit(1)
	}
}

func run(shape measure.Shape, saelens, permutations int) error {
	for _, python := range []string{peersPython, gseaPython} {
		if _, err := os.Stat(python); err != nil {
			return fmt.Errorf("what saedb is measured against is not installed; run bench/peers/install.sh and bench/enrichment/install.sh: %w", err)
		}
	}
	program, err := measure.Saedb()
	if err != nil {
		return err
	}
	s, err := prepare(program, shape)
	if err != nil {
		return err
	}
	defer s.remove()
	fmt.Printf("%s\n%v\n\n", measure.Machine(), shape)
	if err := s.enrichLayer(); err != nil {
		return err
	}
	if err := s.againstSAELens(saelens); err != nil {
		return err
	}
	if err := s.weighted(permutations); err != nil {
		return err
	}
	return s.query() // last: it opens the database in this process, whose memory children start from
}

// setting is what all measurements start from.
type setting struct {
	program string
	files   measure.Weights
	few     measure.Sets // 4 of the 100
	many    measure.Sets
	// Scores a second of saedb, by the name of the sets: of enrichment alone, and of
	// what it takes beside the statistics in one pass.
	rates, together map[string]float64
	bytes           int64 // that the scores in 100 sets take on disk
}

// The databases: with the model and the SAE, and with scores in 4 and in 100 sets.
const statisticsDB, fewDB, manyDB = "statistics", "few", "many"

func setsFile(name string) string {
	return filepath.Join(measure.Scratch, "enrichment-"+name+".json")
}

func database(name string) string { return filepath.Join(measure.Scratch, "enrichment-"+name+".db") }

func prepare(program string, shape measure.Shape) (*setting, error) {
	files, err := shape.WriteForSAELens()
	if err != nil {
		return nil, err
	}
	s := &setting{program: program, files: files, rates: map[string]float64{}, together: map[string]float64{}}
	s.remove()
	s.many = measure.RandomSets(shape.Vocab)
	s.few = measure.Sets{}
	for _, i := range []int{20, 45, 70, 95} {
		s.few[measure.SetName(i)] = s.many[measure.SetName(i)]
	}
	for name, chosen := range map[string]measure.Sets{fewDB: s.few, manyDB: s.many} {
		if err := chosen.Write(setsFile(name)); err != nil {
			return nil, err
		}
	}
	for _, arguments := range [][]string{{"load", "model", files.Model, "--name", "gpt2"}, {"load", "sae", files.SAE}} {
		if _, err := s.saedb(statisticsDB, arguments...); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// saedb runs the program on a database.
func (s *setting) saedb(name string, arguments ...string) (measure.Run, error) {
	return measure.Command(nil, s.program, append([]string{"--db", database(name)}, arguments...)...)
}

// remove deletes the databases; weights stay for the next run.
func (s *setting) remove() {
	for _, name := range []string{statisticsDB, fewDB, manyDB} {
		_ = os.Remove(database(name)) // absent ones are as good as removed
		_ = os.Remove(database(name) + ".wal")
	}
}

// row prints one measurement.
func row(name string, seconds float64, run measure.Run, peak int64, rest string) {
	fmt.Printf("  %-46s %9.2f s %8.0f MiB  others %2.0f %%  %s\n", name, seconds, measure.MiB(peak), 100*run.Others, rest)
}
