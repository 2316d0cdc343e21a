package figures

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/saedb/saedb/internal/fault"

	"github.com/saedb/saedb/internal/plaintext"
)

// buildRunningSum is the enrichment curve of a set in a feature's ranking: the
// running sum (+1/m at a member, -1/(V-m) elsewhere), the members below it, and
// the logit weights that ranked them. The leading edge is the members up to the
// peak, or from it on when the set is suppressed.
func buildRunningSum(ctx context.Context, db *sql.DB, r Request) (*Figure, error) {
	f := &Figure{Title: "Running sum", Hint: "Hover a member for its token."}
	if r.Query != "" {
		s, err := userSource(ctx, db, r)
		if err != nil {
			return nil, err
		}
		f.Query = s.spelled()
		t, err := s.read(ctx, []column{{"rank", integer}, {"member", boolean}},
			[]column{{"logit_weight", number}, {"text", text}}, "rank IS NOT NULL", "")
		if err != nil {
			return nil, err
		}
		return f, f.runningSum(t, s, r.MostPoints, nil)
	}
	if len(r.Sets) != 1 || r.Feature < 0 {
		return nil, &fault.Error{Op: "plot running-sum", Expected: "a feature's number and a token set", Hint: "saedb plot running-sum 63 all_digits"}
	}
	one, err := oneSAE(ctx, db, r)
	if err != nil {
		return nil, err
	}
	if err := checkSet(ctx, db, r, one, r.Sets[0]); err != nil {
		return nil, err
	}
	f.Title = fmt.Sprintf("%s in the ranking of feature %d%s", r.Sets[0], r.Feature, of(one))
	s, err := newLogitSource(ctx, db, r, one, int64(r.Feature), r.Sets[0])
	if err != nil {
		return nil, err
	}
	f.Query = s.ranked
	t, err := s.weights(ctx, false)
	if err != nil {
		return nil, err
	}
	t.rank()
	return f, f.runningSum(t, s.source, r.MostPoints, func(rows []int) error { return s.texts(ctx, t, rows) })
}

// A walk is the running sum over a ranking, at the ranks where it turns.
type walk struct {
	x, y    Series // its corners
	members []int  // rows of the members, in order of rank
	sums    []float64
	es      float64 // signed: the sum furthest from 0
	peak    float64 // its rank
	from    int     // the leading edge is members[from:to]
	to      int
}

// walkOf sorts the rows by rank and walks down; ranks count from 1.
func walkOf(ranks []int64, member []bool) (w walk, order []int) {
	order = make([]int, len(ranks))
	total := 0
	for i := range order {
		order[i] = i
		if member[i] {
			total++
		}
	}
	if !slices.IsSorted(ranks) {
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(ranks[a], ranks[b]) })
	}
	up, down := 1/float64(total), 1/float64(len(ranks)-total)
	w.x, w.y = Series{0}, Series{0}
	for k, i := range order {
		if !member[i] {
			continue
		}
		// Sums just before and at the k-th place, counted and not added up.
		before := float64(len(w.members))*up - float64(k-len(w.members))*down
		w.members = append(w.members, i)
		after := before + up
		w.x = append(w.x, float64(k), float64(k+1))
		w.y = append(w.y, before, after)
		w.sums = append(w.sums, after)
		if math.Abs(after) > math.Abs(w.es) {
			w.es, w.peak, w.from, w.to = after, float64(k+1), 0, len(w.members)
		}
		if math.Abs(before) > math.Abs(w.es) {
			w.es, w.peak, w.from = before, float64(k), len(w.members)-1
			w.to = -1 // to the end
		}
	}
	w.x, w.y = append(w.x, float64(len(ranks))), append(w.y, 0)
	if w.to < 0 {
		w.to = len(w.members)
	} else if w.es < 0 {
		w.from, w.to = w.to-1, len(w.members)
	}
	return w, order
}

// thin leaves about most of the members, evenly, and those at the ends of the leading
// edge, where the curve has its peak; the curve joins what is left.
func (w *walk) thin(most int) {
	step := (len(w.members) + most - 1) / most
	old := *w
	w.members, w.sums, w.x, w.y = nil, nil, Series{0}, Series{0}
	for k := range old.members {
		if k == old.from {
			w.from = len(w.members)
		}
		if k%step == 0 || k == old.from || k == old.to-1 || k == len(old.members)-1 {
			w.members, w.sums = append(w.members, old.members[k]), append(w.sums, old.sums[k])
			w.x, w.y = append(w.x, old.x[2*k+1], old.x[2*k+2]), append(w.y, old.y[2*k+1], old.y[2*k+2])
		}
		if k == old.to-1 {
			w.to = len(w.members)
		}
	}
	w.x, w.y = append(w.x, old.x[len(old.x)-1]), append(w.y, 0)
}

