package loader

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/files"
)

// export is a file of Neuronpedia's bulk export: a JSON object a line, or an array of
// them, as Neuronpedia's former API gave; perhaps compressed with gzip. DuckDB reads
// it. What DuckDB does not say, that a compressed file is cut off and in which line an
// error lies, is found out here.
type export struct {
	path  string
	file  file
	gzip  bool
	array bool
}

// openExport reads all of a file once, for its hash and to see that it is whole.
func openExport(ctx context.Context, path string) (*export, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, plainPathError(err)
	}
	if !info.Mode().IsRegular() {
		return nil, &fault.Error{Expected: "a file of JSON lines, or one compressed with gzip", Found: "a directory or no regular file", Hint: "name the files in it"}
	}
	e := &export{path: path, file: file{name: filepath.Base(path)}}
	if e.file.sha256, e.file.bytes, err = files.Hash(ctx, path, nil); err != nil {
		return nil, plainPathError(err)
	}
	if e.gzip, err = isGzip(path); err != nil {
		return nil, err
	}
	err = e.read(ctx, func(content *bufio.Reader) error {
		start, err := skipSpace(content)
		if err != nil {
			return err
		}
		e.array = start == '['
		if e.gzip {
			_, err = io.Copy(io.Discard, content)
		}
		return err
	})
	if err == io.EOF {
		return nil, &fault.Error{Problem: "the file is empty"}
	}
	if err != nil {
		return nil, &fault.Error{Problem: "the file is cut off or damaged", Err: err, Hint: "download it again"}
	}
	return e, nil
}

// plainPathError takes off the path, which the error names already.
func plainPathError(err error) error {
	var at *os.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// isGzip tells by the first bytes (RFC 1952, 2.3.1).
func isGzip(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	magic := make([]byte, 2)
	n, err := io.ReadFull(f, magic)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
	}
	return n == 2 && magic[0] == 0x1f && magic[1] == 0x8b, err
}

// read calls use with the content, decompressed.
func (e *export) read(ctx context.Context, use func(*bufio.Reader) error) error {
	f, err := os.Open(e.path)
	if err != nil {
		return err
	}
	defer f.Close()
	var content io.Reader = files.Interruptible{Context: ctx, Reader: f}
	if e.gzip {
		unzipped, err := gzip.NewReader(content)
		if err != nil {
			return err
		}
		content = unzipped
	}
	return use(bufio.NewReaderSize(content, 1<<16))
}

// skipSpace returns the first byte that is no white space.
func skipSpace(r *bufio.Reader) (byte, error) {
	for {
		b, err := r.ReadByte()
		if err != nil || b != ' ' && b != '\t' && b != '\r' && b != '\n' {
			return b, err
		}
	}
}

func (e *export) format() string {
	if e.array {
		return "array"
	}
	return "newline_delimited"
}

func (e *export) compression() string {
	if e.gzip {
		return "gzip"
	}
	return "uncompressed"
}

// longestLine bounds what is read of a line to find an error in it; DuckDB's own bound
// of an object is 16 MiB.
const longestLine = 64 << 20

// find returns the number of the first line for which bad is true, 0 for none; rows
// are the lines that are not blank.
func (e *export) find(ctx context.Context, bad func(row int, line []byte) bool) (number int, text string) {
	if e.array {
		return 0, ""
	}
	// Without the line, the error is still an error.
	_ = e.read(ctx, func(content *bufio.Reader) error {
		lines := bufio.NewScanner(content)
		lines.Buffer(nil, longestLine)
		for n, row := 1, 0; lines.Scan(); n++ {
			line := bytes.TrimSpace(lines.Bytes())
			if len(line) == 0 {
				continue
			}
			if row++; bad(row, line) {
				number, text = n, string(line)
				return nil
			}
		}
		return lines.Err()
	})
	return number, text
}

// row names a row of the file as people find it: by its line.
func (e *export) row(ctx context.Context, row int) string {
	if line, _ := e.find(ctx, func(n int, _ []byte) bool { return n == row }); line > 0 {
		return fmt.Sprintf("line %d", line)
	}
	return fmt.Sprintf("record %d", row)
}

// unreadable says in which line lies what DuckDB's reader refused.
func (ld *Loader) unreadable(ctx context.Context, e *export, err error) error {
	if !strings.Contains(err.Error(), "JSON") {
		return fault.Returned(err)
	}
	line, text := e.find(ctx, func(_ int, line []byte) bool {
		if line[0] == '{' && json.Valid(line) {
			return false
		}
		// DuckDB takes more for JSON than Go does, NaN among it, which Python writes. The
		// transaction of the load is over, so this is another connection.
		var object bool
		asked := ld.DB.QueryRowContext(ctx, `SELECT json_valid(line) AND line[1] = '{' FROM (SELECT CAST(? AS VARCHAR) AS line)`, string(line)).Scan(&object)
		return asked == nil && !object
	})
	if line == 0 {
		return fault.Returned(err)
	}
	return &fault.Error{Subject: fmt.Sprintf("%s: line %d", e.path, line), Expected: "a JSON object", Found: fmt.Sprintf("%.40q", text)}
}

// checkStaged returns an error for the first row that makes no sense.
func (e *export) checkStaged(ctx context.Context, tx *sql.Tx) error {
	var row int
	var expected string
	var found sql.NullString
	err := tx.QueryRowContext(ctx, `SELECT n, wrong[1], wrong[2] FROM (
			SELECT n, CASE
				WHEN coalesce(model, '') = '' OR contains(model, '/') THEN ['modelId, the name of a model', model]
				WHEN coalesce(source, '') = '' OR contains(source, '/') THEN ['layer, the name of a source', source]
				WHEN feature IS NULL THEN ['index, the number of a feature', feature_text]
				WHEN max_activation_text IS NOT NULL AND max_activation IS NULL THEN ['maxActApprox, a number', max_activation_text]
				WHEN density_text IS NOT NULL AND density IS NULL THEN ['frac_nonzero, a number', density_text]
				WHEN description IS NULL AND max_activation IS NULL AND density IS NULL AND NOT is_feature
					THEN ['description, of an explanation, or maxActApprox or frac_nonzero, of a feature', 'none of them']
			END AS wrong FROM staged_export)
		WHERE wrong IS NOT NULL ORDER BY n LIMIT 1`).Scan(&row, &expected, &found)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	what := "nothing"
	if found.Valid {
		what = fmt.Sprintf("%.40q", found.String)
	}
	return &fault.Error{Subject: e.path + ": " + e.row(ctx, row), Expected: expected, Found: what}
}
