package shell

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// plainInput reads lines from what is no terminal that can be edited on.
type plainInput struct {
	lines   *bufio.Reader
	prompts io.Writer
}

func newPlainInput(in io.Reader, prompts io.Writer) *plainInput {
	return &plainInput{bufio.NewReader(in), prompts}
}

func (p *plainInput) line(ctx context.Context, prompt string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	fmt.Fprint(p.prompts, prompt)
	line, err := p.lines.ReadString('\n')
	if errors.Is(err, io.EOF) && line != "" {
		err = nil // the last line needs no newline
	}
	return strings.TrimRight(line, "\r\n"), err
}

func (p *plainInput) remember(string) {}

func (p *plainInput) close() {}
