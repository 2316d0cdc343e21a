package figures

import (
	"bytes"
	"image/color"
	"image/png"
	"io"
	"strings"
	"sync"

	"codeberg.org/go-fonts/liberation/liberationsansbold"
	"codeberg.org/go-fonts/liberation/liberationsansregular"
	"github.com/saedb/saedb/internal/fault"
	xfont "golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"gonum.org/v1/plot/font"
	plottext "gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// A picture's size: its width in CSS pixels, how long a pixel is, and how many
// dots a PNG has for each.
const (
	imageWidth = 1100
	pixel      = vg.Length(0.75) // points
	pngDPI     = 2 * 96
)

// PNG writes f as a picture, light, with two dots a CSS pixel.
func (f *Figure) PNG(w io.Writer, origin string) error {
	p := newPicture(f, origin)
	canvas := vgimg.NewWith(vgimg.UseWH(imageWidth*pixel, vg.Length(p.height)*pixel), vgimg.UseDPI(pngDPI))
	p.draw(draw.New(canvas))
	encoder := png.Encoder{CompressionLevel: png.BestCompression} // a third of the bytes
	return fault.At("write PNG", "", encoder.Encode(w, canvas.Image()))
}

// SVG writes f as a picture in lines and text.
func (f *Figure) SVG(w io.Writer, origin string) error {
	p := newPicture(f, origin)
	canvas := vgsvg.New(imageWidth*pixel, vg.Length(p.height)*pixel)
	p.draw(draw.New(canvas))
	var svg bytes.Buffer
	if _, err := canvas.WriteTo(&svg); err != nil {
		return fault.At("write SVG", "", err)
	}
	_, err := w.Write(describedSVG(svg.Bytes(), f))
	return fault.At("write SVG", "", err)
}

// A picture is a figure on its way to paper. Its coordinates are CSS pixels from
// the top left, as in the page.
type picture struct {
	figure *Figure
	origin string
	canvas draw.Canvas
	note   []string // lines
	top    float64  // where the panels begin
	height float64
	// heights are those of the rows of panels.
	heights []float64
}

// Pixels around and in panels: as in assets/figure.js.
const (
	outside     = 24
	marginLeft  = 62
	marginRight = 18
	marginTop   = 14
	titleHeight = 22
	ruleHeight  = 12
	marginAxis  = 46
	marginBare  = 8
)

func newPicture(f *Figure, origin string) *picture {
	p := &picture{figure: f.still(), origin: origin}
	p.note = wrap(p.figure.Note, 150)
	p.top = outside + 30 + 17*float64(len(p.note)) + 32
	p.height = p.top + outside + 8
	p.heights = p.figure.rowHeights()
	for _, h := range p.heights {
		p.height += h
	}
	return p
}

// PageHeight is about how many pixels high the page is, as wide as a picture, down to the query.
func (f *Figure) PageHeight() float64 {
	page := *f
	page.Frames = nil // the frames of an animation are one after the other
	return newPicture(&page, "").height + 120
}

// wrap breaks text into lines of at most so many characters, at spaces.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// still returns f with the frames of an animation side by side.
func (f *Figure) still() *Figure {
	if f.Frames == nil {
		return f
	}
	s := *f
	s.Panels, s.Heights, s.Widths, s.Frames = nil, nil, nil, nil
	s.Note = strings.TrimSpace(s.Note + freeNote)
	place := s.grid(len(f.Frames)*len(f.Panels), 460)
	for i, name := range f.Frames {
		for j, p := range f.Panels {
			p.Title = strings.TrimSpace(name + " " + p.Title)
			p.Row, p.Column = place(i*len(f.Panels) + j)
			p = p.frame(name)
			p.X.Link, p.Y.Link = "", ""
			s.Panels = append(s.Panels, p)
		}
	}
	s.fit()
	return &s
}

// The colours of a picture: the page's light ones.
var (
	paper     = color.RGBA{255, 255, 255, 255}
	ink       = color.RGBA{0x1c, 0x20, 0x24, 255}
	quiet     = color.RGBA{0x5b, 0x63, 0x6b, 255}
	axisLine  = color.RGBA{0xd9, 0xdd, 0xe1, 255}
	gridLine  = color.RGBA{0xec, 0xee, 0xf0, 255}
	inkColors = map[Color]color.RGBA{
		Blue: {0x00, 0x72, 0xb2, 255}, Orange: {0xd5, 0x5e, 0x00, 255}, Green: {0x00, 0x9e, 0x73, 255},
		Purple: {0xa8, 0x55, 0x8a, 255}, Red: {0xc0, 0x39, 0x2b, 255}, Grey: {0xa3, 0xab, 0xb3, 255},
	}
	viridis = []color.RGBA{
		{68, 1, 84, 255},
		{72, 33, 115, 255},
		{67, 62, 133, 255},
		{56, 88, 140, 255},
		{45, 112, 142, 255},
		{37, 133, 142, 255},
		{30, 155, 138, 255},
		{42, 176, 127, 255},
		{82, 197, 105, 255},
		{134, 213, 73, 255},
		{194, 223, 35, 255},
	}
)

// color returns the colour of a value on the scale.
func (s *Scale) color(v float64) color.RGBA {
	if !(s.Max > s.Min) {
		return viridis[0]
	}
	at := float64(s.step(v)) / (colorSteps - 1) * float64(len(viridis)-1)
	return viridis[int(at+0.5)]
}

func fade(c color.RGBA, alpha float64) color.NRGBA {
	return color.NRGBA{c.R, c.G, c.B, uint8(255*alpha + 0.5)}
}

// at returns the point of the canvas at a pixel.
func (p *picture) at(x, y float64) vg.Point {
	return vg.Point{X: vg.Length(x) * pixel, Y: vg.Length(p.height-y) * pixel}
}

func (p *picture) text(s string, x, y, size float64, c color.Color, bold bool, xalign draw.XAlignment, yalign draw.YAlignment, rotation float64) {
	style := textStyle(size, c, bold)
	style.XAlign, style.YAlign, style.Rotation = xalign, yalign, rotation
	p.fillText(style, p.at(x, y), s)
}

// textHandler draws with Liberation Sans, regular and bold. gonum.org/v1/plot itself is not
// imported: it brings ten fonts more, and writers of PDF and TeX, into every binary.
var textHandler = sync.OnceValue(func() plottext.Handler {
	var faces font.Collection
	for weight, file := range map[xfont.Weight][]byte{
		xfont.WeightNormal: liberationsansregular.TTF, xfont.WeightBold: liberationsansbold.TTF,
	} {
		face, err := opentype.Parse(file)
		if err != nil {
			panic("figures: Liberation Sans: " + err.Error()) // embedded, so that it is a mistake of ours
		}
		faces = append(faces, font.Face{Font: font.Font{Typeface: "Liberation", Variant: "Sans", Weight: weight}, Face: face})
	}
	return plottext.Plain{Fonts: font.NewCache(faces)}
})

func textStyle(size float64, c color.Color, bold bool) draw.TextStyle {
	face := font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Length(size) * pixel}
	if bold {
		face.Weight = xfont.WeightBold
	}
	return draw.TextStyle{Color: c, Font: face, Handler: textHandler()}
}

