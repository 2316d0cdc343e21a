// Command explorer measures the pages of saedb serve on a database of GPT-2's size:
// 12 layers of 24,576 features, 50,257 tokens, 100 token sets, 29.5 million scores.
//
//	go run ./bench/explorer              # makes the database first: minutes, 3 GB
//	go run ./bench/explorer -quick       # 2,048 features a layer
//	go run ./bench/explorer -only figure # requests whose names contain a text
//
// For each request it prints the time of the first one that a server which has just
// started is asked, the database's file not in memory; the median and the largest of
// 20 after it, each of another feature, set or token where the page is of one; the median when
// the same 20 are asked for again; the processor time of the server for each of the first 20, on
// average; and the answer's size.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/saedb/saedb/bench/measure"
)

func main() {
	features := flag.Int("features", 24576, "features of each of the 12 SAEs")
	quick := flag.Bool("quick", false, "the same as -features 2048 -n 3")
	n := flag.Int("n", 20, "warm requests of each kind")
	only := flag.String("only", "", "only requests whose name contains this")
	flag.Parse()
	if *quick {
		*features, *n = 2048, 3
	}
	measure.Main("explorer", run(measure.GPT2(*features), *n, *only))
}

func run(shape measure.Shape, n int, only string) error {
	program, err := measure.Saedb()
	if err != nil {
		return err
	}
	database, err := makeDatabase(program, shape)
	if err != nil {
		return err
	}
	info, err := os.Stat(database.Path)
	if err != nil {
		return err
	}
	fmt.Printf("%s\n%d layers × %v, %d MB\n\n", measure.Machine(), layers, shape, info.Size()/1e6)
	fmt.Printf("%-42s %9s %9s %9s %9s %9s %9s\n", "milliseconds", "first", "median", "max", "again", "CPU", "kB")
	for _, k := range kinds(shape) {
		if !strings.Contains(k.name, only) {
			continue
		}
		t, err := timeKind(database, k, n)
		if err != nil {
			return fmt.Errorf("%s: %w", k.name, err)
		}
		fmt.Printf("%-42s %9.0f %9.1f %9.1f %9.1f %9.1f %9.0f\n", k.name, ms(t.first), measure.Median(t.warm), slices.Max(t.warm), measure.Median(t.again), ms(t.cpu), float64(t.bytes)/1e3)
	}
	return nil
}
