package figures

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"slices"

	schema "github.com/saedb/saedb/sql"
)

// ExplorerAddress is where saedb serve listens unless it is told otherwise, and where the links of
// a report lead.
const ExplorerAddress = "127.0.0.1:7433"

// heatSets is how many token sets a report's heat map has, and heatShades how many shades of each
// direction.
const (
	heatSets   = 20
	heatShades = 4
)

// A HeatMap is which token sets features write beyond chance, by layer: the sets that most features
// write, a row each.
type HeatMap struct {
	Layers []int64
	Rows   []HeatRow
}

// A HeatRow is one set's.
type HeatRow struct {
	Set   string
	Link  string // to the set's page in the explorer
	Cells []HeatCell
}

// A HeatCell is one set at one layer.
type HeatCell struct {
	Promoted, Suppressed int64
	Effect               float64 // the one that is furthest from 0, of features beyond chance
	Shade                string  // of the effect, for the style sheet; "" where no feature is beyond chance
}

// Some says whether any feature writes the set there beyond chance.
func (c HeatCell) Some() bool { return c.Promoted+c.Suppressed > 0 }

// heatMap reads the heat map; nil where nothing is beyond chance.
func heatMap(ctx context.Context, db *sql.DB) (*HeatMap, error) {
	type cell struct {
		HeatCell
		model, set string
		layer      int64
	}
	cells, err := schema.Rows(ctx, db, func(c *cell) []any { return []any{&c.model, &c.set, &c.layer, &c.Promoted, &c.Suppressed, &c.Effect} },
		fmt.Sprintf(`WITH beyond AS (
			FROM set_enrichment WHERE beyond_chance > 0 AND layer IS NOT NULL AND %s
		), most AS (
			SELECT model, token_set, sum(beyond_chance) AS pairs FROM beyond GROUP BY ALL ORDER BY pairs DESC, model, token_set LIMIT %d
		)
		SELECT model, token_set, layer, `+writtenEachWay+`,
			arg_max(CAST(effect AS DOUBLE), (abs(effect), -feature)) FROM beyond JOIN most USING (model, token_set)
		GROUP BY model, token_set, layer ORDER BY max(pairs) DESC, model, token_set, layer`, firstOfIdentical, heatSets))
	if err != nil || len(cells) == 0 {
		return nil, err
	}
	h := &HeatMap{}
	if h.Layers, err = schema.Rows(ctx, db, func(layer *int64) []any { return []any{layer} },
		`SELECT DISTINCT layer FROM features WHERE layer IS NOT NULL ORDER BY layer`); err != nil {
		return nil, err
	}
	row := map[[2]string]int{}
	for _, c := range cells {
		key := [2]string{c.model, c.set}
		at, known := row[key]
		if !known {
			at, row[key] = len(h.Rows), len(h.Rows)
			h.Rows = append(h.Rows, HeatRow{Set: c.set, Link: explorerLink("set", "model", c.model, "set", c.set), Cells: make([]HeatCell, len(h.Layers))})
		}
		if place, there := slices.BinarySearch(h.Layers, c.layer); there {
			c.Shade = shade(c.Effect)
			h.Rows[at].Cells[place] = c.HeatCell
		}
	}
	return h, nil
}

// shade is the class of an effect from -1 to 1: promoted-1, …, suppressed-4.
func shade(effect float64) string {
	direction := "promoted"
	if effect < 0 {
		direction, effect = "suppressed", -effect
	}
	return fmt.Sprintf("%s-%d", direction, min(int(effect*heatShades)+1, heatShades))
}

// explorerLink is the address of a page of the explorer, with parameters by name and value.
func explorerLink(page string, parameters ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(parameters); i += 2 {
		q.Set(parameters[i], parameters[i+1])
	}
	return "http://" + ExplorerAddress + "/#/" + page + "?" + q.Encode()
}
