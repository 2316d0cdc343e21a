package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/bench/measure"
)

// layers is how many SAEs the database has: one is loaded and computed by the
// program, the others are copies of its rows.
const layers = 12

// makeDatabase returns the path of a database of GPT-2's size, and makes it unless a
// former run did: a model, an SAE a layer, 100 token sets and every feature's
// enrichment in them.
func makeDatabase(program string, shape measure.Shape) (string, error) {
	path := filepath.Join(measure.Scratch, fmt.Sprintf("explorer-%d.db", shape.Features))
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	files, err := shape.Write()
	if err != nil {
		return "", err
	}
	sets := filepath.Join(measure.Scratch, "explorer-sets.json")
	if err := measure.RandomSets(shape.Vocab).Write(sets); err != nil {
		return "", err
	}
	partial := path + ".partial"
	for _, name := range []string{partial, partial + ".wal"} {
		if err := os.RemoveAll(name); err != nil {
			return "", err
		}
	}
	for _, arguments := range [][]string{
		{"load", "model", files.Model, "--name", "gpt2"},
		{"load", "sae", files.SAE, "--release", "gpt2-shape", "--neuronpedia-id", "gpt2-small/8-res-jb"},
		{"load", "sets", sets},
		{"compute"},
	} {
		run, err := measure.Command(nil, program, append([]string{"--db", partial}, arguments...)...)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(os.Stderr, "saedb %s: %.1f s\n", arguments[0], run.Wall.Seconds())
	}
	// The program itself lets nobody change its tables by hand.
	db, err := saedb.Open(context.Background(), partial, saedb.Options{})
	if err != nil {
		return "", err
	}
	_, err = db.Exec(copies(shape.Features))
	if err := errors.Join(err, db.Close()); err != nil {
		return "", err
	}
	return path, os.Rename(partial, path)
}

// copies is the SQL that copies the one SAE's rows to the other layers, in the order
// in which the program wrote them. So that no two layers are alike, directions are
// rotated, features' scores stand a thousand places on, and statistics are scaled.
func copies(features int) string {
	text := fmt.Sprintf(`
		CREATE TEMP TABLE copies AS SELECT sae_id AS of, CAST(100 + layer AS INTEGER) AS id, '.' || layer || '.' AS name, CAST(layer AS INTEGER) AS layer
			FROM stored_saes, range(%d) r(layer) WHERE layer <> block ORDER BY layer;
		INSERT INTO stored_loads SELECT o.* REPLACE (id AS load_id, replace(o.name, '.8.', copies.name) AS name) FROM copies JOIN stored_loads o ON o.load_id = of;
		INSERT INTO stored_saes SELECT o.* REPLACE (id AS sae_id, replace(sae, '.8.', name) AS sae, replace(hook, '.8.', name) AS hook, layer AS block,
			replace(neuronpedia_id, '/8-', '/' || layer || '-') AS neuronpedia_id) FROM copies JOIN stored_saes o ON o.sae_id = of;
		INSERT INTO stored_computations SELECT o.* REPLACE (id AS sae_id) FROM copies JOIN stored_computations o ON o.sae_id = of;`, layers)
	for layer := range layers {
		text += fmt.Sprintf(`
		INSERT INTO stored_decoders SELECT o.* REPLACE (id AS sae_id, list_concat(w_dec[layer + 2:], w_dec[:layer + 1]) AS w_dec)
			FROM stored_decoders o JOIN copies ON o.sae_id = of WHERE layer = %[2]d;
		INSERT INTO stored_statistics SELECT o.* REPLACE (id AS sae_id, std * (1 + layer / 100) AS std, skewness * (1 + layer / 100) AS skewness, kurtosis * (1 + layer / 100) AS kurtosis)
			FROM stored_statistics o JOIN copies ON o.sae_id = of WHERE layer = %[2]d;
		INSERT INTO stored_enrichment SELECT o.* REPLACE (id AS sae_id, (feature + 1000 * (layer + 1)) %% %[1]d AS feature)
			FROM stored_enrichment o JOIN copies ON o.sae_id = of WHERE layer = %[2]d;`, features, layer)
	}
	return text + "\nCHECKPOINT"
}
