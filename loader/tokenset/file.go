package tokenset

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/files"
	"github.com/saedb/saedb/loader/vocab"
)

const (
	opRead = "read token sets"

	// maxFile bounds a file, which is read whole. A hundred sets that hold half of a
	// vocabulary of 256,000 tokens each take about that as JSON of ids.
	maxFile = 128 << 20

	maxName = 200 // bytes
)

// format is one kind of file with token sets.
type format struct {
	extension string
	read      func(name string, data []byte, words *wordFinder) (*collection, error)
}

var formats = []format{
	{".gmt", readGMT},
	{".json", readJSON},
	{".csv", readCSV},
	{".txt", readText},
	{".regex", readRegex},
}

// ReadFile returns a person's own token sets, of [FamilyUser], in the order in
// which the file has them. The extension says what the file is; of a file with
// another one, content that begins with "{" is JSON.
//
//   - .gmt: a set a line; its name, a description and its members, with tabs between
//     them. A member is a token in its stored form or else a text, never an id,
//     since "1" is a token too. Escapes are those of [WriteGMT]. A line without
//     members is a set without any.
//   - .json: an object of names and lists of members. A number is an id, a string a
//     token in its stored form, else a text, else a word.
//   - .csv: a member a row, with a header that has the columns set and token_id or
//     token; a token is as a string of JSON. With both columns the ids count.
//   - .txt: a word list for one set that is named after the file; a word a line,
//     lines that begin with # are comments.
//   - .regex: a set a line, its name, a tab and a pattern as for [FromRegex].
//
// Lines end in LF, CR LF or CR. A word becomes tokens by o. A member of text that is no
// token, but is "token,1.0", is that token: Enrichr writes weights so, and they do not
// count. Members that the vocabulary does not have are left out, and so are sets that
// have no token then, or no members, or a pattern that matches none: notes has a line
// for each of these, with how many and the first few of them. An id that the vocabulary
// does not have is an error, and so is a file without any set that has a token.
func ReadFile(path string, tokens []vocab.Token, o Options) (sets []Set, notes []string, err error) {
	data, err := readBounded(path)
	if err == nil {
		data, err = asText(data)
	}
	if err != nil {
		return nil, nil, fault.At(opRead, path, err)
	}
	f, err := formatOf(path, data)
	if err != nil {
		return nil, nil, fault.At(opRead, path, err)
	}
	words, err := newWordFinder(newVocabulary(tokens), o)
	if err != nil {
		return nil, nil, fault.At(opRead, path, err)
	}
	base := filepath.Base(path)
	read, err := f.read(strings.TrimSuffix(base, filepath.Ext(base)), data, words)
	if err == nil {
		sets, notes, err = read.finish(cmp.Or(o.Model, "this vocabulary"))
	}
	if err != nil {
		return nil, nil, inFile(path, err)
	}
	for i, note := range notes {
		notes[i] = path + ": " + note
	}
	return sets, notes, nil
}

// asText is the content of a file of UTF-8 without its byte order mark.
func asText(data []byte) ([]byte, error) {
	if utf8.Valid(data) {
		return bytes.TrimPrefix(data, []byte("\uFEFF")), nil
	}
	found := "bytes that are no UTF-8"
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		found = "UTF-16, by its byte order mark"
	}
	return nil, &fault.Error{Expected: "text in UTF-8", Found: found, Hint: "save it as UTF-8"}
}

// inFile puts the file before the set that an error names.
func inFile(path string, err error) error {
	if e, ok := err.(*fault.Error); ok && e.Subject != "" {
		named := *e
		named.Subject = path + ": " + e.Subject
		return fault.At(opRead, path, &named)
	}
	return fault.At(opRead, path, err)
}

func formatOf(path string, data []byte) (format, error) {
	extension := strings.ToLower(filepath.Ext(path))
	if trimmed := bytes.TrimSpace(data); len(trimmed) > 0 && trimmed[0] == '{' && !slices.ContainsFunc(formats, func(f format) bool { return f.extension == extension }) {
		extension = ".json"
	}
	var extensions []string
	for _, f := range formats {
		if f.extension == extension {
			return f, nil
		}
		extensions = append(extensions, f.extension)
	}
	return format{}, &fault.Error{
		Problem: "unknown kind of file", Expected: strings.Join(extensions, ", "), Found: fmt.Sprintf("%q", extension),
	}
}

// readBounded reads a file of at most maxFile bytes.
func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, &fault.Error{Expected: "a file", Found: "a directory"}
	}
	return files.ReadAll(f, maxFile) // a pipe is a file too
}

// CheckName returns an error for a name of a set that could not be written to a
// line of a file.
func CheckName(name string) error {
	switch {
	case strings.TrimSpace(name) == "":
		return &fault.Error{Problem: "a token set has no name"}
	case len(name) > maxName:
		return &fault.Error{
			Problem:  "name of a token set is too long",
			Expected: fmt.Sprintf("at most %d bytes", maxName), Found: fmt.Sprint(len(name)),
		}
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return &fault.Error{Problem: fmt.Sprintf("name of a token set %q", name), Expected: "text without control characters"}
	}
	return nil
}

func atLine(number int) string { return fmt.Sprintf("line %d", number) }
