package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/saedb/saedb/bench/measure"
)

const (
	workScript = "bench/extension/work.py"
	python     = "build/clients/environment/bin/python" // with the program's version of DuckDB
)

// guest is a Python that imports the package saedb as it is now.
type guest struct {
	python      string
	environment []string
}

// installWheel builds the wheel and installs it beside the environment, which
// stays as the tests have it.
func installWheel() (guest, error) {
	if _, err := os.Stat(python); err != nil {
		return guest{}, fmt.Errorf("%s is missing: make python-clients installs it", python)
	}
	if _, err := measure.Command(nil, "make", "wheel"); err != nil {
		return guest{}, err
	}
	wheels, err := filepath.Glob("build/wheel/saedb-*.whl")
	if err != nil || len(wheels) != 1 {
		return guest{}, fmt.Errorf("make wheel: expected one wheel, found %q", wheels)
	}
	site, err := filepath.Abs(filepath.Join(measure.Scratch, "extension-site"))
	if err != nil {
		return guest{}, err
	}
	if err := os.RemoveAll(site); err != nil {
		return guest{}, err
	}
	_, err = measure.Command(nil, python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
		"--no-index", "--no-deps", "--target", site, wheels[0])
	return guest{python, []string{"PYTHONPATH=" + site}}, err
}
