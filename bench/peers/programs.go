package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/saedb/saedb/bench/measure"
)

// python is the interpreter of the environment that install.sh makes.
const python = "build/peers/bin/python"

// phase is a part of a program's work.
type phase struct {
	name    string
	seconds float64
}

// result is what a program took, and where a script's figures are.
type result struct {
	name   string
	phases []phase // in order
	wall   float64 // seconds, whole processes
	setup  float64 // of wall: seconds before any work, loading Python's libraries
	peak   int64   // bytes; of several processes the largest
	others float64 // largest share of the cores that other programs used
	table  string  // CSV of a script, one row a feature
}

// work is the time of the job without loading the program.
func (r result) work() float64 { return r.wall - r.setup }

// runSaedb loads and computes as a user would, with three commands, the last of which is given, and a
// database on disk.
func runSaedb(name string, database measure.Database, files measure.Weights, compute ...string) (result, error) {
	r := result{name: name}
	if err := database.Remove(); err != nil {
		return r, err
	}
	for _, step := range []struct {
		name      string
		arguments []string
	}{
		{"load model", []string{"load", "model", files.Model, "--name", "gpt2"}},
		{"load sae", []string{"load", "sae", files.SAE}},
		{"compute", compute},
	} {
		run, err := database.Saedb(step.arguments...)
		if err != nil {
			return r, err
		}
		r.phases = append(r.phases, phase{step.name, run.Wall.Seconds()})
		r.wall += run.Wall.Seconds()
		r.peak, r.others = max(r.peak, run.Peak), max(r.others, run.Others)
	}
	return r, nil
}

// scriptPhases are the phases that the scripts report, in order.
var scriptPhases = []string{"import", "load model", "load sae", "compute", "projection", "statistics", "tokens", "cosine"}

// upTo is the part of r that ends with a phase, under another name.
func (r result) upTo(last, name string) result {
	part := r
	part.name, part.wall = name, 0
	for i, p := range r.phases {
		part.wall += p.seconds
		if p.name == last {
			part.phases = r.phases[:i+1]
			break
		}
	}
	return part
}

// runScript runs one of the Python programs beside this file.
func runScript(name, script string, files measure.Weights, arguments ...string) (result, error) {
	r := result{name: name, table: filepath.Join(measure.Scratch, strings.TrimSuffix(script, ".py")+".csv")}
	begun := time.Now()
	seconds, peak, run, err := measure.Script[map[string]float64]([]string{"OMP_NUM_THREADS=2"}, python, filepath.Join("bench/peers", script),
		append([]string{files.Model, files.SAE, r.table}, arguments...)...)
	if err != nil {
		return r, fmt.Errorf("after %.0f s at %.1f GiB: %w", time.Since(begun).Seconds(), measure.GiB(run.Peak), err)
	}
	for _, name := range scriptPhases {
		if took, ok := seconds[name]; ok {
			r.phases = append(r.phases, phase{name, took})
			r.wall += took
		}
	}
	// Writing the table for the comparison comes after the job and is not counted.
	r.setup, r.peak, r.others = seconds["import"], peak, run.Others
	return r, nil
}
