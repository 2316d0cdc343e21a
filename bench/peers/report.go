package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/saedb/saedb/bench/measure"
	"github.com/saedb/saedb/internal/statistics"
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

// printBounds prints what saedb took as multiples of what this machine takes in the same run for
// the least that the work needs: the product at the peak of its multipliers, and of each load,
// copying and hashing the file. withChance multiplies the random directions of a baseline too.
func printBounds(shape measure.Shape, files measure.Weights, ours, withChance result) error {
	peak, err := measure.Peak()
	if err != nil {
		return err
	}
	product := shape.Operations() / peak / 1e9
	fmt.Printf("the product at the multipliers' peak, %.1f GFLOP/s: %.2f s\njob_over_product=%.2f\n", peak, product, ours.work()/product)
	for _, p := range ours.phases {
		file := map[string]string{
			"load model": filepath.Join(files.Model, "model.safetensors"), "load sae": filepath.Join(files.SAE, "sae_weights.safetensors"),
		}[p.name]
		if file == "" {
			fmt.Printf("%s_over_product=%.2f\n", p.name, p.seconds/product)
			continue
		}
		copied := filepath.Join(measure.Scratch, "peers-copied")
		run, err := measure.Command(nil, "sh", "-c", `cp "$1" "$2" && sha256sum "$2" && rm "$2"`, "sh", file, copied)
		if err != nil {
			return err
		}
		fmt.Printf("%s_over_copy=%.2f (cp and sha256sum %.2f s)\n", strings.ReplaceAll(p.name, " ", "_"), p.seconds/run.Wall.Seconds(), run.Wall.Seconds())
	}
	shape.Features += statistics.DefaultBaseline
	fmt.Printf("with_chance_over_product=%.2f (%d random directions more in both)\n\n", withChance.work()/(shape.Operations()/peak/1e9), statistics.DefaultBaseline)
	return nil
}
