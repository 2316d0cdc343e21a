package main

import (
	"fmt"
	"net/url"

	"github.com/saedb/saedb/bench/measure"
)

// A kind is requests of one kind; path is that of the i-th.
type kind struct {
	name string
	path func(i int) string
}

// kinds are what the explorer's pages ask for, in the order of the pages.
func kinds(shape measure.Shape) []kind {
	feature := func(i int) string {
		return fmt.Sprintf("&sae=gpt2-shape/blocks.%d.hook_resid_pre&feature=%d", i%layers, (12345+1009*i)%shape.Features)
	}
	layer := func(i int) string { return fmt.Sprintf("&sae=gpt2-shape/blocks.%d.hook_resid_pre", i%layers) }
	set := func(i int) string { return "&set=" + url.QueryEscape(measure.SetName((37*i)%100)) }
	query := func(sql string) func(int) string {
		return func(i int) string { return "sql?q=" + url.QueryEscape(fmt.Sprintf(sql, i%layers)) }
	}
	list := []kind{
		{"overview", func(int) string { return "overview" }},
		{"features", func(int) string { return "features?limit=50" }},
	}
	for _, column := range []string{"feature", "layer", "skewness", "kurtosis", "std", "log_sparsity"} {
		list = append(list, kind{"features by " + column + ", ascending", func(int) string { return "features?limit=50&order=asc&sort=" + column }})
	}
	return append(list,
		kind{"features, page 1000", func(int) string { return "features?limit=50&offset=50000" }},
		kind{"features, the last page", func(int) string { return fmt.Sprintf("features?limit=50&offset=%d", layers*shape.Features-50) }},
		kind{"features of a layer", func(i int) string { return fmt.Sprintf("features?limit=50&layer=%d", i%layers) }},
		kind{"features of an SAE, kurtosis bounded", func(i int) string { return "features?limit=50&sort=kurtosis&min_kurtosis=3.01" + layer(i) }},
		kind{"features, skewness and kurtosis bounded", func(i int) string {
			return fmt.Sprintf("features?limit=50&min_kurtosis=3.01&max_skewness=0.%03d", i+10)
		}},
		kind{"features that promote a token", func(i int) string { return fmt.Sprintf("features?limit=50&token=t%d", 20000+311*i) }},
		kind{"features that promote 't1', any of 11,111", func(int) string { return "features?limit=50&token=t1" }},
		kind{"features that promote a token, by its id", func(i int) string { return fmt.Sprintf("features?limit=50&promotes=%d", 20000+311*i) }},
		kind{"features: small histograms", func(i int) string { return fmt.Sprintf("facets?min_std=0.0%02d", i) }},
		kind{"features: scatter", func(i int) string { return fmt.Sprintf("scatter?min_std=0.0%02d", i) }},
		kind{"feature", func(i int) string { return "feature?" + feature(i) }},
		kind{"feature: 50 tokens of both ends", func(i int) string { return "ends?" + feature(i) }},
		kind{"feature: every set", func(i int) string { return "enrichment?" + feature(i) }},
		kind{"feature: links", func(i int) string { return "links?" + feature(i) }},
		kind{"feature: histogram", func(i int) string { return "figure?name=feature" + feature(i) }},
		kind{"feature: histogram, a set apart", func(i int) string { return "figure?name=feature" + feature(i) + set(i) }},
		kind{"feature: running sum", func(i int) string { return "figure?name=running-sum" + feature(i) + set(i) }},
		kind{"feature: nearest directions, an SAE", func(i int) string {
			return fmt.Sprintf("similar?of=gpt2-shape/blocks.%d.hook_resid_pre", (5*i)%layers) + feature(i)
		}},
		kind{"sets", func(int) string { return "sets" }},
		kind{"set", func(i int) string { return "set?model=gpt2" + set(i) }},
		kind{"set: its own tokens beside features", func(i int) string { return "evidence?model=gpt2&direction=promoted" + set(i) }},
		kind{"token", func(i int) string { return fmt.Sprintf("token?id=%d", 20000+311*i) }},
		kind{"set: every feature of an SAE", func(i int) string { return "figure?name=manhattan" + layer(i) + set(i) }},
		kind{"set: the features that promote it most", func(i int) string { return "promoters?model=gpt2" + layer(i) + set(i) }},
		kind{"layers: what is beyond chance", func(int) string { return "layers" }},
		kind{"layers: percentiles", func(int) string { return "figure?name=layers" }},
		kind{"layer: skewness and kurtosis", func(i int) string { return "figure?name=skew-kurtosis" + layer(i) }},
		kind{"layer: skewness", func(i int) string { return "figure?name=skewness" + layer(i) }},
		kind{"layer: kurtosis", func(i int) string { return "figure?name=kurtosis" + layer(i) }},
		kind{"layer: strongest sets", func(i int) string { return "figure?name=manhattan" + layer(i) }},
		kind{"SQL: completion", func(int) string { return "names" }},
		kind{"SQL: skewed features", query("SELECT layer, feature, skewness, kurtosis, top_tokens[:5] AS promotes FROM features WHERE skewness > 1 AND layer <> %d ORDER BY skewness DESC")},
		kind{"SQL: means by layer", query("SELECT layer, count(*), avg(skewness), avg(kurtosis) FROM features WHERE layer <> %d GROUP BY layer ORDER BY layer")},
		kind{"SQL: a pivot", query("PIVOT (FROM enrichment WHERE feature < 3 AND layer = %d) ON token_set USING max(es) GROUP BY feature")},
		kind{"SQL: a layer's scores in one set", query("SELECT * FROM enrichment WHERE token_set = 'set 50' AND layer = %d ORDER BY es DESC LIMIT 100")},
	)
}
