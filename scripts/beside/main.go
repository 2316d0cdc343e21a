// Command beside writes two PNG files side by side into one, in the colours that most of their
// pixels have, which for pages of text and plain figures keeps the file small.
//
//	go run ./scripts/beside LEFT.png RIGHT.png OUT.png
package main

import (
	"cmp"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"maps"
	"os"
	"slices"
)

// gap is the width in pixels of the white strip between the two.
const gap = 24

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: beside LEFT.png RIGHT.png OUT.png")
		os.Exit(2)
	}
	if err := beside(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "beside:", err)
		os.Exit(1)
	}
}

func beside(left, right, out string) error {
	l, err := read(left)
	if err != nil {
		return err
	}
	r, err := read(right)
	if err != nil {
		return err
	}
	both := image.NewRGBA(image.Rect(0, 0, l.Bounds().Dx()+gap+r.Bounds().Dx(), max(l.Bounds().Dy(), r.Bounds().Dy())))
	draw.Draw(both, both.Bounds(), image.White, image.Point{}, draw.Src)
	draw.Draw(both, l.Bounds(), l, image.Point{}, draw.Src)
	draw.Draw(both, r.Bounds().Add(image.Pt(l.Bounds().Dx()+gap, 0)), r, image.Point{}, draw.Src)
	few := image.NewPaletted(both.Bounds(), commonest(both, 256))
	draw.Draw(few, few.Bounds(), both, image.Point{}, draw.Src)
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(f, few); err != nil {
		f.Close()
		return fmt.Errorf("%s: %w", out, err)
	}
	return f.Close()
}

func read(path string) (image.Image, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	picture, err := png.Decode(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return picture, nil
}

// commonest are the n colours that most pixels have, of as many the smaller first, so that the same
// picture gives the same file.
func commonest(picture *image.RGBA, n int) color.Palette {
	pixels := map[color.RGBA]int{}
	for i := 0; i < len(picture.Pix); i += 4 {
		pixels[color.RGBA{picture.Pix[i], picture.Pix[i+1], picture.Pix[i+2], picture.Pix[i+3]}]++
	}
	colours := slices.SortedFunc(maps.Keys(pixels), func(a, b color.RGBA) int {
		return cmp.Or(cmp.Compare(pixels[b], pixels[a]), cmp.Compare(a.R, b.R), cmp.Compare(a.G, b.G), cmp.Compare(a.B, b.B))
	})
	var palette color.Palette
	for _, c := range colours[:min(n, len(colours))] {
		palette = append(palette, c)
	}
	return palette
}
