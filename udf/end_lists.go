package udf

import (
	"github.com/saedb/saedb/internal/compute"
	"github.com/saedb/saedb/udf/capi"
)

// endLists writes one end of the ranking into list fields of a struct that stand side by side, of
// which the last two are numbers of a reader's rows and their weights.
type endLists []*listWriter

// newEndLists writes into so many fields of the first rows of output, from field first on.
func newEndLists(output capi.Vector, first, fields, rows int) endLists {
	all := make(endLists, fields)
	for i := range all {
		all[i] = newListWriter(output.Field(first+i), rows, nil)
	}
	return all
}

// empty gives a row lists that lie nowhere.
func (all endLists) empty(row int) {
	for _, w := range all {
		w.empty(row)
	}
}

// write appends the lists of ranked's entries 0, 1, …, one for each of rows.
func (all endLists) write(rows []int, ranked *compute.Tokens) error {
	ids, err := numbersOf[int32](all[len(all)-2], rows, ranked.K)
	if err != nil {
		return err
	}
	weights, err := numbersOf[float64](all[len(all)-1], rows, ranked.K)
	copy(ids, ranked.IDs)
	copy(weights, ranked.Logits)
	return err
}

// writeTokens is write with the texts of tokens in the first list.
func (all endLists) writeTokens(rows []int, ranked *compute.Tokens, by *reader) error {
	from, err := all[0].room(rows, ranked.K)
	if err != nil {
		return err
	}
	texts := all[0].list.Elements()
	for i, id := range ranked.IDs {
		texts.SetText(from+i, by.tokens[id].shown())
	}
	return all.write(rows, ranked)
}
