package udf

import (
	"github.com/saedb/saedb/loader/hub/catalogue"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf/capi"
)

// tableReleases is the table function, and the bare name that stands for it.
const tableReleases = "releases"

var releasesFamily = family{
	register: func(f *Functions, c capi.Connection) error { return f.registerTable(c, tableReleases, 0, f.releases) },
	docs: []schema.Function{{
		Name: tableReleases,
		Signature: "releases() → TABLE(release, repository, model, format, sae, path, hook VARCHAR, layer, width INTEGER, " +
			"l0, norm_scaling_factor DOUBLE, neuronpedia_id VARCHAR)",
		Description: "Every published SAE that saedb load sae --release finds, a row an SAE, from the registry of SAELens; nothing is downloaded. " +
			"In the program, releases alone is the same, unless a table has that name. hook is the point that the decoder writes to, layer " +
			"the index of the block in it; what only an SAE's files say is NULL.",
		Example: "SELECT release, sae, width, l0 FROM releases() WHERE model = 'gemma-2-2b' AND layer = 12 AND hook LIKE '%resid_post' ORDER BY width DESC, l0 LIMIT 5",
	}},
}

// listed is a row of releases.
type listed struct {
	*catalogue.Release
	catalogue.SAE
}

func (f *Functions) releases([]string) (*table, error) {
	all, err := catalogue.All()
	if err != nil {
		return nil, err
	}
	var rows []listed
	for i := range all {
		for _, s := range all[i].SAEs {
			rows = append(rows, listed{&all[i], s})
		}
	}
	text := func(name string, of func(listed) string) column {
		return textColumn(name, func(row int) (string, bool) { s := of(rows[row]); return s, s != "" })
	}
	return &table{rows: len(rows), columns: []column{
		text("release", func(l listed) string { return l.Name }),
		text("repository", func(l listed) string { return l.Repo }),
		text("model", func(l listed) string { return l.Model }),
		text("format", func(l listed) string { return l.Format }),
		text("sae", func(l listed) string { return l.ID }),
		text("path", func(l listed) string { return l.Path }),
		text("hook", func(l listed) string { return l.Hook }),
		knownColumn("layer", capi.Integer, func(row int) (int32, bool) { return int32(rows[row].Layer), rows[row].Layer >= 0 }),
		knownColumn("width", capi.Integer, func(row int) (int32, bool) { return int32(rows[row].Width), rows[row].Width > 0 }),
		knownColumn("l0", capi.Double, func(row int) (float64, bool) { return rows[row].L0, rows[row].L0 > 0 }),
		knownColumn("norm_scaling_factor", capi.Double, func(row int) (float64, bool) {
			return rows[row].NormScalingFactor, rows[row].NormScalingFactor > 0
		}),
		text("neuronpedia_id", func(l listed) string { return l.NeuronpediaID }),
	}}, nil
}