// runningSum draws the walk over a table; texts, where it is not nil, adds the texts of the members
// that are shown.
func (f *Figure) runningSum(t *table, s *source, most int, texts func(rows []int) error) error {
	members := 0
	for _, m := range t.booleans["member"] {
		if m {
			members++
		}
	}
	if members == 0 || members == t.length {
		return &fault.Error{Op: s.op, Problem: "the set has no score", Expected: "some of the tokens in it, and some not", Found: fmt.Sprintf("%d of %d", members, t.length)}
	}
	if weights := t.numbers["logit_weight"]; !s.own && slices.Min(weights) == slices.Max(weights) {
		return &fault.Error{Op: s.op, Problem: fmt.Sprintf("the feature ranks no token: all its logit weights are %g", weights[0])}
	}
	w, order := walkOf(t.integers["rank"], t.booleans["member"])
	direction := "promoted"
	if w.es < 0 {
		direction = "suppressed"
	}
	f.Note = fmt.Sprintf("ES %s, %s, at rank %s of %s; leading edge: %s of %s members.",
		short(math.Abs(w.es)), direction, plaintext.Thousands(int(w.peak)), plaintext.Thousands(t.length), plaintext.Thousands(w.to-w.from), plaintext.Thousands(members))
	if most > 0 && len(w.members) > most/2 { // each is drawn in two panels
		w.thin(most / 2)
		f.Note += fmt.Sprintf(" The curve is drawn at %s of its members.", plaintext.Thousands(len(w.members)))
	}
	if texts != nil {
		if err := texts(w.members); err != nil {
			return err
		}
	}
	f.Widths = []float64{1}
	x := Axis{Label: "rank (1 is the highest logit weight)", Link: "rank"}
	bare := x
	bare.Bare = true
	sum := Panel{
		X: bare, Y: Axis{Label: "running sum"},
		Lines:  []Line{{Color: Blue, Width: 1.5, X: w.x, Y: w.y}},
		Rules:  []Rule{{Horizontal: true, At: 0}, {At: w.peak, Label: "ES " + short(math.Abs(w.es))}},
		Points: []Points{{Color: Blue, Shape: Hidden, Size: 6, X: ranksOf(t, w.members), Y: w.sums, Hover: memberHover(t, w.members, w.sums)}},
	}
	rug := Panel{Row: 1, X: bare, Y: Axis{Bare: true, Min: 0, Max: 1, fixed: true}}
	for i, part := range []struct {
		name  string
		rows  []int
		sums  []float64
		color Color
	}{
		{"other members", append(append([]int(nil), w.members[:w.from]...), w.members[w.to:]...), append(append([]float64(nil), w.sums[:w.from]...), w.sums[w.to:]...), Grey},
		{"leading edge", w.members[w.from:w.to], w.sums[w.from:w.to], memberColor},
	} {
		if len(part.rows) == 0 {
			continue
		}
		middle := make([]float64, len(part.rows))
		for k := range middle {
			middle[k] = 0.3 + 0.4*float64(i)
		}
		rug.Points = append(rug.Points, Points{Name: part.name, Color: part.color, Shape: Stroke, Size: 12, X: ranksOf(t, part.rows), Y: middle, Hover: memberHover(t, part.rows, part.sums)})
	}
	f.Heights, f.Panels = []float64{320, 60}, []Panel{sum, rug}
	if weights := t.numbers["logit_weight"]; weights != nil {
		line := Line{Color: Grey, Width: 1.5}
		step := max(1, len(order)/2000)
		for k := 0; k < len(order); k += step {
			line.X, line.Y = append(line.X, float64(k+1)), append(line.Y, weights[order[k]])
		}
		line.X, line.Y = append(line.X, float64(len(order))), append(line.Y, weights[order[len(order)-1]])
		f.Heights = append(f.Heights, 190)
		f.Panels = append(f.Panels, Panel{Row: 2, X: x, Y: Axis{Label: "logit weight"}, Lines: []Line{line}})
	} else {
		f.Panels[1].X = x
		f.Heights[1] += 40
	}
	return nil
}

func ranksOf(t *table, rows []int) Series {
	x := make(Series, len(rows))
	for k, i := range rows {
		x[k] = float64(t.integers["rank"][i])
	}
	return x
}

func memberHover(t *table, rows []int, sums []float64) []Column {
	token, rank, weight := Column{Name: "token"}, Column{Name: "rank"}, Column{Name: "logit weight"}
	for _, i := range rows {
		rank.Texts = append(rank.Texts, strconv.FormatInt(t.integers["rank"][i], 10))
		if names := t.texts["text"]; names != nil {
			token.Texts = append(token.Texts, showToken(names[i]))
		}
		if weights := t.numbers["logit_weight"]; weights != nil {
			weight.Numbers = append(weight.Numbers, weights[i])
		}
	}
	columns := []Column{rank, {Name: "running sum", Numbers: sums}}
	if token.Texts != nil {
		columns = append([]Column{token}, columns...)
	}
	if weight.Numbers != nil {
		columns = append(columns, weight)
	}
	return columns
}
