package operations

import (
	"fmt"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/hub/catalogue"
	schema "github.com/saedb/saedb/sql"
)

// What ReleasesQuery gives, where %s is a literal.
const (
	releasesQuery = `SELECT release, model, count(*) AS saes, min(layer) AS first_layer, max(layer) AS last_layer,
			list_sort(list(DISTINCT width)) AS widths, any_value(repository) AS repository
		FROM releases() WHERE contains(lower(concat_ws(chr(10), release, repository, model)), lower(%s)) GROUP BY release, model ORDER BY release`
	saesQuery = `SELECT sae, layer, hook, width, l0, neuronpedia_id, repository || '/' || path AS source
		FROM releases() WHERE release = %s ORDER BY layer, width, l0, sae`
)

// ReleasesQuery is the query of the published releases that have a text in the name of the
// release, repository or model; or of the SAEs of the release of that name.
func ReleasesQuery(text string) (string, error) {
	found, err := catalogue.Releases(text)
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		return "", &fault.Error{
			Op: "releases", Subject: fmt.Sprintf("%q", text), Problem: "no release, repository or model has that in its name",
			Hint: "saedb releases lists all; other repositories can be loaded by their name, saedb load sae org/name/path",
		}
	}
	query := releasesQuery
	if _, err := catalogue.Find(text); err == nil {
		query = saesQuery
	}
	return fmt.Sprintf(query, schema.Literal(text)), nil
}
