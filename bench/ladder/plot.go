package main

import (
	"fmt"
	"io"
	"slices"

	"github.com/saedb/saedb/bench/measure"
	"github.com/saedb/saedb/internal/figures"
	"github.com/saedb/saedb/internal/files"
)

var colours = []figures.Color{figures.Blue, figures.Orange, figures.Green, figures.Purple, figures.Red, figures.Grey}

// draw writes an SVG with two panels: the projection's speed and the memory that the process
// took, over features.
func draw(path, machine string, measured []measurement) error {
	if len(measured) == 0 {
		return fmt.Errorf("%s: nothing measured", path)
	}
	f := &figures.Figure{Title: "The projection, by features, model and cores", Heights: []float64{360}, Widths: []float64{1, 1}, Panels: []figures.Panel{
		panel("Speed of the projection, GFLOP/s", 0, measured, measurement.gigaflops),
		panel("Peak memory of the process, MiB", 1, measured, func(m measurement) float64 { return measure.MiB(m.Peak) }),
	}}
	return files.WriteWhole(path, func(w io.Writer) error { return f.SVG(w, machine) })
}

// panel is one diagram: features on a logarithmic axis against a quantity, a line for each
// model and number of workers.
func panel(title string, column int, measured []measurement, quantity func(measurement) float64) figures.Panel {
	p := figures.Panel{Title: title, Column: column, X: figures.Axis{Label: "features", Log: true, Min: 1, Max: 2}}
	for _, m := range measured {
		name := fmt.Sprintf("%s, %d core", m.Name, m.Workers)
		if m.Workers > 1 {
			name += "s"
		}
		at := slices.IndexFunc(p.Lines, func(l figures.Line) bool { return l.Name == name })
		if at < 0 {
			at = len(p.Lines)
			p.Lines = append(p.Lines, figures.Line{Name: name, Color: colours[at%len(colours)], Width: 2})
		}
		l, features, value := &p.Lines[at], float64(m.Features), quantity(m)
		l.X, l.Y = append(l.X, features), append(l.Y, value)
		p.X.Max, p.Y.Max = max(p.X.Max, 1.05*features), max(p.Y.Max, 1.05*value)
	}
	for _, l := range p.Lines {
		p.Points = append(p.Points, figures.Points{Color: l.Color, Size: 5, X: l.X, Y: l.Y})
	}
	return p
}
