package measure

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
)

// Server is a saedb serve that runs.
type Server struct {
	Command *exec.Cmd
	Address string // http://…
}

// Serve starts saedb serve on a database, at a port that is free.
func Serve(d Database, stderr io.Writer) (*Server, error) {
	s := &Server{Command: exec.Command(d.Program, "--db", d.Path, "serve", "--listen", "127.0.0.1:0")}
	s.Command.Stderr = stderr
	output, err := s.Command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.Command.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	_, rest, _ := strings.Cut(line, " on ")
	address, _, found := strings.Cut(rest, ";")
	if !found {
		return nil, errors.Join(fmt.Errorf("saedb serve: expected its address, found %q", line), err, s.Stop())
	}
	s.Address = address
	return s, nil
}

// Stop ends the server as Ctrl-C does, and waits for it.
func (s *Server) Stop() error {
	if err := s.Command.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return s.Command.Wait()
}
