package figures

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestReportHasWhatSQLHas(t *testing.T) {
	db := open(t)
	r, err := BuildReport(context.Background(), db, "demo.db")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]int{}
	for _, table := range r.Tables {
		rows[table.ID] = len(table.Rows)
		for _, row := range table.Rows {
			if len(row) != len(table.Columns) {
				t.Fatalf("%s: a row of %d values, %d columns", table.ID, len(row), len(table.Columns))
			}
		}
	}
	for id, want := range map[string]int{"models": 1, "saes": 2, "found": 2, "skewed": 80, "enrichments": 20} {
		if rows[id] != want {
			t.Errorf("%s: %d rows, expected %d", id, rows[id], want)
		}
	}
	if len(r.Figures) != 3 || len(r.Missing) != 0 {
		t.Errorf("%d figures, missing %v", len(r.Figures), r.Missing)
	}
	if want := "2 SAEs. 300 of 1,000 write some token set beyond chance (q < 0.05); of as many random directions, at most 1 would."; !strings.HasSuffix(r.Summary, want) {
		t.Errorf("the summary is %q", r.Summary)
	}
	first := r.Tables[3].Rows[0]
	if want := ask(t, db, `SELECT max(skewness) FROM features`); first[3] != want {
		t.Errorf("the most skewed feature has skewness %v, SQL says %v", first[3], want)
	}
	for i, row := range r.Tables[4].Rows {
		set, direction, effect := row[0], row[2], float64(row[6].(float32))
		larger := ask(t, db, `SELECT count(*) FROM enrichment WHERE token_set = ? AND direction = ? AND q_value < 0.05 AND abs(effect) > abs(CAST(? AS FLOAT))`, set, direction, effect)
		if q := row[7].(float64); larger >= 5 || q >= 0.05 || (effect > 0) != (direction == "promoted") {
			t.Errorf("enrichment %d, %v: %v features beyond chance have a larger effect", i, row, larger)
		}
	}
	if len(r.Findings) != 3 || !strings.HasPrefix(r.Findings[0], "Features that write some token set beyond chance (q < 0.05): 200 of 500 (40.0 %) at layer 2, the most; 100 of 500 (20.0 %) at layer 1, the fewest.") {
		t.Errorf("the findings are %q", r.Findings)
	}
	promoted := ask(t, db, `SELECT count(*) FROM enrichment WHERE token_set = 'even' AND q_value < 0.05 AND direction = 'promoted'`)
	if want := fmt.Sprintf("even (promoted by %.0f, ", promoted); len(r.Findings) == 3 && !strings.Contains(r.Findings[2], want) {
		t.Errorf("%q does not say %q", r.Findings[2], want)
	}
	if len(r.Cards) != 2 || r.Cards[0].Set == r.Cards[1].Set {
		t.Errorf("the cards are %+v, expected one for each set that is promoted", r.Cards)
	}
	if r.HeatMap == nil || len(r.HeatMap.Layers) != 2 || len(r.HeatMap.Rows) == 0 {
		t.Fatalf("the heat map is %+v", r.HeatMap)
	}
	for _, row := range r.HeatMap.Rows {
		for i, cell := range row.Cells {
			const where = ` FROM enrichment WHERE token_set = ? AND layer = ? AND q_value < 0.05 AND direction `
			layer := r.HeatMap.Layers[i]
			promoted, suppressed := ask(t, db, `SELECT count(*)`+where+`= 'promoted'`, row.Set, layer), ask(t, db, `SELECT count(*)`+where+`= 'suppressed'`, row.Set, layer)
			effect := ask(t, db, `SELECT coalesce(max(abs(CAST(effect AS DOUBLE))), 0)`+where+`IS NOT NULL`, row.Set, layer)
			if float64(cell.Promoted) != promoted || float64(cell.Suppressed) != suppressed || math.Abs(cell.Effect) != effect || cell.Some() != (cell.Shade != "") {
				t.Errorf("%s at layer %d: %+v, SQL has %v promoted, %v suppressed, %v", row.Set, layer, cell, promoted, suppressed, effect)
			}
		}
	}
	if got := []string{shade(1), shade(0.74), shade(0.1), shade(-0.3), shade(-1)}; !slices.Equal(got, []string{"promoted-4", "promoted-3", "promoted-1", "suppressed-2", "suppressed-4"}) {
		t.Errorf("shades %q", got)
	}
	var page bytes.Buffer
	if err := r.HTML(&page, "demo.db", "0"); err != nil {
		t.Fatal(err)
	}
	for _, in := range [][2]string{{`id="findings"`, `id="cards"`}, {`id="cards"`, `id="heat-map"`}, {`id="heat-map"`, `id="figure-layers"`}, {`id="enrichments"`, `id="glossary"`}, {`id="glossary"`, `id="models"`}} {
		if before, after := strings.Index(page.String(), in[0]), strings.Index(page.String(), in[1]); before < 0 || after < before {
			t.Errorf("%s is at %d, %s at %d, expected it later", in[0], before, in[1], after)
		}
	}
	for _, never := range []string{"<script>alert", "<img src=x", "/models/<b>"} {
		if strings.Contains(page.String(), never) {
			t.Errorf("the page has %q", never)
		}
	}
	if opened, closed := strings.Count(page.String(), "<script"), strings.Count(page.String(), "</script>"); opened != 3 || closed != 3 {
		t.Errorf("expected 3 script elements, found %d begun and %d ended", opened, closed)
	}
}

func TestReportSaysWhatIsNotComputed(t *testing.T) {
	db := open(t)
	for _, c := range []struct{ statement, missing string }{
		{`DELETE FROM enrichment`, "No enrichment is computed"},
		{`UPDATE features SET std = NULL, skewness = NULL, kurtosis = NULL`, "No statistics are computed"},
	} {
		if _, err := db.Exec(c.statement); err != nil {
			t.Fatal(err)
		}
		r, err := BuildReport(context.Background(), db, "demo.db")
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Missing) != 1 || !strings.HasPrefix(r.Missing[0], c.missing) {
			t.Errorf("expected %q, found %v", c.missing, r.Missing)
		}
		if err := r.HTML(new(bytes.Buffer), "demo.db", "0"); err != nil {
			t.Fatal(err)
		}
	}
}

// Sets with the same tokens are one among the strongest enrichments.
func TestReportShowsIdenticalSetsOnce(t *testing.T) {
	db := open(t)
	for _, statement := range []string{
		`INSERT INTO token_sets SELECT model, 'zz again', family, members, list_reverse(tokens) FROM token_sets WHERE token_set = 'even'`,
		`INSERT INTO enrichment SELECT * REPLACE ('zz again' AS token_set) FROM enrichment WHERE token_set = 'even'`,
	} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	r, err := BuildReport(context.Background(), db, "demo.db")
	if err != nil {
		t.Fatal(err)
	}
	sets := map[any]int{}
	for _, row := range r.Tables[len(r.Tables)-1].Rows {
		sets[row[0]]++
	}
	if len(sets) != 2 || sets["even"] != 10 || strings.Contains(strings.Join(r.Findings, " "), "zz again") {
		t.Errorf("rows of sets: %v; findings %q", sets, r.Findings)
	}
}
