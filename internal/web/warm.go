package web

import (
	"context"
	"slices"

	"github.com/saedb/saedb/internal/figures"
)

// warm does in the background what the first page of a kind would wait for. Only time
// is lost when a part of it fails: who needs it then reads it himself.
func (s *Server) warm(ctx context.Context) {
	ctx, s.cool = context.WithCancel(ctx)
	s.warming.Go(func() {
		for _, a := range s.catalogue.saes {
			_, _ = s.vocabulary(ctx, a.modelID)
		}
		var tokens int // the unembedding is read and kept for a function that uses it
		_ = s.db.QueryRowContext(ctx, `SELECT len(logit_weights(w_dec, model)) FROM decoder_directions LIMIT 1`).Scan(&tokens)
		_ = s.readStrongestSets(ctx)
		_, _ = s.draw(ctx, figures.Request{Name: "layers", Feature: -1, MostPoints: mostPoints})
	})
}

// readStrongestSets finds, for every SAE, the token sets that its figure shows, which
// takes reading all scores.
func (s *Server) readStrongestSets(ctx context.Context) error {
	rows, err := s.db.QueryContext(ctx, `SELECT sae_id, token_set FROM (
			SELECT sae_id, set_id, min(log10_p) AS log10_p, max(es) AS es FROM stored_enrichment WHERE promoted GROUP BY sae_id, set_id
		) JOIN stored_token_sets USING (set_id)
		QUALIFY row_number() OVER (PARTITION BY sae_id ORDER BY log10_p, es DESC, token_set) <= ?`, figures.ManhattanSets)
	if err != nil {
		return err
	}
	defer rows.Close()
	sets := map[string][]string{}
	for rows.Next() {
		var id int
		var set string
		if err := rows.Scan(&id, &set); err != nil {
			return err
		}
		if a := s.catalogue.byID[id]; a != nil {
			sets[a.name] = append(sets[a.name], set)
		}
	}
	for _, list := range sets {
		slices.Sort(list)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	s.strongest.Store(&sets)
	return nil
}

// strongestSets are those of an SAE; nil when they are not known.
func (s *Server) strongestSets(sae string) []string {
	if known := s.strongest.Load(); known != nil {
		return (*known)[sae]
	}
	return nil
}
