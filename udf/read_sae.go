package udf

import (
	"fmt"
	"strconv"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/sae"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf/capi"
)

var readSAEFamily = family{
	register: registerReadSAE,
	docs: []schema.Function{
		{
			Name:        "read_sae",
			Signature:   "read_sae(path [, first := 0, features := …]) → TABLE(feature INTEGER, w_dec FLOAT[], log_sparsity FLOAT)",
			Description: "The decoder directions of an SAE on disk, without loading it: all of them, or so many from the first. Others are not read.",
			Example:     "SELECT feature, len(w_dec), log_sparsity FROM read_sae('examples/smollm2-135m/saes/blocks.29.hook_resid_pre') LIMIT 5",
		},
		{
			Name:      "read_encoder",
			Signature: "read_encoder(path [, first := 0, features := …]) → TABLE(feature INTEGER, w_enc FLOAT[], bias, threshold FLOAT)",
			Description: "The encoder of an SAE on disk, as stored, without loading it: of all features, or of so many from the first. A feature is excited by activations x at encoder_hook of sae_info " +
				"where x · w_enc + bias is above 0, or above threshold; in some architectures the decoder's bias is taken off x before, and in those that keep the k largest these decide. " +
				"bias and threshold are NULL where the files have none. An encoder that is not one matrix, as a crosscoder's, is an error.",
			Example: "SELECT feature, round(list_cosine_similarity(w_enc, w_dec), 3) AS cosine FROM read_encoder('examples/smollm2-135m/saes/blocks.29.hook_resid_pre') JOIN read_sae('examples/smollm2-135m/saes/blocks.29.hook_resid_pre') USING (feature) LIMIT 5",
		},
		{
			Name: "sae_info",
			Signature: "sae_info(path) → TABLE(format, architecture VARCHAR, d_model, d_sae INTEGER, hook VARCHAR, layer INTEGER, " +
				"dtype, scale, neuronpedia_id, encoder_hook VARCHAR)",
			Description: "One row that says what an SAE on disk is. hook is the point that its decoder writes to, layer the index of the block in its name; encoder_hook is the point that its encoder reads, NULL where the files of a transcoder do not say.",
			Example:     "FROM sae_info('examples/smollm2-135m/saes/blocks.29.hook_resid_pre')",
		},
	},
}

func registerReadSAE(f *Functions, c capi.Connection) error {
	if err := f.registerTable(c, "read_sae", 1, f.files("read_sae", f.readSAE), "first", "features"); err != nil {
		return err
	}
	if err := f.registerTable(c, "read_encoder", 1, f.files("read_encoder", f.readEncoder), "first", "features"); err != nil {
		return err
	}
	return f.registerTable(c, "sae_info", 1, f.files("sae_info", f.saeInfo))
}

func (f *Functions) readSAE(arguments []string) (*table, error) {
	return partOfSAE("read_sae", arguments, f.saeRows)
}

func (f *Functions) readEncoder(arguments []string) (*table, error) {
	return partOfSAE("read_encoder", arguments, f.encoderRows)
}

// partOfSAE is the rows of the SAE at a path, a row a feature, or so many from the first, and
// closes it with them.
func partOfSAE(function string, arguments []string, rows func(sae.SAE) (*table, error)) (*table, error) {
	opened, err := sae.Open(arguments[0])
	if err != nil {
		return nil, err
	}
	t, err := rows(opened)
	if err == nil {
		err = t.only(function, arguments)
	}
	if err != nil {
		opened.Close()
		return nil, err
	}
	t.close = opened.Close
	return t, nil
}

// only leaves of the table's rows, which are features, so many from the first. The arguments
// of the function are the path and these two as SQL gives them: empty for all.
func (t *table) only(function string, arguments []string) error {
	path, first, features := arguments[0], arguments[1], arguments[2]
	number := func(name, given string, otherwise, most int) (int, error) {
		if given == "" {
			return otherwise, nil
		}
		n, err := strconv.Atoi(given)
		if err != nil || n < 0 || n > most {
			return 0, &fault.Error{Op: function, Subject: path, Problem: name, Expected: fmt.Sprintf("a number from 0 to %d", most), Found: given}
		}
		return n, nil
	}
	var err error
	if t.first, err = number("first", first, 0, t.rows); err != nil {
		return err
	}
	t.rows, err = number("features", features, t.rows-t.first, t.rows-t.first)
	return err
}

// encoderRows is a row a feature, for read_encoder.
func (f *Functions) encoderRows(s sae.SAE) (*table, error) {
	encoder, err := s.Encoder()
	if err != nil {
		return nil, err
	}
	return &table{
		rows: s.Info().DSAE,
		columns: []column{
			valueColumn("feature", capi.Integer, func(row int) int32 { return int32(row) }),
			floatsColumn("w_enc", encoder.DIn, encoder.ReadRows),
			floatColumn("bias", encoder.Bias), floatColumn("threshold", encoder.Threshold),
		},
	}, nil
}

// saeRows is a row a feature, for read_sae and for SAEs that a load has opened.
func (f *Functions) saeRows(s sae.SAE) (*table, error) {
	sparsity, err := s.LogSparsity()
	if err != nil {
		return nil, err
	}
	info := s.Info()
	return &table{
		rows: info.DSAE,
		columns: []column{
			valueColumn("feature", capi.Integer, func(row int) int32 { return int32(row) }),
			floatsColumn("w_dec", info.DModel, s.ReadDecoder),
			floatColumn("log_sparsity", sparsity),
		},
	}, nil
}

// floatColumn is a FLOAT column of one value a row, or of NULL where there are none.
func floatColumn(name string, values []float32) column {
	return column{capi.Field{Name: name, Type: capi.Float}, func(v capi.Vector, from, n int) error {
		if values != nil {
			copy(capi.Values[float32](v, n), values[from:])
			return nil
		}
		for i := range n {
			v.SetNull(i, 0)
		}
		return nil
	}}
}

func (f *Functions) saeInfo(arguments []string) (*table, error) {
	opened, err := sae.Open(arguments[0])
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	info := opened.Info()
	text := func(name, s string) column {
		return textColumn(name, func(int) (string, bool) { return s, s != "" })
	}
	number := func(name string, n int) column {
		return valueColumn(name, capi.Integer, func(int) int32 { return int32(n) })
	}
	layer := number("layer", info.Layer)
	if info.Layer < 0 {
		layer.fill = func(v capi.Vector, _, _ int) error { v.SetNull(0, 0); return nil }
	}
	return &table{rows: 1, columns: []column{
		text("format", info.Format), text("architecture", info.Architecture),
		number("d_model", info.DModel), number("d_sae", info.DSAE),
		text("hook", info.Hook), layer, text("dtype", info.DType), text("scale", info.Scale),
		text("neuronpedia_id", info.NeuronpediaID), text("encoder_hook", info.EncoderHook()),
	}}, nil
}
