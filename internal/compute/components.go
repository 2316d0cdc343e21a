package compute

// Components returns, for n nodes, which connected component of a graph each is in, by the lowest
// node of that. Edges are pairs of nodes.
func Components(n int, edges [][2]int) []int {
	parent := make([]int, n)
	for i := range parent {
		parent[i] = i
	}
	root := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]] // so that the next way is shorter
			i = parent[i]
		}
		return i
	}
	for _, e := range edges {
		a, b := root(e[0]), root(e[1])
		parent[max(a, b)] = min(a, b)
	}
	for i := range parent {
		parent[i] = root(i)
	}
	return parent
}
