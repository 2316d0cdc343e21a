// Command kernel measures the fused projection against what bounds it and what one
// would use instead, at GPT-2's shape:
//
//   - peak: fused multiply-adds on registers alone, the most that the processor does;
//   - sgemm: OpenBLAS's product of the same matrices, for each of its kernels and for
//     the one that it chooses itself, and nothing but the product;
//   - fused: saedb's pass, with plain and cosine moments and the 10 outermost tokens
//     at either end, in each of its kernels.
//
// Every measurement is a process of its own, pinned to its cores; they take turns, so
// that a busy moment of the machine falls on all. The best round of each counts. The
// last line is fused_over_sgemm=R: the fastest fused pass over the fastest sgemm, on
// two cores.
package main

import (
	"errors"
	"flag"
	"fmt"
	"runtime"

	bench "github.com/saedb/saedb/bench/measure"
	"github.com/saedb/saedb/internal/compute"
)

// shape is the size of the product: directions [features, d] by tokens [tokens, d].
type shape struct {
	features, d, tokens int
}

// operations counts a multiplication and an addition for each term.
func (s shape) operations() float64 {
	return 2 * float64(s.features) * float64(s.d) * float64(s.tokens)
}

func main() {
	s := shape{d: 768, tokens: 50257}
	flag.IntVar(&s.features, "features", 1008, "directions in one measurement; a layer has 24,576")
	flag.IntVar(&s.d, "d", s.d, "d_model")
	flag.IntVar(&s.tokens, "tokens", s.tokens, "size of the vocabulary")
	rounds := flag.Int("rounds", 3, "measurements of each, of which the best counts")
	role := flag.String("measure", "", "used by the command itself: be one of the measured processes")
	cores := flag.Int("cores", 1, "used by the command itself: with -measure, how many cores to use")
	flag.Parse()
	var err error
	if *role != "" {
		err = serve(*role, *cores, s)
	} else {
		err = run(s, *rounds)
	}
	bench.Main("kernel", err)
}

// run measures everything on one core and on two, and prints the table.
func run(s shape, rounds int) error {
	if err := openBLASInstalled(); err != nil {
		return fmt.Errorf("OpenBLAS: %w (on Debian: apt-get install libopenblas0-pthread)", err)
	}
	if runtime.NumCPU() < 2 {
		return errors.New("expected two cores, found one")
	}
	fmt.Printf("%d features × %d × %d tokens, best of %d rounds, GFLOP/s\n\n", s.features, s.d, s.tokens, rounds)
	one, err := measure(contestants(1), s, rounds)
	if err != nil {
		return err
	}
	two, err := measure(contestants(2), s, rounds)
	if err != nil {
		return err
	}
	printTable(one, two)
	fused, sgemm := fastest(two, "fused"), fastest(two, "sgemm")
	if fused == nil || sgemm == nil {
		return errors.New("expected a fused pass and an sgemm on two cores, found that one of them failed")
	}
	fmt.Printf("\non two cores: fused %s %.1f, sgemm %s %.1f\n", fused.kernel, fused.best, sgemm.label(), sgemm.best)
	fmt.Printf("fused_over_sgemm=%.3f\n", fused.best/sgemm.best)
	return nil
}

// contestants lists what is measured on the given number of cores.
func contestants(cores int) []*contestant {
	list := []*contestant{{role: "peak", cores: cores}}
	for _, kernel := range openBLASKernels {
		list = append(list, &contestant{role: "sgemm", kernel: kernel, cores: cores})
	}
	for _, kernel := range compute.Kernels() {
		c := &contestant{role: "fused", kernel: kernel, cores: cores}
		// Kernels that are for other machines, or for comparison, get one round.
		c.once = kernel == "gonum" || kernel == "portable"
		list = append(list, c)
	}
	return list
}

func printTable(one, two []*contestant) {
	const line = "%-8s %-12s %9s %9s %9s %10s\n"
	fmt.Printf(line, "", "kernel", "1 core", "of peak", "2 cores", "of 1 core")
	peak := one[0].best
	for i, c := range one {
		if c.err != nil || two[i].err != nil {
			fmt.Printf("%-8s %-12s failed: %v\n", c.role, c.label(), errors.Join(c.err, two[i].err))
			continue
		}
		fmt.Printf(line, c.role, c.label(), fmt.Sprintf("%.1f", c.best), fmt.Sprintf("%.1f %%", 100*c.best/peak),
			fmt.Sprintf("%.1f", two[i].best), fmt.Sprintf("%.2f", two[i].best/c.best))
	}
}

// fastest returns the fastest contestant of a role, or nil.
func fastest(list []*contestant, role string) *contestant {
	var first *contestant
	for _, c := range list {
		if c.role == role && c.err == nil && (first == nil || c.best > first.best) {
			first = c
		}
	}
	return first
}
