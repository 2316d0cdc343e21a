package sae

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/files"
	"github.com/saedb/saedb/internal/pyjson"
)

var isFile = files.IsRegular

// maxConfig bounds a configuration file in bytes; training runs wrote a few kB.
const maxConfig = 4 << 20

// readConfig reads a configuration file of bounded length. The hint says who
// should have written one that is missing.
func readConfig(path, hint string) ([]byte, error) {
	data, err := files.Read(path, maxConfig)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &fault.Error{
			Op: opRead, Subject: path, Problem: "is missing", Hint: hint + "; the download may be incomplete",
		}
	}
	return data, fault.At(opRead, path, err)
}

// readSettings reads a configuration file that is a JSON object.
func readSettings(path, hint string) (*settings, error) {
	data, err := readConfig(path, hint)
	if err != nil {
		return nil, err
	}
	s, err := parseSettings(data)
	return s, fault.At(opRead, path, err)
}

func parseSettings(data []byte) (*settings, error) {
	s := &settings{}
	if err := pyjson.Unmarshal(data, &s.values); err != nil {
		return nil, &fault.Error{Problem: "is no JSON object", Err: err}
	}
	if s.values == nil {
		return nil, &fault.Error{Expected: "a JSON object", Found: "null"}
	}
	return s, nil
}

// settings reads the values of a JSON object and keeps the first error, so that
// a reader of many values checks once. A value that is absent or null is the zero value.
type settings struct {
	values map[string]json.RawMessage
	err    error
}

func (s *settings) read(key string, value any) {
	raw, ok := s.values[key]
	if !ok {
		return
	}
	if err := json.Unmarshal(raw, value); err != nil && s.err == nil {
		s.err = &fault.Error{Problem: "setting " + key, Found: fmt.Sprintf("%.60q", raw), Err: err}
	}
}

func (s *settings) text(key string) (value string) {
	s.read(key, &value)
	return value
}

func (s *settings) flag(key string) (value bool) {
	s.read(key, &value)
	return value
}

// size reads a dimension: a whole number above 0, or 0 when there is none.
func (s *settings) size(key string) int {
	var value *int
	s.read(key, &value)
	if value == nil {
		return 0
	}
	if *value < 1 && s.err == nil {
		s.err = &fault.Error{Problem: "setting " + key, Expected: "a whole number above 0", Found: fmt.Sprint(*value)}
	}
	return *value
}

// object reads a JSON object within; one without settings when there is none.
func (s *settings) object(key string) *settings {
	within := &settings{}
	s.read(key, &within.values)
	return within
}

// number reads a number, 0 when there is none.
func (s *settings) number(key string) (value float64) {
	s.read(key, &value)
	return value
}

// count reads a whole number that may be 0, which stands for none too.
func (s *settings) count(key string) int {
	var value int
	s.read(key, &value)
	if value < 0 && s.err == nil {
		s.err = &fault.Error{Problem: "setting " + key, Expected: "a whole number", Found: fmt.Sprint(value)}
	}
	return value
}
