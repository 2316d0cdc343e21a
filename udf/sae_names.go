package udf

import (
	"fmt"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/udf/capi"
)

// storedSAE is an SAE in the tables of a database that is open or attached.
type storedSAE struct {
	in                   attached
	id                   int32
	name, release, short string
	layer                string // layer_N, empty where there is none
	content              string // stands for the weights: their SHA-256 and what was done to them
	dModel, count        int    // count is how many features it has
	encoder              bool   // whether its encoder is there
	encoderHash          string // of the encoder's rows
	place                place
}

// saes returns the SAEs of every database, those of the one that was opened first, each
// database's by name.
func (d *database) saes() ([]*storedSAE, error) {
	databases, err := d.having("stored_saes", "encoder_hook")
	if err != nil {
		return nil, err
	}
	var all []*storedSAE
	for _, in := range databases {
		if err != nil {
			return nil, err
		}
		err = d.query(fmt.Sprintf(`SELECT s.sae, s.release, s.short_name, coalesce('layer_' || s.layer, ''),
				coalesce(l.sha256 || ' ' || l.conventions, ''), s.sae_id, s.d_model, s.d_sae,
				s.encoder_hook IS NOT NULL, coalesce(CAST(c.row_hash AS VARCHAR), ''),
				coalesce(p.path, ''), coalesce(p.decoder, '')
			FROM %s s LEFT JOIN %s l ON l.load_id = s.sae_id
			LEFT JOIN %s c ON c.load_id = s.sae_id AND c.stored_table = 'stored_encoders'
			LEFT JOIN %s p ON p.sae_id = s.sae_id
			ORDER BY s.sae`, in.table("stored_saes"), in.table("stored_loads"), in.table("stored_contents"), in.table("stored_in_place")), func(chunk capi.Chunk) error {
			n := chunk.Rows()
			ids, widths := capi.Values[int32](chunk.Column(5), n), capi.Values[int32](chunk.Column(6), n)
			counts, encoders := capi.Values[int32](chunk.Column(7), n), capi.Values[bool](chunk.Column(8), n)
			for i := range n {
				all = append(all, &storedSAE{
					in: in, id: ids[i], name: chunk.Column(0).Text(i), release: chunk.Column(1).Text(i),
					short: chunk.Column(2).Text(i), layer: chunk.Column(3).Text(i), content: chunk.Column(4).Text(i),
					dModel: int(widths[i]), count: int(counts[i]),
					encoder: encoders[i], encoderHash: chunk.Column(9).Text(i), place: place{chunk.Column(10).Text(i), chunk.Column(11).Text(i)},
				})
			}
			return nil
		})
	}
	return all, err
}

// meant are the SAEs that words mean, as the macro saes_matching has it but for patterns: by
// name, by the name in the release, or by the layer.
func meant(all []*storedSAE, words string) []*storedSAE {
	for _, called := range []func(*storedSAE, string) bool{
		func(s *storedSAE, words string) bool { return s.name == words || s.release+"/"+s.short == words },
		func(s *storedSAE, words string) bool { return s.short == words },
		func(s *storedSAE, words string) bool {
			return s.layer != "" && (s.layer == words || s.release+"/"+s.layer == words)
		},
	} {
		var found []*storedSAE
		for _, s := range all {
			if called(s, words) {
				found = append(found, s)
			}
		}
		if len(found) > 0 {
			return found
		}
	}
	return nil
}

// oneSAE chooses the one SAE that words mean, or database.words.
func oneSAE(words string, all []*storedSAE) (*storedSAE, error) {
	found := meant(all, words)
	if len(found) == 0 {
		if database, rest, ok := strings.Cut(words, "."); ok {
			var there []*storedSAE
			for _, s := range all {
				if s.in.name == database {
					there = append(there, s)
				}
			}
			found = meant(there, rest)
		}
	}
	if len(found) == 0 {
		e := &fault.Error{Problem: "no SAE of that name is in this database", Hint: "none is loaded; saedb load sae loads them"}
		if names := namesOf(all, func(*storedSAE) bool { return true }); names != "" {
			e.Hint = "loaded: " + names
		}
		return nil, e
	}
	for _, other := range found[1:] {
		first := found[0]
		if other.in == first.in {
			return nil, &fault.Error{
				Problem: fmt.Sprintf("%d SAEs are called so", len(found)),
				Hint:    "name one: " + namesOf(found, func(*storedSAE) bool { return true }),
			}
		}
		if other.content != first.content {
			return nil, &fault.Error{
				Problem: "has other weights in each of several databases",
				Hint: fmt.Sprintf("put the database before it: %s.%s or %s.%s",
					first.in.name, first.name, other.in.name, other.name),
			}
		}
	}
	return found[0], nil
}
