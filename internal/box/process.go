package box

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/saedb/saedb/internal/sandbox"
)

// A process runs queries, one after the other. It is used by one goroutine at a time, but
// for kill.
type process struct {
	options   Options
	directory string // that it may write to
	command   *exec.Cmd
	requests  io.WriteCloser
	answers   io.ReadCloser
	complaint head            // what it wrote to standard error
	ended     <-chan struct{} // nil where it was never started
	ready     chan struct{}   // closed when it has opened the database, or failed to
	err       error           // of that
	holds     sandbox.Holds
	size      int64         // of its address space, in bytes, when it was ready
	spent     time.Duration // in queries
}

// start starts a process and returns at once; whoever asks it waits until it is ready.
// Another, where it is not nil, is ended and waited for first.
func start(o Options, directory string, before *process) *process {
	p := &process{options: o, directory: directory, ready: make(chan struct{})}
	go func() {
		defer close(p.ready)
		if before != nil {
			before.end()
		}
		p.err = p.open()
	}()
	return p
}

func (p *process) open() error {
	if err := os.Mkdir(p.directory, 0o700); err != nil {
		return err
	}
	var err error
	p.command, err = sandbox.Sandbox{
		Read: []string{p.options.Path, p.options.Path + ".wal"}, Directory: p.directory,
		Environment: []string{"SAEDB_KERNEL"},
	}.Command()
	if err != nil {
		return err
	}
	p.command.Env = append(p.command.Env, fmt.Sprintf("GOMAXPROCS=%d", threads()), "GOTRACEBACK=none")
	p.command.Stderr = &p.complaint
	if p.requests, err = p.command.StdinPipe(); err != nil {
		return err
	}
	if p.answers, err = p.command.StdoutPipe(); err != nil {
		return err
	}
	if p.ended, err = sandbox.Start(p.command); err != nil {
		return err
	}
	// Until it is ready, it runs nobody's query, and has no limits but of time.
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	kind, payload, err := p.exchange(ctx, request{Ask: askOpen, Path: p.options.Path, Threads: threads()})
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("it took longer than %v to open the database", startTime)
	case err != nil:
		return err
	case kind != content:
		return read(payload)
	}
	if err := json.Unmarshal(payload, &p.holds); err != nil {
		return err
	}
	p.size = sandbox.Size(p.command.Process.Pid)
	return sandbox.Limit(p.command.Process.Pid, p.options.sandboxed())
}

// exchange sends a request and returns the answer. An error means that the process has
// died or was killed, since ctx was done.
func (p *process) exchange(ctx context.Context, r request) (kind byte, payload []byte, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err = writeRequest(p.requests, r); err == nil {
			kind, payload, err = readFrame(p.answers)
		}
	}()
	select {
	case <-done:
	case <-ctx.Done():
		p.kill()
		<-done
		return 0, nil, ctx.Err()
	}
	if err != nil {
		p.kill()
		<-p.ended
		err = p.died()
	}
	return kind, payload, err
}

// died says how the process ended, to who asked it last.
func (p *process) died() error {
	said := p.complaint.String()
	select {
	case <-p.ready:
	default:
		first, _, _ := strings.Cut(said, "\n")
		return fmt.Errorf("it ended before it had opened the database (%v): %s", p.command.ProcessState, first)
	}
	most := gigabytes(p.options.memory())
	for _, sign := range []string{"out of memory", "cannot allocate", "bad_alloc", "Out of Memory", "pthread_create failed"} {
		if strings.Contains(said, sign) {
			return fmt.Errorf("the query needed more than the %s of memory that one may take, and was stopped", most)
		}
	}
	how := p.command.ProcessState.String()
	if strings.Contains(said, "SIGSEGV") {
		how = "SIGSEGV"
	}
	return fmt.Errorf("the query ended the process that ran it (%s), and nothing else: what DuckDB cannot do, such as "+
		"lists in lists thousands deep, or more memory than the %s that one may take, does this", how, most)
}

func gigabytes(bytes int64) string { return fmt.Sprintf("%.1f GB", float64(bytes)/1e9) }

// kill ends the process at once. It may be called at any time, and more than once.
func (p *process) kill() {
	if p.ended != nil {
		_ = p.command.Process.Kill() // an error where it has ended
	}
}

// end kills the process, waits until it is gone, and removes what it wrote.
func (p *process) end() error {
	<-p.ready
	p.kill()
	if p.ended != nil {
		<-p.ended
	}
	return os.RemoveAll(p.directory)
}

// worn tells whether another should take its place before the next query: its processor
// time is nearly over, or it has kept much of the memory that it may take.
func (p *process) worn() bool {
	kept := sandbox.Size(p.command.Process.Pid) - p.size
	return p.spent > timesUsed*p.options.Time || kept > p.options.memory()-otherMemory
}

// A head keeps the beginning of what is written to it: the first lines of a crash say what
// it was.
type head struct {
	mutex sync.Mutex
	kept  bytes.Buffer
}

func (h *head) Write(p []byte) (int, error) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.kept.Write(p[:min(len(p), max(0, 4096-h.kept.Len()))])
	return len(p), nil
}

func (h *head) String() string {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return h.kept.String()
}
