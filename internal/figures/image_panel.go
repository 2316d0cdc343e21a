package figures

import (
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A frame is a panel's place in a picture, in pixels, and what a value is there.
type frame struct {
	*picture
	panel                    *Panel
	left, top, width, height float64
	head                     float64 // where the panel's own space begins
}

// frame returns the place of a panel, by the widths and heights of the grid.
func (p *picture) frame(panel *Panel) *frame {
	all, before, above := 0.0, 0.0, 0.0
	for i, w := range p.figure.Widths {
		all += w
		if i < panel.Column {
			before += w
		}
	}
	for _, h := range p.heights[:panel.Row] {
		above += h
	}
	f := &frame{picture: p, panel: panel, left: outside + inside*before/all, head: p.top + above}
	side, head, bottom := panel.margins()
	f.left += side
	f.width = inside*p.figure.Widths[panel.Column]/all - side - marginRight
	f.top = f.head + head
	f.height = p.heights[panel.Row] - head - bottom
	return f
}

// inside is how wide all panels of a picture are together.
const inside = imageWidth - 2*outside

// rowHeights are the heights of the rows of panels: those given, and for a panel with equal
// axes what its width asks for. As in assets/figure.js.
func (f *Figure) rowHeights() []float64 {
	heights, all := slices.Clone(f.Heights), 0.0
	for _, w := range f.Widths {
		all += w
	}
	for i := range f.Panels {
		p := &f.Panels[i]
		if p.Equal {
			side, head, bottom := p.margins()
			width := inside*f.Widths[p.Column]/all - side - marginRight
			heights[p.Row] = width*(p.Y.Max-p.Y.Min)/(p.X.Max-p.X.Min) + head + bottom
		}
	}
	return heights
}

// margins are what a panel has left of its axes, above and below them.
func (p *Panel) margins() (side, head, bottom float64) {
	side, bottom, head = marginLeft, marginAxis, marginTop
	if p.Y.Bare && p.Column > 0 {
		side = marginBare
	}
	side += p.Y.Wide
	if p.X.Bare {
		bottom = marginBare
	}
	if p.Title != "" {
		head += titleHeight
	}
	for _, r := range p.Rules {
		if !r.Horizontal && r.Label != "" {
			head += ruleHeight
			break
		}
	}
	return side, head, bottom
}

// share is where v lies on the axis, 0 at Min and 1 at Max.
func (a *Axis) share(v float64) float64 {
	if a.Log {
		return (math.Log10(v) - math.Log10(a.Min)) / (math.Log10(a.Max) - math.Log10(a.Min))
	}
	return (v - a.Min) / (a.Max - a.Min)
}

// point returns the place of (x, y), kept within the panel.
func (f *frame) point(x, y float64) vg.Point {
	sx, sy := min(max(f.panel.X.share(x), 0), 1), min(max(f.panel.Y.share(y), 0), 1)
	return f.at(f.left+sx*f.width, f.top+(1-sy)*f.height)
}

// along returns the place of a value on one axis at one of the other.
func (f *frame) along(horizontal bool, along, across float64) vg.Point {
	if horizontal {
		return f.point(along, across)
	}
	return f.point(across, along)
}

func (p *picture) panel(panel *Panel) {
	f := p.frame(panel)
	f.axes()
	for _, b := range panel.Bands {
		f.band(b)
	}
	for _, b := range panel.Bars {
		f.bars(b)
	}
	for _, b := range panel.Boxes {
		f.boxes(b)
	}
	for _, r := range panel.Rules {
		f.rule(r)
	}
	for _, s := range panel.Points {
		f.points(s)
	}
	for _, l := range panel.Lines {
		points := make([]vg.Point, len(l.X))
		for i := range points {
			points[i] = f.point(l.X[i], l.Y[i])
		}
		f.line(inkColors[l.Color], l.Width, false, points...)
	}
	var taken []vg.Rectangle
	left, all := 0, 0
	for _, s := range panel.Points {
		taken, left = f.labels(s, taken)
		all += left
	}
	f.saysLeftOut(all)
}

func (f *frame) axes() {
	x, y := &f.panel.X, &f.panel.Y
	if f.panel.Title != "" {
		f.text(f.panel.Title, f.left, f.head+6, 13.5, ink, true, draw.XLeft, draw.YTop, 0)
	}
	bottom, right := f.top+f.height, f.left+f.width
	if !x.Bare {
		for _, t := range spaced(x.ticks(min(max(f.width/80, 3), 10)), x, f.width, 34) {
			at := f.left + x.share(t.At)*f.width
			f.line(gridLine, 1, false, f.at(at, f.top), f.at(at, bottom))
			f.line(axisLine, 1, false, f.at(at, bottom), f.at(at, bottom+5))
			f.text(t.Label, at, bottom+8, 11.5, quiet, false, draw.XCenter, draw.YTop, 0)
		}
		f.text(x.Label, f.left+f.width/2, bottom+26, 12.5, quiet, false, draw.XCenter, draw.YTop, 0)
	}
	if !y.Bare {
		for _, t := range spaced(y.ticks(min(max(f.height/45, 2), 8)), y, f.height, 13) {
			at := f.top + (1-y.share(t.At))*f.height
			f.line(gridLine, 1, false, f.at(f.left, at), f.at(right, at))
			f.line(axisLine, 1, false, f.at(f.left-5, at), f.at(f.left, at))
			f.text(t.Label, f.left-8, at, 11.5, quiet, false, draw.XRight, draw.YCenter, 0)
		}
		f.text(y.Label, f.left-50-y.Wide, f.top+f.height/2, 12.5, quiet, false, draw.XCenter, draw.YTop, math.Pi/2)
	}
	f.line(axisLine, 1, false, f.at(f.left, f.top), f.at(f.left, bottom), f.at(right, bottom))
}

// spaced leaves out ticks that are nearer than gap pixels to the one before.
func spaced(ticks []Tick, a *Axis, length, gap float64) []Tick {
	var kept []Tick
	last := math.Inf(-1)
	for _, t := range ticks {
		if at := a.share(t.At) * length; at-last >= gap {
			kept, last = append(kept, t), at
		}
	}
	return kept
}

func (f *frame) band(b Band) {
	var outline []vg.Point
	for i := range b.X {
		outline = append(outline, f.point(b.X[i], b.High[i]))
	}
	for i := len(b.X) - 1; i >= 0; i-- {
		outline = append(outline, f.point(b.X[i], b.Low[i]))
	}
	f.canvas.FillPolygon(fade(inkColors[b.Color], b.Alpha), outline)
}

func (f *frame) bars(b Bars) {
	up := &f.panel.Y
	if b.Horizontal {
		up = &f.panel.X
	}
	alpha := 0.9
	if len(f.panel.Bars) > 1 {
		alpha = 0.7
	}
	for i, height := range b.heights() {
		if height == 0 {
			continue
		}
		from, to, low, high := b.Edges[i], b.Edges[i+1], max(up.Min, min(0, up.Max)), height
		f.canvas.FillPolygon(fade(inkColors[b.Color], alpha), []vg.Point{
			f.along(b.Horizontal, low, from), f.along(b.Horizontal, low, to), f.along(b.Horizontal, high, to), f.along(b.Horizontal, high, from),
		})
	}
}

func (f *frame) boxes(b Boxes) {
	c := inkColors[b.Color]
	for _, item := range b.Items {
		at := func(value, offset float64) vg.Point { return f.along(b.Horizontal, value, item.At+offset) }
		outline := []vg.Point{at(item.Q1, -0.3), at(item.Q3, -0.3), at(item.Q3, 0.3), at(item.Q1, 0.3), at(item.Q1, -0.3)}
		f.canvas.FillPolygon(paper, outline)
		f.canvas.FillPolygon(fade(c, 0.25), outline)
		f.line(c, 1.5, false, outline...)
		f.line(c, 2.5, false, at(item.Median, -0.3), at(item.Median, 0.3))
		f.line(c, 1.5, false, at(item.Low, 0), at(item.Q1, 0))
		f.line(c, 1.5, false, at(item.Q3, 0), at(item.High, 0))
		f.line(c, 1.5, false, at(item.Low, -0.15), at(item.Low, 0.15))
		f.line(c, 1.5, false, at(item.High, -0.15), at(item.High, 0.15))
	}
}

func (f *frame) rule(r Rule) {
	if r.Horizontal {
		from, to := f.point(f.panel.X.Min, r.At), f.point(f.panel.X.Max, r.At)
		f.line(quiet, 1, true, from, to)
		f.text(r.Label, f.left+f.width-4, f.top+(1-f.panel.Y.share(r.At))*f.height-4, 11, quiet, false, draw.XRight, draw.YBottom, 0)
		return
	}
	f.line(quiet, 1, true, f.point(r.At, f.panel.Y.Min), f.point(r.At, f.panel.Y.Max))
	align := draw.XCenter
	switch {
	case r.Side < 0:
		align = draw.XRight
	case r.Side > 0:
		align = draw.XLeft
	}
	f.text(r.Label, f.left+f.panel.X.share(r.At)*f.width, f.top-3, 11, quiet, false, align, draw.YBottom, 0)
}

func (f *frame) points(s Points) {
	if s.Shape == Hidden {
		return
	}
	alpha := 0.85
	if len(s.X) > 5000 {
		alpha = 0.75
	}
	radius := vg.Length(s.Size/2) * pixel
	for i := range s.X {
		at := f.point(s.X[i], s.Y[i])
		if s.Shape == Stroke {
			f.canvas.StrokeLine2(draw.LineStyle{Color: fade(inkColors[s.Color], 0.8), Width: pixel}, at.X, at.Y-6*pixel, at.X, at.Y+6*pixel)
			continue
		}
		var c color.Color = fade(inkColors[s.Color], alpha)
		if f.panel.Scale != nil && i < len(s.Value) && !math.IsNaN(s.Value[i]) {
			c = fade(f.panel.Scale.color(s.Value[i]), alpha)
		}
		f.canvas.DrawGlyphNoClip(draw.GlyphStyle{Color: c, Radius: radius, Shape: draw.CircleGlyph{}}, at)
	}
}

func overlaps(box vg.Rectangle, taken []vg.Rectangle) bool {
	for _, t := range taken {
		if box.Min.X < t.Max.X && t.Min.X < box.Max.X && box.Min.Y < t.Max.Y && t.Min.Y < box.Max.Y {
			return true
		}
	}
	return false
}
