package main

import (
	"fmt"

	"github.com/saedb/saedb/bench/measure"
)

// result is what one run of a part took.
type result struct {
	products  float64 // multiplications and additions, as one
	cpu, wall float64 // seconds
	peak      int64   // largest resident set of the process, bytes
	others    float64 // share of the cores that other programs used
}

// results are those of each part.
type results map[string][]result

// median is the middle of a figure over the runs of a part, 0 without any.
func (r results) median(part string, of func(result) float64) float64 {
	var values []float64
	for _, one := range r[part] {
		values = append(values, of(one))
	}
	if len(values) == 0 {
		return 0
	}
	return measure.Median(values)
}

// Nanoseconds for a thousand multiplications and additions.
func perCPU(r result) float64  { return r.cpu / r.products * 1e12 }
func perWall(r result) float64 { return r.wall / r.products * 1e12 }

// print prints a line a part, and the ratios that are wanted.
func (s *setting) print(all results) error {
	const line = "%-12s %6s %14s %14s %10s %10s %8s\n"
	fmt.Printf(line, "", "runs", "cpu ns/kMAC", "wall ns/kMAC", "seconds", "peak MiB", "others")
	for _, part := range []string{statistics, "outgoing", "incoming", neighbours, products} {
		fmt.Printf(line, part, fmt.Sprint(len(all[part])), fmt.Sprintf("%.2f", all.median(part, perCPU)), fmt.Sprintf("%.2f", all.median(part, perWall)),
			fmt.Sprintf("%.2f", all.median(part, func(r result) float64 { return r.wall })),
			fmt.Sprintf("%.0f", measure.MiB(int64(all.median(part, func(r result) float64 { return float64(r.peak) })))),
			fmt.Sprintf("%.0f %%", 100*all.median(part, func(r result) float64 { return r.others })))
	}
	fmt.Println()
	for _, ratio := range []struct {
		name, of, over, wanted string
	}{
		{"outgoing_over_statistics", "outgoing", statistics, "at most 1.18"},
		{"incoming_over_statistics", "incoming", statistics, "at most 1.18"},
		{"neighbours_over_statistics", neighbours, statistics, "no bound"},
		{"neighbours_over_products", neighbours, products, "at most 1.3"},
	} {
		over := all.median(ratio.over, perCPU)
		if over == 0 {
			continue
		}
		fmt.Printf("%s=%.3f (wall %.3f; wanted: %s)\n", ratio.name, all.median(ratio.of, perCPU)/over,
			all.median(ratio.of, perWall)/all.median(ratio.over, perWall), ratio.wanted)
	}
	return nil
}
