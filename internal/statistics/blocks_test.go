package statistics

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"testing"
)

// TestScoredBlock: a block has at most a million scores, one feature at least, and whole
// vectors of 2,048 features where it is larger than one.
func TestScoredBlock(t *testing.T) {
	for _, test := range []struct{ block, sets, want int }{
		{65536, 0, 4096},
		{65536, 146, 4096},
		{65536, 256, 4096},
		{65536, 300, 2048}, // 1,048,576/300 is 3,495
		{65536, 1000, 1048},
		{65536, 20_000, 52},
		{256, 20_000, 52},
		{256, 100, 256},
		{256, 3_000_000, 1},
	} {
		if got := scoredBlock(test.block, test.sets); got != test.want {
			t.Errorf("blocks of %d with %d sets: got %d, want %d", test.block, test.sets, got, test.want)
		}
	}
}

// TestBlockOf: a block is seconds of work for a processor: many features of a small unembedding,
// few of a large one, and whole vectors of DuckDB's.
func TestBlockOf(t *testing.T) {
	for weights, want := range map[int64]int{
		1: 65536, 32 * 500: 65536,
		768 * 50_257:   12_288, // 1e12/(2·38,597,376) is 12,954
		2304 * 256_000: 847,
		1 << 40:        256,
	} {
		if got := blockOf(weights); got != want {
			t.Errorf("%d weights: %d features, expected %d", weights, got, want)
		}
	}
}

// TestInBlocks: blocks are stored in their order, each in a transaction; of one that fails
// nothing is stored, and what was stored before it stays.
func TestInBlocks(t *testing.T) {
	var broken = errors.New("broken")
	for _, c := range []struct {
		name        string
		failing     int // the block whose computation fails
		refused     int // the block whose second statement fails
		told, holds []int
	}{
		{"sound", -1, -1, []int{4, 4, 2}, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}},
		{"a computation fails", 2, -1, []int{4, 4}, []int{0, 1, 2, 3, 4, 5, 6, 7}},
		{"a block is not stored", -1, 1, []int{4}, []int{0, 1, 2, 3}},
	} {
		t.Run(c.name, func(t *testing.T) {
			db := memory(t)
			execute(t, db, "CREATE TABLE held (feature INTEGER)")
			var told []int
			j := &Job{DB: db, Alone: true, Done: func(features int) { told = append(told, features) }}
			err := j.inBlocks(t.Context(), 10, 4, func(conn *sql.Conn, from, to int) ([]string, error) {
				if from/4 == c.failing {
					return nil, broken
				}
				execute(t, conn, fmt.Sprintf("CREATE TEMP TABLE computed_block AS SELECT range AS feature FROM range(%d, %d)", from, to))
				store := []string{"INSERT INTO held SELECT feature FROM computed_block"}
				if from/4 == c.refused {
					store = append(store, "INSERT INTO nothing SELECT 1")
				}
				return store, nil
			})
			if sound := c.failing < 0 && c.refused < 0; (err == nil) != sound || c.failing >= 0 && !errors.Is(err, broken) {
				t.Errorf("error %v", err)
			}
			var holds []int
			rows, err := db.QueryContext(context.Background(), "SELECT feature FROM held ORDER BY rowid")
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			for rows.Next() {
				var feature int
				if err := rows.Scan(&feature); err != nil {
					t.Fatal(err)
				}
				holds = append(holds, feature)
			}
			if !slices.Equal(told, c.told) || !slices.Equal(holds, c.holds) {
				t.Errorf("told of %v, holds %v, expected %v and %v", told, holds, c.told, c.holds)
			}
		})
	}
}
