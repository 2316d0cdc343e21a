package loader

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	schema "github.com/saedb/saedb/sql"
)

// resultsTable is a table of exported results: Parquet files below a directory of its
// name, in the layout of docs/export.md.
type resultsTable struct {
	name    string
	from    string            // a table expression of its rows
	columns map[string]string // their types, by name
}

// partitions are the columns that are in the paths of features and enrichment.
var partitions = []string{"release", "layer"}

// openResults finds the files of a table, and makes sure that the needed columns are
// there. A table without files is an error where it is required, otherwise nil.
func openResults(ctx context.Context, tx *sql.Tx, dir, name string, partitioned, required bool, needed ...string) (*resultsTable, error) {
	files, err := parquetFiles(filepath.Join(dir, name), partitioned)
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		if !required {
			return nil, nil
		}
		return nil, &fault.Error{
			Subject: filepath.Join(dir, name), Expected: "Parquet files", Found: "none", Hint: "docs/export.md has the layout of results",
		}
	}
	quoted := make([]string, len(files))
	for i, file := range files {
		quoted[i] = schema.Literal(file)
	}
	options := "union_by_name = true, hive_partitioning = false"
	if partitioned {
		options = "hive_partitioning = true, hive_types = {'release': VARCHAR, 'layer': INTEGER}"
	}
	t := &resultsTable{name: name, from: "read_parquet([" + strings.Join(quoted, ", ") + "], " + options + ")", columns: map[string]string{}}
	columns, err := schema.Rows(ctx, tx, func(c *[2]string) []any { return []any{&c[0], &c[1]} },
		"SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM "+t.from+")")
	if err != nil {
		return nil, fault.At("", filepath.Join(dir, name), fault.Returned(err))
	}
	for _, c := range columns {
		t.columns[c[0]] = c[1]
	}
	for _, column := range needed {
		if t.columns[column] == "" {
			return nil, &fault.Error{
				Subject: filepath.Join(dir, name), Problem: "the column " + column + " is missing", Hint: "docs/export.md has the layout of results",
			}
		}
	}
	return t, nil
}

// as is SQL for a column of that type, NULL where the table does not have it.
func (t *resultsTable) as(column, kind string) string {
	switch {
	case t.columns[column] == "":
		return "CAST(NULL AS " + kind + ")"
	case kind == "TIMESTAMP": // also of one with a time zone, whatever the session's is
		return "make_timestamp(epoch_us(" + column + "))"
	default:
		return "CAST(" + column + " AS " + kind + ")"
	}
}

// parquetFiles lists the Parquet files below dir. As for Hive and Spark, names that begin
// with _ or . are no data.
func parquetFiles(dir string, partitioned bool) ([]string, error) {
	if strings.ContainsAny(dir, "*?[") {
		return nil, &fault.Error{Subject: dir, Problem: "the path has a *, ? or [, which DuckDB takes for a pattern", Hint: "rename the directory, or link to it"}
	}
	var files []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path != dir && (entry.Name()[0] == '_' || entry.Name()[0] == '.'):
			if entry.IsDir() {
				return filepath.SkipDir
			}
			return nil
		case entry.IsDir() || filepath.Ext(path) != ".parquet":
			return nil
		case partitioned && !inPartitions(dir, path):
			return &fault.Error{Subject: path, Expected: "a path " + filepath.Base(dir) + "/release=…/layer=…/NAME.parquet", Hint: "docs/export.md has the layout of results"}
		}
		files = append(files, path)
		return nil
	})
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return files, err
}

// inPartitions tells whether the directories between dir and a file are those of partitions.
func inPartitions(dir, path string) bool {
	relative, err := filepath.Rel(dir, filepath.Dir(path))
	if err != nil {
		return false
	}
	parts := strings.Split(filepath.ToSlash(relative), "/")
	return len(parts) == len(partitions) && !slices.ContainsFunc(partitions, func(column string) bool {
		return !strings.HasPrefix(parts[slices.Index(partitions, column)], column+"=")
	})
}

// named is the condition for the rows of one SAE, through its lens where it has one.
func (s *resultsSAE) named() string {
	named := fmt.Sprintf("release = %s AND sae = %s", schema.Literal(s.release), schema.Literal(s.name))
	if s.lens != "" {
		named += " AND lens = " + schema.Literal(s.lens)
	}
	return named
}

// where is the same in partitions, of which DuckDB then opens no other.
func (s *resultsSAE) where() string {
	if !s.layer.Valid {
		return s.named() + " AND layer IS NULL"
	}
	return s.named() + fmt.Sprintf(" AND layer = %d", s.layer.Int32)
}
