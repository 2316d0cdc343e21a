package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"reflect"

	"github.com/saedb/saedb/internal/files"
)

// A column of the ladder's file; sizes are in bytes.
type column struct {
	name, format string
	value        any // a pointer to what is read again, or what follows from that
}

func (m *measurement) columns() []column {
	return []column{
		{"model", "%s", &m.Name}, {"d_model", "%d", &m.DModel}, {"vocab", "%d", &m.Vocab}, {"features", "%d", &m.Features},
		{"workers", "%d", &m.Workers}, {"kernel", "%s", &m.Kernel}, {"seconds", "%.6f", &m.Seconds}, {"pack_seconds", "%.4f", &m.PackSeconds},
		{"held_bytes", "%d", &m.Held}, {"peak_bytes", "%d", &m.Peak}, {"gflop_per_second", "%.1f", m.gigaflops()},
		{"features_per_second", "%.1f", m.featuresPerSecond()}, {"others_share", "%.2f", &m.Others},
	}
}

// writeFiles writes out.csv and out.svg.
func writeFiles(out, machine string, measured []measurement) error {
	var names []string
	for _, c := range new(measurement).columns() {
		names = append(names, c.name)
	}
	rows := [][]string{names}
	for i := range measured {
		var row []string
		for _, c := range measured[i].columns() {
			row = append(row, fmt.Sprintf(c.format, reflect.Indirect(reflect.ValueOf(c.value))))
		}
		rows = append(rows, row)
	}
	err := files.WriteWhole(out+".csv", func(w io.Writer) error { return csv.NewWriter(w).WriteAll(rows) })
	if err != nil {
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
	if err != nil || len(rows) == 0 {
		return fmt.Errorf("%s.csv: %w", out, err)
	}
	measured := make([]measurement, len(rows)-1)
	for i, row := range rows[1:] {
		columns := measured[i].columns()
		if len(row) != len(columns) {
			return fmt.Errorf("%s.csv: line %d: expected %d columns, found %d", out, i+2, len(columns), len(row))
		}
		for j, c := range columns {
			if reflect.ValueOf(c.value).Kind() != reflect.Pointer {
				continue
			}
			if _, err := fmt.Sscan(row[j], c.value); err != nil {
				return fmt.Errorf("%s.csv: line %d: %s: %w", out, i+2, c.name, err)
			}
		}
	}
	return draw(out+".svg", "", measured)
}
