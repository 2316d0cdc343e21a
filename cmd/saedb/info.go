package main

import (
	"fmt"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/internal/output"
	"github.com/urfave/cli/v2"
)

var infoCommand = &cli.Command{
	Name:   "info",
	Usage:  "list the loaded models and SAEs and what is computed",
	Action: printInfo,
}

// The tables that info prints, those that are optional where they have rows.
var infoQueries = []struct {
	title, query string
	optional     bool
}{
	{"Models", `SELECT m.model, m.architecture, m.d_model, m.d_vocab, l.conventions AS processing, m.dtype, l.source
		FROM models m JOIN loads l USING (load_id) ORDER BY m.model`, false},
	{"SAEs", `SELECT s.sae, s.model, s.layer, s.hook, s.architecture, s.d_sae AS features,
			coalesce(t.computed, 0) AS computed, s.tokens
		FROM saes s LEFT JOIN (SELECT sae_id, count(*) AS computed FROM stored_statistics GROUP BY sae_id) t ON t.sae_id = s.load_id
		ORDER BY s.release, s.layer, s.sae`, false},
	{"Explanations", `WITH loaded AS (
			SELECT neuronpedia_id, 1 AS explanation FROM stored_explanations UNION ALL SELECT neuronpedia_id, 0 FROM stored_neuronpedia_features
		)
		SELECT neuronpedia_id, sum(explanation) AS explanations, count(*) - sum(explanation) AS activations_of_features,
			(SELECT list(s.sae ORDER BY s.sae) FROM saes s WHERE s.neuronpedia_id = l.neuronpedia_id) AS saes
		FROM loaded l GROUP BY neuronpedia_id ORDER BY neuronpedia_id`, true},
}

func printInfo(c *cli.Context) error {
	if c.Args().Present() {
		return wrongUsage("info: expected no argument, found %q", c.Args().First())
	}
	db, err := openDatabase(c, saedb.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer db.Close()
	if err := requireTables(c.Context, db, "info", c.String("db")); err != nil {
		return err
	}
	var size string
	if err := db.QueryRowContext(c.Context, "SELECT database_size FROM pragma_database_size()").Scan(&size); err != nil {
		return err
	}
	fmt.Fprintf(c.App.Writer, "%s: %s\n", c.String("db"), size)
	for _, q := range infoQueries {
		if q.optional {
			var rows int
			if err := db.QueryRowContext(c.Context, "SELECT count(*) FROM ("+q.query+")").Scan(&rows); err != nil {
				return err
			}
			if rows == 0 {
				continue
			}
		}
		rows, err := db.QueryContext(c.Context, q.query)
		if err != nil {
			return err
		}
		fmt.Fprintf(c.App.Writer, "\n%s\n", q.title)
		_, err = output.Write(c.App.Writer, output.Table, rows)
		rows.Close()
		if err != nil {
			return err
		}
	}
	return nil
}
