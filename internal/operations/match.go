package operations

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/files"
	"github.com/saedb/saedb/internal/version"
	schema "github.com/saedb/saedb/sql"
)

// MatchRequest asks for a matching of the features of two SAEs.
type MatchRequest struct {
	A, B   string  // words for one SAE each
	Cosine float64 // the least |cosine| of a pair
	Folded bool    // by decoder directions times thresholds; see the function match_saes
	To     string  // file of JSON that the matching is written to; empty for none
}

// Matching is what match_saes gives of two SAEs, as a file of JSON has it.
type Matching struct {
	Version string     `json:"saedb_version"`
	Made    time.Time  `json:"made_at"` // UTC
	By      string     `json:"matched_by"`
	Cosine  float64    `json:"least_cosine"`
	A       MatchedSAE `json:"a"`
	B       MatchedSAE `json:"b"`

	Matched      int      `json:"matched"`
	PWMCC        *float64 `json:"pw_mcc"`         // mean |cosine| of the pairs; nil without any
	MeanOfMaxima *float64 `json:"mean_of_maxima"` // nil where it is not known
	Sum          float64  `json:"sum_of_worth"`
	SumAtMost    float64  `json:"sum_at_most"` // that no matching is above

	Pairs    []MatchedPair  `json:"pairs"`
	OnlyA    []int          `json:"only_in_a"`
	OnlyB    []int          `json:"only_in_b"`
	SplitOfB []MatchedSplit `json:"several_of_a_nearest_to_one_of_b"`
}

// MatchedSAE is where an SAE comes from.
type MatchedSAE struct {
	SAE           string  `json:"sae"`
	Release       string  `json:"release"`
	Model         string  `json:"model"`
	Hook          *string `json:"hook"`
	Features      int     `json:"features"`
	NeuronpediaID *string `json:"neuronpedia_id"`
	Source        string  `json:"source"`
	Revision      *string `json:"revision"`
	SHA256        string  `json:"sha256"` // of its files, as of a load
	Scale         string  `json:"scale"`
}

// MatchedPair is two features that are partners.
type MatchedPair struct {
	A            int      `json:"a"`
	B            int      `json:"b"`
	Cosine       float64  `json:"cosine"`
	SquaredError *float64 `json:"squared_error,omitempty"`
}

// MatchedSplit is a feature of b that is the nearest of several of a.
type MatchedSplit struct {
	B int   `json:"b"`
	A []int `json:"a"`
}

// Match matches the features of two SAEs one to one, and writes what comes of it where a file is
// named, in place of one that is there.
func (d *Database) Match(ctx context.Context, r MatchRequest) (Matching, error) {
	const op = "match"
	m := Matching{Version: version.Number, Made: time.Now().UTC(), By: "decoder cosine", Cosine: r.Cosine}
	if r.Folded {
		m.By = "decoder direction times threshold"
	}
	if err := d.Require(ctx); err != nil {
		return m, fault.At(op, "", err)
	}
	for i, words := range []string{r.A, r.B} {
		if err := d.describeMatched(ctx, words, []*MatchedSAE{&m.A, &m.B}[i]); err != nil {
			return m, fault.At(op, words, err)
		}
	}
	if err := d.readMatching(ctx, r, &m); err != nil {
		return m, fault.At(op, "", fault.Returned(err))
	}
	if r.To == "" {
		return m, nil
	}
	err := files.WriteWhole(r.To, func(w io.Writer) error {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", " ")
		return encoder.Encode(m)
	})
	return m, fault.At(op, r.To, err)
}

// describeMatched says where the SAE that words mean comes from.
func (d *Database) describeMatched(ctx context.Context, words string, to *MatchedSAE) error {
	err := d.DB.QueryRowContext(ctx, `SELECT s.sae, s.release, m.model, s.hook, s.d_sae, s.neuronpedia_id, l.source, l.revision, l.sha256, s.scale
		FROM stored_saes s JOIN stored_models m USING (model_id) JOIN stored_loads l ON l.load_id = s.sae_id WHERE s.sae = sae_named(?)`, words).
		Scan(&to.SAE, &to.Release, &to.Model, &to.Hook, &to.Features, &to.NeuronpediaID, &to.Source, &to.Revision, &to.SHA256, &to.Scale)
	return fault.Returned(err)
}

// readMatching fills in what match_saes gives.
func (d *Database) readMatching(ctx context.Context, r MatchRequest, m *Matching) error {
	rows, err := d.DB.QueryContext(ctx, fmt.Sprintf(`SELECT feature_a, feature_b, cosine, max_absolute_cosine, sum_at_most, nearest_b, worth, squared_error
		FROM match_saes(%s, %s, cosine := %g, folded := %t)`, schema.Literal(m.A.SAE), schema.Literal(m.B.SAE), r.Cosine, r.Folded))
	if err != nil {
		return err
	}
	defer rows.Close()
	m.Pairs, m.OnlyA, m.OnlyB, m.SplitOfB = []MatchedPair{}, []int{}, []int{}, []MatchedSplit{} // [] and not null
	nearest := make([][]int, m.B.Features)
	var sum, maxima float64
	known := 0
	for rows.Next() {
		var a, b, near *int
		var cosine, largest, worth, squared *float64
		if err := rows.Scan(&a, &b, &cosine, &largest, &m.SumAtMost, &near, &worth, &squared); err != nil {
			return err
		}
		switch {
		case a == nil:
			m.OnlyB = append(m.OnlyB, *b)
		case b == nil:
			m.OnlyA = append(m.OnlyA, *a)
		default:
			m.Pairs = append(m.Pairs, MatchedPair{*a, *b, *cosine, squared})
			sum, m.Sum = sum+math.Abs(*cosine), m.Sum+*worth
		}
		if a != nil && near != nil {
			nearest[*near] = append(nearest[*near], *a)
		}
		if largest != nil {
			maxima, known = maxima+*largest, known+1
		}
	}
	for b, of := range nearest {
		if len(of) > 1 {
			m.SplitOfB = append(m.SplitOfB, MatchedSplit{b, of})
		}
	}
	if m.Matched = len(m.Pairs); m.Matched > 0 {
		mean := sum / float64(m.Matched)
		m.PWMCC = &mean
	}
	if known > 0 {
		mean := maxima / float64(known)
		m.MeanOfMaxima = &mean
	}
	return rows.Err()
}
