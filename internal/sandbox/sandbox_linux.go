package sandbox

// #include "confine_linux.h"
import "C"

import (
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// systemVariables are where the loader finds libraries, the local time zone, and how the C
// library gives memory to threads.
var systemVariables = []string{"LD_LIBRARY_PATH", "TZ"}

// executable names the program that runs, also when another has taken its place on disk.
func executable() (string, error) { return "/proc/self/exe", nil }

func prepare(command *exec.Cmd) {
	// The signal comes when the thread ends that started the process: see Start.
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	// Each thread's memory of its own would be 64 MB of address space.
	command.Env = append(command.Env, "MALLOC_ARENA_MAX=2")
}

// Confined says what of the sandbox holds in this process, which must be inside one. An
// error means that the system has it and refused it.
func Confined() (Holds, error) {
	holds := Holds{Files: C.saedb_sandbox_files != 0, Calls: C.saedb_sandbox_calls != 0}
	if problem := C.GoString(&C.saedb_sandbox_error[0]); problem != "" {
		return holds, errors.New("the sandbox cannot be made: " + problem)
	}
	return holds, nil
}

// Limit sets limits on a process that was started by Command, and makes it the first to be
// ended where the machine has no memory left. It may only be called once.
func Limit(process int, l Limits) error {
	// Allowed for every process of one's own; a kernel or container that does not lets
	// another be ended first.
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/oom_score_adj", process), []byte("1000"), 0)
	size := Size(process)
	if size == 0 {
		return fmt.Errorf("/proc/%d/statm does not say how large the process is", process)
	}
	for _, limit := range []struct {
		name     string
		resource int
		value    uint64
	}{
		{"address space", unix.RLIMIT_AS, uint64(size + l.Memory)},
		{"processor time", unix.RLIMIT_CPU, uint64(math.Ceil(l.Processor.Seconds()))},
		{"file size", unix.RLIMIT_FSIZE, uint64(l.FileSize)},
		{"core file", unix.RLIMIT_CORE, 0},
	} {
		var inherited unix.Rlimit // which may be lower, and is not raised
		err := unix.Prlimit(process, limit.resource, nil, &inherited)
		if err == nil {
			value := min(limit.value, inherited.Max)
			err = unix.Prlimit(process, limit.resource, &unix.Rlimit{Cur: value, Max: value}, nil)
		}
		if err != nil {
			return fmt.Errorf("limit on the %s: %w", limit.name, err)
		}
	}
	return nil
}

// Size is the address space of a process in bytes; 0 where the system does not say.
func Size(process int) int64 {
	statm, _ := os.ReadFile(fmt.Sprintf("/proc/%d/statm", process))
	pages, _, _ := strings.Cut(string(statm), " ")
	size, _ := strconv.ParseInt(pages, 10, 64)
	return size * int64(os.Getpagesize())
}
