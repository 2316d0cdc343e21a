package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/saedb/saedb/bench/measure"
)

const feature = 0 // whose logit weights are the signature

// weighted scores one feature's logit weights in the 100 sets: with saedb, the whole
// command, which reads the model first; with GSEApy and blitzGSEA, the analysis alone.
func (s *setting) weighted(permutations int) error {
	from := fmt.Sprintf("FROM decoder_directions WHERE feature = %d", feature)
	signature, err := s.many.Saedb("sql", "--format", "csv", "SELECT unnest(logit_weights(w_dec, model)) AS logit_weight "+from)
	if err != nil {
		return err
	}
	weights := filepath.Join(measure.Scratch, "enrichment-weights.csv")
	if err := os.WriteFile(weights, []byte(signature.Output[len("logit_weight\n"):]), 0o644); err != nil {
		return err
	}
	fmt.Printf("weighted enrichment of one feature in %d sets, %d permutations:\n", len(s.many.sets), permutations)
	run, err := s.many.Saedb("sql", "--read-only", "--format", "csv", fmt.Sprintf(`SELECT e.token_set, %d AS feature, e.es, e.nes, e.p_value FROM (
		SELECT unnest(weighted_enrichment(w_dec, model, (SELECT list(token_set) FROM token_sets), 1, %d)) AS e %s)`, feature, permutations, from))
	if err != nil {
		return err
	}
	ours := run.Wall.Seconds()
	row("saedb, the whole command", ours, run, run.Peak, "")
	for _, peer := range []struct{ title, name string }{{"GSEApy, prerank alone", "gseapy"}, {"blitzGSEA, gsea alone", "blitzgsea"}} {
		seconds, peak, ran, theirs, err := script(gseaPython, "prerank.py", peer.name, weights, s.many.file, strconv.Itoa(permutations))
		if err != nil {
			return err
		}
		row(peer.title, seconds, ran, peak, fmt.Sprintf("saedb × %.1f", seconds/ours))
		if err := agree(peer.title, run.Output, theirs, len(s.many.sets), 1e-6); err != nil {
			return err
		}
	}
	fmt.Println()
	return nil
}
