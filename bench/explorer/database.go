package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/bench/measure"
	schema "github.com/saedb/saedb/sql"
)

// layers is how many SAEs the database has: one is loaded and computed by the
// program, the others are copies of its rows.
const layers = 12

// makeDatabase makes a database of GPT-2's size, unless a former run did: a model, an SAE a
// layer, 100 token sets and every feature's enrichment in them.
func makeDatabase(program string, shape measure.Shape) (measure.Database, error) {
	database := measure.Scratched(program, fmt.Sprintf("explorer-%d", shape.Features))
	return database, database.Make(func(partial measure.Database) error {
		files, err := shape.Write()
		if err != nil {
			return err
		}
		sets := filepath.Join(measure.Scratch, "explorer-sets.json")
		if err := measure.RandomSets(shape.Vocab).Write(sets); err != nil {
			return err
		}
		err = partial.All(
			[]string{"load", "model", files.Model, "--name", "gpt2"},
			[]string{"load", "sae", files.SAE, "--release", "gpt2-shape", "--neuronpedia-id", "gpt2-small/8-res-jb"},
			[]string{"load", "sets", sets},
			[]string{"compute"},
		)
		if err != nil {
			return err
		}
		// The program itself lets nobody change its tables by hand.
		db, err := saedb.Open(context.Background(), partial.Path, saedb.Options{})
		if err != nil {
			return err
		}
		_, err = db.Exec(copies(shape.Features))
		return errors.Join(err, db.Close())
	})
}

// copies is the SQL that copies the one SAE's rows to the other layers, in the order
// in which the program wrote them. So that no two layers are alike, directions are
// rotated, features' scores stand a thousand places on, and statistics are scaled.
func copies(features int) string {
	text := fmt.Sprintf(`
		CREATE TEMP TABLE copies AS SELECT sae_id AS of, CAST(100 + r.layer AS INTEGER) AS id, '.' || r.layer || '.' AS name, CAST(r.layer AS INTEGER) AS layer
			FROM stored_saes, range(%d) r(layer) WHERE r.layer <> block ORDER BY ALL;
		INSERT INTO stored_loads SELECT o.* REPLACE (id AS load_id, replace(o.name, '.8.', copies.name) AS name) FROM copies JOIN stored_loads o ON o.load_id = of;
		INSERT INTO stored_saes SELECT o.* REPLACE (id AS sae_id, replace(sae, '.8.', name) AS sae, replace(short_name, '.8.', name) AS short_name, replace(hook, '.8.', name) AS hook, copies.layer AS block, copies.layer AS layer,
			replace(neuronpedia_id, '/8-', '/' || copies.layer || '-') AS neuronpedia_id) FROM copies JOIN stored_saes o ON o.sae_id = of;
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
	return text + "\n" + schema.Output.CountSets("true") + ";\nCHECKPOINT"
}
