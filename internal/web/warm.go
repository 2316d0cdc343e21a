package web

import (
	"context"
	"net/url"

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
		_, _ = s.data(ctx, "figure", url.Values{"name": {"layers"}})
		_ = s.readStrongestSets(ctx)
	})
}

// readStrongestSets finds, for every SAE, the token sets that its figure shows, which
// takes comparing the members of all sets.
func (s *Server) readStrongestSets(ctx context.Context) error {
	sets := map[string][]string{}
	for _, a := range s.catalogue.saes {
		found, err := figures.StrongestSets(ctx, s.db.DB, a.name)
		if err != nil {
			return err
		}
		sets[a.name] = found
	}
	s.strongest.Store(&sets)
	return nil
}

// strongestSets are those of an SAE by its name: read once, or, until they are known, when asked for.
func (s *Server) strongestSets(ctx context.Context, sae string) ([]string, error) {
	if known := s.strongest.Load(); known != nil {
		return (*known)[sae], nil
	}
	return figures.StrongestSets(ctx, s.db.DB, sae)
}
