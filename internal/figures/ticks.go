package figures

import (
	"math"
	"strconv"
)

// ticks are round numbers on the axis, about count of them: as in assets/figure.js.
func (a *Axis) ticks(count float64) []Tick {
	if a.Ticks != nil {
		var within []Tick
		for _, t := range a.Ticks {
			if t.At >= a.Min && t.At <= a.Max {
				within = append(within, t)
			}
		}
		return within
	}
	var at []float64
	low, high := a.Min, a.Max
	if a.Log {
		at = logTicks(math.Log10(low), math.Log10(high), count)
	} else {
		at = linearTicks(low, high, count)
	}
	out := make([]Tick, 0, len(at))
	for _, v := range at {
		out = append(out, Tick{v, tickLabel(v)})
	}
	return out
}

// linearTicks are multiples of 1, 2, 2.5 or 5 times a power of ten: two at least, for one does
// not tell the scale.
func linearTicks(low, high, count float64) []float64 {
	raw := (high - low) / count
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	step := 10 * power
	for _, s := range []float64{1, 2, 2.5, 5} {
		if s*power >= raw*0.999 {
			step = s * power
			break
		}
	}
	var at []float64
	for i := math.Ceil(low/step - 1e-9); i*step <= high+step*1e-9; i++ {
		at = append(at, i*step)
	}
	if len(at) < 2 && high > low {
		return linearTicks(low, high, 2*count)
	}
	return at
}

// logTicks are 1, or 1, 2, 5, or more, of each decade between two powers of ten.
func logTicks(low, high, count float64) []float64 {
	span := high - low
	if span < 0.5 {
		var at []float64
		for _, v := range linearTicks(math.Pow(10, low), math.Pow(10, high), count) {
			if v > 0 {
				at = append(at, v)
			}
		}
		return at
	}
	of, skip := []float64{1, 1.5, 2, 3, 4, 5, 7}, 1.0
	switch {
	case span > count:
		of, skip = []float64{1}, math.Ceil(span/count)
	case span > count/3:
		of = []float64{1}
	case span > 1.5:
		of = []float64{1, 2, 5}
	}
	var at []float64
	for d := math.Floor(low); d <= math.Ceil(high); d += skip {
		for _, k := range of {
			if v := d + math.Log10(k); v >= low-1e-9 && v <= high+1e-9 {
				at = append(at, k*math.Pow(10, d))
			}
		}
	}
	return at
}

// tickLabel is a round number as people read it.
func tickLabel(v float64) string {
	if v == 0 {
		return "0"
	}
	if m := math.Abs(v); m >= 1e4 && m < 1e7 {
		return strconv.FormatFloat(v/1e3, 'g', 5, 64) + "k"
	}
	return short(v)
}
