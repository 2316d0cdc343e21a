package operations

import (
	"context"
	"fmt"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/statistics"
	schema "github.com/saedb/saedb/sql"
)

// mlpReads is the hook point that the MLP of a layer reads, before its norm.
const mlpReads = "blocks.%d.hook_mlp_in"

// computeNeuronLinks computes the direct weights from the features of the source SAEs to the neurons of an MLP, both
// ways: the strongest neurons of every feature, and the strongest features of every neuron.
func (d *Database) computeNeuronLinks(ctx context.Context, r PairsRequest) (outcome PairsOutcome, err error) {
	const op = "compute links"
	if err := r.checkTop(op); err != nil {
		return outcome, err
	}
	if err := d.Require(ctx); err != nil {
		return outcome, fault.At(op, "", err)
	}
	neurons, model, err := d.neurons(ctx, r.Target)
	if err != nil {
		return outcome, fault.At(op, "", err)
	}
	sources, err := d.pairedSAEs(ctx, r.Source)
	if err != nil {
		return outcome, fault.At(op, "", err)
	}
	plan := pairPlan{request: r}
	for _, source := range sources {
		if why := linked(source, model); why != nil {
			plan.skip(source.name, neurons.Reader, why)
			continue
		}
		plan.outcome.Pairs++
		for _, kind := range []string{statistics.Outgoing, statistics.Incoming} {
			p, err := statistics.PlanNeurons(ctx, d.DB, kind, source.name, neurons, r.Top)
			if err != nil {
				return plan.outcome, err
			}
			plan.add(p)
		}
	}
	return d.computePlan(ctx, op, "these", plan)
}

// Neurons are the input weights of an MLP, by the name of their reader, 'MODEL#mlp_in.LAYER' or
// 'MODEL#mlp_gate.LAYER', for those who compute links to them elsewhere: which they are, the hook point
// that they read at, and whether the database has them, and not their results alone.
func (d *Database) Neurons(ctx context.Context, reader string) (n statistics.Neurons, hook string, weights bool, err error) {
	const op = "find neurons"
	if err := d.Require(ctx); err != nil {
		return n, "", false, fault.At(op, "", err)
	}
	n, as, err := d.neurons(ctx, reader)
	return n, as.encoderHook, as.weights, fault.At(op, "", err)
}

// neurons finds the input weights of an MLP by the name of their reader. What links to them depend
// on besides is told as of an SAE that reads there.
func (d *Database) neurons(ctx context.Context, reader string) (n statistics.Neurons, as pairedSAE, err error) {
	at := strings.LastIndexByte(reader, schema.ReaderMark)
	model, suffix := reader[:at], reader[at+1:]
	matrix, layer, ok := schema.NeuronReader(suffix)
	if !ok {
		return n, as, &fault.Error{
			Subject: "target", Expected: "words for SAEs, 'MODEL#mlp_in.LAYER' or 'MODEL#mlp_gate.LAYER'", Found: schema.Literal(reader),
			Hint: "features of an SAE go by its name alone",
		}
	}
	n = statistics.Neurons{Reader: reader, Layer: layer, Matrix: matrix}
	as = pairedSAE{name: model, model: model, encoderHook: fmt.Sprintf(mlpReads, layer), encoder: true}
	type mlp struct {
		id, layer, count, dModel int
		gated, weights           bool
	}
	there, err := schema.Rows(ctx, d.DB, func(m *mlp) []any { return []any{&m.id, &m.layer, &m.count, &m.dModel, &m.gated, &m.weights} },
		`SELECT p.model_id, p.layer, p.d_mlp, m.d_model, p.gated, NOT contains(l.conventions, ?) FROM stored_mlps p JOIN stored_models m USING (model_id)
		JOIN stored_loads l ON l.load_id = p.model_id WHERE m.model = ? ORDER BY p.layer`, schema.WithoutWeights, model)
	if err != nil {
		return n, as, err
	}
	var known []string
	for _, m := range there {
		known = append(known, schema.Literal(schema.ReaderName(model, schema.MLPInReader)+fmt.Sprintf(".%d", m.layer)))
		if m.layer == layer && (m.gated || matrix != "gate") {
			n.ModelID, n.Count, n.DModel, as.weights = m.id, m.count, m.dModel, m.weights
			return n, as, nil
		}
	}
	missing := &fault.Error{
		Subject: "target " + schema.Literal(reader), Problem: "no such MLP is loaded", Hint: fmt.Sprintf("saedb load model … --mlp %d adds that of a layer", layer),
	}
	switch {
	case len(there) > 0 && matrix == "gate" && !there[0].gated:
		missing.Problem, missing.Hint = "the model's MLPs have no gate", "their input weights are "+strings.Join(known[:min(len(known), 12)], ", ")
	case len(known) > 0:
		missing.Hint += "; there are: " + strings.Join(known[:min(len(known), 12)], ", ")
	}
	return n, as, missing
}
