package web

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	schema "github.com/saedb/saedb/sql"
)

// mostRows is how many rows a page of features has at most.
const mostRows = 500

// mostCounts is how many counts are remembered.
const mostCounts = 10_000

// The columns that features may be sorted and bounded by, by the table that has them.
var (
	ofStatistics = schema.MomentColumns
	ofDecoders   = []string{"log_sparsity"}
	ofBoth       = []string{"feature", "layer"} // layer is that of the SAE
)

func sortable(column string) bool {
	return slices.Contains(ofStatistics, column) || slices.Contains(ofDecoders, column) || slices.Contains(ofBoth, column)
}

// features is one page of the table of features: filtered, sorted and cut in SQL.
// promotes, suppresses and excited_by are the id of a token that is stored at that end of
// their ranking, and sort then may be rank, its place there; token is a part of the text of
// one of the ten highest tokens, label one of the label; set is a token set that they promote or
// suppress (direction says which) beyond chance; min_X and max_X bound a statistic; features is a
// list of indices.
//
// It reads the tables and not the view features, which joins all features of all SAEs
// before the first is known: which rows are shown is found from the columns that
// choose and sort, and only theirs are the others read.
func (s *Server) features(ctx context.Context, q url.Values) (any, error) {
	f, err := s.featureFilter(ctx, q)
	if err != nil {
		return nil, err
	}
	order, ascending, err := f.order(q)
	if err != nil {
		return nil, err
	}
	offset, err := number(q, "offset", 0, 1<<31)
	if err != nil {
		return nil, err
	}
	limit, err := number(q, "limit", 50, mostRows)
	if err != nil {
		return nil, err
	}
	answer := func(total int64, rows []row) map[string]any {
		tokens := []row{}
		for _, t := range f.tokens {
			tokens = append(tokens, t.described())
		}
		s.star(ctx, rows)
		return map[string]any{"total": total, "rows": rows, "tokens": tokens, "sort": order, "order": map[bool]string{true: "asc", false: "desc"}[ascending]}
	}
	if f.none {
		return answer(0, []row{}), nil
	}
	page := func(total string) string { return s.pageQuery(f, order, ascending, total, limit, offset) }
	if _, known := s.counted(f); (f.bits != nil || f.tokens != nil) && !known && offset == 0 && limit > 0 {
		// Tokens are looked for in every feature: once, for the rows and their number.
		rows, err := s.featureRows(ctx, page("(SELECT count(*) FROM found)"), f.arguments(), f.places()...)
		if err != nil {
			return nil, err
		}
		total := int64(0)
		for _, one := range rows {
			total = one["total"].(int64)
		}
		s.remember(f, total)
		return answer(total, rows), nil
	}
	counted := make(chan error, 1)
	var total int64
	go func() {
		var err error
		total, err = s.count(ctx, f)
		counted <- err
	}()
	rows, err := s.featureRows(ctx, page(""), f.arguments(), f.places()...)
	if err = errors.Join(err, <-counted); err != nil {
		return nil, err
	}
	return answer(total, rows), nil
}

// A featureFilter says which features are meant.
type featureFilter struct {
	none       bool      // no feature can be
	saes       []int     // ids; nil for all
	tokens     []tokenAt // that features have at an end
	bits       []string  // of tokens, a model each: columns bits_0, bits_1, …
	conditions []string  // of columns
	values     []any     // of the conditions
	columns    []string  // that the conditions are of
}

// order is what a request sorts by. Where it asks for a token, that is the token's rank.
func (f *featureFilter) order(q url.Values) (column string, ascending bool, err error) {
	column = q.Get("sort")
	switch {
	case column == "" && f.tokens != nil:
		column = "rank"
	case column == "":
		column = "skewness"
	case !sortable(column) && (column != "rank" || f.tokens == nil):
		return "", false, fmt.Errorf("sort: no column %q", column)
	}
	if column == "rank" && q.Get("order") == "" {
		return column, true, nil
	}
	return column, q.Get("order") == "asc", nil
}

// places is what rows have besides, of the first token that is asked for.
func (f *featureFilter) places() []string {
	if f.tokens == nil {
		return nil
	}
	return []string{f.tokens[0].place()}
}

// arguments are those of a query that has from before where.
func (f *featureFilter) arguments() []any {
	var all []any
	for _, b := range f.bits {
		all = append(all, b)
	}
	return append(all, f.values...)
}

