package figures

import "math"

// fit gives every axis its Min and Max, from the marks of its panel and of those
// that it is linked with: from the axis's smallest value to its largest, with a
// little room, and from 0 where bars stand on it.
func (f *Figure) fit() {
	extents := map[string]*extent{}
	find := func(a *Axis) *extent {
		key := a.Link
		if key == "" {
			return &extent{}
		}
		if extents[key] == nil {
			extents[key] = &extent{}
		}
		return extents[key]
	}
	own := make([][2]*extent, len(f.Panels))
	for i := range f.Panels {
		p := &f.Panels[i]
		own[i] = [2]*extent{find(&p.X), find(&p.Y)}
		p.extend(own[i][0], own[i][1])
	}
	for i := range f.Panels {
		own[i][0].apply(&f.Panels[i].X)
		own[i][1].apply(&f.Panels[i].Y)
	}
	for i := range f.Panels {
		p := &f.Panels[i]
		p.X.Frames, p.Y.Frames = nil, nil
		for _, name := range f.Frames {
			shown, x, y := p.frame(name), &extent{}, &extent{}
			shown.extend(x, y)
			x.apply(&shown.X)
			y.apply(&shown.Y)
			p.X.Frames = append(p.X.Frames, [2]float64{shown.X.Min, shown.X.Max})
			p.Y.Frames = append(p.Y.Frames, [2]float64{shown.Y.Min, shown.Y.Max})
		}
	}
}

// frame is the panel with the points of one frame of an animation, and those of all.
func (p Panel) frame(name string) Panel {
	var points []Points
	for _, ps := range p.Points {
		if ps.Frame == "" || ps.Frame == name {
			points = append(points, ps)
		}
	}
	p.Points = points
	return p
}

// freeNote says so where panels beside each other have axes of their own.
const freeNote = " Each panel has axes of its own, as far as its values go."

// free gives every panel axes of its own: those of the last layer would leave all others in a corner.
func (f *Figure) free() {
	if len(f.Panels) < 2 {
		return
	}
	for i := range f.Panels {
		f.Panels[i].X.Link, f.Panels[i].Y.Link = "", ""
	}
	f.Note += freeNote
}

// An extent is the range of the values on an axis.
type extent struct {
	low, high float64
	any, base bool // base: bars stand on the axis's start
}

func (e *extent) add(values ...float64) {
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			continue
		}
		if !e.any {
			e.low, e.high, e.any = v, v, true
		}
		e.low, e.high = min(e.low, v), max(e.high, v)
	}
}

func (p *Panel) extend(x, y *extent) {
	for _, b := range p.Bands {
		x.add(b.X...)
		y.add(b.Low...)
		y.add(b.High...)
	}
	for _, b := range p.Bars {
		along, up := x, y
		if b.Horizontal {
			along, up = y, x
		}
		along.add(b.Edges...)
		up.base = true
		for _, h := range b.heights() {
			if h != 0 {
				up.add(h)
			}
		}
	}
	for _, b := range p.Boxes {
		at, along := x, y
		if b.Horizontal {
			at, along = y, x
		}
		for _, item := range b.Items {
			at.add(item.At-0.5, item.At+0.5)
			along.add(item.Low, item.High)
		}
	}
	for _, l := range p.Lines {
		x.add(l.X...)
		y.add(l.Y...)
	}
	for _, s := range p.Points {
		x.add(s.X...)
		y.add(s.Y...)
	}
}

// apply sets the limits of a, unless it has them.
func (e *extent) apply(a *Axis) {
	if a.fixed {
		return
	}
	low, high := e.low, e.high
	if !e.any {
		low, high = 0, 1
	}
	if a.Log {
		low, high = math.Log10(max(low, math.SmallestNonzeroFloat64)), math.Log10(max(high, math.SmallestNonzeroFloat64))
	}
	room := 0.04 * (high - low)
	if room == 0 {
		room = max(0.04*math.Abs(high), 0.04)
	}
	low, high = low-room, high+room
	switch {
	case e.base && a.Log:
		low = math.Log10(0.6) // so that a count of 1 shows
	case e.base:
		if e.low >= 0 {
			low = 0
		}
		if e.high <= 0 {
			high = 0
		}
	}
	if a.Log {
		low, high = math.Pow(10, low), math.Pow(10, high)
	}
	a.Min, a.Max = low, high
}
