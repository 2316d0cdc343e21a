package web

import (
	"net/http"
	"time"
)

// A patient writer waits for its reader, but not for ever: each piece must be taken within
// a time. It hides the file system's way of sending files, which has no deadlines of
// pieces.
type patient struct {
	http.ResponseWriter
	control *http.ResponseController
	pause   time.Duration // for a piece
	until   time.Time     // when it waits no more at all; zero for never
}

func newPatient(w http.ResponseWriter, pause time.Duration) *patient {
	p := &patient{ResponseWriter: w, control: http.NewResponseController(w), pause: pause}
	// What the request before left is no deadline of this one.
	_ = p.control.SetWriteDeadline(time.Time{})
	return p
}

// piece is what a reader at a modem's speed takes in within writeTime, in bytes.
const piece = 64 << 10

func (p *patient) Write(content []byte) (written int, err error) {
	for {
		n := min(len(content), piece)
		deadline := time.Now().Add(p.pause)
		if !p.until.IsZero() && p.until.Before(deadline) {
			deadline = p.until
		}
		// Where a connection has no deadlines, as in tests, nobody waits either.
		_ = p.control.SetWriteDeadline(deadline)
		n, err = p.ResponseWriter.Write(content[:n])
		written += n
		if content = content[n:]; err != nil || len(content) == 0 {
			return written, err
		}
	}
}

// Unwrap is for http.ResponseController.
func (p *patient) Unwrap() http.ResponseWriter { return p.ResponseWriter }
