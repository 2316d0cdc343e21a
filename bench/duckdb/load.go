package main

import (
	"fmt"
	"os"
	"slices"

	"github.com/saedb/saedb/bench/measure"
)

// copyRows is DuckDB's own load of the rows that load sae stores, into a table of
// the same columns and storage. The program's sql command runs it, so that process,
// memory limit and checkpoint are the same too.
const copyRows = `
	CREATE TABLE copied (sae_id INTEGER NOT NULL, feature INTEGER NOT NULL, w_dec FLOAT[] NOT NULL USING COMPRESSION uncompressed, log_sparsity FLOAT);
	COPY copied FROM '%s' (FORMAT parquet);
	CHECKPOINT`

// compareLoads measures, in turn, loading the SAE and the COPY, each into a fresh
// copy of the database that holds the model, and prints medians of whole processes.
func compareLoads(s *setting, rounds int) error {
	var ours, theirs []float64
	for range max(rounds, 1) {
		if err := s.full.Copy(s.model); err != nil {
			return err
		}
		loaded, err := s.full.Saedb("load", "sae", s.files.SAE)
		if err != nil {
			return err
		}
		if err := s.copied.Copy(s.model); err != nil {
			return err
		}
		copied, err := s.copied.Saedb("sql", fmt.Sprintf(copyRows, s.parquet))
		if err != nil {
			return err
		}
		ours, theirs = append(ours, loaded.Wall.Seconds()), append(theirs, copied.Wall.Seconds())
	}
	source, err := os.Stat(s.parquet)
	if err != nil {
		return err
	}
	weights := 4 * float64(s.files.Features) * float64(s.files.DModel)
	fmt.Printf("loading %.0f MB of decoder weights, medians of %d (least to most):\n", weights/1e6, len(ours))
	for _, row := range []struct {
		name    string
		seconds []float64
	}{
		{"saedb load sae, from safetensors, with its SHA-256", ours},
		{fmt.Sprintf("DuckDB's COPY, from Parquet of %.0f MB", float64(source.Size())/1e6), theirs},
	} {
		fmt.Printf("  %-52s %.2f s (%.2f to %.2f), %.0f MB/s\n", row.name, measure.Median(row.seconds),
			slices.Min(row.seconds), slices.Max(row.seconds), weights/measure.Median(row.seconds)/1e6)
	}
	fmt.Printf("  ratio %.2f; fastest against fastest %.2f\n\n", measure.Median(ours)/measure.Median(theirs), slices.Min(ours)/slices.Min(theirs))
	return sameRows(s)
}

// sameRows makes sure that both loads stored the same.
func sameRows(s *setting) error {
	const fingerprint = "SELECT count(*) AS rows, sum(hash(feature, w_dec)) AS fingerprint FROM %s"
	loaded, err := s.full.Saedb("sql", "--format", "csv", fmt.Sprintf(fingerprint, "stored_decoders"))
	if err != nil {
		return err
	}
	copied, err := s.copied.Saedb("sql", "--format", "csv", fmt.Sprintf(fingerprint, "copied"))
	if err != nil {
		return err
	}
	if loaded.Output != copied.Output {
		return fmt.Errorf("the loads stored different rows:\n%s%s", loaded.Output, copied.Output)
	}
	return nil
}
