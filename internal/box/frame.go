package box

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/saedb/saedb/internal/figures"
)

// What is asked of the process. The first request opens the database.
const (
	askOpen    = "open"
	askRows    = "rows"
	askFigure  = "figure"
	askChart   = "chart"
	askCSV     = "csv"
	askParquet = "parquet"
)

// A request is a frame to the process, in JSON.
type request struct {
	Ask     string
	Path    string          // of the database, for askOpen
	Threads int             // for askOpen
	Query   string          // the stranger's
	Tables  string          // statements of ours that make temporary tables for it
	Figure  figures.Request // for askFigure; Query has the query
	Chart   figures.Chart   // for askChart
}

// The kinds of answers. Errors are an Error in JSON.
const (
	content = 'c' // JSON, as the page gets it
	written = 'w' // the file is there
	refused = 'r' // an error, after which the process goes on
	broken  = 'b' // an error, after which it is of no more use
)

// maxFrame is beyond what any answer takes: pageBytes of text, in which JSON may write six
// bytes for one, or a figure.
const maxFrame = 8 * pageBytes

// writeFrame writes a kind, the length of the payload, and the payload.
func writeFrame(w io.Writer, kind byte, payload []byte) error {
	if len(payload) > maxFrame {
		return errors.New("the answer is too large")
	}
	head := [5]byte{kind}
	binary.LittleEndian.PutUint32(head[1:], uint32(len(payload)))
	if _, err := w.Write(head[:]); err != nil {
		return err
	}
	_, err := w.Write(payload)
	return err
}

// readFrame allocates no more than what comes, up to maxFrame.
func readFrame(r io.Reader) (kind byte, payload []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	size := binary.LittleEndian.Uint32(head[1:])
	if size > maxFrame {
		return 0, nil, fmt.Errorf("an answer of %d bytes", size)
	}
	payload, err = io.ReadAll(io.LimitReader(r, int64(size)))
	if err == nil && len(payload) < int(size) {
		err = io.ErrUnexpectedEOF
	}
	return head[0], payload, err
}

func writeRequest(w io.Writer, r request) error {
	payload, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return writeFrame(w, content, payload)
}

func readRequest(r io.Reader) (asked request, err error) {
	_, payload, err := readFrame(r)
	if err != nil {
		return asked, err
	}
	return asked, json.Unmarshal(payload, &asked)
}
