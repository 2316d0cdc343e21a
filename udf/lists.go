package udf

import "github.com/saedb/saedb/udf/capi"

// listWriter appends lists to a list vector.
type listWriter struct {
	list    capi.Vector
	entries []capi.Entry
	filled  int // elements so far
}

// newListWriter writes lists for rows rows, those of null being NULL.
func newListWriter(list capi.Vector, rows int, null []int) *listWriter {
	w := &listWriter{list: list, entries: capi.Values[capi.Entry](list, rows)}
	for _, row := range null {
		w.null(row)
	}
	return w
}

// null makes a row NULL.
func (w *listWriter) null(row int) {
	w.list.SetNull(row, 0)
	w.empty(row)
}

// empty gives a row a list that lies nowhere.
func (w *listWriter) empty(row int) { w.entries[row] = capi.Entry{} }

// room makes room for a list of length n at each of rows, and returns the index of the first
// new element.
func (w *listWriter) room(rows []int, n int) (at int, err error) {
	at = w.filled
	if err := w.list.Grow(at + len(rows)*n); err != nil {
		return 0, err
	}
	for _, row := range rows {
		w.entries[row] = capi.Entry{Offset: uint64(w.filled), Length: uint64(n)}
		w.filled += n
	}
	return at, nil
}

// grow is room for lists of structs. It returns the vectors of their fields too.
func (w *listWriter) grow(rows []int, n int) (fields func(i int) capi.Vector, at int, err error) {
	at, err = w.room(rows, n)
	if err != nil {
		return nil, 0, err
	}
	return w.list.Elements().Field, at, nil
}

// numbersOf is room for lists of numbers, of which it returns the memory.
func numbersOf[T any](w *listWriter, rows []int, n int) ([]T, error) {
	at, err := w.room(rows, n)
	if err != nil {
		return nil, err
	}
	return capi.Values[T](w.list.Elements(), w.filled)[at:], nil
}

// lists reads a column of lists.
type lists struct {
	entries  []capi.Entry
	outer    capi.Validity
	inner    capi.Validity
	elements capi.Vector
	count    int
}

func newLists(v capi.Vector, rows int) lists {
	elements := v.Elements()
	return lists{capi.Values[capi.Entry](v, rows), v.Validity(), elements.Validity(), elements, v.ElementCount()}
}

func (l *lists) valid(row int) bool { return l.outer.Valid(row) }

// each calls use with the places of the elements of row's list that are not NULL.
func (l *lists) each(row int, use func(i int)) {
	for i := l.entries[row].Offset; i < l.entries[row].Offset+l.entries[row].Length; i++ {
		if l.inner.Valid(int(i)) {
			use(int(i))
		}
	}
}

// textLists reads a VARCHAR[] column.
type textLists struct{ lists }

func newTextLists(v capi.Vector, rows int) *textLists { return &textLists{newLists(v, rows)} }

func (l *textLists) at(row int) []string {
	var all []string
	l.each(row, func(i int) { all = append(all, l.elements.Text(i)) })
	return all
}

// integerLists reads an INTEGER[] column.
type integerLists struct {
	lists
	values []int32
}

func newIntegerLists(v capi.Vector, rows int) *integerLists {
	l := newLists(v, rows)
	return &integerLists{l, capi.Values[int32](l.elements, l.count)}
}

func (l *integerLists) at(row int) []int32 {
	var all []int32
	l.each(row, func(i int) { all = append(all, l.values[i]) })
	return all
}
