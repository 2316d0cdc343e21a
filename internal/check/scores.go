package check

import (
	"cmp"
	"database/sql"
	"fmt"
	"math"
	"math/bits"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/saedb/saedb/internal/enrichment"
	schema "github.com/saedb/saedb/sql"
)

// tokenSets is the sets of a model, as positions among the tokens that count.
type tokenSets struct {
	loaded  bool
	ids     []int
	names   []string
	members [][]int32
}

// read reads them once; tokens are the ids that count, ascending.
func (t *tokenSets) read(r *run, m *storedModel, tokens []int32) error {
	if t.loaded {
		return nil
	}
	t.loaded = true
	type row struct {
		id     int
		name   string
		tokens schema.ListOf[int32]
	}
	sets, err := read(r, "stored_token_sets", func(s *row) []any { return []any{&s.id, &s.name, &s.tokens} },
		`SELECT set_id, token_set, token_ids FROM stored_token_sets WHERE model_id = ? ORDER BY set_id`, m.id)
	for _, s := range sets {
		var members []int32
		for _, token := range s.tokens {
			if at, counts := slices.BinarySearch(tokens, token); counts {
				members = append(members, int32(at))
			}
		}
		slices.Sort(members)
		t.ids, t.names, t.members = append(t.ids, s.id), append(t.names, s.name), append(t.members, slices.Compact(members))
	}
	return err
}

// score is a row of stored_enrichment.
type score struct {
	set             int // index among the sets
	es, log10P, auc sql.NullFloat64
	promoted        sql.NullBool
}

func (s *score) String() string {
	text := func(n sql.NullFloat64) string {
		if !n.Valid {
			return "NULL"
		}
		return fmt.Sprintf("%.9g", n.Float64)
	}
	direction := ""
	if s.promoted.Valid {
		direction = map[bool]string{true: " promoted", false: " suppressed"}[s.promoted.Bool]
	}
	return "es " + text(s.es) + direction + ", log10_ks_p " + text(s.log10P) + ", auc " + text(s.auc)
}

// compareScores computes the scores of a batch again, from logit weights in float64 and
// the definitions, and compares.
func (r *run) compareScores(c *unembedding, batch []stored, l *logits) error {
	if len(c.sets.ids) == 0 {
		return nil
	}
	const rowsAtOnce = 1 << 20
	for len(batch) > 0 {
		n := min(len(batch), max(1, rowsAtOnce/len(c.sets.ids)))
		for i := 1; i < n; i++ {
			if batch[i].sae != batch[0].sae {
				n = i
			}
		}
		if err := r.compareScoresOf(c, batch[:n], l.plain[:n], l.length); err != nil {
			return err
		}
		batch, l = batch[n:], &logits{ids: l.ids, plain: l.plain[n:], length: l.length}
	}
	return nil
}

// compareScoresOf does so for features of one SAE, several at a time.
func (r *run) compareScoresOf(of *unembedding, batch []stored, weights [][]float64, columns float64) error {
	sets := &of.sets
	scores, err := r.readScores(batch, sets)
	if err != nil {
		return err
	}
	by, err := r.rankings(of, batch, weights)
	if err != nil {
		return err
	}
	wrong := make([][][2]string, len(batch))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(batch) && r.ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				c := newRescorer(weights[i], by[i], of.model.dModel, norm(batch[i].w)*columns)
				for _, stored := range scores[batch[i].feature] {
					if problem := c.differs(stored, sets.members[stored.set]); problem != "" {
						wrong[i] = append(wrong[i], [2]string{sets.names[stored.set], problem})
					}
				}
			}
		})
	}
	workers.Wait()
	found := r.several(of.sae.side.SQL("stored_enrichment"))
	defer found.end()
	for i, f := range batch {
		r.result.Scores += len(scores[f.feature])
		for _, one := range wrong[i] {
			found.add(fmt.Sprintf("SAE %s, feature %d, token set %s", f.sae.name, f.feature, one[0]), one[1])
		}
	}
	return r.ctx.Err()
}

