package figures

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/saedb/saedb/internal/fault"
)

// A Figure is a grid of panels and all that is drawn in them. Coordinates are data
// values; an axis with Log is drawn on log10 of them, so they are positive there.
type Figure struct {
	Name    string    `json:"name"`
	Title   string    `json:"title"`
	Note    string    `json:"note,omitempty"`     // what is drawn and how to read it
	Hint    string    `json:"hint,omitempty"`     // what hovering and clicking do, on a page
	Query   string    `json:"query,omitempty"`    // the SQL that the numbers come from
	Heights []float64 `json:"heights"`            // of the rows of panels, in pixels
	Widths  []float64 `json:"widths"`             // of the columns, relative to each other
	Frames  []string  `json:"frames,omitempty"`   // names of the frames of an animation
	FrameOf string    `json:"frame_of,omitempty"` // what a frame is: layer
	Panels  []Panel   `json:"panels"`
}

// A Panel is a pair of axes and the marks between them, drawn in the order of the
// fields.
type Panel struct {
	Title  string   `json:"title,omitempty"`
	Row    int      `json:"row"`
	Column int      `json:"column"`
	X      Axis     `json:"x"`
	Y      Axis     `json:"y"`
	Scale  *Scale   `json:"scale,omitempty"` // of the points' colours
	Equal  bool     `json:"equal,omitempty"` // a unit is as long on both axes: the row is as high as that asks for
	Bands  []Band   `json:"bands,omitempty"`
	Bars   []Bars   `json:"bars,omitempty"`
	Boxes  []Boxes  `json:"boxes,omitempty"`
	Rules  []Rule   `json:"rules,omitempty"`
	Points []Points `json:"points,omitempty"`
	Lines  []Line   `json:"lines,omitempty"`
}

// An Axis says what a coordinate is. Min and Max are set before drawing (see
// [Figure.fit]); axes with the same Link have the same and are zoomed together.
type Axis struct {
	Label string  `json:"label,omitempty"`
	Log   bool    `json:"log,omitempty"`
	Min   float64 `json:"min"`
	Max   float64 `json:"max"`
	Ticks []Tick  `json:"ticks,omitempty"` // instead of round numbers
	Bare  bool    `json:"bare,omitempty"`  // no ticks and no label: a margin
	Wide  float64 `json:"wide,omitempty"`  // more pixels for long tick labels
	Link  string  `json:"link,omitempty"`
	// Frames are Min and Max of each frame of an animation, by what it shows alone.
	Frames [][2]float64 `json:"frames,omitempty"`
	fixed  bool         // Min and Max were given
}

// A Tick is a labelled place on an axis.
type Tick struct {
	At    float64 `json:"at"`
	Label string  `json:"label"`
}

// A Scale gives points colours by a value, from Min to Max; values beyond have
// the colour of the end.
type Scale struct {
	Label string  `json:"label"`
	Min   float64 `json:"min"`
	Max   float64 `json:"max"`
}

// A Color is one of the palette that both themes have (Okabe and Ito's, which
// people with any colour vision tell apart), or a grey.
type Color string

// The colours.
const (
	Blue   Color = "blue"
	Orange Color = "orange"
	Green  Color = "green"
	Purple Color = "purple"
	Red    Color = "red"
	Grey   Color = "grey"
)

// What a colour means is the same in every figure: Blue is what is shown, or promoted; Orange is
// suppressed; Purple the second of two sets; Grey random directions, and all that is behind.
const (
	suppressedColor = Orange
	secondColor     = Purple
	memberColor     = Green // the members of a token set
)

// Bars are the bars of a histogram: Counts[i] values in [Edges[i], Edges[i+1]),
// the last bin closed. Where there are Values, these are how high the bars are, below 0 too, in
// place of counts. Hover has a line a bar.
type Bars struct {
	Name       string   `json:"name,omitempty"`
	Color      Color    `json:"color"`
	Horizontal bool     `json:"horizontal,omitempty"` // bins along y
	Edges      Series   `json:"edges"`
	Counts     []int    `json:"counts,omitempty"`
	Values     Series   `json:"values,omitempty"`
	Unit       string   `json:"unit,omitempty"` // what Counts count: features, tokens
	Hover      []Column `json:"hover,omitempty"`
}

// heights are how high the bars are.
func (b Bars) heights() []float64 {
	if b.Values != nil {
		return b.Values
	}
	heights := make([]float64, len(b.Counts))
	for i, count := range b.Counts {
		heights[i] = float64(count)
	}
	return heights
}

