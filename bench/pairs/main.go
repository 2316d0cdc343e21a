// Command pairs measures features multiplied with features against the pass that computes
// statistics, at GPT-2's shape:
//
//	go run ./bench/pairs           # 24,576 features, 12 layers of neighbours
//	go run ./bench/pairs -quick    # 2,048 features, 2 layers
//
// In each round the pieces take turns, each a process of its own on one database: statistics of
// an SAE (24,576 × 50,257 products), links between two SAEs, both ways, and the neighbours in
// each SAE. What a piece reads, computes and commits is in its time. Times are per
// multiplication and addition, in processor time, which a busy machine changes least, and in
// wall time. "Products alone" is OpenBLAS's sgemm of the neighbours' shape, on all cores.
//
// The last lines are outgoing_over_statistics=R, incoming_over_statistics=R and
// neighbours_over_products=R, of medians of processor time.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/bench/measure"
	"github.com/saedb/saedb/internal/operations"
)

// setting is what is measured.
type setting struct {
	measure.Shape
	layers, rounds int
	database       string
	program        string // this one
	kernel         string // bench/kernel, for the products alone
}

func main() {
	features := flag.Int("features", 24576, "features of an SAE")
	layers := flag.Int("layers", 12, "SAEs with neighbours")
	rounds := flag.Int("rounds", 3, "times that each piece is measured, in turn")
	quick := flag.Bool("quick", false, "the same as -features 2048 -layers 2 -rounds 1")
	piece := flag.String("measure", "", "used by the command itself: compute this piece")
	flag.Parse()
	if *quick {
		*features, *layers, *rounds = 2048, 2, 1
	}
	s := setting{Shape: measure.GPT2(*features), layers: max(*layers, 2), rounds: max(*rounds, 1)}
	s.database = filepath.Join(measure.Scratch, fmt.Sprintf("pairs-%d-%d.db", s.Features, s.layers))
	var err error
	if *piece != "" {
		err = s.compute(context.Background(), *piece)
	} else {
		err = s.run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "pairs:", err)
		os.Exit(1)
	}
}

func (s *setting) run() error {
	commit, _ := exec.Command("git", "describe", "--always", "--dirty").Output()
	fmt.Printf("%s\ncommit %s, %s\n%d × %d × %d, %d rounds\n\n", measure.Machine(), strings.TrimSpace(string(commit)),
		time.Now().UTC().Format("2006-01-02 15:04 MST"), s.Features, s.Features, s.DModel, s.rounds)
	var err error
	if s.program, err = os.Executable(); err != nil {
		return err
	}
	if err := s.prepare(); err != nil {
		return err
	}
	if s.kernel, err = measure.Kernel(); err != nil {
		return err
	}
	all := results{}
	for range s.rounds {
		for _, piece := range []string{statistics, links, neighbours, statistics} {
			if err := s.measure(piece, all); err != nil {
				return err
			}
		}
		if err := s.sgemm(all); err != nil {
			fmt.Fprintln(os.Stderr, "products alone were not measured:", err)
		}
	}
	return s.print(all)
}

// prepare makes the database, unless it is there.
func (s *setting) prepare() error {
	if _, err := os.Stat(s.database); err == nil {
		return nil
	}
	files, err := s.WriteForSAELens()
	if err != nil {
		return err
	}
	saedb, err := measure.Saedb()
	if err != nil {
		return err
	}
	partial := s.database + ".partial"
	if err := errors.Join(os.RemoveAll(partial), os.RemoveAll(partial+".wal")); err != nil {
		return err
	}
	if _, err := measure.Command(nil, saedb, "--db", partial, "load", "model", files.Model, "--name", "gpt2"); err != nil {
		return err
	}
	for layer := range s.layers {
		arguments := []string{"--db", partial, "load", "sae", files.SAE, "--name", nameOf(layer), "--hook", fmt.Sprintf("blocks.%d.hook_resid_pre", layer)}
		if layer < 2 { // those that are linked
			arguments = append(arguments, "--encoder")
		}
		if _, err := measure.Command(nil, saedb, arguments...); err != nil {
			return err
		}
	}
	return os.Rename(partial, s.database)
}

func nameOf(layer int) string { return fmt.Sprintf("at_%d", layer) }

// The pieces that are measured.
const (
	statistics = "statistics"
	links      = "links"
	neighbours = "neighbours"
	products   = "products"
)

