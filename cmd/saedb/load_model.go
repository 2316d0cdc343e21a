package main

import (
	"math"
	"slices"
	"strings"

	"github.com/saedb/saedb/loader/model"
	"github.com/urfave/cli/v2"
)

var tokenizerFlag = &cli.StringFlag{
	Name: "tokenizer", DefaultText: "the model's own",
	Usage: "`FILE` of the tokenizer, or its directory, for a model that has none, or one that is not read",
}

// modelFlags say how a model is read where the rules of its family will not do.
var modelFlags = []cli.Flag{
	&cli.StringFlag{
		Name: "processing", Value: model.ProcessTransformerLens,
		Usage: "what is done to the unembedding: `HOW` is one of " + strings.Join(model.Processings(), ", "),
	},
	&cli.StringFlag{Name: "unembedding", Usage: "`TENSOR` [d_vocab, d_model] that is the unembedding"},
	&cli.StringFlag{Name: "norm", Usage: "`TENSOR` that is the final norm's weight, or none; it is folded"},
	&cli.StringFlag{Name: "norm-kind", Usage: "`KIND` of the final norm: rms or layer"},
	&cli.Float64Flag{Name: "norm-offset", DefaultText: "its family's", Usage: "`NUMBER` added to the norm's stored weight: 1 for one that is stored as w-1"},
	tokenizerFlag,
	&cli.Float64Flag{Name: "soft-cap", DefaultText: "its own", Usage: "`NUMBER` that logits are soft-capped at, 0 for none"},
}

// modelOptions reads modelFlags, --embedding, --attention and --mlp.
func modelOptions(c *cli.Context) (model.Options, error) {
	o := model.Options{Processing: c.String("processing"), Unembedding: c.String("unembedding"), Norm: c.String("norm"), Embedding: c.Bool("embedding"), Attention: c.String("attention"), MLP: c.String("mlp")}
	if !slices.Contains(model.Processings(), o.Processing) {
		return o, wrongUsage("load model: --processing: expected one of %s, found %q", strings.Join(model.Processings(), ", "), o.Processing)
	}
	var err error
	if o.NormKind, err = model.NormKind(c.String("norm-kind")); err != nil {
		return o, wrongUsage("%v", err)
	}
	for name, to := range map[string]**float64{"norm-offset": &o.NormOffset, "soft-cap": &o.SoftCap} {
		if !c.IsSet(name) {
			continue
		}
		value := c.Float64(name)
		if math.IsNaN(value) || math.IsInf(value, 0) || name == "soft-cap" && value < 0 {
			return o, wrongUsage("load model: --%s: expected a finite number, for --soft-cap from 0 on, found %g", name, value)
		}
		*to = &value
	}
	return o, nil
}
