package figures

import (
	"bytes"
	"embed"
	"encoding/json"
	"html/template"
	"io"
	"io/fs"

	"github.com/saedb/saedb/internal/fault"
)

// assets are the page, its style and script, and, in assets/echarts, the chart
// library and its licences. scripts/chart-library.sh fetches these before the program
// is built; a program that is built without draws no HTML figures, and says so.
//
//go:embed assets
var embedded embed.FS

var assets fs.FS = embedded // of tests, also without the chart library

var pages = template.Must(template.ParseFS(assets, "assets/*.html"))

const (
	chartLibrary  = "echarts/echarts.min.js"
	chartLicences = "echarts/LICENSES.txt"
)

// HasCharts reports whether the program was built with the chart library.
func HasCharts() bool {
	_, err := fs.Stat(assets, "assets/"+chartLibrary)
	return err == nil
}

// Script returns the script that draws a figure's JSON, the chart library before it.
// Without that library the script says, in a figure's place, that it is missing.
func Script() ([]byte, error) {
	parts := []string{"marks.js", "data.js", "figure.js"}
	if HasCharts() {
		parts = append([]string{chartLibrary}, parts...)
	}
	var script []byte
	for _, part := range parts {
		content, err := asset(part)
		if err != nil {
			return nil, err
		}
		script = append(append(script, content...), "\n;\n"...)
	}
	return script, nil
}

// Style returns the style sheet of pages with figures.
func Style() ([]byte, error) { return asset("figure.css") }

// Licences returns the licences of the chart library, or that it is not there.
func Licences() ([]byte, error) {
	if !HasCharts() {
		return []byte("This saedb was built without the chart library, and has no part of it.\n"), nil
	}
	return asset(chartLicences)
}

func asset(name string) ([]byte, error) {
	content, err := fs.ReadFile(assets, "assets/"+name)
	return content, fault.At("write HTML", name, err)
}

// A page is what every template is given.
type page struct {
	Title    string
	Style    template.CSS
	Script   template.JS
	Data     template.JS // JSON
	Extra    template.JS // a script after Script
	Charts   bool        // whether the chart library is in the page
	Licences string
	Figure   *Figure
	Report   *Report
	Database string
	Version  string
}

// Explorer is where the links of a report lead.
func (page) Explorer() string { return ExplorerAddress }

// HTML writes f as one page that needs nothing else. database and version say
// where it comes from. Without the chart library that is an error.
func (f *Figure) HTML(w io.Writer, database, version string) error {
	if !HasCharts() {
		return &fault.Error{
			Op: "write HTML", Subject: f.Name, Problem: "this saedb was built without the chart library",
			Hint: "write .png or .svg, or build it with make build, which fetches the library by scripts/chart-library.sh",
		}
	}
	data, err := marshal(f)
	if err != nil {
		return err
	}
	return render(w, "figure.html", page{Title: f.Title, Data: data, Figure: f, Database: database, Version: version})
}

func render(w io.Writer, name string, p page) error {
	script, err := Script()
	if err != nil {
		return err
	}
	style, err := Style()
	if err != nil {
		return err
	}
	licences, err := Licences()
	if err != nil {
		return err
	}
	p.Script, p.Style, p.Licences, p.Charts = template.JS(script), template.CSS(style), string(licences), HasCharts()
	return pages.ExecuteTemplate(w, name, p)
}

// marshal returns JSON for a script element: json escapes <, > and &, so no text
// in it can end the element or begin another.
func marshal(v any) (template.JS, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", &fault.Error{Op: "write HTML", Err: err}
	}
	return template.JS(bytes.ToValidUTF8(b, []byte("�"))), nil
}
