package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/saedb/saedb/bench/measure"
)

// times are what requests of one kind took.
type times struct {
	first time.Duration
	warm  []float64     // milliseconds, each of something else
	again []float64     // milliseconds, each of the same as a warm one
	cpu   time.Duration // of the server, a warm request
	bytes int           // of the largest answer
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// timeKind asks a new server for a kind, once, then n times, and for the same n again. The first
// request waits for nothing but the server's address; the others until the server has done
// what it does in the background after its start.
func timeKind(database measure.Database, k kind, n int) (t times, err error) {
	// Takes the file out of the system's cache, where dd can.
	_ = exec.Command("dd", "of="+database.Path, "oflag=nocache", "conv=notrunc,fdatasync", "count=0").Run()
	served, err := measure.Serve(database, os.Stderr)
	if err != nil {
		return t, err
	}
	s := server{served}
	defer func() { err = errors.Join(err, s.Stop()) }()
	if t.first, t.bytes, err = s.get(k.path(0)); err != nil {
		return t, err
	}
	if err := s.settle(); err != nil {
		return t, err
	}
	before, err := s.processorTime()
	if err != nil {
		return t, err
	}
	for i := range n {
		took, size, err := s.get(k.path(i + 1))
		if err != nil {
			return t, err
		}
		t.warm, t.bytes = append(t.warm, ms(took)), max(t.bytes, size)
	}
	after, err := s.processorTime()
	t.cpu = (after - before) / time.Duration(n)
	for i := range n {
		took, _, err := s.get(k.path(i + 1))
		if err != nil {
			return t, err
		}
		t.again = append(t.again, ms(took))
	}
	return t, err
}

// A server is a running saedb serve.
type server struct{ *measure.Server }

// get asks for a path below /api/ and reads the answer.
func (s server) get(path string) (time.Duration, int, error) {
	begun := time.Now()
	answer, err := http.Get(s.Address + "/api/" + path)
	if err != nil {
		return 0, 0, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", path, answer.Status, body[:min(len(body), 300)])
	}
	return time.Since(begun), len(body), err
}

// settle waits until the server does nothing for half a second.
func (s server) settle() error {
	for range 120 {
		before, err := s.processorTime()
		if err != nil {
			return err
		}
		time.Sleep(500 * time.Millisecond)
		after, err := s.processorTime()
		if err != nil {
			return err
		}
		if after-before <= 10*time.Millisecond {
			return nil
		}
	}
	return errors.New("the server is busy for a minute without a request")
}

// processorTime is what the server has used so far, user and system, of all threads,
// in steps of 10 ms; 0 where the system does not say.
func (s server) processorTime() (time.Duration, error) {
	const tick = time.Second / 100 // what Linux counts in
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.Command.Process.Pid))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	// pid (name) state … utime and stime are the 14th and the 15th field.
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if err != nil || len(fields) < 13 {
		return 0, errors.Join(err, fmt.Errorf("/proc/…/stat says %q", text))
	}
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * tick, errors.Join(err1, err2)
}