// Points are the points of a scatter plot. Value, where the panel has a Scale,
// gives each its colour. Labels are drawn beside those that have one. URLs open on
// a click, and have URLPrefix before them, which most share.
type Points struct {
	Name      string   `json:"name,omitempty"`
	Color     Color    `json:"color"`
	Shape     Shape    `json:"shape,omitempty"`
	Size      float64  `json:"size"` // diameter in pixels
	Frame     string   `json:"frame,omitempty"`
	X         Series   `json:"xs"`
	Y         Series   `json:"ys"`
	Value     Series   `json:"values,omitempty"`
	Labels    []string `json:"labels,omitempty"`
	Hover     []Column `json:"hover,omitempty"`
	URLPrefix string   `json:"url_prefix,omitempty"`
	URLs      []string `json:"urls,omitempty"`
	// Of which SAE and layer each point is: place SAEOf[i] of SAEs, and LayerOf[i] of Layers; where
	// these have one place alone, it is that of all, and there is no SAEOf or LayerOf.
	SAEs    []string `json:"saes,omitempty"`
	SAEOf   []int    `json:"sae_of,omitempty"`
	Layers  []int64  `json:"layers,omitempty"`
	LayerOf []int    `json:"layer_of,omitempty"`
}

// A Shape of points: round by default.
type Shape string

// Shapes besides the round one.
const (
	Stroke Shape = "stroke" // a short upright line
	Hidden Shape = "hidden" // nothing, but for what hovering shows
)

// A Column is what hovering shows of each point or bar under one name.
type Column struct {
	Name    string   `json:"name"`
	Texts   []string `json:"texts,omitempty"`
	Numbers Series   `json:"numbers,omitempty"`
}

// A Band fills the range from Low to High over X.
type Band struct {
	Name  string  `json:"name"`
	Color Color   `json:"color"`
	Alpha float64 `json:"alpha"`
	X     Series  `json:"xs"`
	Low   Series  `json:"low"`
	High  Series  `json:"high"`
}

// A Line joins its points.
type Line struct {
	Name  string  `json:"name,omitempty"`
	Color Color   `json:"color"`
	Width float64 `json:"width"`
	X     Series  `json:"xs"`
	Y     Series  `json:"ys"`
}

// A Rule is a straight line over the whole panel, with a label.
type Rule struct {
	Horizontal bool    `json:"horizontal,omitempty"`
	At         float64 `json:"at"`
	Label      string  `json:"label,omitempty"`
	Side       int     `json:"side,omitempty"` // label left (-1), right (1) of the line, or over it
}

// Boxes are box plots: the quartiles, and whiskers to the last values within 1.5
// times the distance between them (Tukey's).
type Boxes struct {
	Name       string `json:"name,omitempty"`
	Color      Color  `json:"color"`
	Unit       string `json:"unit,omitempty"` // what Count counts
	Horizontal bool   `json:"horizontal,omitempty"`
	Items      []Box  `json:"items"`
}

// A Box is one box plot, at a coordinate of the other axis.
type Box struct {
	At     float64 `json:"at"`
	Label  string  `json:"label"`
	Count  int     `json:"count"`
	Low    float64 `json:"low"`
	Q1     float64 `json:"q1"`
	Median float64 `json:"median"`
	Q3     float64 `json:"q3"`
	High   float64 `json:"high"`
}

// Formats are those that a figure can be written in, as files' names end.
var Formats = []string{"html", "png", "svg"}

// Write writes f in one of Formats; database and version say where it comes from.
func (f *Figure) Write(w io.Writer, format, database, version string) error {
	origin := "saedb " + version + ", " + database
	switch format {
	case "html":
		return f.HTML(w, database, version)
	case "png":
		return f.PNG(w, origin)
	case "svg":
		return f.SVG(w, origin)
	}
	return &fault.Error{Subject: "format", Expected: "html, png or svg", Found: fmt.Sprintf("%q", format)}
}

// A Series is numbers that are written to JSON with the seven or eight digits of
// a float32: what a screen can tell apart, and half the bytes.
type Series []float64

// MarshalJSON writes what is no finite number as null.
func (s Series) MarshalJSON() ([]byte, error) {
	b := append(make([]byte, 0, 10*len(s)+2), '[')
	for i, v := range s {
		if i > 0 {
			b = append(b, ',')
		}
		if math.IsNaN(v) || math.IsInf(v, 0) || math.Abs(v) > math.MaxFloat32 {
			b = append(b, "null"...)
			continue
		}
		b = strconv.AppendFloat(b, v, 'g', -1, 32)
	}
	return append(b, ']'), nil
}

// UnmarshalJSON reads null as NaN.
func (s *Series) UnmarshalJSON(text []byte) error {
	var values []*float64
	if err := json.Unmarshal(text, &values); err != nil {
		return err
	}
	*s = make(Series, len(values))
	for i, v := range values {
		(*s)[i] = math.NaN()
		if v != nil {
			(*s)[i] = *v
		}
	}
	return nil
}
