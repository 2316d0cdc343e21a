package procedures

import (
	"context"
	"fmt"
	"runtime"
	"strconv"

	"github.com/saedb/saedb/internal/compute"
	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/version"
	"github.com/saedb/saedb/loader"
	"github.com/saedb/saedb/loader/sae"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf/capi"
)

// about says what computes here.
var about = procedure{
	name:    "saedb_about",
	columns: []capi.Field{{Name: "version", Type: capi.Varchar}, {Name: "kernel", Type: capi.Varchar}},
	run: func(_ context.Context, _ *Host, _ arguments, row func(...any) error) error {
		kernel, err := compute.DefaultKernel()
		if err != nil {
			return err
		}
		return row(version.Number, kernel)
	},
}

// cancel stops what runs of saedb's in this database, in any connection: for those whose
// DuckDB does not tell a function that its statement was interrupted.
var cancel = procedure{
	name: "saedb_cancel", columns: []capi.Field{{Name: "stopped", Type: capi.Bigint}},
	run: func(_ context.Context, h *Host, _ arguments, row func(...any) error) error {
		return row(int64(h.Functions.Cancel()))
	},
}

// setThreads sets how many threads the kernels of this process compute with, where it
// shares a machine with others: Go reads GOMAXPROCS from what the process was started with.
var setThreads = procedure{
	name: "saedb_threads", takes: []parameter{{"threads", text}}, columns: []capi.Field{{Name: "before", Type: capi.Bigint}},
	run: func(_ context.Context, _ *Host, a arguments, row func(...any) error) error {
		n, err := strconv.Atoi(a.text("threads"))
		if err != nil || n < 1 || n > maxThreads {
			return &fault.Error{Subject: "threads", Expected: fmt.Sprintf("a number from 1 to %d", maxThreads), Found: schema.Literal(a.text("threads"))}
		}
		return row(int64(runtime.GOMAXPROCS(n)))
	},
}

const maxThreads = 4096

// What those need who compute with saedb's tables elsewhere.
var (
	// enrichmentQuery is the query of the view enrichment, or that of the input side, with the
	// logarithms that are stored.
	enrichmentQuery = ofSide("saedb_enrichment_query", schema.Side.EnrichmentQuery)
	// pValuesQuery is the query of features' p-values of skewness and kurtosis, of an SAE
	// numbered 0 and a baseline numbered $baseline.
	pValuesQuery = ofSide("saedb_feature_p_values_query", func(side schema.Side) string { return side.FeaturePValues("0", "CAST($baseline AS INTEGER)") })
	// viewMacros is what makes the macros that views call.
	viewMacros = procedure{
		name: "saedb_view_macros", columns: []capi.Field{{Name: "statements", Type: capi.Varchar}},
		run: func(_ context.Context, _ *Host, _ arguments, row func(...any) error) error {
			return row(schema.ViewMacros())
		},
	}
)

// ofSide is a procedure that gives a query of a side.
func ofSide(name string, query func(schema.Side) string) procedure {
	return procedure{
		name: name, takes: []parameter{{"side", text}}, columns: []capi.Field{{Name: "query", Type: capi.Varchar}},
		run: func(_ context.Context, _ *Host, a arguments, row func(...any) error) error {
			side, err := a.side()
			if err != nil {
				return err
			}
			return row(query(side))
		},
	}
}

// findSAEs lists the paths of the SAEs that saedb load sae would load.
var findSAEs = procedure{
	name: "saedb_find_saes", takes: []parameter{{"path", text}}, first: 1, columns: []capi.Field{{Name: "path", Type: capi.Varchar}},
	run: func(_ context.Context, _ *Host, a arguments, row func(...any) error) error {
		paths, err := sae.Find(a.text("path"))
		if err != nil {
			return err
		}
		return each(row, paths, itself)
	},
}

// describeSAE is what a load would record of an SAE, without loading it: it reads the
// files once, for their hash. A decoder that a load would have to map to the residual
// stream is refused, since read_sae gives its rows as they are; and with encoder := true an encoder that
// a load would refuse.
var describeSAE = procedure{
	name: "saedb_describe_sae", takes: []parameter{{"path", text}, {"encoder", flag}}, first: 1,
	columns: []capi.Field{
		{Name: "name", Type: capi.Varchar}, {Name: "format", Type: capi.Varchar}, {Name: "architecture", Type: capi.Varchar},
		{Name: "d_model", Type: capi.Bigint}, {Name: "d_sae", Type: capi.Bigint}, {Name: "hook", Type: capi.Varchar},
		{Name: "block", Type: capi.Bigint}, {Name: "dtype", Type: capi.Varchar}, {Name: "scale", Type: capi.Varchar},
		{Name: "neuronpedia_id", Type: capi.Varchar}, {Name: "l0", Type: capi.Double},
		{Name: "bytes", Type: capi.Bigint}, {Name: "sha256", Type: capi.Varchar},
	},
	run: func(ctx context.Context, _ *Host, a arguments, row func(...any) error) error {
		opened, err := sae.Open(a.text("path"))
		if err != nil {
			return err
		}
		defer opened.Close()
		info := opened.Info()
		if err := sae.CheckInResidualStream(info); err != nil {
			return err
		}
		if a.flag("encoder") {
			encoder, err := opened.Encoder()
			if err == nil {
				err = loader.CheckReadsResidualStream(info, encoder)
			}
			if err != nil {
				return err
			}
		}
		sha256, bytes, err := loader.Digest(ctx, a.text("path"), info.Files)
		if err != nil {
			return err
		}
		var block, l0 any
		if info.Layer >= 0 {
			block = int64(info.Layer)
		}
		if info.L0 > 0 {
			l0 = info.L0
		}
		return row(info.Name, info.Format, info.Architecture, int64(info.DModel), int64(info.DSAE), info.Hook,
			block, info.DType, info.Scale, info.NeuronpediaID, l0, bytes, sha256)
	},
}
