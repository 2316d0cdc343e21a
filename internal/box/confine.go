package box

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/saedb/saedb"
	schema "github.com/saedb/saedb/sql"
)

// Confine takes from an open database everything but itself, and without a directory the weights that
// stay in their files. Where directory is not empty,
// DuckDB puts there what does not fit into memory, and may write the one file that
// parquetFile names.
func Confine(ctx context.Context, db *saedb.DB, directory string) error {
	// What runs with a directory is anybody's, and cannot open the files.
	db.Functions.Confine(directory == "")
	var settings []string
	if directory != "" {
		settings = []string{
			"SET temp_directory = " + schema.Literal(filepath.Join(directory, "spilled")),
			"SET allowed_paths = [" + schema.Literal(parquetFile(directory)) + "]",
		}
	}
	for _, setting := range append(settings,
		"SET autoinstall_known_extensions = false",
		"SET autoload_known_extensions = false",
		"SET allow_community_extensions = false",
		fmt.Sprintf("SET memory_limit = '%dB'", databaseMemory),
		fmt.Sprintf("SET max_temp_directory_size = '%dB'", int64(fileBytes)),
		"SET enable_external_access = false",
		"SET lock_configuration = true",
	) {
		if _, err := db.ExecContext(ctx, setting); err != nil {
			return fmt.Errorf("%s: %w", setting, err)
		}
	}
	return nil
}

// The files that the process writes into its directory.
func csvFile(directory string) string     { return filepath.Join(directory, "result.csv") }
func parquetFile(directory string) string { return filepath.Join(directory, "result.parquet") }
