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
	measure.Main("enrichment", run(measure.GPT2(*features), *saelens, *permutations))
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

// scored is the layer with the scores of its features in some token sets.
type scored struct {
	measure.Database
	sets measure.Sets
	file string // of the sets
	// Scores a second of saedb: of enrichment alone, and of what it takes beside the
	// statistics in one pass.
	rate, together float64
}

// setting is what all measurements start from.
type setting struct {
	files      measure.Weights
	statistics measure.Database // with the model, the SAE and statistics
	few, many  scored           // 4 of the 100 sets, and all
	bytes      int64            // that the scores in 100 sets take on disk
}

func prepare(program string, shape measure.Shape) (*setting, error) {
	files, err := shape.WriteForSAELens()
	if err != nil {
		return nil, err
	}
	s := &setting{files: files, statistics: measure.Scratched(program, "enrichment-statistics")}
	s.many.sets, s.few.sets = measure.RandomSets(shape.Vocab), measure.Sets{}
	for _, i := range []int{20, 45, 70, 95} {
		s.few.sets[measure.SetName(i)] = s.many.sets[measure.SetName(i)]
	}
	for _, c := range s.scored() {
		name := fmt.Sprintf("enrichment-%d", len(c.sets))
		c.Database, c.file = measure.Scratched(program, name), filepath.Join(measure.Scratch, name+".json")
		if err := c.sets.Write(c.file); err != nil {
			return nil, err
		}
	}
	s.remove()
	return s, s.statistics.All([]string{"load", "model", files.Model, "--name", "gpt2"}, []string{"load", "sae", files.SAE})
}

func (s *setting) scored() []*scored { return []*scored{&s.few, &s.many} }

// remove deletes the databases; weights stay for the next run.
func (s *setting) remove() {
	_, _, _ = s.statistics.Remove(), s.few.Remove(), s.many.Remove()
}

// row prints one measurement.
func row(name string, seconds float64, run measure.Run, peak int64, rest string) {
	fmt.Printf("  %-46s %9.2f s %8.0f MiB  others %2.0f %%  %s\n", name, seconds, measure.MiB(peak), 100*run.Others, rest)
}
