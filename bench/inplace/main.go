// Command inplace measures what it takes to load an SAE's bfloat16 weights and to compute with them,
// where they are copied into the database and where they stay in their files (load sae --in-place):
//
//	go run ./bench/inplace           # 131,072 features × 2,304, 604 MB
//	go run ./bench/inplace -quick    # 8,192 features
//
// Loads are set against copying and hashing the same file in the same run. The file is in the
// system's cache. The figures of both must be equal, bit for bit.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/saedb/saedb/bench/measure"
)

func main() {
	features := flag.Int("features", 131072, "features of the SAE")
	quick := flag.Bool("quick", false, "the same as -features 8192")
	flag.Parse()
	if *quick {
		*features = 8192
	}
	measure.Main("inplace", run(measure.Shape{Name: "wide", DModel: 2304, Vocab: 8192, Features: *features}))
}

// A home is where weights are.
type home struct {
	name          string
	flags         []string
	load, compute measure.Run
	loaded, after int64  // bytes of the database
	figures       string // a hash of all of them
}

func run(shape measure.Shape) error {
	program, err := measure.Saedb()
	if err != nil {
		return err
	}
	files, err := shape.WriteBFloat16()
	if err != nil {
		return err
	}
	weights := filepath.Join(files.SAE, "sae_weights.safetensors")
	about, err := os.Stat(weights)
	if err != nil {
		return err
	}
	fmt.Printf("%s\n%v, %.0f MB in bfloat16\n\n", measure.Machine(), shape, megabytes(about.Size()))

	copied := filepath.Join(measure.Scratch, "inplace-copied")
	least, err := measure.Command(nil, "sh", "-c", `cp "$1" "$2" && sha256sum "$2" && rm "$2"`, "sh", weights, copied)
	if err != nil {
		return err
	}
	homes := []*home{{name: "copied"}, {name: "in place", flags: []string{"--in-place"}}}
	for _, h := range homes {
		if err := h.measure(program, files); err != nil {
			return err
		}
	}
	if homes[0].figures != homes[1].figures {
		return fmt.Errorf("figures: copied weights give %s, weights in their files %s", homes[0].figures, homes[1].figures)
	}
	fmt.Printf("%-10s %8s %8s %9s %9s %11s %9s %12s\n", "", "load s", "MB/s", "load MiB", "then MB", "compute s", "peak MiB", "database MB")
	for _, h := range homes {
		seconds := h.load.Wall.Seconds()
		fmt.Printf("%-10s %8.2f %8.0f %9.0f %9.0f %11.2f %9.0f %12.0f\n", h.name, seconds, megabytes(about.Size())/seconds, measure.MiB(h.load.Peak),
			megabytes(h.loaded), h.compute.Wall.Seconds(), measure.MiB(h.compute.Peak), megabytes(h.after))
	}
	fmt.Println()
	for _, h := range homes {
		name := strings.ReplaceAll(h.name, " ", "_")
		fmt.Printf("load_%s_over_copy=%.2f (cp and sha256sum %.2f s)\n", name, h.load.Wall.Seconds()/least.Wall.Seconds(), least.Wall.Seconds())
	}
	fmt.Printf("compute_in_place_over_copied=%.2f\n", homes[1].compute.Wall.Seconds()/homes[0].compute.Wall.Seconds())
	return nil
}

// measure loads and computes, in a database of its own.
func (h *home) measure(program string, files measure.Weights) error {
	d := measure.Scratched(program, "inplace")
	if err := d.Remove(); err != nil {
		return err
	}
	defer d.Remove()
	if _, err := d.Saedb("load", "model", files.Model, "--name", "gpt2"); err != nil {
		return err
	}
	for _, step := range []struct {
		run       *measure.Run
		size      *int64
		arguments []string
	}{
		{&h.load, &h.loaded, append([]string{"load", "sae", files.SAE}, h.flags...)},
		{&h.compute, &h.after, []string{"compute", "--baseline", "0"}},
	} {
		var err error
		if *step.run, err = d.Saedb(step.arguments...); err != nil {
			return err
		}
		if *step.size, err = d.Size(); err != nil {
			return err
		}
	}
	figures, err := d.Saedb("sql", "SELECT count(*), bit_xor(hash(feature, mean, std, skewness, kurtosis, top_tokens, bottom_tokens)) FROM features WHERE std IS NOT NULL")
	h.figures = strings.Join(strings.Fields(figures.Output), " ")
	return err
}

func megabytes(bytes int64) float64 { return float64(bytes) / 1e6 }
