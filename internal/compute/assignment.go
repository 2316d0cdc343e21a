package compute

import (
	"container/heap"
	"context"
	"math"
)

// A Candidate is a column that a row may be assigned, and what that is worth, above 0.
type Candidate struct {
	Column int
	Worth  float64
}

// Assignment is an assignment of rows to columns, each to at most one, of the greatest worth among
// the candidates.
type Assignment struct {
	Columns []int     // of each row, -1 for none
	Profits []float64 // dual variables of the rows, and of the columns: from 0 on, so that
	Prices  []float64 // profit + price is at least the worth of every candidate
}

// Assign assigns rows to columns by shortest augmenting paths (Jonker and Volgenant, Computing 38,
// 1987), on the candidates of each row alone. Rows may stay without a column.
//
// The sum of profits and prices is the worth of the assignment, and no assignment is worth more:
// also none with columns that are no candidates, where profit + price is at least what such a
// column could be worth. When ctx ends, ctx.Err() is returned.
func Assign(ctx context.Context, candidates [][]Candidate, columns int) (Assignment, error) {
	a := &assigner{candidates: candidates, rowOf: make([]int, columns), price: make([]float64, columns),
		distance: make([]float64, columns), from: make([]int, columns), done: make([]bool, columns)}
	a.columnOf, a.worth = make([]int, len(candidates)), make([]float64, len(candidates))
	for j := range columns {
		a.rowOf[j], a.distance[j] = -1, math.Inf(1)
	}
	for i := range candidates {
		a.columnOf[i] = -1
	}
	for i := range candidates {
		if err := ctx.Err(); err != nil {
			return Assignment{}, err
		}
		a.augment(i)
	}
	profits := make([]float64, len(candidates))
	for i, j := range a.columnOf {
		if j >= 0 {
			profits[i] = max(a.worth[i]-a.price[j], 0)
		}
	}
	return Assignment{a.columnOf, profits, a.price}, nil
}

type assigner struct {
	candidates [][]Candidate
	columnOf   []int     // of each row, -1 for none
	worth      []float64 // of its assignment
	rowOf      []int     // of each column, -1 for none
	price      []float64

	// Of one search, for each column: what is lost on the way to it, by which row, and whether
	// that is final. touched are those that have something.
	distance []float64
	from     []int
	done     []bool
	touched  []int
	queue    waiting
}

// augment gives a row a column, or takes one from the row of a path that does best without, or
// leaves it without one.
func (a *assigner) augment(row int) {
	a.queue, a.touched = a.queue[:0], a.touched[:0]
	a.relax(row, 0)
	// Where the way ends: at a row that stays without a column, or at a column that has none. A
	// row without a column loses its profit.
	least, lastRow, lastColumn := 0.0, row, -1
	for len(a.queue) > 0 {
		next := heap.Pop(&a.queue).(reached)
		j := next.column
		if next.distance >= least {
			break
		}
		if a.done[j] || next.distance > a.distance[j] {
			continue
		}
		if a.rowOf[j] < 0 {
			least, lastRow, lastColumn = next.distance, -1, j
			break
		}
		a.done[j] = true
		i := a.rowOf[j]
		profit := max(a.worth[i]-a.price[j], 0)
		if without := next.distance + profit; without < least {
			least, lastRow, lastColumn = without, i, j
		}
		a.relax(i, next.distance+profit)
	}
	for _, j := range a.touched {
		if a.done[j] && a.distance[j] < least {
			a.price[j] += least - a.distance[j]
		}
		a.done[j] = false
	}
	a.move(row, lastRow, lastColumn)
	for _, j := range a.touched {
		a.distance[j] = math.Inf(1)
	}
}

// move assigns along the way that ends at a column, whose row, unless it has none, stays without.
func (a *assigner) move(row, lastRow, column int) {
	if lastRow == row {
		return
	}
	if lastRow >= 0 {
		a.columnOf[lastRow] = -1
	}
	for {
		i := a.from[column]
		next := a.columnOf[i]
		a.rowOf[column], a.columnOf[i] = i, column
		for _, c := range a.candidates[i] {
			if c.Column == column {
				a.worth[i] = c.Worth
			}
		}
		if i == row {
			return
		}
		column = next
	}
}

// relax reaches the columns of a row that itself is reached at a distance: to take one costs its
// price, and brings its worth.
func (a *assigner) relax(row int, distance float64) {
	for _, c := range a.candidates[row] {
		if a.done[c.Column] {
			continue // it is no nearer but for rounding, and ways must not run in circles
		}
		if d := distance + a.price[c.Column] - c.Worth; d < a.distance[c.Column] {
			if math.IsInf(a.distance[c.Column], 1) {
				a.touched = append(a.touched, c.Column)
			}
			a.distance[c.Column], a.from[c.Column] = d, row
			heap.Push(&a.queue, reached{c.Column, d})
		}
	}
}

// reached is a column at a distance; waiting is a heap of them, the nearest first.
type reached struct {
	column   int
	distance float64
}

type waiting []reached

func (w waiting) Len() int           { return len(w) }
func (w waiting) Less(i, j int) bool { return w[i].distance < w[j].distance }
func (w waiting) Swap(i, j int)      { w[i], w[j] = w[j], w[i] }
func (w *waiting) Push(x any)        { *w = append(*w, x.(reached)) }
func (w *waiting) Pop() any {
	last := (*w)[len(*w)-1]
	*w = (*w)[:len(*w)-1]
	return last
}