// readScores reads what is stored of the features of one SAE, by feature.
func (r *run) readScores(batch []stored, sets *tokenSets) (map[int][]score, error) {
	features := make([]int, len(batch))
	for i, f := range batch {
		features[i] = f.feature
	}
	type row struct {
		score
		feature, setID int
	}
	side := batch[0].sae.side
	rows, err := read(r, side.SQL("stored_enrichment"), func(s *row) []any { return []any{&s.feature, &s.setID, &s.es, &s.promoted, &s.log10P, &s.auc} },
		// A FLOAT would come by way of its shortest decimal, which is another float64.
		side.SQL(fmt.Sprintf(`SELECT feature, set_id, CAST(es AS DOUBLE), promoted, CAST(log10_ks_p AS DOUBLE), CAST(auc AS DOUBLE) FROM stored_enrichment
		WHERE sae_id = %d AND feature IN (%s) ORDER BY feature, set_id`, batch[0].sae.id, strings.Trim(schema.List(features), "[]"))))
	scores := map[int][]score{}
	for _, s := range rows {
		var known bool
		if s.set, known = slices.BinarySearch(sets.ids, s.setID); known { // or it is reported already
			scores[s.feature] = append(scores[s.feature], s.score)
		}
	}
	return scores, err
}

// rescorer scores sets in the ranking of one feature's float64 logit weights. Tokens of
// equal weight are one place.
type rescorer struct {
	ranks   []int32   // of each token
	places  []int32   // place of each rank
	firsts  []int32   // first rank of each place, and in the end the number of tokens
	heights []float64 // weight of each place
	bitmap  []uint64
	// Kernels that rank float32 products may put tokens in another order whose weights
	// are no further apart; 0 where they rank float64 ones.
	unsure float64
	// Whether the weights differ at all by more than the rounding of float64.
	flat, unclear bool
	// Whether the ranks are those of the kernel that made the scores: there is nothing to allow.
	same bool
}

// Kernels rank by float32 products where their rounding is at most this share of the
// standard deviation, times √tokens/8 where that is above 1 (internal/compute, precision.go),
// and by float64 ones otherwise, and where tokens × d_model is at most smallUnembedding.
const (
	roundingShare    = 0x1p-20
	smallUnembedding = 1 << 20
)

// doubt is the rounding of float64 in one of n products of d_model terms whose lengths together are
// scale, and how far apart two of them may be which a kernel ranks in the other order; std is their
// standard deviation.
func doubt(n, dModel int, std, scale float64) (rounding, unsure float64) {
	rounding = 0x1p-53 * float64(dModel+8) * scale
	unsure = 2 * rounding
	if n*dModel > smallUnembedding {
		// Single products err by several times what is typical of them.
		unsure += 2 * 8 * roundingShare * max(1, math.Sqrt(float64(n))/8) * std
	}
	return rounding, unsure
}

// newRescorer ranks weights, for products of d_model terms whose lengths together are
// scale, by what a kernel ranked them by, where that is known and as near to the weights
// as its rounding is.
func newRescorer(weights []float64, by ranked, dModel int, scale float64) *rescorer {
	n := len(weights)
	c := &rescorer{ranks: make([]int32, n), places: make([]int32, n), bitmap: make([]uint64, (n+63)/64)}
	_, std := meanAndStd(weights)
	var rounding float64
	rounding, c.unsure = doubt(n, dModel, std, scale)
	if c.unclear = std <= 4*rounding; !c.unclear && by.values != nil && by.off <= c.unsure/2 {
		c.same, weights = true, by.values
	}
	for rank, position := range descending(weights, c.same && by.single) {
		if weight := weights[position]; rank == 0 || weight != c.heights[len(c.heights)-1] {
			c.firsts, c.heights = append(c.firsts, int32(rank)), append(c.heights, weight)
		}
		c.ranks[position], c.places[rank] = int32(rank), int32(len(c.heights)-1)
	}
	c.firsts = append(c.firsts, int32(n))
	c.flat = len(c.heights) == 1
	return c
}

