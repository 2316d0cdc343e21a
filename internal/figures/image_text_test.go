package figures

import (
	"bytes"
	"encoding/xml"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/recorder"
)

// labelledFigure has points with labels, at one place each and all at the same place.
func labelledFigure(apart float64, labels ...string) *Figure {
	p := Points{Color: Blue, Size: 5, Labels: labels}
	for i := range labels {
		p.X, p.Y = append(p.X, 5+apart*float64(i)), append(p.Y, 5)
	}
	f := &Figure{Title: `A "<title>"` + "\x1b", Heights: []float64{400}, Widths: []float64{1}, Panels: []Panel{{Points: []Points{p}}}}
	f.Panels[0].X = Axis{Max: 40, fixed: true}
	f.Panels[0].Y = Axis{Max: 10, fixed: true}
	return f
}

// Labels move out of each other's way, and those that have no place are counted.
func TestLabelsThatCollide(t *testing.T) {
	for _, c := range []struct {
		apart float64
		left  string
	}{{10, ""}, {0, "2 labels left out, which would lie over others"}} {
		var svg bytes.Buffer
		f := labelledFigure(c.apart, "feature 1 a", "feature 2 b", "feature 3 c", "feature 4 d", "feature 5 e", "feature 6 f")
		if c.apart > 0 {
			f = labelledFigure(c.apart, "feature 1 a", "feature 2 b", "feature 3 c")
		}
		if err := f.SVG(&svg, "demo.db"); err != nil {
			t.Fatal(err)
		}
		written := strings.Count(svg.String(), ">feature ")
		if want := map[bool]int{true: 3, false: 4}[c.left == ""]; written != want {
			t.Errorf("%v apart: %d labels are written, expected %d", c.apart, written, want)
		}
		if strings.Contains(svg.String(), "left out") != (c.left != "") || !strings.Contains(svg.String(), c.left) {
			t.Errorf("%v apart: expected %q in the picture", c.apart, c.left)
		}
	}
}

// A space of a token is drawn: no text that is written has the sign, which the font lacks.
func TestSpacesOfTokensAreDrawn(t *testing.T) {
	strokes := func(label string) (strokes int, texts string) {
		p := newPicture(labelledFigure(0, label), "")
		var canvas recorder.Canvas
		p.draw(draw.NewCanvas(&canvas, imageWidth*pixel, 600))
		for _, a := range canvas.Actions {
			switch a := a.(type) {
			case *recorder.Stroke:
				strokes++
			case *recorder.FillString:
				texts += a.String + "|"
			}
		}
		return strokes, texts
	}
	none, _ := strokes("feature 1 xthree")
	two, texts := strokes("feature 1 ␣three␣")
	if two != none+2 || strings.Contains(texts, "␣") || !strings.Contains(texts, "feature 1 |three|") {
		t.Errorf("%d strokes without spaces, %d with two; texts %q", none, two, texts)
	}
}

func TestSVGHasRoleAndTitle(t *testing.T) {
	var svg bytes.Buffer
	if err := labelledFigure(0, "x").SVG(&svg, "demo.db"); err != nil {
		t.Fatal(err)
	}
	var read struct {
		Role  string `xml:"role,attr"`
		Title string `xml:"title"`
	}
	if err := xml.Unmarshal(svg.Bytes(), &read); err != nil {
		t.Fatal(err)
	}
	if read.Role != "img" || read.Title != `A "<title>"`+"\ufffd" {
		t.Errorf("role %q, title %q", read.Role, read.Title)
	}
}
