package enrichment

import (
	"encoding/csv"
	"os"
	"strconv"
	"strings"
	"testing"
)

// goldenRows returns the rows of a CSV file as maps from its header.
func goldenRows(t *testing.T, path string) []map[string]string {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	records, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	rows := make([]map[string]string, len(records)-1)
	for i, record := range records[1:] {
		rows[i] = make(map[string]string)
		for column, value := range record {
			rows[i][records[0][column]] = value
		}
	}
	return rows
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// positions parses numbers with spaces between them.
func positions(t *testing.T, text string) []int32 {
	t.Helper()
	var list []int32
	for _, field := range strings.Fields(text) {
		list = append(list, int32(number(t, field)))
	}
	return list
}
