package udf

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/saedb/saedb/internal/enrichment"
	"github.com/saedb/saedb/internal/fault"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf/capi"
)

// tokenSets is some sets of one model, indexed for scoring. It is immutable.
type tokenSets struct {
	ids   []int32 // set_id
	names []string
	index *enrichment.Sets
}

// setsCache keeps the index that was used last: a query asks for the same sets
// chunk after chunk.
type setsCache struct {
	mutex sync.Mutex
	key   string
	sets  *tokenSets
}

// get returns the sets that the SQL condition chooses among those of model m, in
// the order of their ids. The state of the table is part of the key, so that sets
// loaded since are seen.
func (c *setsCache) get(d *database, function string, m *reader, condition string) (*tokenSets, error) {
	if m.stored.registered.path != "" {
		return nil, &fault.Error{
			Op: function, Subject: "model " + m.stored.of, Problem: "a model that is registered from its files has no token sets",
			Hint: "load it, with saedb load model or CALL saedb_load_model, and sets for it",
		}
	}
	from := fmt.Sprintf("%s WHERE model_id = %d AND (%s)", m.stored.in("stored_token_sets"), m.stored.id, condition)
	state := ""
	err := d.query("SELECT coalesce(string_agg(set_id || ' ' || epoch_us(loaded_at), ',' ORDER BY set_id), '') FROM "+from, func(chunk capi.Chunk) error {
		state = chunk.Column(0).Text(0)
		return nil
	})
	if err != nil {
		return nil, fault.At(function, "token sets of model "+m.stored.of, err)
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	key := fmt.Sprintf("%q %d %s %s %s", m.stored.database, m.stored.id, m.stored.content, m.scope, state)
	if c.key == key {
		return c.sets, nil
	}
	sets, err := readSets(d, m, from)
	if err != nil {
		return nil, fault.At(function, "token sets of model "+m.stored.of, err)
	}
	c.key, c.sets = key, sets
	return sets, nil
}

func readSets(d *database, m *reader, from string) (*tokenSets, error) {
	tokens := m.matrix.TokenIDs()
	sets := &tokenSets{}
	var members [][]int32
	err := d.query("SELECT set_id, token_set, token_ids FROM "+from+" ORDER BY set_id", func(chunk capi.Chunk) error {
		n := chunk.Rows()
		ids, lists := capi.Values[int32](chunk.Column(0), n), chunk.Column(2)
		flat := capi.Values[int32](lists.Elements(), lists.ElementCount())
		for i, entry := range capi.Values[capi.Entry](lists, n) {
			sets.ids = append(sets.ids, ids[i])
			sets.names = append(sets.names, chunk.Column(1).Text(i))
			members = append(members, positions(flat[entry.Offset:entry.Offset+entry.Length], tokens))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	sets.index, err = enrichment.NewSets(len(tokens), members)
	return sets, err
}

// positions are the places of ids among tokens, both ascending; ids that do not
// count among them are left out.
func positions(ids, tokens []int32) []int32 {
	found := make([]int32, 0, len(ids))
	for _, id := range ids {
		if at, ok := slices.BinarySearch(tokens, id); ok {
			found = append(found, int32(at))
		}
	}
	return found
}

// named is the condition that chooses sets by name. A query ends at a NUL, so names
// have none in it.
func named(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = strings.ReplaceAll(schema.Literal(name), "\x00", "' || chr(0) || '")
	}
	return "token_set IN (" + strings.Join(quoted, ", ") + ")"
}

// numbered is the condition that chooses sets by id.
func numbered(ids []int32) string {
	return "list_contains(CAST(" + schema.Literal(schema.List(ids)) + " AS INTEGER[]), set_id)"
}

// requireNames makes sure that every name asked for is a set of the model.
func requireNames(d *database, function string, m *reader, sets *tokenSets, names []string) error {
	for _, name := range names {
		if slices.Contains(sets.names, name) {
			continue
		}
		known := ""
		err := d.query(fmt.Sprintf(`SELECT coalesce(string_agg(token_set, ', ' ORDER BY set_id), '') FROM %s WHERE model_id = %d`,
			m.stored.in("stored_token_sets"), m.stored.id), func(chunk capi.Chunk) error { known = chunk.Column(0).Text(0); return nil })
		if err != nil {
			return fault.At(function, "token sets of model "+m.stored.of, err)
		}
		hint := "there are: " + known
		if known == "" {
			hint = "none is loaded; saedb load sets loads them"
		} else if len(hint) > 400 {
			hint = hint[:400] + " …"
		}
		return &fault.Error{Op: function, Subject: fmt.Sprintf("token set %q", name), Problem: "no such set of model " + m.stored.of, Hint: hint}
	}
	return nil
}
