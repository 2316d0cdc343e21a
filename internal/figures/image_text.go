package figures

import (
	"bytes"
	"fmt"
	"html"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// space is the sign of a space at an end of a token. The font of pictures has none: it is drawn, as
// wide as spaceWidth of the font's size.
const (
	space      = "␣"
	spaceWidth = 0.5
)

// spacedText is a text between the spaces that are drawn.
type spacedText struct {
	parts []string
	style draw.TextStyle
}

func newSpacedText(text string, style draw.TextStyle) spacedText {
	return spacedText{strings.Split(text, space), style}
}

func (t spacedText) gap() vg.Length { return t.style.Font.Size * spaceWidth }

func (t spacedText) width() vg.Length {
	width := vg.Length(len(t.parts)-1) * t.gap()
	for _, part := range t.parts {
		width += t.style.Width(part)
	}
	return width
}

// fillText writes a text, the signs of spaces too, at a point that is where the style's alignment says.
func (p *picture) fillText(style draw.TextStyle, at vg.Point, text string) {
	text = writable(text)
	t := newSpacedText(text, style)
	if len(t.parts) == 1 || style.Rotation != 0 {
		p.canvas.FillText(style, at, text)
		return
	}
	at.X += t.width() * vg.Length(style.XAlign)
	style.XAlign = draw.XLeft
	size := style.Font.Size
	base := at.Y + style.Height(text)*vg.Length(style.YAlign) + style.FontExtents().Descent
	for i, part := range t.parts {
		if i > 0 {
			left, right := at.X+0.08*size, at.X+t.gap()-0.08*size
			p.canvas.StrokeLines(draw.LineStyle{Color: style.Color, Width: 0.08 * size}, []vg.Point{
				{X: left, Y: base + 0.16*size}, {X: left, Y: base - 0.06*size}, {X: right, Y: base - 0.06*size}, {X: right, Y: base + 0.16*size},
			})
			at.X += t.gap()
		}
		if part != "" {
			p.canvas.FillText(style, at, part)
			at.X += style.Width(part)
		}
	}
}

// labels writes the labels of points, first to last, each above its point, or right, left or below
// where another is there already or the panel ends; one that has no place is left out. It returns
// the places of all that are written, and how many are left out.
func (f *frame) labels(s Points, taken []vg.Rectangle) ([]vg.Rectangle, int) {
	left := 0
	style := textStyle(11, ink, false)
	for i, label := range s.Labels {
		if label == "" {
			continue
		}
		at := f.point(s.X[i], s.Y[i])
		f.canvas.DrawGlyphNoClip(draw.GlyphStyle{Color: inkColors[s.Color], Radius: vg.Length(s.Size/2+1.5) * pixel, Shape: draw.CircleGlyph{}}, at)
		away := vg.Length(s.Size/2+5) * pixel // so far that those beside it are clear of those above and below
		width, height := newSpacedText(label, style).width(), style.Height(label)
		placed := false
		for _, to := range []struct {
			x, y   vg.Length
			xalign draw.XAlignment
			yalign draw.YAlignment
		}{{0, away, draw.XCenter, draw.YBottom}, {away, 0, draw.XLeft, draw.YCenter}, {-away, 0, draw.XRight, draw.YCenter}, {0, -away, draw.XCenter, draw.YTop}} {
			style.XAlign, style.YAlign = to.xalign, to.yalign
			corner := vg.Point{X: at.X + to.x + width*vg.Length(to.xalign), Y: at.Y + to.y + height*vg.Length(to.yalign)}
			box := vg.Rectangle{Min: corner, Max: vg.Point{X: corner.X + width, Y: corner.Y + height}}
			if overlaps(box, taken) || !f.holds(box) {
				continue
			}
			taken, placed = append(taken, box), true
			f.fillText(style, vg.Point{X: at.X + to.x, Y: at.Y + to.y}, label)
			break
		}
		if !placed {
			left++
		}
	}
	return taken, left
}

// holds tells whether a box lies between the sides of the panel, and not below it.
func (f *frame) holds(box vg.Rectangle) bool {
	low, high := f.at(f.left, f.top+f.height), f.at(f.left+f.width+marginRight, f.head)
	return box.Min.X >= low.X && box.Max.X <= high.X && box.Min.Y >= low.Y && box.Max.Y <= high.Y
}

// saysLeftOut says at the panel's corner how many labels have no place.
func (f *frame) saysLeftOut(labels int) {
	if labels > 0 {
		f.text(leftOut(labels), f.left+f.width, f.top+f.height-4, 10.5, quiet, false, draw.XRight, draw.YBottom, 0)
	}
}

// leftOut is what is said of labels that are not written; as in assets/figure.js.
func leftOut(labels int) string {
	if labels == 1 {
		return "1 label left out, which would lie over another"
	}
	return fmt.Sprintf("%d labels left out, which would lie over others", labels)
}

// describedSVG gives an SVG the role of an image, a title and a description.
func describedSVG(svg []byte, f *Figure) []byte {
	start := bytes.Index(svg, []byte("<svg"))
	if start < 0 {
		return svg
	}
	end := start + bytes.IndexByte(svg[start:], '>')
	described := ` role="img" aria-labelledby="saedb-title saedb-description"><title id="saedb-title">` + xmlText(f.Title) +
		`</title><desc id="saedb-description">` + xmlText(f.Note) + `</desc>`
	return bytes.Join([][]byte{svg[:end], []byte(described), svg[end+1:]}, nil)
}

// xmlText is text for an XML element.
func xmlText(text string) string { return html.EscapeString(writable(text)) }

// writable is text in which what XML has no way to write is U+FFFD.
func writable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' || r == 0xfffe || r == 0xffff {
			return 0xfffd
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd"))
}
