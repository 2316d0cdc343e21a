// Command calibration measures whether p-values against the baseline hold: 4,000 random
// directions of seeds that the baseline does not use are loaded as directions, computed, and
// held against the baseline as features are. Their p-values are to be uniform.
//
//	go run ./bench/calibration                 # the example and GPT-2's shape
//	go run ./bench/calibration -model example  # or gpt2
//
// It prints the observed share of p-values below each level, over the level, by class of
// set size, and ends with an error where one is outside 0.5 to 1.5, or where more than 1 in
// 10,000 pairs have a q-value below 0.05. Of the example it also prints the share of pairs with
// q < 0.05 of its first and last layer, and of directions that have something planted in them.
package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/bench/measure"
)

// The observed shares that are wanted, over their level.
const least, most = 0.5, 1.5

// seed is the first of the seeds of the directions; the baseline's is 1.
const seed = 77

// perSeed is how many directions have one seed.
const perSeed = 1000

func main() {
	directions := flag.Int("directions", 4000, "random directions that are held against the baseline")
	model := flag.String("model", "", "example or gpt2 (by default both)")
	flag.Parse()
	var err error
	switch *model {
	case "":
		err = errors.Join(example(*directions), gpt2(*directions))
	case "example":
		err = example(*directions)
	case "gpt2":
		err = gpt2(*directions)
	default:
		err = fmt.Errorf("-model: expected example or gpt2, found %q", *model)
	}
	measure.Main("calibration", err)
}

// example measures on the model of the example, with every family of token sets.
func example(directions int) error {
	return calibrate("the example", 576, directions, power, [][]string{
		{"load", "model", "examples/smollm2-135m/SmolLM2-135M-Instruct.unembedding.gguf", "--name", "model"},
		{"load", "sae", "examples/smollm2-135m/saes/blocks.4.hook_resid_pre"},
		{"load", "sae", "examples/smollm2-135m/saes/blocks.29.hook_resid_pre"},
		{"load", "sets"},
		{"sql", plant(576)},
		{"load", "directions", "--name", "planted", "--sql", "SELECT w_dec FROM planted ORDER BY feature"},
	})
}

// gpt2 measures on random weights of GPT-2's shape, with random token sets.
func gpt2(directions int) error {
	shape := measure.GPT2(directions)
	files, err := shape.Write()
	if err != nil {
		return err
	}
	sets := filepath.Join(measure.Scratch, "calibration-sets.json")
	if err := measure.RandomSets(shape.Vocab).Write(sets); err != nil {
		return err
	}
	return calibrate("GPT-2's shape", shape.DModel, directions, nil, [][]string{{"load", "model", files.Model, "--name", "model"}, {"load", "sets", sets}})
}

// calibrate measures on a database that commands of saedb fill, and prints what more there is
// to see in it.
func calibrate(name string, dModel, directions int, more func(*sql.DB) error, commands [][]string) error {
	program, err := measure.Saedb()
	if err != nil {
		return err
	}
	database := measure.Scratched(program, "calibration")
	if err := errors.Join(os.MkdirAll(measure.Scratch, 0o755), database.Remove()); err != nil {
		return err
	}
	defer database.Remove()
	fmt.Printf("%s\n%s, %d random directions of seeds from %d\n", measure.Machine(), name, directions, seed)
	err = database.All(append(commands,
		[]string{"load", "directions", "--name", "chance", "--sql", fmt.Sprintf("SELECT random_direction(%d + range // %[2]d, range %% %[2]d, %[3]d) AS w_dec FROM range(%[4]d)", seed, perSeed, dModel, directions)},
		[]string{"compute"},
	)...)
	if err != nil {
		return err
	}
	db, err := saedb.Open(context.Background(), database.Path, saedb.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer db.Close()
	classes, err := measure.Calibrate(context.Background(), db.DB, "chance")
	if err != nil {
		return err
	}
	fmt.Println("\n" + measure.CalibrationTable(classes))
	var all []error
	for _, c := range classes {
		all = append(all, c.Check(least, most))
	}
	if more != nil {
		all = append(all, more(db.DB))
	}
	return errors.Join(all...)
}
