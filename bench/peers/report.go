package main

import (
	"fmt"

	"github.com/saedb/saedb/bench/measure"
)

// printTimes prints a row for each program and its ratios to the first.
func printTimes(shape measure.Shape, results []result) {
	ours := results[0]
	fmt.Printf("%-18s %9s %9s %12s %12s %9s %9s %9s\n", "", "work s", "GFLOP/s", "peak MiB", "import s", "time ×", "memory ×", "others %")
	for _, r := range results {
		fmt.Printf("%-18s %9.2f %9.0f %12.0f %12.2f %9.1f %9.1f %9.0f\n", r.name, r.work(), shape.Operations()/r.work()/1e9,
			measure.MiB(r.peak), r.setup, r.work()/ours.work(), float64(r.peak)/float64(ours.peak), 100*r.others)
	}
	fmt.Println()
	for _, r := range results {
		fmt.Printf("%-18s", r.name)
		for _, p := range r.phases {
			fmt.Printf(" %s %.2f s ", p.name, p.seconds)
		}
		fmt.Println()
	}
	fmt.Println()
}