// descending returns the positions of weights, highest first. Those that are float32 are sorted
// as whole numbers, with their positions in the lower half, in half the time.
func descending(weights []float64, single bool) []int32 {
	order := make([]int32, len(weights))
	if !single {
		for i := range order {
			order[i] = int32(i)
		}
		slices.SortFunc(order, func(a, b int32) int { return cmp.Compare(weights[b], weights[a]) })
		return order
	}
	keys := make([]uint64, len(weights))
	for i, weight := range weights {
		bits := math.Float32bits(float32(weight + 0)) // -0 is 0
		if bits>>31 == 0 {
			bits = ^bits &^ (1 << 31) // the higher the weight, the lower the key
		}
		keys[i] = uint64(bits)<<32 | uint64(i)
	}
	slices.Sort(keys)
	for rank, key := range keys {
		order[rank] = int32(uint32(key))
	}
	return order
}

// counts of a set by place, ascending, of those that have members.
type placed struct{ place, members int32 }

func (c *rescorer) placed(members []int32) []placed {
	clear(c.bitmap)
	for _, position := range members {
		rank := c.ranks[position]
		c.bitmap[rank/64] |= 1 << (rank % 64)
	}
	var all []placed
	for i, word := range c.bitmap {
		for ; word != 0; word &= word - 1 {
			place := c.places[64*i+bits.TrailingZeros64(word)]
			if len(all) == 0 || all[len(all)-1].place != place {
				all = append(all, placed{place: place})
			}
			all[len(all)-1].members++
		}
	}
	return all
}

// differs compares a stored score with that of a set, and says where it differs. What is
// stored is the score's nearest float32, unless it is of another kernel and tokens that float32
// products may rank the other way round make the difference.
func (c *rescorer) differs(stored score, members []int32) string {
	n, m := int64(len(c.ranks)), int64(len(members))
	if m == 0 || m == n || c.flat || c.unclear && !stored.es.Valid {
		if stored.es.Valid {
			return "expected es NULL, found " + stored.String()
		}
		return ""
	}
	places := c.placed(members)
	up, down, auc := c.exact(places, m)
	expected := scored(max(up, down), up >= down, auc, int(m), int(n))
	switch {
	case !stored.es.Valid || !stored.auc.Valid || !stored.log10P.Valid || !stored.promoted.Valid:
	case c.unclear:
		return "" // tokens are ranked by nothing but rounding
	case stored.es.Float64 == expected.es.Float64 && stored.promoted == expected.promoted && stored.auc.Float64 == expected.auc.Float64,
		!c.same && c.bounds(places, m).allow(stored):
		if near(stored.log10P.Float64, expected.log10P.Float64, expected.log10P.Float64) {
			return ""
		}
		// A score has the p-value of the nearest whole number of 1/m(n−m), of which float32
		// may leave more than one.
		const half = 0x1p-24
		es := stored.es.Float64
		low := enrichment.LogKolmogorovSmirnov(int(m), int(n), es*(1+2*half)) / math.Ln10
		high := enrichment.LogKolmogorovSmirnov(int(m), int(n), es*(1-2*half)) / math.Ln10
		if near(stored.log10P.Float64, low, high) {
			return ""
		}
	}
	return "expected " + expected.String() + ", computed again in float64, found " + stored.String()
}

// near tells whether a stored float32 lies between two numbers.
func near(stored, low, high float64) bool {
	allowed := 1e-6 * max(1, math.Abs(low), math.Abs(high))
	return stored >= min(low, high)-allowed && stored <= max(low, high)+allowed
}