// pageQuery gives sae_id and feature of a page's rows, in order, and total where it is
// an expression over all that are found.
func (s *Server) pageQuery(f *featureFilter, order string, ascending bool, total string, limit, offset int) string {
	direction := " DESC"
	if ascending {
		direction = " ASC"
	}
	from, key := f.from(s.catalogue.computed, order), order
	switch order {
	case "layer":
		from, key = from+" JOIN "+s.catalogue.layers()+" USING (sae_id)", "CAST(layer AS INTEGER)"
	case "rank":
		key = f.tokens[0].rank()
	}
	found := "SELECT sae_id, feature, " + key + " AS key FROM " + from + " WHERE " + f.where()
	sorted := fmt.Sprintf(" ORDER BY key%s NULLS LAST, sae_id, feature LIMIT %d OFFSET %d", direction, limit, offset)
	if total == "" {
		return "SELECT sae_id, feature FROM (" + found + ")" + sorted
	}
	return "WITH found AS MATERIALIZED (" + found + ") SELECT sae_id, feature, " + total + " AS total FROM found" + sorted
}

// from is the table that has the features and the columns of the filter and sort;
// a join where no one table has them. computed says that every feature has statistics.
func (f *featureFilter) from(computed bool, sort ...string) string {
	statistics, decoders, bounded := false, false, false
	for i, c := range append(slices.Clone(f.columns), sort...) {
		isStatistic := slices.Contains(ofStatistics, c) || c == "top_token_ids"
		statistics = statistics || isStatistic
		decoders = decoders || slices.Contains(ofDecoders, c)
		bounded = bounded || isStatistic && i < len(f.columns) // which none without statistics fulfils
	}
	table := "stored_decoders LEFT JOIN stored_statistics USING (sae_id, feature)"
	switch {
	case !statistics:
		table = "stored_decoders"
	case !decoders && (computed || bounded):
		table = "stored_statistics"
	}
	for _, t := range f.tokens {
		table += " JOIN " + t.features() + " USING (sae_id, feature)"
	}
	for i := range f.bits {
		table += fmt.Sprintf(" CROSS JOIN (SELECT CAST(? AS BIT) AS bits_%d)", i)
	}
	return table
}

func (f *featureFilter) where() string {
	of := "sae_id > 0" // numbers below 0 are those of SAEs in lenses
	if f.saes != nil {
		of = "sae_id IN (" + joinInts(f.saes) + ")"
	}
	return strings.Join(append([]string{of}, f.conditions...), " AND ")
}

// joinInts is what stands between the brackets of a list of numbers.
func joinInts(numbers []int) string { return strings.Trim(schema.List(numbers), "[]") }

// count is how many features a filter leaves. It is remembered, since each page of a
// table asks again.
func (s *Server) count(ctx context.Context, f *featureFilter) (total int64, err error) {
	if len(f.conditions) == 0 && f.tokens == nil {
		for _, a := range s.catalogue.saes {
			if f.saes == nil || slices.Contains(f.saes, a.id) {
				total += int64(a.features)
			}
		}
		return total, nil
	}
	if known, ok := s.counted(f); ok {
		return known, nil
	}
	err = s.db.QueryRowContext(ctx, `SELECT count(*) FROM `+f.from(s.catalogue.computed)+` WHERE `+f.where(), f.arguments()...).Scan(&total)
	if err == nil {
		s.remember(f, total)
	}
	return total, err
}

func (f *featureFilter) key() [sha256.Size]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%v %s %q", f.tokens, f.where(), f.arguments()))
}

func (s *Server) counted(f *featureFilter) (total int64, known bool) {
	if known, ok := s.counts.Load(f.key()); ok {
		return known.(int64), true
	}
	return 0, false
}

func (s *Server) remember(f *featureFilter, total int64) {
	if s.remembered.Add(1) < mostCounts {
		s.counts.Store(f.key(), total)
	}
}

// featureRows are the features that a query of ours chooses by sae_id and feature, in
// its order, with the columns that it gives, those of the table of features, and others, each
// "columns FROM table". Tokens are read as ids: DuckDB takes ten times as long to decompress
// their texts.
func (s *Server) featureRows(ctx context.Context, query string, args []any, others ...string) ([]row, error) {
	chosen, err := s.list(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return s.describedRows(ctx, chosen, others...)
}

// describedRows adds to rows that have sae_id and feature what featureRows adds.
func (s *Server) describedRows(ctx context.Context, chosen []row, others ...string) ([]row, error) {
	if len(chosen) == 0 {
		return chosen, nil
	}
	type key struct{ sae, feature any }
	place := map[key][]row{}
	var keys []string
	for _, c := range chosen {
		at := key{c["sae_id"], c["feature"]}
		place[at] = append(place[at], c)
		keys = append(keys, fmt.Sprintf("(%d, %d)", c["sae_id"], c["feature"]))
	}
	in := " WHERE (sae_id, feature) IN (" + strings.Join(keys, ", ") + ")"
	for _, columns := range append([]string{
		"mean, std, skewness, kurtosis, cos_mean, cos_std, cos_skewness, cos_kurtosis, " + schema.Role + " AS role, top_token_ids, bottom_token_ids FROM stored_statistics",
		"log_sparsity FROM stored_decoders",
		"both_sides(i.label, l.label) AS label FROM (FROM stored_labels" + in + ") l FULL JOIN (FROM stored_input_labels" + in + ") i USING (sae_id, feature)",
	}, others...) {
		found, err := s.list(ctx, "SELECT sae_id, feature, "+columns+in)
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			for _, c := range place[key{f["sae_id"], f["feature"]}] {
				maps.Copy(c, f)
			}
		}
	}
	for _, c := range chosen {
		if err := s.describe(ctx, c); err != nil {
			return nil, err
		}
	}
	return chosen, nil
}

