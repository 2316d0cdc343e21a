package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/saedb/saedb/internal/compute"
)

// contestant is one measured process and its best round.
type contestant struct {
	role   string // peak, sgemm or fused
	kernel string // of OpenBLAS or saedb; "" for OpenBLAS's own choice
	cores  int
	once   bool // whether one round will do

	chosen string // the kernel that OpenBLAS chose
	best   float64
	err    error

	command *exec.Cmd
	input   io.WriteCloser
	output  *bufio.Reader
}

func (c *contestant) label() string {
	if c.role == "sgemm" && c.kernel == "" {
		return "(" + c.chosen + ")"
	}
	return c.kernel
}

// measure starts all contestants, has them take turns, and ends them. One that fails,
// for example because the processor lacks an OpenBLAS kernel's instructions, keeps
// its error and is left out.
func measure(list []*contestant, s shape, rounds int) ([]*contestant, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	for _, c := range list {
		if c.err = c.start(program, s); c.err != nil {
			c.stop()
		}
	}
	for round := range rounds {
		for _, c := range list {
			if c.err != nil || (round > 0 && c.once) {
				continue
			}
			if c.err = c.turn(); c.err != nil {
				c.stop()
			}
		}
	}
	for _, c := range list {
		if c.err == nil {
			c.stop()
		}
	}
	return list, nil
}

// start starts the process and waits until its matrices are ready.
func (c *contestant) start(program string, s shape) error {
	features := s.features
	if c.once {
		features = max(features/8, 1)
	}
	c.command = exec.Command(program,
		"-measure", c.role, "-cores", fmt.Sprint(c.cores),
		"-features", fmt.Sprint(features), "-d", fmt.Sprint(s.d), "-tokens", fmt.Sprint(s.tokens))
	c.command.Env = append(os.Environ(),
		fmt.Sprintf("GOMAXPROCS=%d", c.cores), fmt.Sprintf("OPENBLAS_NUM_THREADS=%d", c.cores))
	switch {
	case c.role == "fused":
		c.command.Env = append(c.command.Env, compute.KernelVariable+"="+c.kernel)
	case c.kernel != "":
		c.command.Env = append(c.command.Env, "OPENBLAS_CORETYPE="+c.kernel)
	}
	c.command.Stderr = os.Stderr
	var err error
	if c.input, err = c.command.StdinPipe(); err != nil {
		return err
	}
	output, err := c.command.StdoutPipe()
	if err != nil {
		return err
	}
	c.output = bufio.NewReader(output)
	if err := startPinned(c.command, c.cores); err != nil {
		return err
	}
	line, err := c.output.ReadString('\n')
	c.chosen = strings.TrimSpace(line)
	return err
}

// turn has the process measure once.
func (c *contestant) turn() error {
	if _, err := io.WriteString(c.input, "\n"); err != nil {
		return err
	}
	var speed float64
	if _, err := fmt.Fscanln(c.output, &speed); err != nil {
		return err
	}
	c.best = max(c.best, speed)
	return nil
}

// stop ends the process, and adds how it ended to an error that there is.
func (c *contestant) stop() {
	if c.command.Process == nil {
		return
	}
	c.input.Close()
	if err := c.command.Wait(); err != nil && c.err != nil {
		c.err = err
	}
}
