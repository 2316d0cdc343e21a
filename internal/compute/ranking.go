package compute

import "slices"

// candidate is a token position and what it is ranked by.
type candidate struct {
	value    float64
	position int32
}

// before reports whether a ranks above b: by value, then by lower position, which
// is also the lower token id.
func (a candidate) before(b candidate) bool {
	if a.value != b.value {
		return a.value > b.value
	}
	return a.position < b.position
}

// ranking keeps the best size candidates of those offered, in a heap with the
// worst of them at the root. Its memory grows to size and no further.
type ranking struct {
	size int
	heap []candidate
}

// full reports whether a further candidate has to displace one.
func (r *ranking) full() bool { return len(r.heap) == r.size }

// worst returns the last of the best; the ranking must not be empty.
func (r *ranking) worst() candidate { return r.heap[0] }

func (r *ranking) offer(c candidate) {
	switch {
	case !r.full():
		r.heap = append(r.heap, c)
		r.up(len(r.heap) - 1)
	case r.size > 0 && c.before(r.heap[0]):
		r.heap[0] = c
		r.down(0)
	}
}

func (r *ranking) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !r.heap[parent].before(r.heap[i]) {
			return
		}
		r.heap[parent], r.heap[i] = r.heap[i], r.heap[parent]
		i = parent
	}
}

func (r *ranking) down(i int) {
	for {
		worst := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(r.heap); child++ {
			if r.heap[worst].before(r.heap[child]) {
				worst = child
			}
		}
		if worst == i {
			return
		}
		r.heap[worst], r.heap[i] = r.heap[i], r.heap[worst]
		i = worst
	}
}

// sorted returns the candidates best first. The ranking is empty afterwards.
func (r *ranking) sorted() []candidate {
	best := r.heap
	r.heap = nil
	slices.SortFunc(best, func(a, b candidate) int {
		if a.before(b) {
			return -1
		}
		return 1
	})
	return best
}
