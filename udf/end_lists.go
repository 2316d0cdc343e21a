package udf

import (
	"github.com/saedb/saedb/internal/compute"
	"github.com/saedb/saedb/udf/capi"
)

// endLists writes one end of the ranking into list fields of a struct that stand side by side, of
// which the last two are numbers of a reader's rows and their weights.
type endLists struct {
	lists   []capi.Vector
	entries [][]capi.Entry
	filled  int // elements so far, the same in each
}

// newEndLists writes into so many fields of the first rows of output, from field first on.
func newEndLists(output capi.Vector, first, fields, rows int) *endLists {
	w := &endLists{lists: make([]capi.Vector, fields), entries: make([][]capi.Entry, fields)}
	for i := range w.lists {
		w.lists[i] = output.Field(first + i)
		w.entries[i] = capi.Values[capi.Entry](w.lists[i], rows)
	}
	return w
}

// empty gives a row lists that lie nowhere.
func (w *endLists) empty(row int) {
	for _, entries := range w.entries {
		entries[row] = capi.Entry{}
	}
}

// write appends the lists of ranked's entries 0, 1, …, one for each of rows, which begin at the
// element from.
func (w *endLists) write(rows []int, ranked *compute.Tokens) (from int, err error) {
	from = w.filled
	total := from + len(rows)*ranked.K
	for _, list := range w.lists {
		if err := list.Grow(total); err != nil {
			return from, err
		}
	}
	ids, weights := w.lists[len(w.lists)-2], w.lists[len(w.lists)-1]
	copy(capi.Values[int32](ids.Elements(), total)[from:], ranked.IDs)
	copy(capi.Values[float64](weights.Elements(), total)[from:], ranked.Logits)
	for _, row := range rows {
		for _, entries := range w.entries {
			entries[row] = capi.Entry{Offset: uint64(w.filled), Length: uint64(ranked.K)}
		}
		w.filled += ranked.K
	}
	return from, nil
}

// writeTokens is write with the texts of tokens in the first list.
func (w *endLists) writeTokens(rows []int, ranked *compute.Tokens, by *reader) error {
	from, err := w.write(rows, ranked)
	if err != nil {
		return err
	}
	texts := w.lists[0].Elements()
	for i, id := range ranked.IDs {
		texts.SetText(from+i, by.tokens[id].shown())
	}
	return nil
}
