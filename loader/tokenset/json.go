package tokenset

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"github.com/saedb/saedb/internal/fault"
)

// readJSON reads an object of names and lists of ids, tokens or words. It goes
// through the text once, so that sets keep their order and two of one name are seen.
func readJSON(_ string, data []byte, words *wordFinder) (*collection, error) {
	const shape = `an object of names and lists, {"name": [1, 2, "token"]}`
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := expectDelim(decoder, '{', shape); err != nil {
		return nil, err
	}
	sets := &collection{hint: words.hint()}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return nil, notJSON(err)
		}
		name, _ := key.(string) // a key is a string, or Token fails
		if err := sets.begin(name, "", listing{}); err != nil {
			return nil, err
		}
		if err := readJSONList(decoder, name, sets, words); err != nil {
			return nil, fault.At("", fmt.Sprintf("set %q", name), err)
		}
	}
	if err := expectDelim(decoder, '}', shape); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, &fault.Error{Problem: "something follows the object", Expected: shape}
	}
	return sets, nil
}

// readJSONList reads the members of one set.
func readJSONList(decoder *json.Decoder, name string, sets *collection, words *wordFinder) error {
	if err := expectDelim(decoder, '[', "a list of ids, tokens or words"); err != nil {
		return err
	}
	for decoder.More() {
		element, err := decoder.Token()
		if err != nil {
			return notJSON(err)
		}
		switch member := element.(type) {
		case string:
			sets.addText(name, member, words.tokenOrWord)
		case json.Number:
			id, err := parseID(member.String(), words)
			if err != nil {
				return err
			}
			sets.add(name, id)
		default:
			return &fault.Error{Expected: "ids, tokens or words", Found: fmt.Sprint(element)}
		}
	}
	return expectDelim(decoder, ']', "a list of ids, tokens or words")
}

func expectDelim(decoder *json.Decoder, want json.Delim, shape string) error {
	got, err := decoder.Token()
	if err != nil {
		return notJSON(err)
	}
	if got != want {
		return &fault.Error{Expected: shape, Found: fmt.Sprintf("%.40v", got)}
	}
	return nil
}

func notJSON(err error) error {
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return &fault.Error{Problem: "is not JSON", Err: err}
}

// parseID reads a token id that the vocabulary has.
func parseID(text string, words *wordFinder) (int32, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, &fault.Error{Problem: "token id", Expected: "a whole number", Found: fmt.Sprintf("%.40q", text)}
	}
	return words.withID(id)
}
