package test

import (
	"bytes"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestNotebook executes the notebooks, as somebody does who has installed the wheels, in a
// directory of their own; their outputs are those in the files.
func TestNotebook(t *testing.T) {
	t.Parallel()
	interpreter, built, site := businessPython(t), wheel(t), t.TempDir()
	runIn(t, ".", nil, interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", "--target", site, built)
	examplePackage(t, site)
	for notebook, want := range map[string]string{
		"logit-lens.ipynb":    "11 figures, 7 tables\n",
		"lens-and-head.ipynb": "0 figures, 5 tables\n",
	} {
		args := []string{absolute(t, "clients/run_notebook.py"), absolute(t, "../examples/notebooks/"+notebook), t.TempDir()}
		if *update {
			args = append(args, "--write")
		}
		out := runIn(t, t.TempDir(), []string{"PYTHONPATH=" + site, "JUPYTER_PLATFORM_DIRS=1", "SAEDB_PROGRESS=0", "IPYTHONDIR=" + t.TempDir()}, interpreter, args...)
		if !strings.HasSuffix(out, want) {
			t.Errorf("%s gave %q, expected %q", notebook, out, want)
		}
	}
}

// examplePackage puts saedb_example into site as its wheel has it.
func examplePackage(t *testing.T, site string) {
	t.Helper()
	copyFile(t, "../python/example/src/saedb_example/__init__.py", filepath.Join(site, "saedb_example.py"))
	if err := os.Symlink(absolute(t, "../examples/smollm2-135m"), filepath.Join(site, "smollm2-135m")); err != nil {
		t.Fatal(err)
	}
}

// notebookPage is a notebook's page of VS Code, with its content security policy
// (backLayerWebView.ts), and a column that is narrower than a picture.
const notebookPage = `<!doctype html><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval';
	style-src 'self' 'unsafe-inline'; img-src 'self' https: http: data:; font-src 'self' https:; connect-src https:; child-src https: data:">
<body style="margin: 0; background: black"><div id="output" style="width: 700px">OUTPUT</div></body>`

// TestNotebookFigureInABrowser: what a figure gives a notebook is drawn under the content security
// policy of VS Code's, as a page in a frame and as SVG, and is no wider than its column.
func TestNotebookFigureInABrowser(t *testing.T) {
	t.Parallel()
	b, built, site := openBrowser(t), wheel(t), t.TempDir()
	python := absolute(t, filepath.Join(environment, "bin/python"))
	runIn(t, ".", nil, python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
		"--no-index", "--no-deps", "--target", site, built)
	for format, shown := range map[string]string{"html": "_repr_html_", "svg": "_repr_svg_"} {
		t.Run(format, func(t *testing.T) {
			script := "import sys, saedb; saedb.plot.show_as(sys.argv[2])\n" +
				"con = saedb.connect(sys.argv[1], read_only=True)\n" +
				"print(getattr(saedb.plot.skewness(con, layer=29), sys.argv[3])())"
			variables := []string{"PYTHONPATH=" + site}
			output := runIn(t, t.TempDir(), variables, python, "-c", script, absolute(t, example), format, shown)
			page := write(t, t.TempDir(), "notebook.html", []byte(strings.Replace(notebookPage, "OUTPUT", output, 1)))
			b.run(t, chromedp.Navigate("file://"+page), chromedp.WaitVisible(chromedp.CSS("#output > *")))
			if width := eval[float64](t, b, `document.querySelector("#output > *").getBoundingClientRect().width`); width > 700 {
				t.Errorf("it is %g pixels wide, in a column of 700", width)
			}
			// The frame is of another origin, so that its bars are looked for on the screen.
			var blue int
			for deadline := time.Now().Add(20 * time.Second); blue < 1000 && time.Now().Before(deadline); {
				screen, err := chromedp.Run(b, chromedp.CaptureScreenshot())
				if err != nil {
					t.Fatal(err)
				}
				blue = bluePixels(t, screen)
			}
			if blue < 1000 {
				t.Errorf("%d pixels are as blue as its bars, expected at least 1,000", blue)
			}
		})
	}
}

// bluePixels counts the pixels of a PNG that have far more blue in them than red.
func bluePixels(t *testing.T, picture []byte) int {
	t.Helper()
	decoded, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		t.Fatal(err)
	}
	var n int
	for y := range decoded.Bounds().Dy() {
		for x := range decoded.Bounds().Dx() {
			if red, _, blue, _ := decoded.At(x, y).RGBA(); blue > red+100<<8 {
				n++
			}
		}
	}
	return n
}