// scored is a row as it is stored.
func scored(es float64, promoted bool, auc float64, m, n int) score {
	single := func(v float64) sql.NullFloat64 { return sql.NullFloat64{Float64: float64(float32(v)), Valid: true} }
	return score{
		es: single(es), auc: single(auc), promoted: sql.NullBool{Bool: promoted, Valid: true},
		log10P: single(enrichment.LogKolmogorovSmirnov(m, n, es) / math.Ln10),
	}
}

// exact is the highest and, negated, the lowest of the running sum that adds 1/m for a
// member and takes 1/(n−m) for another token, looked at between places, and the AUC.
func (c *rescorer) exact(places []placed, m int64) (up, down, auc float64) {
	n := int64(len(c.ranks))
	var sum, highest, lowest, twiceRanks int64 // sums in units of 1/m(n−m)
	for _, p := range places {
		first, end, members := int64(c.firsts[p.place]), int64(c.firsts[p.place+1]), int64(p.members)
		lowest = min(lowest, sum*n-first*m)
		sum += members
		highest = max(highest, sum*n-end*m)
		twiceRanks += members * (first + end - 1)
	}
	pairs := float64(m * (n - m))
	return float64(highest) / pairs, float64(-lowest) / pairs, float64(2*m*(n-1)-twiceRanks-m*(m-1)) / (2 * pairs)
}

// bounds are what scores can be if places that lie within unsure of each other are in any
// order.
type bounds struct{ upLow, upHigh, downLow, downHigh, aucLow, aucHigh float64 }

func (c *rescorer) bounds(places []placed, m int64) bounds {
	n, many := int64(len(c.ranks)), len(c.heights)
	// Sums over the places before each: of steps, of those up, of those down, and of members.
	sums, ups, downs := make([]float64, many+1), make([]float64, many+1), make([]float64, many+1)
	counts := make([]int64, many+1)
	for place := range many {
		var members int64
		if len(places) > 0 && int(places[0].place) == place {
			members, places = int64(places[0].members), places[1:]
		}
		others := int64(c.firsts[place+1]-c.firsts[place]) - members
		step := float64(members)/float64(m) - float64(others)/float64(n-m)
		sums[place+1], ups[place+1], downs[place+1] = sums[place]+step, ups[place]+max(step, 0), downs[place]+min(step, 0)
		counts[place+1] = counts[place] + members
	}
	var b bounds
	var auc, gained, lost float64
	end := 0 // of the places that are not surely below the one at place
	for place := range many {
		for end < many && c.heights[place]-c.heights[end] <= c.unsure {
			end++
		}
		up, down := ups[end]-ups[place], downs[end]-downs[place]
		b.upHigh, b.upLow = max(b.upHigh, sums[place]+up), max(b.upLow, sums[place]+down)
		b.downHigh, b.downLow = max(b.downHigh, -sums[place]-down), max(b.downLow, -sums[place]-up)
		members := float64(counts[place+1] - counts[place])
		others := float64(c.firsts[place+1]-c.firsts[place]) - members
		membersNear := float64(counts[end] - counts[place+1])
		othersNear := float64(c.firsts[end]-c.firsts[place+1]) - membersNear
		othersBelow := float64(n-int64(c.firsts[place+1])) - float64(m-counts[place+1])
		auc += members * (othersBelow + others/2)
		gained += others * membersNear
		lost += members * othersNear
	}
	pairs := float64(m) * float64(n-m)
	b.aucLow, b.aucHigh = (auc-lost)/pairs, (auc+gained)/pairs
	return b
}

// allow tells whether a stored score is within the bounds.
func (b bounds) allow(stored score) bool {
	const rounding = 1e-7 // of float32, which scores are stored as
	es, auc := stored.es.Float64, stored.auc.Float64
	low, high, other := b.upLow, b.upHigh, b.downLow
	if !stored.promoted.Bool {
		low, high, other = b.downLow, b.downHigh, b.upLow
	}
	return es >= max(low, other)-rounding && es <= high+rounding && auc >= b.aucLow-rounding && auc <= b.aucHigh+rounding
}
