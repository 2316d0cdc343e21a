package figures

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"math"
	"testing"
)

func TestPicturesOfEveryFigure(t *testing.T) {
	db := open(t)
	for name, r := range everyFigure {
		f := build(t, db, r)
		var b bytes.Buffer
		if err := f.PNG(&b, "demo.db"); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		picture, err := png.Decode(&b)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if picture.Bounds().Dx() != 2*imageWidth {
			t.Errorf("%s: expected %d dots across, found %v", name, 2*imageWidth, picture.Bounds())
		}
		colours := map[any]bool{}
		for x := 0; x < picture.Bounds().Dx(); x += 3 {
			for y := 0; y < picture.Bounds().Dy(); y += 3 {
				colours[picture.At(x, y)] = true
			}
		}
		if len(colours) < 10 {
			t.Errorf("%s: the picture has only %d colours", name, len(colours))
		}
		b.Reset()
		if err := f.SVG(&b, "demo.db"); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		texts := 0
		for decoder := xml.NewDecoder(&b); ; {
			token, err := decoder.Token()
			if errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: the SVG is no XML: %v", name, err)
			}
			if element, ok := token.(xml.StartElement); ok && element.Name.Local == "text" {
				texts++
			}
		}
		if texts < 8 {
			t.Errorf("%s: the SVG has only %d texts", name, texts)
		}
	}
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		axis  Axis
		count float64
		want  []float64
	}{
		{Axis{Min: -0.3, Max: 4.2}, 5, []float64{0, 1, 2, 3, 4}},
		{Axis{Min: 0, Max: 160}, 4, []float64{0, 50, 100, 150}},
		{Axis{Min: -1.84, Max: 1.84}, 3.5, []float64{-1, 0, 1}}, // 0 alone would not tell the scale
		{Axis{Min: 0.6, Max: 3000, Log: true}, 6, []float64{1, 10, 100, 1000}},
		{Axis{Min: 2.7, Max: 60, Log: true}, 6, []float64{3, 4, 5, 7, 10, 15, 20, 30, 40, 50}},
		{Axis{Min: 3, Max: 4, Log: true}, 5, []float64{3, 3.2, 3.4, 3.6, 3.8, 4}},
		{Axis{Min: 1e-30, Max: 1, Log: true}, 6, []float64{1e-30, 1e-25, 1e-20, 1e-15, 1e-10, 1e-5, 1}},
	} {
		got := c.axis.ticks(c.count)
		if len(got) != len(c.want) {
			t.Errorf("%+v: expected %v, found %v", c.axis, c.want, got)
			continue
		}
		for i := range got {
			if math.Abs(got[i].At-c.want[i]) > 1e-9*math.Abs(c.want[i]) {
				t.Errorf("%+v: expected %v, found %v", c.axis, c.want, got)
			}
		}
	}
}

// A unit is as long on both axes of two sets, however wide their labels are.
func TestSetsHaveEqualScales(t *testing.T) {
	f := build(t, open(t), everyFigure["sets"])
	p := newPicture(f, "")
	main := p.frame(&p.figure.Panels[0])
	across := main.width / (main.panel.X.Max - main.panel.X.Min)
	up := main.height / (main.panel.Y.Max - main.panel.Y.Min)
	if !main.panel.Equal || math.Abs(across-up) > 1e-9 || across < 100 {
		t.Errorf("a unit is %v pixels across and %v up", across, up)
	}
	if bottom := main.top + main.height; bottom > p.height {
		t.Errorf("the panel ends at %v, the picture at %v", bottom, p.height)
	}
}
