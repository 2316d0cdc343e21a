package udf_test

import (
	"strings"
	"testing"

	"github.com/saedb/saedb"
)

// TestNeurons: products with the input weights of MLPs are those of the stored rows, by name, and
// what a reader of neurons is not for says so.
func TestNeurons(t *testing.T) {
	db := withModels(t, saedb.Options{})
	// sums in the order that DuckDB has them, so to within rounding
	product := "list_inner_product(w_in::DOUBLE[], " + direction + "::DOUBLE[])"
	for query, want := range map[string]string{
		"SELECT string_agg(model || ' ' || layer || ' ' || d_mlp || ' ' || gated, ', ' ORDER BY model) FROM mlps":                                                                                                                                                                "gpt2 0 128 false, llama 0 48 true",
		"SELECT bool_and(abs(logit_weight(" + direction + ", 'llama#mlp_in.0', neuron) - " + product + ") < 1e-12) || ' ' || count(*) FROM stored_mlp_weights JOIN stored_models USING (model_id) WHERE model = 'llama' AND matrix = 'in'":                                       "true 48",
		"SELECT bool_and(abs(logit_weight(" + direction + ", 'llama#mlp_gate.0', neuron) - " + product + ") < 1e-12) || ' ' || count(*) FROM stored_mlp_weights JOIN stored_models USING (model_id) WHERE model = 'llama' AND matrix = 'gate'":                                   "true 48",
		"SELECT CAST([x.neuron FOR x IN top_neurons(" + direction + ", 'gpt2#mlp_in.0', 3)] = (SELECT list(neuron ORDER BY p DESC)[:3] FROM (SELECT neuron, " + product + " AS p FROM stored_mlp_weights JOIN stored_models USING (model_id) WHERE model = 'gpt2')) AS VARCHAR)": "true",
		"SELECT CAST([x.neuron FOR x IN bottom_neurons(" + direction + ", 'gpt2#mlp_in.0', 3)] = (SELECT list(neuron ORDER BY p)[:3] FROM (SELECT neuron, " + product + " AS p FROM stored_mlp_weights JOIN stored_models USING (model_id) WHERE model = 'gpt2')) AS VARCHAR)":   "true",
		"SELECT CAST(len(logit_weights(" + direction + ", 'gpt2#mlp_in.0')) AS VARCHAR) || ' ' || CAST(isfinite((logit_stats(" + direction + ", 'gpt2#mlp_in.0')).std) AS VARCHAR) || ' ' || len(top_neurons(" + direction + ", 'gpt2#mlp_in.0'))":                               "128 true 10",
	} {
		var got string
		if err := db.QueryRow(query).Scan(&got); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", query, got, err, want)
		}
	}
	for query, says := range map[string][]string{
		"top_neurons(" + direction + ", 'llama#mlp_in.3')":         {"the MLP of layer 3 was not loaded", "--mlp 3", "'llama#mlp_in.0', 'llama#mlp_gate.0'"},
		"top_neurons(" + direction + ", 'gpt2#mlp_gate.0')":        {"have no gate", "'gpt2#mlp_in.0'"},
		"top_neurons(" + direction + ", 'nobody#mlp_in.0')":        {"no such model", "llama"},
		"top_neurons(" + direction + ", 'llama#mlp_in.00')":        {"a reader is"},
		"top_neurons(" + direction + ", 'llama')":                  {"its rows are tokens", "needs neurons", "top_tokens"},
		"top_features(" + direction + ", 'llama#mlp_in.0')":        {"its rows are neurons", "needs features", "top_neurons"},
		"nearest_features(" + direction + ", 'llama#mlp_in.0')":    {"its rows are neurons", "needs features"},
		"top_tokens(" + direction + ", 'llama#mlp_in.0', 3)":       {"its rows are neurons", "needs tokens", "top_neurons"},
		"logit_stats(" + direction + ", 'llama#mlp_in.0', 'real')": {"its rows are neurons", "leave out 'real'"},
		"logit_weight(" + direction + ", 'llama#mlp_in.0', 48)":    {"0 to 47, the neurons of layer 0 of model llama"},
	} {
		_, err := db.Exec("SELECT " + query)
		for _, s := range says {
			if err == nil || !strings.Contains(err.Error(), s) {
				t.Errorf("%s: %v does not say %q", query, err, s)
			}
		}
	}
}
