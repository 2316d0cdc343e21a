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
func readCSV(_ string, data []byte, words *wordFinder) (*collection, error) {
	rows := csv.NewReader(bytes.NewReader(lineFeeds(data)))
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
	sets := &collection{hint: words.hint()}
	for {
		row, err := rows.Read()
		if err == io.EOF {
			return sets, nil
		}
		if err != nil {
			return nil, err
		}
		if err := addRow(sets, row, at, words); err != nil {
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

// addRow adds the member of a row. Spreadsheets leave rows without anything; one with a
// set alone is of a set that may have no members.
func addRow(sets *collection, row []string, at columns, words *wordFinder) error {
	name, member := row[at.set], ""
	if at.id < 0 {
		member = row[at.token]
	} else {
		member = strings.TrimSpace(row[at.id])
	}
	if name == "" && member == "" {
		return nil
	}
	if err := sets.resume(name, "", listing{}); err != nil {
		return err
	}
	switch {
	case member == "":
		return nil
	case at.id < 0:
		sets.addText(name, member, words.tokenOrWord)
		return nil
	}
	id, err := parseID(member, words)
	if err != nil {
		return err
	}
	sets.add(name, id)
	return nil
}
