package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strings"

	"github.com/saedb/saedb/internal/fault"
)

const opDownload = "download from the Hub"

// transfer is one range of a remote file, or all of it, on its way into a local
// file that survives the run until it is whole.
type transfer struct {
	at    Reference // at a commit, so that the bytes cannot change on the way
	from  int64     // first byte wanted
	size  int64     // how many; -1 when the Hub did not say
	total int64     // size of the whole remote file; -1 when the Hub did not say
	part  string    // path of the local file
	// hashed tells that the content will be held against a hash, so that a part whose
	// version is not known may be continued.
	hashed bool
}

func (t *transfer) whole() bool { return t.from == 0 && t.size == t.total }

// validator is the file that keeps the ETag of the server that sent a part: the
// Hub's own ETag is not that of the host that it redirects to.
func (t *transfer) validator() string { return t.part + ".etag" }

// errNoRanges is the cause of a server's sending all of a file of which a part was
// asked.
var errNoRanges = errors.New("the server sends no ranges")

// receive completes t.part, from where it stands. Connections that break are made
// again, as long as bytes keep coming.
func (c *Client) receive(ctx context.Context, t *transfer) error {
	subject := t.at.String()
	for failures := 0; ; {
		have := t.have()
		if t.size >= 0 && have == t.size {
			return t.create(subject)
		}
		err := c.receiveOnce(ctx, t, have)
		if err == nil {
			return nil
		}
		var broken *brokenError
		if !errors.As(err, &broken) {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if failures++; t.have() > have {
			failures = 1
		}
		if failures >= maxAttempts {
			return &fault.Error{
				Op: opDownload, Subject: subject, Problem: fmt.Sprintf("the connection broke %d times at byte %d", failures, t.have()),
				Err: broken.err, Hint: "run it again: it continues from there",
			}
		}
		if err := c.pause(ctx, failures, broken); err != nil {
			return err
		}
	}
}

// have is how much of the part is there. A part that is too long, or of a version
// that nothing tells, is worth nothing.
func (t *transfer) have() int64 {
	info, err := os.Stat(t.part)
	if err != nil || !info.Mode().IsRegular() {
		return 0
	}
	_, err = os.Stat(t.validator())
	if t.size >= 0 && info.Size() > t.size || !t.hashed && err != nil {
		t.discard()
		return 0
	}
	return info.Size()
}

func (t *transfer) discard() {
	os.Remove(t.part)
	os.Remove(t.validator())
}

// create makes an empty file where nothing is to come.
func (t *transfer) create(subject string) error {
	file, err := os.OpenFile(t.part, os.O_WRONLY|os.O_CREATE, 0o666)
	if err != nil {
		return full(subject, err)
	}
	return full(subject, file.Close())
}

// brokenError is a download that stopped on the way and can be continued.
type brokenError struct{ err error }

func (e *brokenError) Error() string { return e.err.Error() }
func (e *brokenError) Unwrap() error { return e.err }

// receiveOnce asks for what is missing after have bytes, and appends it.
func (c *Client) receiveOnce(ctx context.Context, t *transfer, have int64) error {
	response, err := c.send(ctx, request{
		method: http.MethodGet, url: c.fileURL(t.at), header: t.rangeHeader(have), timeout: c.downloadTimeout, everywhere: true,
	}, t.at.String())
	if err != nil {
		return err
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusPartialContent:
		if err := t.checkRange(response.Header, have); err != nil {
			return err
		}
	case http.StatusOK:
		if !t.whole() {
			return &fault.Error{Op: opDownload, Subject: t.at.String(), Err: errNoRanges}
		}
		t.discard() // the server has another version, or knows no ranges
		have = 0
	case http.StatusRequestedRangeNotSatisfiable:
		if have == 0 {
			return c.explain(t.at, response)
		}
		t.discard()
		return &brokenError{errors.New("the server has no such range: starting again")}
	default:
		return c.explain(t.at, response)
	}
	if n := response.ContentLength; n >= 0 && t.size >= 0 && have+n != t.size {
		t.discard()
		return &fault.Error{
			Op: opDownload, Subject: t.at.String(), Expected: fmt.Sprintf("%d bytes", t.size), Found: fmt.Sprint(have + n),
			Hint: "the Hub and the server that it redirects to disagree; try again later",
		}
	}
	return c.appendTo(t, have, response)
}

// rangeHeader asks for what comes after have bytes of t, if it is still the same
// version. A plain request asks for all of a file.
func (t *transfer) rangeHeader(have int64) map[string]string {
	if have == 0 && t.whole() {
		return nil
	}
	h := map[string]string{"Range": fmt.Sprintf("bytes=%d-", t.from+have)}
	if t.size >= 0 {
		h["Range"] += fmt.Sprint(t.from + t.size - 1)
	}
	if etag, err := os.ReadFile(t.validator()); err == nil && have > 0 && len(etag) > 0 {
		h["If-Range"] = string(etag)
	}
	return h
}

// checkRange makes sure that a reply begins where the part ends.
func (t *transfer) checkRange(h http.Header, have int64) error {
	var first, last, total int64 = -1, -1, -1
	content := h.Get("Content-Range")
	if _, err := fmt.Sscanf(content, "bytes %d-%d/%d", &first, &last, &total); err != nil && !strings.HasSuffix(content, "/*") {
		first = -1
	}
	if first == t.from+have && last >= first && (total < 0 || t.total < 0 || total == t.total) {
		return nil
	}
	return &fault.Error{
		Op: opDownload, Subject: t.at.String(), Expected: fmt.Sprintf("bytes %d to %d of %d", t.from+have, t.from+t.size-1, t.total),
		Found: fmt.Sprintf("Content-Range %q", oneLine(content)),
	}
}

// appendTo writes a reply's body behind the have bytes of the part.
func (c *Client) appendTo(t *transfer, have int64, response *http.Response) error {
	subject := t.at.String()
	if have == 0 {
		// A weak ETag says nothing of bytes, so it cannot stand in If-Range.
		if etag := response.Header.Get("ETag"); strings.HasPrefix(etag, `"`) && len(etag) < 512 {
			if err := writeWhole(t.validator(), []byte(etag)); err != nil {
				return full(subject, err)
			}
		}
	}
	file, err := os.OpenFile(t.part, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return full(subject, err)
	}
	reader := io.Reader(response.Body)
	if t.size >= 0 {
		reader = io.LimitReader(reader, t.size-have+1)
	}
	w := &progressWriter{file: file, done: have, total: t.size, name: t.at.Path, report: c.Progress}
	_, err = io.Copy(w, reader)
	if err == nil {
		err = file.Sync()
	}
	err = errors.Join(err, file.Close())
	switch {
	case w.failed != nil:
		return full(subject, w.failed)
	case err != nil && isPathError(err):
		return full(subject, err)
	case err != nil:
		return &brokenError{unreachable(err)}
	case t.size >= 0 && w.done < t.size:
		return &brokenError{io.ErrUnexpectedEOF}
	case t.size >= 0 && w.done > t.size:
		t.discard()
		return &fault.Error{Op: opDownload, Subject: subject, Expected: fmt.Sprintf("%d bytes", t.size), Found: "more"}
	}
	return nil
}

func isPathError(err error) bool {
	var at *fs.PathError
	return errors.As(err, &at)
}

// progressWriter writes to a file and tells how far it has come.
type progressWriter struct {
	file        *os.File
	done, total int64
	name        string
	report      func(string, int64, int64)
	failed      error // of the file, not of what is read
}

func (w *progressWriter) Write(p []byte) (int, error) {
	n, err := w.file.Write(p)
	w.done += int64(n)
	w.failed = err
	if w.report != nil {
		w.report(w.name, w.done, w.total)
	}
	return n, err
}
