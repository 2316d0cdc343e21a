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
// library and its licences, which scripts/chart-library.sh fetches before the
// program is built.
//
//go:embed assets
var assets embed.FS

var pages = template.Must(template.ParseFS(assets, "assets/*.html"))

// Script returns the script that draws a figure's JSON, the chart library before
// it.
func Script() ([]byte, error) {
	library, err := asset("echarts/echarts.min.js")
	if err != nil {
		return nil, err
	}
	own, err := asset("figure.js")
	return append(append(library, "\n;\n"...), own...), err
}

// Style returns the style sheet of pages with figures.
func Style() ([]byte, error) { return asset("figure.css") }

// Licences returns the licences of the chart library.
func Licences() ([]byte, error) { return asset("echarts/LICENSES.txt") }

func asset(name string) ([]byte, error) {
	content, err := fs.ReadFile(assets, "assets/"+name)
	if err != nil {
		return nil, &fault.Error{
			Op: "write HTML", Subject: name, Problem: "the program was built without the chart library",
			Hint: "build it with make build, or run scripts/chart-library.sh before go build",
		}
	}
	return content, nil
}

// A page is what every template is given.
type page struct {
	Title    string
	Style    template.CSS
	Script   template.JS
	Data     template.JS // JSON
	Extra    template.JS // a script after Script
	Licences string
	Figure   *Figure
	Report   *Report
	Database string
	Version  string
}

// HTML writes f as one page that needs nothing else. database and version say
// where it comes from.
func (f *Figure) HTML(w io.Writer, database, version string) error {
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
	p.Script, p.Style, p.Licences = template.JS(script), template.CSS(style), string(licences)
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