func (p *picture) line(c color.Color, width float64, dashed bool, points ...vg.Point) {
	style := draw.LineStyle{Color: c, Width: vg.Length(width) * pixel}
	if dashed {
		style.Dashes = []vg.Length{4 * pixel, 4 * pixel}
	}
	p.canvas.StrokeLines(style, points)
}

// draw draws the whole picture.
func (p *picture) draw(canvas draw.Canvas) {
	p.canvas = canvas
	p.canvas.FillPolygon(paper, []vg.Point{p.at(0, 0), p.at(imageWidth, 0), p.at(imageWidth, p.height), p.at(0, p.height)})
	p.text(p.figure.Title, outside, outside, 20, ink, true, draw.XLeft, draw.YTop, 0)
	for i, line := range p.note {
		p.text(line, outside, outside+30+17*float64(i), 12.5, quiet, false, draw.XLeft, draw.YTop, 0)
	}
	p.legend(outside, p.top-20)
	for i := range p.figure.Panels {
		p.panel(&p.figure.Panels[i])
	}
	p.text(p.origin, imageWidth-outside, p.height-10, 10.5, quiet, false, draw.XRight, draw.YBottom, 0)
}

// legend names the colours, where there are several, and shows the scale, which gives several.
func (p *picture) legend(x, y float64) {
	type item struct {
		name  string
		color color.Color
	}
	var items []item
	seen := map[string]bool{}
	add := func(name string, c color.Color) {
		if name != "" && !seen[name] {
			seen[name] = true
			items = append(items, item{name, c})
		}
	}
	var scale *Scale
	for _, panel := range p.figure.Panels {
		for _, b := range panel.Bands {
			add(b.Name, fade(inkColors[b.Color], min(1, b.Alpha*1.6)))
		}
		for _, b := range panel.Bars {
			add(b.Name, inkColors[b.Color])
		}
		for _, b := range panel.Boxes {
			add(b.Name, inkColors[b.Color])
		}
		for _, l := range panel.Lines {
			add(l.Name, inkColors[l.Color])
		}
		for _, s := range panel.Points {
			if s.Shape != Hidden && s.Frame == "" {
				add(s.Name, inkColors[s.Color])
			}
		}
		if panel.Scale != nil {
			scale = panel.Scale
		}
	}
	width := func(s string) float64 { return float64(textStyle(12, ink, false).Width(s) / pixel) }
	if len(items) > 1 || scale != nil {
		for _, i := range items {
			p.canvas.FillPolygon(i.color, []vg.Point{p.at(x, y-5), p.at(x+11, y-5), p.at(x+11, y+6), p.at(x, y+6)})
			p.text(i.name, x+17, y, 12, quiet, false, draw.XLeft, draw.YCenter, 0)
			x += 17 + width(i.name) + 20
		}
	}
	if scale == nil {
		return
	}
	label := scale.Label + "  " + short(scale.Min)
	p.text(label, x, y, 12, quiet, false, draw.XLeft, draw.YCenter, 0)
	x += width(label) + 8
	for i, c := range viridis {
		from, to := x+float64(i)*12, x+float64(i+1)*12
		p.canvas.FillPolygon(c, []vg.Point{p.at(from, y-5), p.at(to, y-5), p.at(to, y+5), p.at(from, y+5)})
	}
	p.text(short(scale.Max), x+12*float64(len(viridis))+8, y, 12, quiet, false, draw.XLeft, draw.YCenter, 0)
}
