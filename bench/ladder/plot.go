package main

import (
	_ "embed"
	"fmt"
	"math"
	"os"
	"strings"
	"text/template"

	"github.com/saedb/saedb/bench/measure"
)

//go:embed plot.svg.tmpl
var plotTemplate string

// Sizes of the drawing, in pixels.
const (
	panelWidth, panelHeight = 420.0, 280.0
	marginLeft, marginTop   = 64.0, 46.0
	panelGap                = 84.0
	legendHeight            = 100.0
	legendColumns           = 3
)

// panel is one diagram: features on a logarithmic axis against a quantity.
type panel struct {
	Title, Unit        string
	Left, Top          float64
	Width, Height      float64
	Horizontal         []tick // of the features' axis
	Vertical           []tick
	Lines              []line
	mostFeatures, most float64
}

// HalfWidth is where the axis's name goes.
func (p panel) HalfWidth() float64 { return p.Width / 2 }

type tick struct {
	At    float64
	Label string
}

// line is one model at one number of workers.
type line struct {
	Name, Colour string
	Dashed       bool // one worker
	Points       []point
}

type point struct{ X, Y float64 }

// entry is a line of the legend.
type entry struct {
	point
	Line line
}

// legend places the lines in columns below the panels.
func legend(lines []line) []entry {
	var entries []entry
	for i, l := range lines {
		entries = append(entries, entry{point{
			X: marginLeft + float64(i/2)*(2*panelWidth+panelGap)/legendColumns,
			Y: marginTop + panelHeight + 58 + float64(i%2)*18,
		}, l})
	}
	return entries
}

// Path is the line as SVG's polyline takes it.
func (l line) Path() string {
	var b strings.Builder
	for _, p := range l.Points {
		fmt.Fprintf(&b, "%.1f,%.1f ", p.X, p.Y)
	}
	return strings.TrimSpace(b.String())
}

var colours = map[string]string{"gpt2": "#0072b2", "llama3": "#d55e00", "gemma2": "#009e73"}

// draw writes an SVG with two panels: the projection's speed and the memory that
// the process took, over features.
func draw(path, machine string, measured []measurement) error {
	if len(measured) == 0 {
		return fmt.Errorf("%s: nothing measured", path)
	}
	speed := newPanel("Speed of the projection", "GFLOP/s", 0, measured, measurement.gigaflops)
	memory := newPanel("Peak memory of the process", "MiB", 1, measured, func(m measurement) float64 { return measure.MiB(m.Peak) })
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	add := func(a, b float64) float64 { return a + b }
	t := template.Must(template.New("plot").Funcs(template.FuncMap{"add": add}).Parse(plotTemplate))
	err = t.Execute(file, map[string]any{
		"Machine": machine, "Panels": []panel{speed, memory}, "Legend": legend(speed.Lines), "Left": marginLeft,
		"Width": marginLeft + 2*panelWidth + panelGap + 20, "Height": marginTop + panelHeight + legendHeight,
	})
	if err != nil {
		return err
	}
	return file.Close()
}

func newPanel(title, unit string, column int, measured []measurement, quantity func(measurement) float64) panel {
	p := panel{
		Title: title, Unit: unit, Top: marginTop, Width: panelWidth, Height: panelHeight,
		Left: marginLeft + float64(column)*(panelWidth+panelGap),
	}
	for _, m := range measured {
		p.mostFeatures = max(p.mostFeatures, float64(m.Features))
		p.most = max(p.most, quantity(m))
	}
	p.mostFeatures = max(p.mostFeatures, 2) // a logarithmic axis needs a length
	p.addTicks(measured)
	for _, m := range measured {
		l := p.lineOf(m)
		l.Points = append(l.Points, point{p.x(float64(m.Features)), p.y(quantity(m))})
	}
	return p
}

// lineOf returns the line that m belongs to, a new one for its first point.
func (p *panel) lineOf(m measurement) *line {
	name := fmt.Sprintf("%s, %d × %d, %d core", m.Name, m.DModel, m.Vocab, m.Workers)
	if m.Workers > 1 {
		name += "s"
	}
	for i := range p.Lines {
		if p.Lines[i].Name == name {
			return &p.Lines[i]
		}
	}
	p.Lines = append(p.Lines, line{Name: name, Colour: colours[m.Name], Dashed: m.Workers == 1})
	return &p.Lines[len(p.Lines)-1]
}

// x is logarithmic from one feature on; y linear from 0.
func (p *panel) x(features float64) float64 {
	return p.Left + p.Width*math.Log(features)/math.Log(p.mostFeatures)
}

func (p *panel) y(value float64) float64 { return p.Top + p.Height*(1-value/p.axisEnd()) }

// axisStep is a round number, with four to ten of them up to the largest value.
func (p *panel) axisStep() float64 {
	power := math.Pow(10, math.Floor(math.Log10(max(p.most, 1e-9))))
	for _, factor := range []float64{0.1, 0.2, 0.5} {
		if p.most/(factor*power) <= 10 {
			return factor * power
		}
	}
	return power
}

func (p *panel) axisEnd() float64 { return math.Ceil(p.most/p.axisStep()) * p.axisStep() }

func (p *panel) addTicks(measured []measurement) {
	seen := make(map[int]bool)
	for _, m := range measured {
		if !seen[m.Features] {
			seen[m.Features] = true
			p.Horizontal = append(p.Horizontal, tick{p.x(float64(m.Features)), fmt.Sprint(m.Features)})
		}
	}
	for i := 0.0; i*p.axisStep() <= p.axisEnd()*(1+1e-9); i++ {
		p.Vertical = append(p.Vertical, tick{p.y(i * p.axisStep()), fmt.Sprintf("%g", i*p.axisStep())})
	}
}