// describe puts names and texts in place of a row's ids.
func (s *Server) describe(ctx context.Context, c row) error {
	a := s.catalogue.byID[int(c["sae_id"].(int32))]
	v, err := s.vocabulary(ctx, a.modelID)
	if err != nil {
		return err
	}
	c["release"], c["sae"], c["model"], c["layer"], c["neuronpedia_url"] = a.release, a.name, a.model, a.layerOrNil(), a.url(c["feature"])
	for _, end := range []string{"top", "bottom"} {
		c[end+"_tokens"] = v.texts(c[end+"_token_ids"], 10)
	}
	delete(c, "sae_id")
	return nil
}

func (s *Server) featureFilter(ctx context.Context, q url.Values) (*featureFilter, error) {
	f := &featureFilter{}
	if err := f.bounds(q); err != nil {
		return nil, err
	}
	if err := f.listed(q); err != nil {
		return f, err
	}
	if err := s.filterSAEs(q, f); err != nil {
		return f, err
	}
	var err error
	if f.tokens, err = s.tokensAsked(ctx, q); err != nil || f.none {
		return f, err
	}
	if err := s.filterMeaning(ctx, q, f); err != nil {
		return f, err
	}
	if text := q.Get("token"); text != "" {
		return f, s.filterText(ctx, text, f)
	}
	return f, nil
}

// bounds reads min_X and max_X of the columns of features.
func (f *featureFilter) bounds(q url.Values) error {
	for _, key := range slices.Sorted(maps.Keys(q)) {
		column, isBound := strings.CutPrefix(key, "min_")
		compare := ">="
		if !isBound {
			column, isBound = strings.CutPrefix(key, "max_")
			compare = "<="
		}
		if !isBound || q.Get(key) == "" {
			continue
		}
		bound, err := strconv.ParseFloat(q.Get(key), 64)
		if err != nil || !sortable(column) {
			return fmt.Errorf("%s: expected a number for a statistic, found %q", key, q.Get(key))
		}
		if column == "layer" {
			continue // chooses among SAEs
		}
		f.conditions, f.values, f.columns = append(f.conditions, column+" "+compare+" ?"), append(f.values, bound), append(f.columns, column)
	}
	return nil
}

// filterSAEs chooses the SAEs by what a request says of them.
func (s *Server) filterSAEs(q url.Values, f *featureFilter) error {
	layer, err := strconv.Atoi(cmp.Or(q.Get("layer"), "0"))
	if err != nil {
		return fmt.Errorf("layer: expected a number, found %q", q.Get("layer"))
	}
	bound := func(key string) (float64, bool) {
		v, err := strconv.ParseFloat(q.Get(key), 64) // bounds has said what is no number
		return v, err == nil
	}
	least, hasLeast := bound("min_layer")
	greatest, hasGreatest := bound("max_layer")
	for _, a := range s.catalogue.saes {
		at := float64(a.layer.Int32)
		switch {
		case q.Get("release") != "" && q.Get("release") != a.release, q.Get("sae") != "" && q.Get("sae") != a.name, q.Get("model") != "" && q.Get("model") != a.model,
			q.Get("layer") != "" && (!a.layer.Valid || layer != int(a.layer.Int32)),
			hasLeast && (!a.layer.Valid || at < least), hasGreatest && (!a.layer.Valid || at > greatest):
			continue
		}
		f.saes = append(f.saes, a.id)
	}
	f.none = len(f.saes) == 0
	if len(f.saes) == len(s.catalogue.saes) {
		f.saes = nil
	}
	return nil
}

// number reads a whole number of at most most.
func number(q url.Values, key string, otherwise, most int) (int, error) {
	v := q.Get(key)
	if v == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 || n > most {
		return 0, fmt.Errorf("%s: expected a number up to %d, found %q", key, most, v)
	}
	return n, nil
}
