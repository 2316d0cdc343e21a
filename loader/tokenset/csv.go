package tokenset

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"strings"

	"github.com/saedb/saedb/internal/fault"
)

// columns says where a CSV file has what, -1 for nowhere.
type columns struct{ set, id, token int }

// readCSV reads a member a row, of the set that the row names.
func readCSV(_ string, data []byte, words *wordFinder) ([]Set, error) {
	rows := csv.NewReader(bytes.NewReader(data))
	rows.ReuseRecord = true
	header, err := rows.Read()
	if err == io.EOF {
		return nil, &fault.Error{Expected: "a header with the columns set and token_id or token", Found: "an empty file"}
	}
	if err != nil {
		return nil, err
	}
	at, err := findColumns(header)
	if err != nil {
		return nil, err
	}
	var sets collection
	for {
		row, err := rows.Read()
		if err == io.EOF {
			return sets.finish(words.hint())
		}
		if err != nil {
			return nil, err
		}
		if err := addRow(&sets, row, at, words); err != nil {
			line, _ := rows.FieldPos(0)
			return nil, fault.At("", atLine(line), err)
		}
	}
}

func findColumns(header []string) (columns, error) {
	at := columns{-1, -1, -1}
	for i, title := range header {
		switch strings.ToLower(strings.TrimSpace(title)) {
		case "set":
			at.set = i
		case "token_id":
			at.id = i
		case "token":
			at.token = i
		}
	}
	if at.set < 0 || at.id < 0 && at.token < 0 {
		return at, &fault.Error{
			Problem: "header", Expected: "the columns set and token_id or token",
			Found: fmt.Sprintf("%.80q", header),
		}
	}
	return at, nil
}

func addRow(sets *collection, row []string, at columns, words *wordFinder) error {
	name := row[at.set]
	if err := sets.resume(name, ""); err != nil {
		return err
	}
	if at.id < 0 {
		sets.add(name, words.tokenOrWord(row[at.token])...)
		return nil
	}
	id, err := parseID(strings.TrimSpace(row[at.id]), words)
	if err != nil {
		return err
	}
	sets.add(name, id)
	return nil
}
