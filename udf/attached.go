package udf

import (
	"fmt"

	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf/capi"
)

// attached is a database that is open or attached.
type attached struct {
	name string
	oid  int64
}

func (a attached) table(name string) string { return schema.Identifier(a.name) + ".main." + name }

// having returns the databases that have a table, with a column where one is named, which those
// of older schemas lack; that which was opened first.
func (d *database) having(table, column string) ([]attached, error) {
	condition := ""
	if column != "" {
		condition = fmt.Sprintf(" AND contains(sql, '%s ')", column)
	}
	var databases []attached
	err := d.query(fmt.Sprintf(`SELECT database_name, database_oid FROM duckdb_tables()
		WHERE schema_name = 'main' AND table_name = '%s'%s
		ORDER BY database_name <> current_database(), database_oid`, table, condition), func(chunk capi.Chunk) error {
		oids := capi.Values[int64](chunk.Column(1), chunk.Rows())
		for i := range chunk.Rows() {
			databases = append(databases, attached{chunk.Column(0).Text(i), oids[i]})
		}
		return nil
	})
	return databases, err
}
