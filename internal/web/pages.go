package web

import (
	"context"
	"net/url"
	"time"

	"github.com/saedb/saedb"
	schema "github.com/saedb/saedb/sql"
)

// A row is one of a list, by column.
type row map[string]any

// list returns the rows of a query of ours.
func (s *Server) list(ctx context.Context, query string, args ...any) ([]row, error) {
	columns, rows, err := schema.Values(ctx, s.db, query, args...)
	if err != nil {
		return nil, err
	}
	out := make([]row, len(rows))
	for i, values := range rows {
		out[i] = row{}
		for j, v := range values {
			if at, ok := v.(time.Time); ok {
				v = at.UTC().Format("2006-01-02 15:04")
			}
			out[i][columns[j]] = v
		}
	}
	return out, nil
}

// overview is what is loaded, for the first page and the filters.
func (s *Server) overview(ctx context.Context, _ url.Values) (any, error) {
	saes, err := s.list(ctx, `SELECT s.sae, s.release, s.model, s.layer, s.hook, s.architecture, s.d_sae AS features, s.tokens, l.source, l.sha256, l.loaded_at
		FROM saes s JOIN loads l USING (load_id) ORDER BY s.release, s.layer, s.sae`)
	if err != nil {
		return nil, err
	}
	models, err := s.list(ctx, `SELECT m.model, m.architecture, m.d_model, m.d_vocab AS tokens, l.source, l.sha256, l.loaded_at
		FROM models m JOIN loads l USING (load_id) ORDER BY m.model`)
	if err != nil {
		return nil, err
	}
	return map[string]any{"database": s.database, "version": saedb.Version, "saes": saes, "models": models}, nil
}

// layers is how many features of each SAE write something beyond chance. Every score is read.
func (s *Server) layers(ctx context.Context, _ url.Values) (any, error) {
	return s.list(ctx, `SELECT sae, beyond_chance, expected_by_chance FROM layers`)
}
