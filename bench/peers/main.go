// Command peers runs the whole job, files to figures, three times over on the same
// weights, one after the other: saedb, PyTorch in careful chunks, and SAELens's own
// way. It checks that the figures agree, and prints time, peak memory and ratios.
//
//	bench/peers/install.sh
//	go run ./bench/peers                     # GPT-2, 24,576 features
//	go run ./bench/peers -quick              # 2,048 features
//	go run ./bench/peers -only saedb         # saedb alone, which needs nothing installed
//
// Every program is a process of its own, with the files in the system's cache from
// a first reading. saedb has two rows: the figures that the others make, and these with what chance
// would give, for which compute by itself multiplies thousands of random directions more. SAELens has two
// too: its notebook's plain moments, and all the figures that saedb makes in one pass. It keeps whole
// matrices: it is left out, and the output says so, when the machine has not the memory.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/saedb/saedb/bench/measure"
)

func main() {
	features := flag.Int("features", 24576, "features of the SAE")
	quick := flag.Bool("quick", false, "the same as -features 2048")
	block := flag.Int("block", 128, "features that chunked PyTorch takes at once")
	saelens := flag.Bool("saelens", true, "run SAELens, where memory allows")
	only := flag.String("only", "", "saedb: measure it alone")
	flag.Parse()
	if *quick {
		*features = 2048
	}
	if *only != "" && *only != "saedb" {
		measure.Main("peers", fmt.Errorf("-only: expected saedb, found %q", *only))
	}
	measure.Main("peers", run(measure.GPT2(*features), *block, *saelens, *only == "saedb"))
}

func run(shape measure.Shape, block int, saelens, alone bool) error {
	if _, err := os.Stat(python); err != nil && !alone {
		return fmt.Errorf("the peers are not installed; run bench/peers/install.sh: %w", err)
	}
	files, err := shape.WriteForSAELens()
	if err != nil {
		return err
	}
	program, err := measure.Saedb()
	if err != nil {
		return err
	}
	fmt.Printf("%s\n%v\n\n", measure.Machine(), shape)
	if err := readOnce(files); err != nil {
		return err
	}
	database := measure.Scratched(program, "peers")
	withChance, err := runSaedb("saedb, with chance", database, files, "compute")
	if err != nil {
		return err
	}
	ours, err := runSaedb("saedb", database, files, "compute", "--baseline", "0")
	if err != nil {
		return err
	}
	if err := printBounds(shape, files, ours, withChance); err != nil {
		return err
	}
	if alone {
		printTimes(shape, []result{ours, withChance})
		return nil
	}
	chunked, err := runScript("PyTorch in chunks", "torch_chunked.py", files, "--block", strconv.Itoa(block))
	if err != nil {
		return err
	}
	rows, peers := []result{ours, withChance, chunked}, []result{chunked}
	if why := enoughMemory(shape); saelens && why == nil {
		whole, err := runScript("SAELens, all", "saelens_reference.py", files)
		if err != nil {
			return err
		}
		rows = append(rows, whole.upTo("statistics", "SAELens, plain"), whole)
		peers = append(peers, whole)
	} else if saelens {
		fmt.Printf("SAELens is left out: %v\n\n", why)
	}
	printTimes(shape, rows)
	for _, peer := range peers {
		if err := agree(database, peer); err != nil {
			return err
		}
	}
	return nil
}

// enoughMemory reports an error when SAELens's four whole matrices, the projection,
// its deviations, the z-scores and a power of them, would not fit.
func enoughMemory(shape measure.Shape) error {
	const others = 1 << 30 // the program, its libraries and the weights
	needed := 4*4*int64(shape.Features)*int64(shape.Vocab) + others
	if available := measure.AvailableMemory(); available < needed {
		return fmt.Errorf("it needs %.1f GiB, %.1f are free", measure.GiB(needed), measure.GiB(available))
	}
	return nil
}

// readOnce brings the weights into the system's cache, so that the first program
// does not pay for the disk.
func readOnce(files measure.Weights) error {
	for _, path := range []string{
		filepath.Join(files.Model, "model.safetensors"), filepath.Join(files.SAE, "sae_weights.safetensors"),
	} {
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, file)
		file.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}
