package main

import (
	"encoding/csv"
	"fmt"
	"os"
	"strconv"

	"github.com/saedb/saedb/bench/measure"
)

// csvHeader names the columns of the ladder's file; sizes are in bytes.
var csvHeader = []string{"model", "d_model", "vocab", "features", "workers", "kernel", "seconds", "pack_seconds", "held_bytes", "peak_bytes", "gflop_per_second", "features_per_second", "others_share"}

// writeFiles writes out.csv and out.svg.
func writeFiles(out, machine string, measured []measurement) error {
	file, err := os.Create(out + ".csv")
	if err != nil {
		return err
	}
	defer file.Close()
	w := csv.NewWriter(file)
	rows := [][]string{csvHeader}
	for _, m := range measured {
		rows = append(rows, []string{
			m.Name, strconv.Itoa(m.DModel), strconv.Itoa(m.Vocab), strconv.Itoa(m.Features), strconv.Itoa(m.Workers), m.Kernel,
			fmt.Sprintf("%.6f", m.Seconds), fmt.Sprintf("%.4f", m.PackSeconds), fmt.Sprint(m.Held), fmt.Sprint(m.Peak),
			fmt.Sprintf("%.1f", m.gigaflops()), fmt.Sprintf("%.1f", m.featuresPerSecond()), fmt.Sprintf("%.2f", m.Others),
		})
	}
	if err := w.WriteAll(rows); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	return draw(out+".svg", machine, measured)
}

// drawFile draws out.svg from an out.csv of an earlier run.
func drawFile(out string) error {
	file, err := os.Open(out + ".csv")
	if err != nil {
		return err
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		return fmt.Errorf("%s.csv: %w", out, err)
	}
	var measured []measurement
	for i, row := range rows {
		if i == 0 {
			continue
		}
		m, err := parseRow(row)
		if err != nil {
			return fmt.Errorf("%s.csv: line %d: %w", out, i+1, err)
		}
		measured = append(measured, m)
	}
	return draw(out+".svg", "", measured)
}

func parseRow(row []string) (measurement, error) {
	if len(row) != len(csvHeader) {
		return measurement{}, fmt.Errorf("expected %d columns, found %d", len(csvHeader), len(row))
	}
	m := measurement{rung: rung{Shape: measure.Shape{Name: row[0]}}, timing: timing{Kernel: row[5]}}
	for i, into := range map[int]*int{1: &m.DModel, 2: &m.Vocab, 3: &m.Features, 4: &m.Workers} {
		if _, err := fmt.Sscan(row[i], into); err != nil {
			return m, fmt.Errorf("%s: %w", csvHeader[i], err)
		}
	}
	for i, into := range map[int]any{6: &m.Seconds, 7: &m.PackSeconds, 8: &m.Held, 9: &m.Peak, 12: &m.Others} {
		if _, err := fmt.Sscan(row[i], into); err != nil {
			return m, fmt.Errorf("%s: %w", csvHeader[i], err)
		}
	}
	return m, nil
}
