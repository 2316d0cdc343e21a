// Command lens measures what reading features through a lens takes beside reading them directly,
// at GPT-2's shape:
//
//	go run ./bench/lens           # 24,576 features, 100 token sets
//	go run ./bench/lens -quick    # 2,048 features
//
// In each round one database has computed the direct figures, then those through a lens, then the
// rank correlations of both, by a process each, without and with token sets. What is compared is
// processor time, which a busy machine changes least, and peak memory: medians of the rounds.
//
// Lines at the end are lens_over_direct=R, correlation_over_direct=R and lens_memory_more=MIB of
// the statistics alone.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/saedb/saedb/bench/measure"
)

// steps are what is measured, in the order in which one needs the other.
var steps = []struct {
	name      string
	arguments []string
}{
	{"direct", []string{"compute", "--baseline", "0"}},
	{"lens", []string{"compute", "--baseline", "0", "--lens", "lens"}},
	{"correlation", []string{"compute", "--baseline", "0", "--lens", "lens", "--rank-correlation"}},
}

// taken is processor times and peak memory of the rounds.
type taken struct{ cpu, peak, others []float64 }

func main() {
	features := flag.Int("features", 24576, "features of the SAE")
	rounds := flag.Int("rounds", 3, "times that each step is measured, in turn")
	quick := flag.Bool("quick", false, "the same as -features 2048 -rounds 1")
	flag.Parse()
	if *quick {
		*features, *rounds = 2048, 1
	}
	measure.Main("lens", run(measure.GPT2(*features), max(*rounds, 1)))
}

func run(shape measure.Shape, rounds int) error {
	program, err := measure.Saedb()
	if err != nil {
		return err
	}
	fmt.Printf("%s\n%s, %s, %d rounds\n\n", measure.Machine(), time.Now().UTC().Format("2006-01-02 15:04 MST"), shape, rounds)
	plain, scored := measure.Scratched(program, fmt.Sprintf("lens-%d", shape.Features)), measure.Scratched(program, fmt.Sprintf("lens-%d-sets", shape.Features))
	if err := plain.Make(func(partial measure.Database) error { return load(partial, shape) }); err != nil {
		return err
	}
	if err := scored.Make(func(partial measure.Database) error {
		sets := filepath.Join(measure.Scratch, "lens-sets.json")
		if err := measure.RandomSets(shape.Vocab).Write(sets); err != nil {
			return err
		}
		if err := partial.Copy(plain); err != nil {
			return err
		}
		return partial.All([]string{"load", "sets", sets})
	}); err != nil {
		return err
	}
	alone, err := measured(plain, rounds)
	if err != nil {
		return err
	}
	withSets, err := measured(scored, rounds)
	if err != nil {
		return err
	}
	fmt.Println("| | processor time | over direct | with 100 token sets | over direct | peak memory | others |\n|---|---|---|---|---|---|---|")
	for _, s := range steps {
		a, w := alone[s.name], withSets[s.name]
		fmt.Printf("| %s | %.1f s | %.2f | %.1f s | %.2f | %.0f MiB | %.0f %% |\n", s.name, measure.Median(a.cpu), over(alone, s.name), measure.Median(w.cpu), over(withSets, s.name),
			measure.Median(a.peak), 100*measure.Median(append(a.others, w.others...)))
	}
	fmt.Printf("\nlens_over_direct=%.2f\ncorrelation_over_direct=%.2f\nlens_memory_more=%.1f\n", over(alone, "lens"), over(alone, "correlation"),
		measure.Median(alone["lens"].peak)-measure.Median(alone["direct"].peak))
	return nil
}

// over is the processor time of a step as a multiple of the direct one's.
func over(all map[string]*taken, step string) float64 {
	return measure.Median(all[step].cpu) / measure.Median(all["direct"].cpu)
}

// load makes the database: a model, an SAE, and a lens with the matrix of the SAE's block.
func load(d measure.Database, shape measure.Shape) error {
	files, err := shape.Write()
	if err != nil {
		return err
	}
	if err := d.All([]string{"load", "model", files.Model, "--name", "gpt2"}, []string{"load", "sae", files.SAE}); err != nil {
		return err
	}
	lens := filepath.Join(measure.Scratch, "lens.safetensors")
	if _, err := measure.Command(nil, "go", "run", "./bench/shape", "-lens", lens, "-d-model", fmt.Sprint(shape.DModel)); err != nil {
		return err
	}
	return d.All([]string{"load", "lens", lens, "--name", "lens"})
}

// measured takes the steps in turn on copies of a database.
func measured(d measure.Database, rounds int) (map[string]*taken, error) {
	all := map[string]*taken{}
	copied := measure.Database{Program: d.Program, Path: strings.TrimSuffix(d.Path, ".db") + "-round.db"}
	for range rounds {
		if err := copied.Remove(); err != nil {
			return nil, err
		}
		if err := copied.Copy(d); err != nil {
			return nil, err
		}
		for _, s := range steps {
			took, err := copied.Saedb(s.arguments...)
			if err != nil {
				return nil, err
			}
			if all[s.name] == nil {
				all[s.name] = &taken{}
			}
			t := all[s.name]
			t.cpu, t.peak, t.others = append(t.cpu, took.CPU.Seconds()), append(t.peak, measure.MiB(took.Peak)), append(t.others, took.Others)
			fmt.Fprintf(os.Stderr, "%s: %.1f s of processors\n", s.name, took.CPU.Seconds())
		}
	}
	return all, copied.Remove()
}
