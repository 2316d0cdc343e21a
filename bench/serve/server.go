package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
)

// server is a saedb serve that runs.
type server struct {
	command *exec.Cmd
	stderr  bytes.Buffer
	address string
}

func start(program, database string) (*server, error) {
	s := &server{command: exec.Command(program, "--db", database, "serve", "--listen", "127.0.0.1:0")}
	s.command.Stderr = &s.stderr
	stdout, err := s.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.command.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("saedb serve: %w: %s", err, s.stderr.String())
	}
	_, rest, _ := strings.Cut(line, " on ")
	s.address, _, _ = strings.Cut(rest, ";")
	return s, nil
}

// held is what the server's process has.
type held struct {
	threads, files int
	resident       int64 // bytes
}

func (s *server) holds() (held, error) {
	var h held
	directory := fmt.Sprintf("/proc/%d/", s.command.Process.Pid)
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
	if err := s.command.Process.Signal(syscall.SIGQUIT); err != nil {
		return 0, err
	}
	_ = s.command.Wait() // it ends with the signal's exit code
	n := len(goroutine.FindAll(s.stderr.Bytes(), -1))
	if n == 0 {
		return 0, fmt.Errorf("the server lists no goroutines: %s", s.stderr.String())
	}
	return n, nil
}
