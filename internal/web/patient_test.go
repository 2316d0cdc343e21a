package web

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"
)

// TestStalledReaderIsLeft: a reader that takes nothing is left after the time for a piece, one
// that is slow is not until the time for all is over, and the connection's next request has
// times of its own.
func TestStalledReaderIsLeft(t *testing.T) {
	const pause = 300 * time.Millisecond
	ended := make(chan error)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := newPatient(w, pause)
		if r.URL.Path == "/short" {
			fmt.Fprint(p, "short")
			return
		}
		if r.URL.Path == "/until" {
			p.until = time.Now().Add(2 * pause)
		}
		content := make([]byte, 1<<20)
		for begun := time.Now(); ; {
			_, err := p.Write(content)
			if err == nil && time.Since(begun) > 20*pause {
				err = errors.New("it goes on")
			}
			if err != nil {
				ended <- err
				return
			}
		}
	}))
	defer server.Close()
	get := func(path string) net.Conn {
		c, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path)
		return c
	}

	stalled := get("/")
	defer stalled.Close()
	if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a reader that takes nothing: %v", err)
	}

	begun := time.Now() // before the server counts, so that its time is never less than this one
	reading := get("/until")
	defer reading.Close()
	go io.Copy(io.Discard, reading)
	if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a reader that takes all, for longer than there is: %v", err)
	}
	if took := time.Since(begun); took < 2*pause || took > 15*pause {
		t.Errorf("it had %v instead of %v", took, 2*pause)
	}

	for range 2 {
		answer, err := server.Client().Get(server.URL + "/short")
		if err != nil {
			t.Fatal(err)
		}
		if content, err := io.ReadAll(answer.Body); err != nil || string(content) != "short" {
			t.Errorf("on a connection that was used: %q, %v", content, err)
		}
		answer.Body.Close()
		time.Sleep(2 * pause)
	}
}
