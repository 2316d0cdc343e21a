package udf

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/saedb/saedb/internal/compute"
	"github.com/saedb/saedb/internal/fault"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf/capi"
)

const tableFamilies = "feature_families"

// defaultFamilyCosine is the least cosine of a family's directions where nobody says.
const defaultFamilyCosine = 0.5

var familiesFamily = family{
	register: func(f *Functions, c capi.Connection) error {
		return f.registerTable(c, tableFamilies, 0, f.featureFamilies, "cosine")
	},
	docs: []schema.Function{{
		Name:      tableFamilies,
		Signature: "feature_families(cosine := 0.5) → TABLE(family, size BIGINT, layers, layer, feature INTEGER, sae, release, model VARCHAR)",
		Description: "Features that are one through layers or SAEs: connected components of the graph in which two features are joined where each has the other for its nearest " +
			"decoder direction in the other's SAE, and the cosine is at least that. A row a feature of a family of two or more; families are numbered by their size, the largest first, " +
			"equal ones by their first feature. Nearest directions are those that saedb compute --neighbours stored; pairs of SAEs without them join nothing.",
		Example: "SELECT count(DISTINCT family) AS families, max(size) AS largest FROM feature_families(cosine := 0.4)",
	}},
}

// memberOf is an SAE of a family's feature.
type memberOf struct {
	sae, release, model string
	layer               int32
	placed              bool // whether it has a layer
}

// member is a feature of a family.
type member struct {
	sae, feature int32
}

func (f *Functions) featureFamilies(arguments []string) (*table, error) {
	least := defaultFamilyCosine
	if arguments[0] != "" {
		given, err := strconv.ParseFloat(arguments[0], 64)
		if err != nil || math.IsNaN(given) || given <= 0 || given > 1 {
			return nil, &fault.Error{Op: tableFamilies, Subject: "cosine", Expected: "above 0 to 1", Found: arguments[0]}
		}
		least = given
	}
	saes, edges, err := f.readers.database.mutual(least)
	if err != nil {
		return nil, fault.At(tableFamilies, "", err)
	}
	members, joined := nodesOf(edges)
	return familyTable(saes, members, compute.Components(len(members), joined)), nil
}

// mutual reads which features are each other's nearest, in the database that was opened first.
func (d *database) mutual(least float64) (saes map[int32]memberOf, edges [][2]member, err error) {
	databases, err := d.having("stored_sae_pairs", "pair_id")
	if err != nil {
		return nil, nil, err
	}
	if len(databases) == 0 {
		return nil, nil, &fault.Error{Problem: "no database with saedb's tables is open", Hint: "load a model, with saedb load model"}
	}
	in := databases[0]
	saes = map[int32]memberOf{}
	err = d.query(fmt.Sprintf(`SELECT s.sae_id, s.sae, s.release, m.model, coalesce(s.layer, 0), s.layer IS NOT NULL FROM %s s JOIN %s m USING (model_id)`,
		in.table("stored_saes"), in.table("stored_models")), func(chunk capi.Chunk) error {
		n := chunk.Rows()
		ids, layers, placed := capi.Values[int32](chunk.Column(0), n), capi.Values[int32](chunk.Column(4), n), capi.Values[bool](chunk.Column(5), n)
		for i := range n {
			saes[ids[i]] = memberOf{chunk.Column(1).Text(i), chunk.Column(2).Text(i), chunk.Column(3).Text(i), layers[i], placed[i]}
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	nearest := fmt.Sprintf(`(SELECT p.sae_id, p.other_id, n.feature, n.neighbours[1] AS neighbour, n.cosines[1] AS cosine
		FROM %s n JOIN %s p USING (pair_id) WHERE p.kind = 'neighbours' AND n.cosines[1] >= %g)`, in.table("stored_neighbours"), in.table("stored_sae_pairs"), least)
	err = d.query(fmt.Sprintf(`SELECT a.sae_id, a.feature, a.other_id, a.neighbour FROM %[1]s a JOIN %[1]s b
		ON b.sae_id = a.other_id AND b.other_id = a.sae_id AND b.feature = a.neighbour AND b.neighbour = a.feature
		WHERE a.sae_id < a.other_id OR a.sae_id = a.other_id AND a.feature < a.neighbour`, nearest), func(chunk capi.Chunk) error {
		var columns [4][]int32
		for i := range columns {
			columns[i] = capi.Values[int32](chunk.Column(i), chunk.Rows())
		}
		for i := range chunk.Rows() {
			edges = append(edges, [2]member{{columns[0][i], columns[1][i]}, {columns[2][i], columns[3][i]}})
		}
		return nil
	})
	return saes, edges, err
}

// nodesOf numbers the features that edges join, by SAE and feature.
func nodesOf(edges [][2]member) (members []member, joined [][2]int) {
	for _, e := range edges {
		members = append(members, e[0], e[1])
	}
	order := func(a, b member) int { return cmp.Or(cmp.Compare(a.sae, b.sae), cmp.Compare(a.feature, b.feature)) }
	slices.SortFunc(members, order)
	members = slices.Compact(members)
	for _, e := range edges {
		var pair [2]int
		for i := range e {
			pair[i], _ = slices.BinarySearchFunc(members, e[i], order)
		}
		joined = append(joined, pair)
	}
	return members, joined
}

// familyTable is the rows of families: of the members, each in the component of a lowest one.
func familyTable(saes map[int32]memberOf, members []member, component []int) *table {
	size, layers := map[int]int64{}, map[int]map[int32]bool{}
	var families []int
	for i, c := range component {
		if size[c] == 0 {
			families, layers[c] = append(families, c), map[int32]bool{}
		}
		size[c]++
		if of := saes[members[i].sae]; of.placed {
			layers[c][of.layer] = true
		}
	}
	slices.SortFunc(families, func(a, b int) int { return cmp.Or(cmp.Compare(size[b], size[a]), cmp.Compare(a, b)) })
	number := map[int]int64{}
	for i, c := range families {
		number[c] = int64(i + 1)
	}
	rows := make([]int, len(members))
	for i := range rows {
		rows[i] = i
	}
	slices.SortStableFunc(rows, func(a, b int) int { return cmp.Compare(number[component[a]], number[component[b]]) })
	of := func(row int) memberOf { return saes[members[rows[row]].sae] }
	text := func(name string, value func(memberOf) string) column {
		return textColumn(name, func(row int) (string, bool) { return value(of(row)), true })
	}
	return &table{rows: len(rows), columns: []column{
		knownColumn("family", capi.Bigint, func(row int) (int64, bool) { return number[component[rows[row]]], true }),
		knownColumn("size", capi.Bigint, func(row int) (int64, bool) { return size[component[rows[row]]], true }),
		knownColumn("layers", capi.Integer, func(row int) (int32, bool) { return int32(len(layers[component[rows[row]]])), true }),
		knownColumn("layer", capi.Integer, func(row int) (int32, bool) { return of(row).layer, of(row).placed }),
		knownColumn("feature", capi.Integer, func(row int) (int32, bool) { return members[rows[row]].feature, true }),
		text("sae", func(m memberOf) string { return m.sae }),
		text("release", func(m memberOf) string { return m.release }),
		text("model", func(m memberOf) string { return m.model }),
	}}
}
