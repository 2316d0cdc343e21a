package compute

import (
	"context"
	"slices"
)

// pairsBetweenChecks is how many float64 products pass between two looks at the context: some
// milliseconds at d_model 4,096.
const pairsBetweenChecks = 2048

// weighShortlists gives the tokens on the shortlists of the directions that float32 decides
// their float64 logit weights, times the list's sign. It takes them in the order of the tokens,
// so that a row which several directions need is read from memory once, and panels in turn.
func (b *block) weighShortlists(ctx context.Context) error {
	if !b.tokens {
		return nil
	}
	var lists []listed
	places := make([]int32, b.u.Tokens()+1) // in pairs, of the next of a token
	n := 0
	for i := range b.projections {
		p := &b.projections[i]
		if p.zero || !p.trusted(b.u, b.cosine) {
			continue
		}
		for _, l := range []*shortlist{&p.top, &p.bottom} {
			l.prune()
			lists = append(lists, listed{l, int32(i)})
			for _, c := range l.candidates {
				places[c.position+1]++
			}
			n += len(l.candidates)
		}
	}
	for j := range b.u.Tokens() {
		places[j+1] += places[j]
	}
	pairs, out := make([]pair, n), make([]float64, n)
	at := int32(0)
	for _, of := range lists {
		for _, c := range of.candidates {
			pairs[places[c.position]] = pair{row: c.position, direction: of.direction, out: at}
			places[c.position]++
			at++
		}
	}
	for some := range slices.Chunk(pairs, pairsBetweenChecks) {
		if err := ctx.Err(); err != nil {
			return err
		}
		b.u.weigh(b.given, some, out)
	}
	for _, of := range lists {
		for i := range of.candidates {
			of.candidates[i].value = of.sign * out[i]
		}
		out = out[len(of.candidates):]
	}
	return nil
}

// listed is a shortlist of the direction with an index in a block.
type listed struct {
	*shortlist
	direction int32
}