// compute is a process that is measured. It prints a line for each part that it has computed:
// what, its multiplications and additions, its processor time and its wall time in seconds.
func (s *setting) compute(ctx context.Context, piece string) error {
	db, err := saedb.Open(ctx, s.database, saedb.Options{MustExist: true})
	if err != nil {
		return err
	}
	defer db.Close()
	for _, statement := range []string{
		"DELETE FROM stored_statistics", "DELETE FROM stored_computations", "DELETE FROM stored_sae_pairs",
		"DELETE FROM stored_links", "DELETE FROM stored_neighbours", "CHECKPOINT",
		// as saedb compute has it for d_model 768
		fmt.Sprintf("SET memory_limit = '%dB'", 96<<20+6*2048*4*s.DModel),
	} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	since := now()
	line := func(part string, rows int) {
		at := now()
		fmt.Println(part, float64(s.Features)*float64(rows)*float64(s.DModel), (at.cpu - since.cpu).Seconds(), at.wall.Sub(since.wall).Seconds())
		since = at
	}
	pair := saedb.PairsRequest{Alone: true, Done: func(done saedb.ComputedPair) { line(done.Kind, s.Features) }}
	switch piece {
	case statistics:
		_, err = db.Compute(ctx, saedb.ComputeRequest{SAEs: nameOf(0), Alone: true, Done: func(done saedb.Computed) {
			if done.Kind == operations.Statistics {
				line(statistics, s.Vocab)
			}
		}})
	case links:
		pair.Source, pair.Target = nameOf(0), nameOf(1)
		_, err = db.ComputeLinks(ctx, pair)
	case neighbours:
		_, err = db.ComputeNeighbours(ctx, pair)
	default:
		err = fmt.Errorf("-measure: expected statistics, links or neighbours, found %q", piece)
	}
	return err
}

// moment is a moment of the process.
type moment struct {
	cpu  time.Duration
	wall time.Time
}

func now() moment {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage) // which has no way to fail
	return moment{time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), time.Now()}
}

// measure runs a piece, and adds what it took.
func (s *setting) measure(piece string, all results) error {
	run, err := measure.Command(nil, s.program, "-features", fmt.Sprint(s.Features), "-layers", fmt.Sprint(s.layers), "-measure", piece)
	if err != nil {
		return err
	}
	sums := map[string]*result{}
	for lines := bufio.NewScanner(strings.NewReader(run.Output)); lines.Scan(); {
		var part string
		var r result
		if _, err := fmt.Sscan(lines.Text(), &part, &r.products, &r.cpu, &r.wall); err != nil {
			return fmt.Errorf("%s: %q: %w", piece, lines.Text(), err)
		}
		if sums[part] == nil {
			sums[part] = &result{peak: run.Peak, others: run.Others}
		}
		sums[part].products += r.products
		sums[part].cpu += r.cpu
		sums[part].wall += r.wall
	}
	for part, r := range sums {
		all[part] = append(all[part], *r)
	}
	return nil
}

// sgemm measures OpenBLAS's product of the neighbours' shape, in parts whose products fit in
// memory: what a process takes that multiplies some times, less one that only makes its matrices.
func (s *setting) sgemm(all results) error {
	part, cores := min(s.Features, 2016), runtime.NumCPU()
	const times = 12
	var took [2]result
	for i, n := range []int{1, 1 + times} {
		command := exec.Command(s.kernel, "-measure", "sgemm", "-cores", fmt.Sprint(cores), "-features", fmt.Sprint(part),
			"-tokens", fmt.Sprint(s.Features), "-d", fmt.Sprint(s.DModel))
		command.Env = append(os.Environ(), fmt.Sprintf("OPENBLAS_NUM_THREADS=%d", cores))
		command.Stdin = strings.NewReader(strings.Repeat("\n", n))
		begun := time.Now()
		if output, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, output)
		}
		took[i] = result{
			wall: time.Since(begun).Seconds(),
			cpu:  (command.ProcessState.UserTime() + command.ProcessState.SystemTime()).Seconds(),
		}
	}
	all[products] = append(all[products], result{
		products: times * float64(part) * float64(s.Features) * float64(s.DModel),
		cpu:      took[1].cpu - took[0].cpu, wall: took[1].wall - took[0].wall,
	})
	return nil
}
