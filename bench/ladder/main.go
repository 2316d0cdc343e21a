// Command ladder climbs through sizes, features × model × cores, and reports what
// the projection itself makes of them: no files and no database, random weights.
// Every rung is a process of its own, whose peak memory the kernel reports.
//
//	go run ./bench/ladder                          # all, up to 8,192 features
//	go run ./bench/ladder -models gpt2 -most 24576
//	go run ./bench/ladder -quick                   # GPT-2, up to 256 features
//
// It writes bench/ladder.csv and draws bench/ladder.svg from it; -draw only draws.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/saedb/saedb/bench/measure"
)

// models whose sizes the ladder takes.
var models = []measure.Shape{
	{Name: "gpt2", DModel: 768, Vocab: 50257},
	{Name: "llama3", DModel: 4096, Vocab: 128256},
	{Name: "gemma2", DModel: 2304, Vocab: 256000},
}

// steps are the numbers of features.
var steps = []int{1, 256, 2048, 8192, 24576}

func main() {
	var o options
	flag.StringVar(&o.models, "models", "gpt2,llama3,gemma2", "which models' sizes")
	flag.IntVar(&o.most, "most", 8192, "most features of a rung")
	flag.IntVar(&o.runs, "runs", 3, "runs of a rung, of which the fastest counts; fewer once they take ten seconds")
	flag.StringVar(&o.out, "out", "bench/ladder", "files to write, without .csv and .svg")
	quick := flag.Bool("quick", false, "the same as -models gpt2 -most 256 -out build/bench/ladder")
	draw := flag.Bool("draw", false, "draw the CSV again, measure nothing")
	one := flag.String("rung", "", "measure one rung, given as JSON, in this process")
	flag.Parse()
	if *quick {
		o.models, o.most, o.out = "gpt2", 256, measure.Scratch+"/ladder"
	}
	var err error
	switch {
	case *one != "":
		err = runRung(*one)
	case *draw:
		err = drawFile(o.out)
	default:
		err = climb(o)
	}
	measure.Main("ladder", err)
}

type options struct {
	models, out string
	most, runs  int
}

// climb measures every rung, prints it, and writes the files.
func climb(o options) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(measure.Scratch, 0o755); err != nil {
		return err
	}
	machine := measure.Machine()
	fmt.Println(machine)
	fmt.Printf("%-8s %8s %8s %8s %11s %9s %8s %9s %9s %7s %8s\n", "model", "features", "workers", "kernel", "features/s", "GFLOP/s", "pack s", "held MiB", "peak MiB", "× one", "others %")
	var measured []measurement
	for _, model := range models {
		if !slices.Contains(strings.Split(o.models, ","), model.Name) {
			continue
		}
		for _, features := range steps {
			if features > o.most {
				continue
			}
			model.Features = features
			for _, workers := range []int{1, 2} {
				m, err := measureRung(program, rung{Shape: model, Workers: workers, Runs: o.runs})
				if err != nil {
					return err
				}
				measured = append(measured, m)
				m.print(measured)
			}
		}
	}
	return writeFiles(o.out, machine, measured)
}

// measureRung runs a rung in a child.
func measureRung(program string, r rung) (measurement, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return measurement{}, err
	}
	run, err := measure.Command(nil, program, "-rung", string(text))
	if err != nil {
		return measurement{}, err
	}
	m := measurement{rung: r, Peak: run.Peak, Others: run.Others}
	return m, json.Unmarshal([]byte(run.Output), &m.timing)
}

func (m measurement) print(all []measurement) {
	scaling := "-"
	for _, other := range all {
		if other.Shape == m.Shape && other.Workers == 1 && m.Workers > 1 {
			scaling = fmt.Sprintf("%.2f", other.Seconds/m.Seconds)
		}
	}
	fmt.Printf("%-8s %8d %8d %8s %11.0f %9.1f %8.2f %9.0f %9.0f %7s %8.0f\n", m.Name, m.Features, m.Workers, m.Kernel,
		m.featuresPerSecond(), m.gigaflops(), m.PackSeconds, measure.MiB(m.Held), measure.MiB(m.Peak), scaling, 100*m.Others)
}
