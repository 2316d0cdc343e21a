package compute

import (
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/graph/simple"
	"gonum.org/v1/gonum/graph/topo"
)

// TestComponents holds them to gonum's, on graphs from no edge to one component.
func TestComponents(t *testing.T) {
	const nodes = 500
	for edges := 0; edges < 2000; edges += 100 {
		r := rand.New(rand.NewPCG(1, uint64(edges)))
		g := simple.NewUndirectedGraph()
		for i := range nodes {
			g.AddNode(simple.Node(i))
		}
		var pairs [][2]int
		for range edges {
			a, b := r.IntN(nodes), r.IntN(nodes)
			pairs = append(pairs, [2]int{a, b})
			if a != b {
				g.SetEdge(simple.Edge{F: simple.Node(a), T: simple.Node(b)})
			}
		}
		of := Components(nodes, pairs)
		for _, component := range topo.ConnectedComponents(g) {
			lowest := nodes
			for _, node := range component {
				lowest = min(lowest, int(node.ID()))
			}
			for _, node := range component {
				if got := of[node.ID()]; got != lowest {
					t.Fatalf("%d edges: node %d in component %d, expected %d", edges, node.ID(), got, lowest)
				}
			}
		}
	}
}
