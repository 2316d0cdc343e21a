package main

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strings"
	"syscall"

	"github.com/saedb/saedb/bench/measure"
)

// server is a saedb serve that runs, and what it writes to standard error.
type server struct {
	*measure.Server
	stderr *bytes.Buffer
}

func start(database measure.Database) (*server, error) {
	stderr := new(bytes.Buffer)
	s, err := measure.Serve(database, stderr)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, stderr)
	}
	return &server{s, stderr}, nil
}

// held is what the server's process has.
type held struct {
	threads, files int
	resident       int64 // bytes
}

func (s *server) holds() (held, error) {
	var h held
	directory := fmt.Sprintf("/proc/%d/", s.Command.Process.Pid)
	files, err := os.ReadDir(directory + "fd")
	if err != nil {
		return h, err
	}
	h.files = len(files)
	status, err := os.ReadFile(directory + "status")
	if err != nil {
		return h, err
	}
	for line := range strings.Lines(string(status)) {
		if text, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			fmt.Sscan(text, &h.resident)
			h.resident <<= 10
		}
		if text, ok := strings.CutPrefix(line, "Threads:"); ok {
			fmt.Sscan(text, &h.threads)
		}
	}
	return h, nil
}

var goroutine = regexp.MustCompile(`(?m)^goroutine \d+ `)

// goroutines ends the server with SIGQUIT, at which Go's run time lists them.
func (s *server) goroutines() (int, error) {
	if err := s.Command.Process.Signal(syscall.SIGQUIT); err != nil {
		return 0, err
	}
	_ = s.Command.Wait() // it ends with the signal's exit code
	n := len(goroutine.FindAll(s.stderr.Bytes(), -1))
	if n == 0 {
		return 0, fmt.Errorf("the server lists no goroutines: %s", s.stderr.String())
	}
	return n, nil
}
