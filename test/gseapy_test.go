package test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/saedb/saedb"
)

const (
	gseapyFeature = "FROM decoder_directions WHERE layer = 24 AND feature = 202"
	permutations  = 1000
)

// prerank is a row of GSEApy's figures.
type prerank struct {
	Weight     float64
	Set        string
	ES, NES, P float64
	Edge       []int32
}

// TestGSEApy compares weighted enrichment, in SQL, with GSEApy's preranked analysis
// of the same feature: scores and leading edges are those of the same data, NES and
// p-values come from other permutations.
func TestGSEApy(t *testing.T) {
	t.Parallel()
	db := openExample(t)
	rows := runGSEApy(t, db)
	if len(rows) != 8 {
		t.Fatalf("GSEApy scored %d sets, expected 4 under 2 weights", len(rows))
	}
	// The sizes of random scores spread by less than 0.4 of their mean, and at least a
	// third of them have either sign: five standard errors of two independent runs.
	const sameSign = permutations / 3
	nesBound := 5 * 0.4 * math.Sqrt(2./sameSign)
	var es, nes float64
	for _, theirs := range rows {
		ours := scoreInSQL(t, db, theirs)
		name := fmt.Sprintf("weight %v, set %s", theirs.Weight, theirs.Set)
		es, nes = max(es, math.Abs(ours.ES-theirs.ES)), max(nes, math.Abs(ours.NES/theirs.NES-1))
		if !(math.Abs(ours.ES-theirs.ES) <= 1e-9) {
			t.Errorf("%s: es %v, GSEApy %v", name, ours.ES, theirs.ES)
		}
		if !(math.Abs(ours.NES/theirs.NES-1) <= nesBound) {
			t.Errorf("%s: nes %v, GSEApy %v", name, ours.NES, theirs.NES)
		}
		// GSEApy's p may be 0; ours counts the score itself as one more.
		if p := theirs.P; !(math.Abs(ours.P-p) <= 2./sameSign+5*math.Sqrt(2*p*(1-p)/sameSign)) {
			t.Errorf("%s: p-value %v, GSEApy %v", name, ours.P, p)
		}
		if !slices.Equal(ours.Edge, theirs.Edge) {
			t.Errorf("%s: leading edge %v, GSEApy %v", name, ours.Edge, theirs.Edge)
		}
	}
	t.Logf("largest differences: es %.1e, nes %.1f %%", es, 100*nes)
}

// runGSEApy gives GSEApy the logit weights of the feature and the members of four sets.
func runGSEApy(t *testing.T, db *saedb.DB) []prerank {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3 on this machine")
	}
	client := filepath.Join(clients, "gseapy-1.3.1")
	if _, err := os.Stat(filepath.Join(client, ".complete")); err != nil {
		t.Skip("GSEApy is not installed; make python-clients installs it")
	}
	var sets, weights string
	err = db.QueryRowContext(t.Context(), `SELECT CAST(json_group_object(token_set, tokens) AS VARCHAR) FROM token_sets
		WHERE token_set IN ('all_digits', 'boy_names', 'girl_names', 'contains_close_bracket')`).Scan(&sets)
	if err == nil {
		err = db.QueryRowContext(t.Context(), "SELECT array_to_string(logit_weights(w_dec, model), chr(10)) "+gseapyFeature).Scan(&weights)
	}
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	out, err := exec.Command(python, "testdata/prerank.py", client, write(t, dir, "sets.json", []byte(sets)),
		write(t, dir, "weights.csv", []byte(weights)), fmt.Sprint(permutations)).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Log(string(exit.Stderr))
		}
		t.Fatal(err)
	}
	var rows []prerank
	if err := json.Unmarshal(out, &rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

// scoreInSQL is what saedb says of the set and weight of a row.
func scoreInSQL(t *testing.T, db *saedb.DB, of prerank) prerank {
	t.Helper()
	ours := prerank{Weight: of.Weight, Set: of.Set}
	var edge string
	err := db.QueryRowContext(t.Context(), fmt.Sprintf(`SELECT e.es, e.nes, e.p_value, CAST(edge AS VARCHAR) FROM (
		SELECT weighted_enrichment(w_dec, model, [$1], %[1]v, %[2]d)[1] AS e,
		       list_transform(leading_edge(w_dec, model, $1, %[1]v), lambda m: m.token_id) AS edge %[3]s)`,
		of.Weight, permutations, gseapyFeature), of.Set).Scan(&ours.ES, &ours.NES, &ours.P, &edge)
	if err == nil {
		err = json.Unmarshal([]byte(strings.ReplaceAll(edge, " ", "")), &ours.Edge)
	}
	if err != nil {
		t.Fatal(err)
	}
	return ours
}
